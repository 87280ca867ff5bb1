"""Installations: the version that works is never lost, and one that fails gives way by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from edge.bundle import install, slots
from edge.bundle.format import Bundle, open_bundle, sign_bundle, write_bundle
from edge.bundle.install import install_bundle, rollback_bundle, start
from edge.bundle.signing import machine_key
from edge.bundle.slots import MAX_STARTS, bundle_folder, read_state
from edge.errors import BundleError
from tests.command import CHECKOUT, edge, rows

from .conftest import Write


@pytest.fixture
def put(write: Write) -> Callable[..., Bundle]:
    """Builds and installs a version; where ``works``, the assistant started with it."""

    def installed(version: str, built: int = 0, *, works: bool = False) -> Bundle:
        bundle = write(version, built, sign=machine_key().sign)
        install_bundle(bundle.source)
        if works:
            with start("tiny") as told:
                assert told == ""
        return bundle

    return installed


def in_use() -> str:
    """The version of the bundle in use, asked of the assistant."""
    done = edge("parse", "--bundle", "tiny", "hello")
    assert done.returncode == 0, done.stderr
    return str(rows(done.stdout)[0]["intent"])


def holds() -> str:
    """The version in use, read from its file."""
    data = open_bundle("tiny").read("grammar.bin")
    return next(name for name in "ABCD" if f'"{name}"'.encode() in data)


def files() -> set[str]:
    return {path.name for path in (bundle_folder() / "tiny").iterdir()}


def test_a_version_is_installed_used_and_rolled_back(put: Callable[..., Bundle]) -> None:
    put("A")
    put("B")
    assert in_use() == "B"
    rollback_bundle("tiny")
    assert in_use() == "A"
    with pytest.raises(BundleError, match="no earlier bundle"):
        rollback_bundle("tiny")
    assert in_use() == "A"
    assert files() == {"a.edge", "state"}


def test_the_same_version_twice_keeps_the_one_before(put: Callable[..., Bundle]) -> None:
    for version in ("A", "B", "B", "B"):
        put(version)
    rollback_bundle("tiny")
    assert holds() == "A"


def test_a_signature_is_added_in_place(put: Callable[..., Bundle], write: Write) -> None:
    put("A")
    bundle = write("B")
    install_bundle(bundle.source, allow_unsigned=True)
    assert [version.vouched for version in read_state("tiny").versions.values()][1] == "not signed"
    sign_bundle(bundle, machine_key().sign)
    install_bundle(bundle.source)
    state = read_state("tiny")
    assert state.active is not None
    assert "machine" in state.active.vouched
    rollback_bundle("tiny")
    assert holds() == "A"


def test_the_cache_keeps_no_program_of_a_version_that_is_gone(tmp_path: Path) -> None:
    home, cache = open_bundle("home"), tmp_path / "cache" / "edge"
    student = home.manifest.student
    assert student is not None
    contents = {name: home.read(name) for name in (student.program, "lexicon/en.json")}
    program = contents[student.program]
    for extra in (b"", b"\0"):  # another program, which runs as well
        contents[student.program] = program + extra
        manifest = msgspec.structs.replace(home.manifest, hearing={}, languages=("en",), card=repr(extra))
        install_bundle(write_bundle(tmp_path / "own.edge", manifest, contents, machine_key().sign).source)
        assert edge("parse", "turn on the kitchen light").returncode == 0
    assert len(list(cache.iterdir())) == 2
    rollback_bundle("home")
    assert len(list(cache.iterdir())) == 1


def test_a_version_that_works_outlives_those_that_do_not(put: Callable[..., Bundle]) -> None:
    put("A", works=True)
    for version in ("B", "C", "D", "B"):
        put(version)
        assert holds() == version
    rollback_bundle("tiny")
    assert holds() == "A"


def test_a_damaged_version_is_not_rolled_back_to(put: Callable[..., Bundle]) -> None:
    put("A")
    put("B")
    path = slots.slot_path("tiny", read_state("tiny").order[1])
    path.write_bytes(path.read_bytes().replace(b"PK\x05\x06", b"PK\x05\x07"))
    with pytest.raises(BundleError, match=r"damaged|whole"):
        rollback_bundle("tiny")
    assert in_use() == "B"


def test_another_bundle_in_the_place_of_an_installed_one_is_not_used(put: Callable[..., Bundle], write: Write) -> None:
    put("A")
    slots.slot_path("tiny", "a").write_bytes(write("B").source.read_bytes())
    with pytest.raises(BundleError, match="not what was installed"):
        open_bundle("tiny")


def test_an_older_bundle_needs_the_flag(put: Callable[..., Bundle], write: Write) -> None:
    put("B", built=2000)
    older = write("A", 1000, sign=machine_key().sign)
    with pytest.raises(BundleError, match="--allow-downgrade"):
        install_bundle(older.source)
    assert holds() == "B"
    install_bundle(older.source, allow_older=True)
    assert holds() == "A"


def test_starts_are_counted_until_one_succeeds(put: Callable[..., Bundle]) -> None:
    put("A", works=True)
    put("B")
    for number in range(1, MAX_STARTS + 1):
        with pytest.raises(RuntimeError), start("tiny"):
            raise RuntimeError
        active = read_state("tiny").active
        assert active is not None
        assert (active.starts, active.works) == (number, False)
    with start("tiny") as told:
        assert told == f"the installed version of tiny failed {MAX_STARTS} starts; the one before is in use again"
        assert holds() == "A"
    with start("tiny") as told:
        assert told == ""


def test_a_start_that_succeeds_ends_the_count(put: Callable[..., Bundle]) -> None:
    put("A", works=True)
    put("B")
    for _ in range(MAX_STARTS - 1):
        with pytest.raises(RuntimeError), start("tiny"):
            raise RuntimeError
    for _ in range(MAX_STARTS):
        assert in_use() == "B"
    active = read_state("tiny").active
    assert active is not None
    assert active.works


def test_a_turn_that_is_typed_ends_the_count_too(put: Callable[..., Bundle]) -> None:
    put("A")
    assert edge("simulate", "--bundle", "tiny", "--tts", "none", "--text", "hello").returncode == 0
    active = read_state("tiny").active
    assert active is not None
    assert active.works


def test_without_a_version_before_the_failing_one_stays(put: Callable[..., Bundle]) -> None:
    put("A")
    for _ in range(MAX_STARTS + 2):
        with pytest.raises(RuntimeError), start("tiny"):
            raise RuntimeError
    assert in_use() == "A"


def test_killed_starts_bring_the_version_before_back(put: Callable[..., Bundle]) -> None:
    put("A", works=True)
    put("B")
    killed = (
        "import os, signal, sys\n"
        "from edge import compose\n"
        "compose.parser = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from edge.commands.cli import main\n"
        "main(['parse', '--bundle', 'tiny', 'hello'])\n"
    )
    for _ in range(MAX_STARTS):
        assert subprocess.run([sys.executable, "-c", killed], cwd=CHECKOUT).returncode == -signal.SIGKILL
    done = edge("parse", "--bundle", "tiny", "hello")
    assert rows(done.stdout)[0]["intent"] == "A"
    assert done.stderr == "edge: the installed version of tiny failed 3 starts; the one before is in use again\n"
    assert edge("parse", "--bundle", "tiny", "hello").stderr == ""


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_damaged_version_gives_way_at_once(put: Callable[..., Bundle], damage: str) -> None:
    put("A", works=True)
    put("B", works=True)
    path = slots.slot_path("tiny", read_state("tiny").order[0])
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-100])
    done = edge("parse", "--bundle", "tiny", "hello")
    assert rows(done.stdout)[0]["intent"] == "A"
    assert "is damaged; the one before is in use again" in done.stderr
    put("C")
    assert in_use() == "C"


def test_a_shipped_bundle_is_what_is_left(put: Callable[..., Bundle], write: Write) -> None:
    newer = open_bundle("home").manifest.built + 1
    install_bundle(write("A", newer, name="home", sign=machine_key().sign).source)
    for _ in range(MAX_STARTS):
        with pytest.raises(RuntimeError), start("home"):
            raise RuntimeError
    with start("home"):
        assert open_bundle("home").manifest.student is not None


def test_a_refused_bundle_changes_nothing(put: Callable[..., Bundle], write: Write, tmp_path: Path) -> None:
    put("A", works=True)
    before, state = files(), read_state("tiny")
    grammarless = write("B", sign=machine_key().sign)
    broken = tmp_path / "broken.edge"
    write_bundle(broken, grammarless.manifest, {"grammar.bin": b"rubbish"}, machine_key().sign)
    with pytest.raises(BundleError, match="failed its probe: .*grammar is damaged"):
        install_bundle(broken)
    assert (files(), read_state("tiny")) == (before, state)


def test_a_folder_that_cannot_be_written_is_told(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/dev/null/data")
    with pytest.raises(BundleError, match="set XDG_DATA_HOME"):
        install_bundle(write("A", sign=machine_key().sign).source)


def test_a_start_goes_on_where_it_cannot_be_counted(
    put: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("A")

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(install.slots.os, "pwrite", full)
    with start("tiny") as told:
        assert "not counted" in told
        assert holds() == "A"


@pytest.mark.parametrize("name", ["../tiny", "/", "absent", "a/b.edge"])
def test_only_what_is_installed_is_rolled_back(name: str) -> None:
    with pytest.raises(BundleError):
        rollback_bundle(name)
