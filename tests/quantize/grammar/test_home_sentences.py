from __future__ import annotations

from pathlib import Path

import pytest

from edge.bundle.format import open_bundle
from edge.errors import ConfigError
from edge.grammar.automaton import Automaton
from edge.grammar.grammar import home_names, pack_grammar, unpack_grammar
from edge.types import Entity, Home
from quantize.grammar.compiler import compile_grammar
from quantize.grammar.home_sentences import home_grammar, join_grammars, renew_hearing
from quantize.templates.command_file import parse_domain

HOME = Home(entities=(Entity("light.desk", "Desk Lamp"), Entity("cover.shade", "Shade")))


def test_compiles_the_sentences_of_a_home() -> None:
    commands = Automaton(home_grammar("en").fill(home_names(HOME)))
    assert commands.accepts("Turn on the desk lamp.") and commands.accepts("set desk lamp brightness to fifty percent")
    assert commands.accepts("could you turn on the desk lamp for me please")
    assert commands.accepts("Would you be so kind and switch the desk lamp on for me?")
    assert commands.accepts("who is at home") and not commands.accepts("who is the greatest baseball player")
    assert not commands.accepts("turn on the ceiling lamp")
    with pytest.raises(ConfigError, match="no language 'xx'"):
        home_grammar("xx")


def test_joined_grammars_have_the_sentences_of_both_and_the_first_is_right() -> None:
    first = compile_grammar(parse_domain("intents: {A: {data: [{sentences: ['on {name}', 'go']}]}}"))
    second = compile_grammar(
        parse_domain(
            "intents: {B: {data: [{sentences: ['feed {pet}', 'go'], slots: {x: 1}}]}}\n"
            "lists: {pet: {values: [cat, {in: (hound|dog), out: dog}]}}"
        )
    )
    commands = Automaton(unpack_grammar(pack_grammar(join_grammars(first, second))).fill(home_names(HOME)))
    found = [commands.understand(text) for text in ("on desk lamp", "feed hound", "go", "feed go")]
    assert [understood and understood.intent for understood in found] == ["A", "B", "A", None]
    assert found[1] and [(slot.name, slot.value) for slot in found[1].slots] == [("pet", "dog"), ("x", 1)]


def test_renews_the_sentences_and_keeps_the_student(tmp_path: Path) -> None:
    shipped = open_bundle("home")
    assert shipped.manifest.student is not None
    renewed = renew_hearing(shipped, tmp_path / "home.edge")
    assert renewed.manifest.student == shipped.manifest.student
    assert renewed.read("student.pte") == shipped.read("student.pte")
    assert renewed.manifest.files.keys() == shipped.manifest.files.keys()
    expected = unpack_grammar(renewed.read(renewed.manifest.hearing["en"]))
    assert Automaton(expected.fill(home_names(HOME))).accepts("please turn off the desk lamp")


def test_only_home_bundles_have_sentences_of_a_home(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="give a home bundle"):
        renew_hearing(open_bundle("massive-en"), tmp_path / "out.edge")
