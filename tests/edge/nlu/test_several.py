"""Where several commands are cut, and how one command about several things is read."""

from __future__ import annotations

from edge.nlu.decode import Span
from edge.nlu.several import AND, NEXT, borrowed, each_thing, parts
from edge.nlu.tokens import tokenize

TEXT = "turn on the lamp and then open the blinds lock the door"


def test_each_command_without_the_words_that_join_them() -> None:
    spans = [Span(AND, 4, 6), Span(NEXT, 6, 7), Span(NEXT, 9, 10)]
    assert parts(TEXT, spans, tokenize(TEXT)) == ["turn on the lamp", "open the blinds", "lock the door"]


def test_without_a_cut_the_whole_text_is_one_part() -> None:
    assert parts(TEXT, [], tokenize(TEXT)) == [TEXT]


def test_a_part_without_its_verb_borrows_the_words_before_the_first_slot() -> None:
    assert borrowed("the hall light", "turn on the kitchen light", 12) == "turn on the the hall light"
    assert borrowed("the hall light", "lights on", None) is None


def things(text: str, *spans: Span, free: tuple[str, ...] = ()) -> list[tuple[Span, ...]]:
    return list(each_thing(text, spans, tokenize(text), free))


def test_one_command_about_two_things_is_read_once_for_each() -> None:
    fan, lamp, level = Span("name", 1, 2), Span("name", 3, 4), Span("brightness", 5, 6)
    assert things("dim fan and lamp to 30", fan, lamp, level) == [(fan, level), (lamp, level)]


def test_two_pieces_of_one_name_are_one_thing() -> None:
    pieces = Span("name", 1, 2), Span("name", 2, 3)
    assert things("dim kitchen lamp", *pieces) == [pieces]


def test_things_with_a_verb_between_them_are_not_of_one_command() -> None:
    spans = Span("name", 1, 2), Span("name", 7, 8)
    assert things("open blinds and in the hall close gate", *spans) == [spans]


def test_free_text_is_never_several_things() -> None:
    spans = Span("name", 1, 2), Span("name", 3, 4)
    assert things("timer eggs and bacon", *spans, free=("name",)) == [spans]
