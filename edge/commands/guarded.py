"""Exit codes: what a command returns, and the one line that says why it failed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable

from edge.errors import EdgeError


def guarded(work: Callable[[], int], verbose: bool = False) -> int:
    """Exit code of ``work``; every failure that can be foreseen becomes one line on standard error."""
    try:
        code = work()
        sys.stdout.flush()
        return code
    except EdgeError as error:
        if verbose:
            raise
        return fail(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return fail(f"{error.filename or 'standard output'}: {error.strerror or error}")


def fail(message: str) -> int:
    """Write one line to standard error; returns exit code 2."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"edge: {' '.join(message.split())}\n")
    return 2
