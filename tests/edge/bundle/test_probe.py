"""Programs with changed bytes and recomputed hashes: at most the child process ends."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from edge.bundle import probe as probing
from edge.bundle.format import open_bundle, open_path, write_bundle
from edge.bundle.install import admit, install_bundle, verify_bundle
from edge.bundle.probe import probe
from edge.bundle.signing import machine_key
from edge.errors import BundleError
from tests.command import edge, one_line

from .conftest import Write


def test_a_program_that_aborts_is_refused_everywhere(tmp_path: Path) -> None:
    home = open_bundle("home")
    student = home.manifest.student
    assert student is not None
    # The largest table: its ids then lie outside, which the runtime answers with an abort.
    manifest = msgspec.structs.replace(
        home.manifest, hearing={}, languages=("en",), student=msgspec.structs.replace(student, buckets=2**22)
    )
    source = write_bundle(tmp_path / "aborts.edge", manifest, {student.program: home.read(student.program)}).source
    for use in (install_bundle, verify_bundle):
        with pytest.raises(BundleError, match="failed its probe"):
            use(source, allow_unsigned=True)
    with pytest.raises(BundleError, match="failed its probe"):
        admit(open_path(source), allow_unsigned=True)
    assert "not signed" in one_line(edge("parse", "--bundle", source, "hello"))
    assert "failed its probe" in one_line(edge("parse", "--bundle", source, "--allow-unsigned", "hello"))


def test_what_comes_with_the_package_passes() -> None:
    for name in ("home", "massive-en"):
        verify_bundle(name)


def test_a_bundle_that_understands_nothing_is_refused(write: Write, tmp_path: Path) -> None:
    manifest = msgspec.structs.replace(write("one").manifest, grammar=None)
    source = write_bundle(tmp_path / "empty.edge", manifest, {}).source
    with pytest.raises(BundleError, match="neither a student nor a grammar"):
        verify_bundle(source, allow_unsigned=True)


@pytest.mark.parametrize(
    ("child", "message"),
    [
        ("import os; os.abort()", "SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("print('x' * 10_000_000)", "xxxx"),
        ("", "exit code 0"),
        ("import sys; sys.exit(7)", "exit code 7"),
        ("import time; time.sleep(60)", "took over"),
        ("import os, time; os.close(1); time.sleep(60)", "took over"),
        ("bytearray(10**11)", "exit code 1"),
    ],
)
def test_whatever_the_child_does_is_one_line(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child: str, message: str
) -> None:
    (tmp_path / "child.py").write_text(child)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(probing, "_CHILD", "child")
    monkeypatch.setattr(probing, "MAX_WALL_S", 1.5)
    with pytest.raises(BundleError, match=f"failed its probe: .*{message}") as caught:
        probe(write("one").source, "one")
    assert len(str(caught.value)) < 1300


def test_the_child_takes_no_more_memory_than_it_may(write: Write, tmp_path: Path) -> None:
    code = "from edge.commands import probe\nprobe._bound()\nbytearray(probe._MAX_MEMORY_BYTES)\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "MemoryError" in done.stderr


def test_a_signed_bundle_is_used_without_a_probe(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = write("one", sign=machine_key().sign)
    monkeypatch.setattr(probing, "_CHILD", "absent_module")
    admit(bundle, allow_unsigned=False)


def test_a_program_that_tells_nothing_apart_is_refused(tmp_path: Path) -> None:
    home = open_bundle("home")
    student = home.manifest.student
    assert student is not None
    program = bytearray(home.read(student.program))
    _, _, weights_at, size = struct.unpack_from("<IQQQ", program, 12)
    table = slice(weights_at, weights_at + size // 2)  # within the embedding, the largest part
    program[table] = bytes(size // 2)
    manifest = msgspec.structs.replace(home.manifest, hearing={}, languages=("en",))
    source = write_bundle(tmp_path / "dead.edge", manifest, {student.program: bytes(program)}).source
    with pytest.raises(BundleError, match="the same answer to different sentences"):
        verify_bundle(source, allow_unsigned=True)
