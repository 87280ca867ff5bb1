"""The state of the slots: torn records, damage, what a killed installation leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.bundle.slots import (
    State,
    Version,
    bundle_folder,
    drop_slot,
    installed_names,
    locked,
    read_state,
    slot_path,
    write_state,
)


def version(name: str) -> Version:
    return Version(name * 64, vouched="signed by a key with a long name" * 2)


def state_file() -> Path:
    return bundle_folder() / "tiny" / "state"


def test_the_newest_state_is_read() -> None:
    assert read_state("tiny") == State()
    with locked("tiny"):
        for name in "abcde":
            written = write_state("tiny", State(("a",), {"a": version(name)}))
            assert read_state("tiny") == written
    assert read_state("tiny").number == 5
    assert installed_names() == ["tiny"]


@pytest.mark.parametrize("length", [0, 1, 17, 100, 200])
def test_a_torn_record_leaves_the_one_before(length: int) -> None:
    with locked("tiny"):
        write_state("tiny", State(("a",), {"a": version("a")}))
        before = write_state("tiny", State(("b", "a"), {"a": version("a"), "b": version("b")}))
        old = state_file().read_bytes()
        write_state("tiny", State(("a",), {"a": version("c")}))
    new = state_file().read_bytes()
    first = next(at for at in range(0, len(new), 1024) if new[at : at + 1024] != old[at : at + 1024])
    torn = new[: first + length] + old[first + length : first + 1024] + new[first + 1024 :]
    state_file().write_bytes(torn)
    assert read_state("tiny") == before
    with locked("tiny"):
        write_state("tiny", State(("a",), {"a": version("d")}))
    assert read_state("tiny").versions["a"] == version("d")


@pytest.mark.parametrize("data", [b"", b"\0" * 4096, b"rubbish\n" * 300])
def test_damage_is_an_empty_state(data: bytes) -> None:
    state_file().parent.mkdir(parents=True)
    state_file().write_bytes(data)
    assert read_state("tiny") == State()
    with locked("tiny"):
        write_state("tiny", State(("a",), {"a": version("a")}))
    assert read_state("tiny").order == ("a",)


def test_a_state_whose_slots_are_not_described_is_none() -> None:
    with pytest.raises(ValueError, match="not described"):
        State(("a",), {})


def test_what_the_state_does_not_name_is_removed() -> None:
    with locked("tiny"):
        write_state("tiny", State(("a",), {"a": version("a")}))
        for name in ("a.edge", "b.edge", ".b.edge.0123abcd.part"):
            (bundle_folder() / "tiny" / name).write_bytes(b"x")
    with locked("tiny"):
        assert sorted(path.name for path in (bundle_folder() / "tiny").iterdir()) == ["a.edge", "state"]
        drop_slot("tiny", "a", read_state("tiny"))
        assert not slot_path("tiny", "a").exists()
    assert installed_names() == []
