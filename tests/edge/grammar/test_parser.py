from __future__ import annotations

import re
from dataclasses import replace

import pytest

from edge.grammar.grammar import Grammar, home_names
from edge.grammar.parser import GrammarParser, SpokenParser, is_pressed
from edge.types import Entity, Home, Parse, Slot, Transcript
from quantize.grammar.compiler import compile_grammar
from quantize.templates.command_file import parse_domain

HOME = Home(entities=(Entity("light.desk", "Bedroom Lamp"),))
SENTENCES = """\
language: en
skip_words: [please, could you]
intents:
  TurnOn:
    data:
      - sentences: ["turn on [the] {place} lamp", "turn on [the] {name}"]
        response: lit
  Later:
    data:
      - sentences: ["{conversation_command} in (one|two) minutes"]
  AddItem:
    data:
      - sentences: ["add {item} to [my] list"]
lists:
  place: {values: [kitchen, bedroom]}
  item: {wildcard: true}
  conversation_command: {wildcard: true}
"""


class Student:
    """Takes any text for the same command, as sure as it is told to be."""

    def __init__(self, confidence: float, intent: str = "Guess") -> None:
        self.confidence, self.intent = confidence, intent

    def parse(self, transcript: Transcript) -> Parse:
        return Parse(self.intent, (), self.confidence, text=transcript.text)


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return compile_grammar(parse_domain(SENTENCES)).fill(home_names(HOME))


def heard(grammar: Grammar, text: str, student: float = 0.99) -> Parse:
    return SpokenParser(grammar, Student(student)).parse(Transcript(text, 0.9, heard=True))


def test_expected_sentences_mean_what_they_mean_there(grammar: Grammar) -> None:
    parse = heard(grammar, "Could you turn on the kitchen lamp, please?")
    assert (parse.intent, parse.value("place"), parse.response) == ("TurnOn", "kitchen", "lit")
    assert (parse.source, parse.confidence) == ("grammar", 0.9)


def test_a_name_is_preferred_to_a_place_and_a_kind(grammar: Grammar) -> None:
    parse = heard(grammar, "turn on the bedroom lamp")
    assert [(slot.name, slot.value) for slot in parse.slots] == [("name", "Bedroom Lamp")]


def test_the_student_is_believed_where_it_is_sure_of_known_words(grammar: Grammar) -> None:
    assert heard(grammar, "the bedroom lamp on").intent == "Guess"
    assert heard(grammar, "the bedroom lamp on", student=0.9).intent is None
    assert heard(grammar, "the mayor wrote a long letter").intent is None


def test_a_doubted_sentence_needs_the_student(grammar: Grammar) -> None:
    doubted = Transcript("turn on the kitchen lamp", 0.1, heard=True)
    agreed = SpokenParser(grammar, Student(0.97, "TurnOn")).parse(doubted)
    assert (agreed.intent, agreed.value("place"), agreed.confidence) == ("TurnOn", "kitchen", 0.97)
    assert not agreed.explained
    assert SpokenParser(grammar, Student(0.97, "TurnOn")).parse(replace(doubted, confidence=0.9)).explained
    assert SpokenParser(grammar, Student(0.9, "TurnOn")).parse(doubted).intent is None
    assert SpokenParser(grammar, Student(0.97, "Guess")).parse(doubted).intent is None
    disbelieved = Transcript(doubted.text, 0.001, heard=True)
    assert SpokenParser(grammar, Student(0.97, "TurnOn")).parse(disbelieved).intent is None


def test_what_may_go_on_is_unfinished(grammar: Grammar) -> None:
    assert heard(grammar, "turn on the bedroom").unfinished
    assert not heard(grammar, "turn on the bedroom lamp").unfinished
    assert not heard(grammar, "the bedroom lamp on").unfinished
    doubted = Transcript("turn on the kitchen lamp", 0.1, heard=True)
    assert SpokenParser(grammar, Student(0.97, "TurnOn")).parse(doubted).unfinished


def test_polite_words_said_twice_are_other_speech(grammar: Grammar) -> None:
    assert heard(grammar, "could you please turn on the kitchen lamp").intent == "TurnOn"
    assert heard(grammar, "could you could you turn on the kitchen lamp").intent is None


@pytest.mark.parametrize(
    ("text", "pressed"),
    [
        ("I'd like to go back. I'd like to. I'd like to.", True),
        ("If you don't mind, go back if you don't mind", True),
        ("Add milk to my list", False),
        ("Add milk milk milk milk to my list", False),
        ("Addmilk to my list", True),
        ("please add milk to my list please", False),
    ],
)
def test_other_speech_pressed_into_a_sentence(text: str, pressed: bool) -> None:
    found = re.search("[Mm]ilk( milk)*", text)
    slots = (Slot("item", found[0], found[0], found.span()),) if found else ()
    assert is_pressed(Parse("Add", slots, text=text)) == pressed


def test_a_room_named_twice_is_no_stutter() -> None:
    text = "turn on the living room lamp in the living room"
    slots = (Slot("name", "Living Room Lamp", text[12:28], (12, 28)), Slot("area", "Living Room", text[36:], (36, 47)))
    assert not is_pressed(Parse("TurnOn", slots, text=text))


def test_a_command_for_later_is_one_itself(grammar: Grammar) -> None:
    parse = heard(grammar, "turn on the kitchen lamp in two minutes")
    assert (parse.intent, parse.value("conversation_command")) == ("Later", "turn on the kitchen lamp")
    assert heard(grammar, "the mayor wrote a letter and left in two minutes").intent is None


def test_what_was_typed_goes_to_the_student(grammar: Grammar) -> None:
    assert SpokenParser(grammar, Student(0.5)).parse(Transcript("the mayor wrote")).intent == "Guess"


def test_lists_the_words_that_a_grammar_spells_out(grammar: Grammar) -> None:
    assert grammar.words() == {
        *("add", "bedroom", "could", "in", "kitchen", "lamp", "list", "minutes", "my", "on", "one", "please", "the"),
        *("to", "turn", "two", "you"),
    }


@pytest.mark.parametrize(
    ("said", "value"),
    [("5", 5), ("five", 5), ("-5", -5), ("minus five", -5), ("minus 5", -5), ("-18", -18), ("18", None)],
)
def test_a_range_below_zero_tells_five_from_minus_five(said: str, value: int | None) -> None:
    sentences = "language: en\nintents: {Set: {data: [{sentences: ['set the freezer to {t} degrees']}]}}\n"
    grammar = compile_grammar(parse_domain(f"{sentences}lists: {{t: {{range: {{from: -20, to: 5}}}}}}"))
    assert GrammarParser(grammar).parse(Transcript(f"set the freezer to {said} degrees")).value("t") == value
