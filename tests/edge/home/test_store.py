"""The home across restarts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edge.errors import ConfigError

if TYPE_CHECKING:
    from conftest import Talker


def test_states_lists_and_timers_survive(talker: Callable[..., Talker], tmp_path: Path) -> None:
    path = tmp_path / "state" / "home.json"
    say = talker(store_path=path)
    say("HassTurnOn", name="Kitchen Light")
    say("HassShoppingListAddItem", item="milk")
    say("HassStartTimer", minutes=10, name="tea")
    say.clock.advance(60)
    say("HassTurnOn", name="Hall Light")

    again = talker(store_path=path)
    assert again.state("light.kitchen") == again.state("light.hall") == "on"
    assert again.attribute("todo.shopping_list", "items") == ["milk"]
    (timer,) = again.dialogue.timers.all()
    assert (timer.name, again.dialogue.timers.remaining_s(timer)) == ("tea", 540)
    again("HassStartTimer", minutes=1)
    assert len(again.dialogue.timers.all()) == 2
    again.clock.advance(600)
    assert len(again.dialogue.due()) == 2
    assert talker(store_path=path).dialogue.timers.all() == ()


@pytest.mark.parametrize("content", [b"", b"{", b'{"format": 1}', b"\xff", b"[]"])
def test_damaged_store(talker: Callable[..., Talker], tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "home.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="damaged"):
        talker(store_path=path)


def test_store_that_cannot_be_written(talker: Callable[..., Talker], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    say = talker(store_path=folder / "home.json")
    folder.write_text("")
    with pytest.raises(ConfigError, match="cannot write .*home.json"):
        say("HassTurnOn", name="Kitchen Light")
    assert say.state("light.kitchen") == "on"
