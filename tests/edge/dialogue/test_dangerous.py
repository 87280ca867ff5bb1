"""Sentences that must change nothing, typed to the shipped bundle; and ordinary ones that must go on working."""

from __future__ import annotations

import pytest

from tests.edge.dialogue.dangerous.cases import Case, controls, dangerous, run

_KINDS = tuple(dict.fromkeys(case.kind for case in dangerous("dev.yaml")))


def _wrong(cases: list[Case]) -> list[str]:
    """The sentences that changed what they must not, each with the changes."""
    outcomes = [(case, run(case)) for case in cases]
    return [f"{case.say}: {o.changed}" for case, o in outcomes if o.changed and not o.fits(case.right)]


@pytest.mark.parametrize("kind", _KINDS)
def test_dangerous_sentences_change_nothing(kind: str) -> None:
    assert _wrong([case for case in dangerous("dev.yaml") if case.kind == kind]) == []


@pytest.mark.parametrize("kind", _KINDS)
def test_so_do_sentences_that_no_rule_was_written_with(kind: str) -> None:
    cases = [case for case in dangerous("held_out.yaml") if case.kind == kind]
    assert len(_wrong(cases)) <= len(cases) // 10


def test_ordinary_commands_are_carried_out() -> None:
    outcomes = [(case, run(case)) for case in controls()]
    assert [case.say for case, outcome in outcomes if not outcome.fits(case.right)] == []


@pytest.mark.parametrize(
    ("language", "say", "reply"),
    [
        ("en", "turn on the sun room lights", "sun room"),
        ("en", "turn off the lights in my room", "room"),
        ("en", "turn off the lights without the floor lamp", "leave it"),
        ("de", "mach das Licht im Partykeller aus", "Partykeller"),
        ("fr", "allume les lumières de la véranda", "véranda"),
    ],
)
def test_the_reply_says_why(language: str, say: str, reply: str) -> None:
    outcome = run(Case("", "demo", language, say, None))
    assert not outcome.changed and reply in outcome.reply
