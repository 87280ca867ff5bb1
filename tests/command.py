"""The ``edge`` command in a fresh process, as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).parent.parent


def edge(*arguments: str | Path, text: str | bytes = b"", env: Mapping[str, str] | None = None) -> Any:
    """Run ``edge`` with ``text`` on standard input; the finished process with bytes decoded."""
    done = subprocess.run(
        [sys.executable, "-m", "edge", *map(str, arguments)],
        input=text.encode() if isinstance(text, str) else text,
        capture_output=True,
        cwd=CHECKOUT,
        env={**os.environ, **(env or {})},
        timeout=240,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def rows(output: str) -> list[dict[str, Any]]:
    """Standard output as one JSON object a line and nothing else."""
    return [json.loads(line) for line in output.split("\n")[:-1]]


def one_line(done: Any) -> str:
    """The only line on standard error."""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return str(done.stderr)
