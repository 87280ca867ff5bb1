from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from edge.errors import BundleError
from edge.grammar.automaton import Automaton
from edge.grammar.grammar import (
    Grammar,
    Kind,
    Meaning,
    Net,
    SlotCall,
    home_names,
    normalize,
    pack_grammar,
    unpack_grammar,
)
from edge.grammar.parser import GrammarParser
from edge.types import Area, Entity, Home, Parse, Transcript

# "on" name, "say" any words; the nets of both slots come after net 0.
SPELLED = [
    (0, Kind.CHAR, ord("o"), 1),
    (1, Kind.CHAR, ord("n"), 2),
    (2, Kind.CHAR, ord(" "), 12),
    (12, Kind.SLOT, 0, 3),
    (3, Kind.BLOCK, 0, 4),
    (4, Kind.END, 0, 4),
    (0, Kind.CHAR, ord("s"), 5),
    (5, Kind.CHAR, ord("a"), 6),
    (6, Kind.CHAR, ord("y"), 7),
    (7, Kind.CHAR, ord(" "), 13),
    (13, Kind.SLOT, 1, 8),
    (8, Kind.BLOCK, 1, 4),
    (10, Kind.ANY, 0, 11),
    (11, Kind.ANY, 0, 11),
    (11, Kind.END, 0, 11),
]
OPEN = Grammar(
    "en",
    (Net(0), Net(9, "name", ("light",)), Net(10)),
    (SlotCall("name", 1), SlotCall("words", 2)),
    (),
    (Meaning("TurnOn", (("domain", "light"),)), Meaning("Say")),
    np.array(SPELLED, np.int32),
)
HOME = Home(
    areas=(Area("hall", "Hall"),),
    entities=(Entity("light.desk", "Desk Lamp", ("Café Lämp",)), Entity("lock.door", "Door")),
)


@pytest.fixture
def commands() -> Grammar:
    return OPEN.fill(home_names(HOME))


def test_names_of_the_home_fill_open_lists_by_kind_of_device(commands: Grammar) -> None:
    automaton = Automaton(commands)
    assert automaton.accepts("On, desk lamp!")
    assert automaton.accepts("on cafe lamp")
    assert not automaton.accepts("on door")
    assert not Automaton(OPEN).accepts("on desk lamp")


@pytest.mark.parametrize("said", ["on L. E. D. strip", "on led strip", "on the bed t v", "on the bed TV"])
def test_abbreviations_in_names_are_understood_letter_by_letter(said: str) -> None:
    home = Home(entities=(Entity("light.strip", "LED strip"), Entity("light.tv", "The Bed Tv")))
    assert Automaton(OPEN.fill(home_names(home))).accepts(said)


def test_reads_slots_values_and_spans(commands: Grammar) -> None:
    text = "On: CAFÉ Lämp."
    understood = Automaton(commands).understand(text)
    assert understood is not None
    name, domain = understood.slots
    assert (name.value, name.text, name.span) == ("Desk Lamp", "CAFÉ Lämp", (4, 13))
    assert (domain.name, domain.value, domain.text) == ("domain", "light", None)


def test_wildcards_take_words_and_are_counted(commands: Grammar) -> None:
    automaton = Automaton(commands)
    understood = automaton.understand("Say hello world")
    assert understood is not None
    assert (understood.intent, understood.slots[0].value, understood.loose) == ("Say", "hello world", 11)
    assert automaton.understand("say") is None
    state = automaton.walk(0, "say")
    assert state is not None and automaton.moves(state).other is not None


def test_states_are_made_when_reached_and_can_be_forgotten(commands: Grammar) -> None:
    automaton = Automaton(commands)
    assert automaton.size == 1
    automaton.accepts("on desk lamp")
    made = automaton.size
    automaton.accepts("on desk lamp")
    assert automaton.size == made > 10
    automaton.reset()
    assert automaton.size == 1 and automaton.accepts("on desk lamp")


def test_survives_packing(commands: Grammar) -> None:
    again = unpack_grammar(pack_grammar(commands))
    assert Automaton(again).understand("on desk lamp") == Automaton(commands).understand("on desk lamp")


@pytest.mark.parametrize("cut", [0, 1, 40, 300, -1])
def test_damaged_grammars_are_refused(commands: Grammar, cut: int) -> None:
    with pytest.raises(BundleError):
        unpack_grammar(pack_grammar(commands)[:cut])


def test_arcs_out_of_range_are_refused(commands: Grammar) -> None:
    for column, value in ((0, -1), (1, 9), (2, 99), (3, -5)):
        arcs = commands.arcs.copy()
        arcs[arcs[:, 1] == Kind.SLOT, column] = value
        broken = Grammar("en", commands.nets, commands.slots, commands.values, commands.meanings, arcs)
        with pytest.raises(BundleError):
            unpack_grammar(pack_grammar(broken))


def test_what_arcs_say_of_themselves_takes_no_memory(commands: Grammar) -> None:
    data = pack_grammar(commands)
    shape = f"({len(commands.arcs)}, 4)".encode()
    longer = data.replace(shape, b"(9" + b"0" * (len(shape) - 6) + b", 4)")
    far = commands.arcs.copy()
    far[0, 3] = 2**31 - 1
    further = Grammar("en", commands.nets, commands.slots, commands.values, commands.meanings, far)
    nested = b"[" * 100_000 + data
    for broken in (longer, pack_grammar(further), nested):
        tracemalloc.start()
        try:
            with pytest.raises(BundleError):
                unpack_grammar(broken)
            assert tracemalloc.get_traced_memory()[1] < 32 << 20
        finally:
            tracemalloc.stop()


def test_endless_calls_are_refused() -> None:
    arcs = np.array([(0, Kind.CALL, 0, 1), (1, Kind.END, 0, 1)], np.int32)
    with pytest.raises(BundleError, match="itself"):
        Automaton(Grammar("en", (Net(0),), (), (), (), arcs)).accepts("a")


def test_parser_hands_other_wordings_on(commands: Grammar) -> None:
    class Student:
        def parse(self, transcript: Transcript) -> Parse:
            return Parse("Other", text=transcript.text)

    assert GrammarParser(commands).parse(Transcript("on desk lamp", 0.5)).source == "grammar"
    assert GrammarParser(commands).parse(Transcript("off desk lamp")).intent is None
    assert GrammarParser(commands, Student()).parse(Transcript("off desk lamp")).intent == "Other"


@pytest.mark.parametrize(
    ("text", "letters"),
    [("12-Ounce, please!", "12 ounce please"), ("Straße ÉTÉ", "strasse ete"), ("what\u2019s", "whats"), ("…", "")],
)
def test_normalizes_to_letters_and_digits(text: str, letters: str) -> None:
    assert normalize(text) == letters
