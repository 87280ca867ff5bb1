from __future__ import annotations

from dataclasses import replace

import pytest

from edge.bundle.format import open_bundle
from edge.grammar.completeness import completeness
from edge.home.demo import default_home
from edge.nlu.student import StudentParser
from edge.protocols import Completeness
from edge.types import Parse, Transcript


@pytest.fixture(scope="module")
def parser() -> StudentParser:
    return StudentParser(open_bundle("home"), default_home(), "en")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("turn on the kitchen light", Completeness.COMPLETE),
        ("set a timer for ten minutes", Completeness.COMPLETE),
        ("turn off the lights", Completeness.OPEN),
        ("add milk to my shopping list", Completeness.OPEN),
        ("my grandmother told me a story", Completeness.UNSURE),
        ("", Completeness.UNSURE),
    ],
)
def test_how_whole_a_command_is(parser: StudentParser, text: str, expected: Completeness) -> None:
    assert completeness(parser.parse(Transcript(text))) is expected


def test_who_may_go_on_is_waited_for(parser: StudentParser) -> None:
    parse = parser.parse(Transcript("turn on the kitchen light"))
    assert completeness(replace(parse, unfinished=True)) is Completeness.UNSURE


def test_own_commands_may_go_on() -> None:
    assert completeness(Parse("OrderCoffee", confidence=0.9, source="grammar")) is Completeness.OPEN
