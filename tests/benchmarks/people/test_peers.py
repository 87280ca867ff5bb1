"""Home Assistant's own ways to understand, on the same cases as the device."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.people.flat import run


def test_hassil_understands_its_templates_alone(tmp_path: Path) -> None:
    plain, free = run(
        tmp_path,
        {"say": ["turn on the kitchen lamp"]},
        {"say": ["please flick on the kichen lamp"]},
        options=("--peer", "hassil"),
    )
    assert plain["changes"] == {"light.k": {"state": ["off", "on"]}}
    assert free["changes"] == {} and free["refused"]


def test_the_gazetteer_answers_where_no_template_fits(tmp_path: Path) -> None:
    [both] = run(
        tmp_path,
        {"say": ["flick on the kichen lamp and close the bedroom blind"]},
        options=("--peer", "gazetteer"),
    )
    assert set(both["changes"]) == {"light.k", "cover.b"}
    assert [parse["intent"] for parse in both["parses"][0]] == ["HassTurnOn", "HassTurnOff"]


def test_the_gazetteer_knows_what_it_was_about_within_a_case_only(tmp_path: Path) -> None:
    followed, alone = run(
        tmp_path,
        {"say": ["flick on the kitchen lamp", "turn it off"]},
        {"say": ["turn it off"]},
        options=("--peer", "gazetteer"),
    )
    assert followed["changes"] == {} and not followed["refused"]
    assert alone["refused"]


def test_a_question_gets_the_reply_that_the_peer_chose(tmp_path: Path) -> None:
    [result] = run(tmp_path, {"say": ["are any lights on in the bedroom"]}, options=("--peer", "gazetteer"))
    assert result["replies"][0].startswith("Yes")


def test_the_room_of_the_assistant_is_where_unnamed_lights_are(tmp_path: Path) -> None:
    [result] = run(tmp_path, {"say": ["turn on the lights"], "area": "kitchen"}, options=("--peer", "hassil"))
    assert result["changes"] == {"light.k": {"state": ["off", "on"]}}
