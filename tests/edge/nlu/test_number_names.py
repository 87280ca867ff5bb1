"""Digits and number words are one thing in names."""

from __future__ import annotations

import pytest

from edge.bundle.format import open_bundle
from edge.nlu.lexicon import read_lexicon
from edge.nlu.number_names import with_number_names
from edge.nlu.student import StudentParser
from edge.types import Area, Entity, Home, Transcript

HOME = Home(
    areas=(Area("a", "Room 2"),),
    entities=(Entity("lock.one", "Door 1"), Entity("lock.two", "Door 2"), Entity("light.twelve", "Lamp Twelve")),
)


def test_each_name_is_called_both_ways() -> None:
    home = with_number_names(HOME, {"one": 1, "two": 2, "twelve": 12, "a dozen": 12})
    assert home.areas[0].aliases == ("room two",)
    assert [entity.aliases for entity in home.entities] == [("door one",), ("door two",), ("lamp 12", "lamp a dozen")]


def test_a_name_that_is_a_number_or_has_none_stays() -> None:
    home = Home(entities=(Entity("light.a", "Seven"), Entity("light.b", "Lamp")))
    assert with_number_names(home, {"seven": 7}) == home


@pytest.mark.parametrize("language", open_bundle("home").manifest.languages)
def test_every_language_counts(language: str) -> None:
    numbers = read_lexicon(open_bundle("home"), language).numbers
    assert {*range(1, 13)} <= set(numbers.values())
    assert with_number_names(HOME, numbers).entities[1].aliases


@pytest.mark.parametrize(
    ("language", "text", "name"),
    [("en", "lock door two", "Door 2"), ("en", "lock door 1", "Door 1"), ("en", "turn on lamp 12", "Lamp Twelve")],
)
def test_the_right_one_is_understood(language: str, text: str, name: str) -> None:
    parse = StudentParser(open_bundle("home"), HOME, language).parse(Transcript(text))
    assert parse.value("name") == name
