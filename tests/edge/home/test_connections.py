"""Connections are kept for their owner alone, and found again."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from edge import compose
from edge.errors import ConfigError
from edge.home.connections import (
    Connection,
    checked_url,
    connection_names,
    find_connection,
    forget_connection,
    is_connection,
    remember_home,
    remembered_home,
    save_connection,
)
from edge.types import Area, Entity, Home


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return tmp_path / "edge" / "homes"


def test_a_connection_is_read_by_its_owner_alone(folder: Path) -> None:
    kept = Connection("flat", "http://192.168.1.10:8123", token="secret")
    path = save_connection(kept)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert stat.S_IMODE(save_connection(kept).stat().st_mode) == 0o600
    assert find_connection("flat") == kept
    assert connection_names() == ["flat"]
    assert forget_connection("flat") == "flat"
    assert not is_connection("flat")


def test_who_asks_for_another_is_told_which_there_are() -> None:
    save_connection(Connection("flat", "http://192.168.1.10:8123"))
    with pytest.raises(ConfigError, match="there are: flat"):
        find_connection("house")


def test_a_damaged_file_says_how_to_make_it_again(folder: Path) -> None:
    save_connection(Connection("flat", "http://192.168.1.10:8123"))
    (folder / "flat.json").write_text("{")
    with pytest.raises(ConfigError, match="edge home connect URL --name flat"):
        find_connection("flat")


@pytest.mark.parametrize("name", ["../flat", "Flat", "", "a/b", "a" * 64, ".hidden"])
def test_a_name_is_no_path(name: str) -> None:
    assert not is_connection(name)
    with pytest.raises(ConfigError):
        save_connection(Connection(name, "http://192.168.1.10:8123"))


@pytest.mark.parametrize("url", ["192.168.1.10", "ftp://x", "http://", "http://x:port", "mqtt://x:99999999", ""])
def test_what_is_no_address_says_what_one_is(url: str) -> None:
    with pytest.raises(ConfigError, match="http://HOST:8123"):
        checked_url(url)


def test_a_home_is_remembered_by_its_names() -> None:
    lamp = Entity("light.lamp", "Lamp", ("light",), "den", "on", {"brightness": 5, "device_class": "x"})
    save_connection(Connection("flat", "http://192.168.1.10:8123"))
    with pytest.raises(ConfigError, match="was never seen"):
        compose.home("flat")
    remember_home("flat", Home((Area("den", "Den"),), (), (lamp,)))
    seen = Entity("light.lamp", "Lamp", ("light",), "den", None, {"device_class": "x"})
    assert compose.home("flat") == remembered_home("flat") == Home((Area("den", "Den"),), (), (seen,))
