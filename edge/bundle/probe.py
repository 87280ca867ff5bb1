"""Tries a bundle out in a child process: a damaged program ends that process, not the assistant.

The native runtime trusts the inside of a program. Changed bytes may abort the process, although every hash of the
manifest was made anew. The child loads what the assistant would load, and runs it on probe inputs. It bounds its own
memory and time. A signature keeps attackers out; the probe keeps damage out.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, cast

from edge.errors import BundleError

MAX_WALL_S = 180.0
"""A Raspberry Pi Zero 2 W, some 20 times slower than the machine on which a probe takes 0.5 s, stays far below."""

PASSED = b"passed\n"

_CHILD = "edge.commands.probe"
_MAX_ANSWER_BYTES = 1000
_ROOT = Path(__file__).parents[2]


def probe(path: Path, name: str, *handles: int) -> None:
    """Load the bundle at ``path`` and run it on probe inputs, in a child process that inherits ``handles``.

    Args:
        path: A folder or an ``.edge`` file, or ``/proc/self/fd/N`` for one of the handles.
        name: What a message calls the bundle.
        handles: Descriptors that the child needs.

    Raises:
        BundleError: the child ended, failed or took too long.
    """
    folders = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    child = subprocess.Popen(
        [sys.executable, "-m", _CHILD, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders), "OPENBLAS_NUM_THREADS": "1"},
        pass_fds=handles,
    )
    try:
        with cast(IO[bytes], child.stdout) as stream:
            answer = _answer(stream.fileno())
        code = child.wait(MAX_WALL_S)
    except subprocess.TimeoutExpired:
        raise BundleError(f"{name} failed its probe: it took over {MAX_WALL_S:.0f} s; do not use it") from None
    finally:
        child.kill()
        child.wait()
    if code == 0 and answer == PASSED:
        return
    if code < 0:
        reason = f"its program ended the process ({signal.Signals(-code).name})"
    else:
        reason = " ".join(answer.decode(errors="replace").split()) or f"exit code {code}"
    raise BundleError(f"{name} failed its probe: {reason}; do not use it")


def _answer(stream: int) -> bytes:
    """What the child says until it ends, no more than it may say; a child that is silent for too long says nothing."""
    answer, end = b"", time.monotonic() + MAX_WALL_S
    while len(answer) < _MAX_ANSWER_BYTES and (left := end - time.monotonic()) > 0:
        if not select.select([stream], [], [], left)[0]:
            break
        block = os.read(stream, _MAX_ANSWER_BYTES)
        if not block:
            break
        answer += block
    return answer
