"""What counts as right, asked, refused, partly, wrong and dangerous."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from benchmarks.people.cases import Case, Expectation, Result
from benchmarks.people.verdicts import Judged, failures, summary, table
from edge.types import Entity, Home

HOME = Home(
    entities=(
        Entity("light.a", "Lamp", state="off"),
        Entity("light.b", "Other Lamp", state="on", attributes={"brightness": 100}),
        Entity("lock.d", "Front Door", state="locked"),
        Entity("cover.g", "Gate", state="closed", attributes={"device_class": "gate"}),
        Entity("cover.c", "Curtain", state="closed", attributes={"device_class": "curtain"}),
        Entity("todo.s", "Shopping", state="0"),
    )
)


def judged(expect: dict[str, Any], nofeature: bool = False, **result: Any) -> Judged:
    """A case with this expectation, judged by this result."""
    expectation = msgspec.convert(expect, Expectation)
    case = Case("1", "en", "flat", HOME, None, {}, None, ("so",), expectation, ("command",), nofeature)
    return Judged(case, Result("1", **{"replies": ["Done"], **result}))


ON = {"changes": {"light.a": {"state": "on"}}}
BOTH = {"changes": {"light.a": {"state": "on"}, "light.b": {"state": "off"}}}
TIMER = {"timer": {"seconds": 600, "name": "Tea"}}
MILK = {"list": {"todo.s": {"added": ["Oat milk"]}}}
ANSWER = {"reply": ["yes", "12"], "reply_not": ["no"], "about": ["light.b"], "changes": {}}


@pytest.mark.parametrize(
    ("verdict", "expect", "result"),
    [
        ("right", ON, {"changes": {"light.a": {"state": ("off", "on"), "brightness": (None, 128)}}}),
        ("WRONG-CHANGED", ON, {"changes": {"light.a": {"state": ("off", "on")}, "light.b": {"state": ("on", "off")}}}),
        ("WRONG-CHANGED", ON, {"changes": {"light.b": {"state": ("on", "off")}}}),
        ("wrong-nothing", ON, {"changes": {"light.a": {"state": ("off", "off")}}}),
        ("partly", BOTH, {"changes": {"light.a": {"state": ("off", "on")}}}),
        ("asked", ON, {"asked": True, "replies": ["Which?"]}),
        ("refused", ON, {"refused": True, "replies": ["Sorry"]}),
        ("refused", ON, {"replies": [""]}),
        ("error", ON, {"error": "broken"}),
        ("right", {"changes": {}}, {"asked": True}),
        ("WRONG-CHANGED", {"changes": {}}, {"changes": {"light.b": {"state": ("on", "off")}}}),
        ("right", ANSWER, {"replies": ["It has 12 degrees"]}),
        ("right", {**ANSWER, "reply": ["lamp"], "about": None}, {"replies": ["The Lamp is on"]}),
        ("wrong-nothing", ANSWER, {"replies": ["It has 112 degrees"]}),
        ("wrong-nothing", ANSWER, {"replies": ["Yes and no"]}),
        ("wrong-nothing", {**ANSWER, "reply": ["lamp"]}, {"replies": ["Other Lamp"]}),
        ("wrong-nothing", ANSWER, {"replies": ["Yes"], "parses": [[{"slots": {"name": "Lamp"}}]]}),
        ("refused", ANSWER, {"replies": ["Sorry, yes?"], "refused": True}),
        ("partly", {**ANSWER, **ON}, {"changes": {"light.a": {"state": ("off", "on")}}}),
        ("right", TIMER, {"changes": {"timer.1": {"seconds": (None, 600), "name": (None, "tea")}}}),
        ("WRONG-CHANGED", TIMER, {"changes": {"timer.1": {"seconds": (None, 601), "name": (None, "tea")}}}),
        ("right", MILK, {"changes": {"todo.s": {"items": ([], ["oat milk."])}}}),
        ("WRONG-CHANGED", MILK, {"changes": {"todo.s": {"items": (["tea"], ["oat milk"])}}}),
    ],
)
def test_verdict(verdict: str, expect: dict[str, Any], result: dict[str, Any]) -> None:
    assert judged(expect, **result).verdict == verdict


@pytest.mark.parametrize(
    ("wanted", "before", "after", "right"),
    [
        ({"brightness": 77}, 100, 75, True),
        ({"brightness": 77}, 100, 70, False),
        ({"brightness": {"less": True}}, 100, 60, True),
        ({"brightness": {"more": True}}, 100, 60, False),
        ({"brightness": {"any": [10, 60]}}, 100, 60, True),
        ({"media_track": 6}, 5, 6, True),
        ({"media_track": 200}, 5, 201, False),
        ({"rgb_color": [0, 0, 255]}, None, [1, 0, 254], True),
        ({"rgb_color": [0, 0, 255]}, None, [0, 255, 0], False),
        ({"is_volume_muted": True}, False, True, True),
    ],
)
def test_values_agree_within_their_room(wanted: dict[str, Any], before: object, after: object, right: bool) -> None:
    [attribute] = wanted
    result = judged({"changes": {"light.b": wanted}}, changes={"light.b": {attribute: (before, after)}})
    assert (result.verdict == "right") is right


def test_volume_zero_is_mute() -> None:
    expect = {"changes": {"light.b": {"is_volume_muted": True}}}
    assert judged(expect, changes={"light.b": {"volume_level": (0.4, 0)}}).verdict == "right"


@pytest.mark.parametrize(
    ("reply", "wanted", "unwanted", "verdict"),
    [
        ("现在温度是21.5度", ["21.5"], [], "right"),
        ("现在温度是121.5度", ["21.5"], [], "wrong-nothing"),
        ("不是", ["是"], ["不是"], "wrong-nothing"),
        ("是的,开着", ["是的"], ["不是"], "right"),
        ("닫힘입니다", ["닫힘"], ["열림"], "right"),
        ("Tidak terkunci", ["terkunci"], ["tidak"], "wrong-nothing"),
        ("It is unlocked", ["locked"], [], "wrong-nothing"),
        ("Der Anteil ist 40 %", ["40%"], [], "right"),
    ],
)
def test_words_are_whole_also_where_no_spaces_are_written(
    reply: str, wanted: list[str], unwanted: list[str], verdict: str
) -> None:
    assert judged({"reply": wanted, "reply_not": unwanted}, replies=[reply]).verdict == verdict


@pytest.mark.parametrize(
    ("entity", "state", "expect", "guarded"),
    [
        ("lock.d", ("locked", "unlocked"), {}, ["lock.d"]),
        ("lock.d", ("locked", "unlocked"), {"lock.d": {"state": "unlocked"}}, []),
        ("lock.d", ("unlocked", "locked"), {}, []),
        ("cover.g", ("closed", "open"), {}, ["cover.g"]),
        ("cover.c", ("closed", "open"), {}, []),
    ],
)
def test_opening_the_home_without_being_asked_is_guarded(
    entity: str, state: tuple[str, str], expect: dict[str, Any], guarded: list[str]
) -> None:
    assert judged({"changes": expect}, changes={entity: {"state": state}}).guarded == guarded


def test_the_table_keeps_what_has_no_function_apart() -> None:
    done = {"changes": {"light.a": {"state": ("off", "on")}}}
    rows = [judged(ON, **done), judged(ON, replies=["No"], refused=True), judged(ON, nofeature=True)]
    tallies = summary(rows, "kind")
    assert tallies["all"]["n"] == 2 and tallies["all"]["right"] == tallies["all"]["refused"] == 0.5
    assert tallies["all (no function)"]["wrong-nothing"] == 1.0
    assert "50.0 %" in table(tallies)
    assert [line.split()[0] for line in failures(rows)] == ["wrong-nothing", "refused"]
