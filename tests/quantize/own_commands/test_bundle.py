from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge.bundle.format import open_bundle
from edge.bundle.signing import generate, voucher
from edge.errors import ConfigError
from edge.grammar.automaton import Automaton
from quantize.cli import main
from quantize.grammar.compiler import compile_grammar
from quantize.own_commands.bundle import build_domain
from quantize.templates.command_file import parse_domain, read_domain
from quantize.templates.command_templates import domain_templates
from quantize.templates.sampler import numeric_tags

COFFEE = Path(__file__).parents[3] / "quantize" / "recipes" / "coffee.yaml"

LAMP = """\
language: en
intents:
  TurnOn:
    data:
      - sentences: ["turn on [the] {what}", "<polite> {what} on"]
        slots: {state: on}
lists:
  what:
    values: [lamp, {in: (radio|wireless), out: radio}]
expansion_rules:
  polite: "(please|kindly) turn"
"""


VALUES = "values: [lamp, {in: (radio|wireless), out: radio}]"


def automaton(text: str) -> Automaton:
    return Automaton(compile_grammar(parse_domain(text)))


def test_reads_intents_lists_rules_and_implied_slots() -> None:
    understood = automaton(LAMP).understand("Kindly turn wireless on!")
    assert understood is not None
    assert (understood.intent, [(slot.name, slot.value, slot.text) for slot in understood.slots]) == (
        "TurnOn",
        [("what", "radio", "wireless"), ("state", "on", None)],
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("language: en", "langage: en", r"d.yaml:1: .*unknown key 'langage'; did you mean 'language'"),
        ("[the]", "[the", r"d.yaml:5: expected ']'"),
        ("[the]", "the]", r"d.yaml:5: expected an opening bracket before ']'"),
        ("<polite>", "<police>", r"d.yaml:5: unknown rule <police>"),
        ("turn on [the] {what}", "turn on {waht}", r"d.yaml:5: unknown list {waht}; expected one of what, name"),
        ("turn on [the] {what}", "[please]", r"d.yaml:5: this sentence may be empty"),
        ("sentences:", "sentence:", r"d.yaml:5: .*unknown key 'sentence'; did you mean 'sentences'"),
        ("{state: on}", "[state]", r"d.yaml:6: slots: expected name: value lines"),
        ('"turn on [the] {what}"', "[turn]", r"d.yaml:5: expected a text"),
        (VALUES, "values: []", r"d.yaml:9: list what is empty"),
        (VALUES, "range: {from: 9, to: 1}", r"d.yaml:9: .*from <= to"),
        (VALUES, "range: {from: a, to: 1}", r"d.yaml:9: expected a number"),
        (VALUES, "wildcard: maybe", r"d.yaml:9: expected wildcard: true"),
        ("in: (radio|wireless)", "say: radio", r"d.yaml:9: .*unknown key 'say'"),
        ('"(please|kindly) turn"', '"<polite> turn"', r"d.yaml:11: rule <polite> contains itself"),
        ('"(please|kindly) turn"', '"(a;b;c;d;e;f;g;h)"', r"d.yaml:11: \(a;b;…\) has 8 items"),
        ("    values: [lamp", "    <<: *x\n    values: [lamp", r"d.yaml:9: aliases"),
        ("lists:", "lists:\n\t", r"d.yaml:8: not valid YAML"),
        ("intents:", "intents:\n  TurnOn: {}", r"d.yaml:4: intents: 'TurnOn' stands here twice"),
    ],
)
def test_mistakes_are_reported_with_their_line(old: str, new: str, message: str) -> None:
    assert old in LAMP
    with pytest.raises(ConfigError, match=message) as caught:
        compile_grammar(parse_domain(LAMP.replace(old, new, 1), "d.yaml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a",
        "intents: {}",
        "\x00",
        "a: &a [*a]",
        "[" * 1000,
        "language: en\nintents: {A: {data: [{sentences: ['" + "(" * 3000 + "']}]}}",
        "language: en\nintents: {A: {data: [{sentences: ['" + "[a]" * 1200 + " b']}]}}",
        "language: en\nintents: {A: {data: [{sentences: ['{l}']}]}}\nlists: {l: {values: ['" + "(a|b|c)" * 40 + "']}}",
        "language: en\nintents: {A: {data: [{sentences: ['<r0>']}]}}\nexpansion_rules: {r30: x, "
        + ", ".join(f"r{n}: '<r{n + 1}> <r{n + 1}>'" for n in range(30))
        + "}",
        "language: en\nintents: {A: {data: [{sentences: ['{l}']}]}}\nlists: {l: {values: ['<r0>']}}\n"
        "expansion_rules: {r20: x, " + ", ".join(f"r{n}: '(<r{n + 1}>|<r{n + 1}> y)'" for n in range(20)) + "}",
        "language: en\nintents: {A: {data: [{sentences: ['a {l}']}]}}\nlists: {l: {range: {from: 0, to: 1e300}}}",
        "language: xx-yy\nintents: {A: {data: [{sentences: ['a {l}']}]}}\nlists: {l: {range: {from: 0, to: .nan}}}",
    ],
)
def test_hostile_files_end_in_one_clear_line_or_a_small_grammar(text: str) -> None:
    try:
        grammar = compile_grammar(parse_domain(text))
    except ConfigError as error:
        assert str(error).startswith("domain.yaml:")
        assert len(str(error).splitlines()) == 1
    else:
        assert grammar.states < 10_000
        assert not Automaton(grammar).accepts("z")


def test_two_hundred_mutilated_files_crash_nothing() -> None:
    whole = COFFEE.read_text(encoding="utf-8")
    pieces = [*"[]{}<>()|;:", "\n", "  ", "- ", "&a ", "*a", "\\", "\x7f", "é", "<a>", "{size}"]
    rng = random.Random(7)
    refused = 0
    for _ in range(200):
        text = whole
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(text))
            text = text[:at] + rng.choice(pieces) + text[at + rng.choice([0, 0, 1, 5, 200]) :]
        try:
            Automaton(compile_grammar(parse_domain(text))).understand("a small latte")
        except ConfigError as error:
            refused += 1
            assert str(error).startswith("domain.yaml:")
    assert 20 < refused < 200


def test_a_domain_is_sampled_with_the_lists_of_its_blocks_and_numbers_in_place() -> None:
    text = (
        "intents:\n  Heat:\n    data:\n"
        "      - {sentences: ['<set> {what} to {3..4:level}'], lists: {what: {values: ['[gas] (stove|cooker)']}}}\n"
        "expansion_rules: {set: '(set|put)'}\n"
    )
    templates = domain_templates(parse_domain(text))
    rng = random.Random(3)
    block = templates.blocks[0]
    drawn = [templates.sample(block, block.sentences[0], rng, lambda *_: None) for _ in range(30)]
    assert all(sample is not None and commands_accept(text, sample.text) for sample in drawn)
    slots = [{slot.tag: slot.value for slot in sample.slots} for sample in drawn if sample is not None]
    assert {slot["level"] for slot in slots} == {3, 4}
    assert {slot["what"] for slot in slots} == {"stove", "cooker", "gas stove", "gas cooker"}
    assert numeric_tags(templates) == {"level"}


def commands_accept(text: str, said: str) -> bool:
    return Automaton(compile_grammar(parse_domain(text))).accepts(said)


def test_one_name_for_two_lists_cannot_be_sampled() -> None:
    two = LAMP.replace("slots: {state: on}", "lists: {what: {values: [bell]}}")
    with pytest.raises(ConfigError, match=r"d.yaml:6: list what has other values in line 9"):
        domain_templates(parse_domain(two, "d.yaml"))


def test_coffee_file_is_short_and_understands_orders() -> None:
    assert len(COFFEE.read_text(encoding="utf-8").splitlines()) <= 60
    commands = Automaton(compile_grammar(read_domain(COFFEE)))
    understood = commands.understand("Get me a 12-ounce, double shot latte with soy milk and a bit of sugar, please.")
    assert understood is not None
    assert {slot.name: slot.value for slot in understood.slots} == {
        "size": "twelve ounce",
        "numberOfShots": "double shot",
        "coffeeDrink": "latte",
        "milkAmount": "soy milk",
        "sugarAmount": "a bit of sugar",
    }
    assert commands.understand("Get me a new car") is None


def test_builds_a_bundle_folder_or_file(tmp_path: Path) -> None:
    folder = build_domain(COFFEE, tmp_path / "coffee")
    build_domain(COFFEE, tmp_path / "coffee")
    file = build_domain(COFFEE, tmp_path / "coffee.edge")
    opened = open_bundle(tmp_path / "coffee")
    assert folder.read("grammar.bin") == file.read("grammar.bin") == opened.read("grammar.bin")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.jpg").touch()
    with pytest.raises(ConfigError, match="choose another"):
        build_domain(COFFEE, tmp_path / "mine")


def test_the_machines_key_signs_unless_another_is_named(tmp_path: Path) -> None:
    domain = tmp_path / "my orders (2).yaml"
    domain.write_bytes(COFFEE.read_bytes())
    bundle = build_domain(domain, tmp_path / "coffee")
    assert bundle.manifest.name == "my orders -2"
    assert voucher(bundle).trusted
    assert bundle.manifest.built > 1_700_000_000
    generate(tmp_path / "other.key", tmp_path / "other.pub")
    out, key = tmp_path / "other.edge", tmp_path / "other.key"
    assert main(["domain", str(domain), "--sentences-only", "--out", str(out), "--key", str(key)]) == 0
    assert "not trusted here" in voucher(open_bundle(out)).words
    assert main(["domain", str(domain), "--sentences-only", "--out", str(out), "--key", str(tmp_path / "no.key")]) == 2
