"""Sentence templates."""

from __future__ import annotations

from itertools import islice

import pytest

from edge.grammar.templates import plain_form, spoken_forms


@pytest.mark.parametrize(
    ("template", "forms"),
    [
        ("lamp", ["lamp"]),
        ("[the] lamp|light", ["the lamp", "lamp", "light"]),
        ("light[s]", ["lights", "light"]),
        ("(a;b) c", ["a b c", "b a c"]),
        (
            "turn (on|off) [the (light|lamp)]",
            ["turn on the light", "turn on the lamp", "turn on", "turn off the light", "turn off the lamp", "turn off"],
        ),
        ("set {brightness:value} now", ["set now"]),
        ("(현관|출입문)", ["현관", "출입문"]),
        ("", []),
    ],
)
def test_forms(template: str, forms: list[str]) -> None:
    assert list(spoken_forms(template)) == forms


def test_rules_are_filled_in() -> None:
    rules = {"the": "[the|my]", "lamp": "<the> lamp"}
    assert list(spoken_forms("<lamp> on", rules)) == ["the lamp on", "my lamp on", "lamp on"]
    assert plain_form("<lamp> on", rules) == "lamp on"


def test_plain_form_leaves_out_what_is_optional() -> None:
    assert plain_form("[the] (small|little) lamp[s]|light") == "small lamp"


def test_many_forms_come_one_by_one() -> None:
    template = " ".join(["(one|two|three)"] * 40)
    assert len(list(islice(spoken_forms(template), 10))) == 10


@pytest.mark.parametrize(
    "template", ["(a", "a)", "[a", "a]", "(a]", "<a", "{a", "a}", "<unknown>", "(" * 60 + ")" * 60]
)
def test_broken_templates(template: str) -> None:
    with pytest.raises(ValueError, match=r"bracket|partner|unknown|deeply"):
        list(spoken_forms(template))


def test_rule_that_contains_itself() -> None:
    with pytest.raises(ValueError, match="contains itself"):
        list(spoken_forms("<a>", {"a": "b <a>"}))
