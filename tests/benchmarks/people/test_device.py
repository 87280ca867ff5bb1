"""Cases run on the shipped bundle: what changed, in Home Assistant's units, and what counts as refused or asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.cli import main
from tests.benchmarks.people.flat import run


@pytest.mark.parametrize(
    ("said", "changes"),
    [
        ("turn on the kitchen lamp", {"light.k": {"state": ["off", "on"]}}),
        ("set the bedroom lamp to 30 percent", {"light.b": {"brightness": [51, 76]}}),
        ("set the kitchen lamp to red", {"light.k": {"state": ["off", "on"], "rgb_color": [None, [255, 0, 0]]}}),
        ("set the bedroom blind to 25 percent", {"cover.b": {"current_position": [100, 25]}}),
        ("set the volume of the radio to 70 percent", {"media_player.r": {"volume_level": [0.4, 0.7]}}),
        ("set a timer for ten minutes", {"timer.1": {"state": [None, "active"], "seconds": [None, 600]}}),
    ],
)
def test_changes_are_told_in_home_assistants_units(tmp_path: Path, said: str, changes: dict[str, Any]) -> None:
    [result] = run(tmp_path, {"say": [said]})
    assert result["changes"] == changes
    assert not result["refused"] and not result["asked"]


def test_every_case_starts_from_the_states_of_the_home_and_its_own(tmp_path: Path) -> None:
    lit = {
        "light.k": {"state": "on", "attributes": {"brightness": 255}},
        "light.b": {"attributes": {"brightness": None}},
    }
    first, second, third = run(
        tmp_path,
        {"say": ["turn on the kitchen lamp"]},
        {"say": ["turn on the kitchen lamp"]},
        {"say": ["turn on the kitchen lamp"], "states": lit},
    )
    assert first["changes"] == second["changes"] == {"light.k": {"state": ["off", "on"]}}
    assert third["changes"] == {}


def test_a_running_timer_is_cancelled(tmp_path: Path) -> None:
    timer = {"timer.1": {"state": "active", "attributes": {"seconds": 600, "name": "pizza"}}}
    [result] = run(tmp_path, {"say": ["cancel the pizza timer"], "states": timer})
    assert result["changes"]["timer.1"]["seconds"] == [600, None]


def test_a_list_tells_its_open_items(tmp_path: Path) -> None:
    [result] = run(tmp_path, {"say": ["add bread to the errands list"]})
    assert result["changes"]["todo.s"]["items"] == [["post"], ["post", "bread"]]


def test_talk_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    [result] = run(tmp_path, {"say": ["my sister moved to Lisbon last spring"]})
    assert result["refused"] and result["changes"] == {} and result["parses"][0][0]["intent"] is None


def test_several_turns_are_one_conversation(tmp_path: Path) -> None:
    [result] = run(tmp_path, {"say": ["turn on the kitchen lamp", "close the bedroom blind"]})
    assert set(result["changes"]) == {"light.k", "cover.b"} and len(result["replies"]) == 2


def test_a_case_of_an_unknown_home_is_an_error_that_names_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"id": "1", "language": "en", "home": "nowhere", "say": ["hello"]}\n', encoding="utf-8")
    assert main(["people", str(file), "--out", str(tmp_path / "out.jsonl")]) == 2
    assert "cases.jsonl:1" in capsys.readouterr().err
