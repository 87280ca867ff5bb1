"""Standard streams that are closed, endless, of another encoding, or full."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from tests.command import CHECKOUT, edge, one_line, rows

HOME = ("--lang", "en")


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """``edge`` as ``$EDGE`` of a shell command."""
    variables = {**os.environ, "EDGE": f"{sys.executable} -m edge", **environment}
    return subprocess.run(["sh", "-c", command], cwd=CHECKOUT, capture_output=True, env=variables, timeout=120)


@pytest.mark.parametrize("command", ["parse --lang en -", "simulate --lang en --tts none --text -"])
def test_a_line_without_end_takes_no_memory_and_the_next_is_served(command: str) -> None:
    text = b"x" * 80_000_000 + b"\nwhat time is it\n"
    start = time.monotonic()
    done = edge(*command.split(), *(["--json"] if "simulate" in command else []), text=text)
    first, second = rows(done.stdout)
    assert done.returncode == 0
    assert "only the beginning is read" in one_line(done)
    assert len(str(first)) < 400_000
    parse = second.get("parse") or second
    assert parse["intent"] == "HassGetCurrentTime"
    assert time.monotonic() - start < 60


def test_endless_input_without_a_newline_stays_small() -> None:
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); import runpy, sys; "
    code += "sys.argv = ['edge', 'parse', '--lang', 'en', '-']; runpy.run_module('edge', run_name='__main__')"
    with subprocess.Popen([sys.executable, "-c", code], cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=-1) as program:
        assert program.stdin is not None and program.stdout is not None
        for _ in range(64):
            program.stdin.write(b"a" * (16 << 20))
        program.stdin.write(b"\nwhat time is it\n")
        program.stdin.close()
        output = program.stdout.read().decode().splitlines()
    assert program.returncode == 0
    assert json.loads(output[-1])["intent"] == "HassGetCurrentTime"


def test_closed_input_is_empty_input() -> None:
    for command in ("parse --lang en -", "simulate --lang en --tts none --text -"):
        done = shell(f"$EDGE {command} <&-")
        assert b"Traceback" not in done.stderr, done.stderr
        assert done.stdout == b""


def test_closed_output_is_said() -> None:
    for command in (
        "parse --lang en hello",
        "simulate --lang en --tts none --text hello",
        "--version",
        "bundle info home",
    ):
        done = shell(f"$EDGE {command} >&-")
        assert done.returncode == 2
        assert done.stderr == b"edge: standard output is closed: give it a terminal, a file or a pipe\n"


def test_all_closed_does_not_write_into_other_files() -> None:
    assert shell("$EDGE parse --lang en hello <&- >&- 2>&-").returncode == 2
    assert shell("$EDGE parse --lang en hello 2>&-").returncode == 0


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_a_terminal_of_another_encoding_shows_what_it_can(encoding: str) -> None:
    command = "$EDGE simulate --lang ko --tts none --text '지금 몇 시야'"
    done = shell(command, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"HassGetCurrentTime" in done.stdout
    done = shell(f"{command} --json", PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    assert json.loads(done.stdout.decode("utf-8"))["transcript"] == "지금 몇 시야"


def test_a_full_disk_is_said() -> None:
    done = shell("$EDGE parse --lang en hello > /dev/full")
    assert done.returncode == 2
    assert done.stderr.count(b"\n") == 1 and b"No space left" in done.stderr
