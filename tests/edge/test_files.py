"""Files appear whole or not at all, with the user's modes; devices, pipes and links stay what they are."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from edge import files
from edge.errors import BundleError, ConfigError
from edge.files import whole_file, write_file
from tests.command import CHECKOUT


@pytest.fixture(params=[True, False], ids=["unnamed", "named"])
def unnamed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the file system has files without names (ext4, tmpfs) or not (vfat, NFS)."""
    if not request.param:
        monkeypatch.setattr(files.os, "O_TMPFILE", os.O_DIRECTORY | os.O_CREAT | os.O_EXCL)
    return bool(request.param)


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_new_files_get_the_mode_that_the_umask_leaves(umask: int, mode: int, unnamed: bool, tmp_path: Path) -> None:
    before = os.umask(umask)
    try:
        write_file(tmp_path / "a", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_a_replaced_file_keeps_its_mode(unnamed: bool, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o640)
    write_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("dangling", [False, True])
def test_a_link_stays_a_link(dangling: bool, unnamed: bool, tmp_path: Path) -> None:
    if not dangling:
        (tmp_path / "a").write_text("old")
    (tmp_path / "link").symlink_to("a")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a").read_text() == "new"


def test_a_device_stays_a_device(tmp_path: Path) -> None:
    write_file(Path("/dev/null"), "text")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_file(tmp_path / "pipe", b"x" * 200_000)
    reader.join(10)
    assert read == [b"x" * 200_000]
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_standard_output_that_goes_into_a_file_is_not_replaced(tmp_path: Path) -> None:
    code = "from pathlib import Path; from edge.files import write_file; write_file(Path('/dev/stdout'), 'text')"
    with (tmp_path / "out").open("wb") as out:
        subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, stdout=out, check=True)
        assert os.fstat(out.fileno()).st_nlink == 1
    assert (tmp_path / "out").read_text() == "text"


def test_a_failure_leaves_what_was_there(unnamed: bool, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "a") as stream:
        stream.write(b"half")
        raise RuntimeError
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_what_cannot_be_written_is_said_in_the_callers_terms(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="Is a directory"):
        write_file(tmp_path, "x", BundleError)
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot write"):
        write_file(tmp_path / "file" / "a", "x")
    with pytest.raises(ConfigError, match="No space left"):
        write_file(Path("/dev/full"), "x")


WRITE = """
import signal, sys, time
from pathlib import Path
from edge import files
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # who runs the tests may ignore it, as nohup does
files.end_tidily()
if sys.argv[2] == "named":
    files.os.O_TMPFILE = files.os.O_DIRECTORY | files.os.O_CREAT | files.os.O_EXCL
with files.whole_file(Path(sys.argv[1])) as stream:
    stream.write(b"half")
    print("writing", flush=True)
    time.sleep(30)
"""


def killed(target: Path, kind: str, number: int) -> int:
    """Exit code of a process that got signal ``number`` while it wrote."""
    command = [sys.executable, "-c", WRITE, str(target), kind]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"writing\n"
        program.send_signal(number)
        return program.wait(10)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_killed_writer_leaves_no_file(number: int, tmp_path: Path) -> None:
    code = killed(tmp_path / "a", "unnamed", number)
    assert code == (-9 if number == signal.SIGKILL else 128 + number)
    assert os.listdir(tmp_path) == []


def test_where_files_need_names_the_next_writer_sweeps_up(tmp_path: Path) -> None:
    killed(tmp_path / "a", "named", signal.SIGTERM)
    assert os.listdir(tmp_path) == []
    killed(tmp_path / "a", "named", signal.SIGKILL)
    (left,) = tmp_path.iterdir()
    os.utime(left, (0, time.time() - 2))
    write_file(tmp_path / "a", "new")
    assert os.listdir(tmp_path) == ["a"]


def test_a_living_writer_is_not_swept_away(unnamed: bool, tmp_path: Path) -> None:
    with whole_file(tmp_path / "a") as first:
        first.write(b"first")
        write_file(tmp_path / "a", "second")
        assert (tmp_path / "a").read_text() == "second"
    assert (tmp_path / "a").read_text() == "first"
    assert os.listdir(tmp_path) == ["a"]


def test_many_writers_of_one_file_leave_one_whole_file(unnamed: bool, tmp_path: Path) -> None:
    until = time.monotonic() + 1

    def write(letter: str) -> None:
        while time.monotonic() < until:
            write_file(tmp_path / "a", letter * 10_000)

    writers = [threading.Thread(target=write, args=(letter,)) for letter in "xyz"]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        if (tmp_path / "a").exists():
            text = (tmp_path / "a").read_text()
            assert text == text[0] * 10_000
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("number", [None, signal.SIGTERM])
def test_a_cache_that_cannot_be_written_leaves_no_folder(number: int | None, tmp_path: Path) -> None:
    """Each run left a folder with the unpacked programs."""
    environment = {**os.environ, "XDG_CACHE_HOME": "/proc/none", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "edge", "parse", "--lang", "en", "-"]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdin is not None and program.stdout is not None
        program.stdin.write(b"what time is it\n")
        program.stdin.flush()
        assert b"HassGetCurrentTime" in program.stdout.readline()
        assert len(os.listdir(tmp_path)) == 1
        if number is not None:
            program.send_signal(number)
        program.stdin.close()
        program.wait(30)
    assert os.listdir(tmp_path) == []
