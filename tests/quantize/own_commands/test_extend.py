"""A user's own commands added to a home bundle: understood beside the old ones, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

import quantize
from edge.bundle.format import Bundle, open_bundle, write_bundle
from edge.errors import ConfigError
from edge.grammar.automaton import Automaton
from edge.grammar.grammar import home_names, pack_grammar, unpack_grammar
from edge.types import Entity, Home, Transcript
from quantize.cli import main
from quantize.data.metrics import Flip, Flips
from quantize.evaluate.home import device_parser, home_flips
from quantize.grammar.compiler import compile_grammar
from quantize.own_commands.extend import Extension, extend_bundle, flips_table
from quantize.own_commands.fit import check_fit
from quantize.pipeline import BuildError, refuse_flips
from quantize.templates.command_file import parse_domain
from quantize.templates.command_templates import domain_templates

PLAN = Extension(epochs=2, steps=25, old_batch=32, new_batch=32, rate=5e-3, embedding_rate=1e-2, max_flips=0.2)
HOME = Home(entities=(Entity("light.desk", "Desk Lamp"),))
NEAR = (
    "feed also the fish please", "feed my fish right now", "could somebody feed the fish", "feed that fish please",
    "go and feed the fish",
)  # fmt: skip
PETS = """\
language: en
intents:
  FeedPet:
    data:
      - sentences:
          - "feed [the] {pet} [{amount} (spoon|spoons)]"
        slots: {state: fed, today: true}
lists:
  pet:
    values: [cat, dog, {in: (goldfish|fish), out: fish}]
  amount:
    range: {from: 1, to: 5}
"""


def test_own_commands_stand_beside_those_of_the_home(tiny_home: Bundle, tmp_path: Path) -> None:
    (tmp_path / "pets.yaml").write_text(PETS)
    bundle = extend_bundle(tiny_home, tmp_path / "pets.yaml", tmp_path / "new.edge", PLAN)
    parser = device_parser(open_bundle(bundle.source), HOME, "en")
    template = parser.parse(Transcript("feed the goldfish two spoons"))
    near = [parser.parse(Transcript(text)) for text in NEAR]
    assert {template.source, *(parse.source for parse in near)} == {"grammar", "student"}
    assert {slot.name: slot.value for slot in template.slots} == {
        "pet": "fish", "amount": 2, "state": "fed", "today": True,
    }  # fmt: skip
    found = [(parse.intent, parse.value("pet"), parse.value("today")) for parse in near]
    meant = [each for each in found if each == ("FeedPet", "fish", True)]
    assert len(meant) >= len(NEAR) - 1
    heard = Automaton(unpack_grammar(bundle.read(bundle.manifest.hearing["en"])).fill(home_names(HOME)))
    assert heard.accepts("please feed the cat") and heard.accepts("turn on the desk lamp")
    assert bundle.manifest.student and tiny_home.manifest.student
    assert bundle.manifest.student.threshold == tiny_home.manifest.student.threshold
    assert 0 <= bundle.manifest.metrics["negative_flips"] <= PLAN.max_flips
    assert not list(tmp_path.glob("*.work"))


def test_flips_are_shown_per_language_and_in_sum() -> None:
    flips = Flips((Flip("go", "de", "A", "B"), Flip("stop", "de", "C", None)), 90)
    assert flips_table(flips, ["de", "en", "ko"], 30).splitlines() == [
        "de       2 of 30",
        "other    0 in each of 2 languages",
        "sum      2 of 90 home commands went wrong (2.22%)",
        "         de: 'go' was A, now B",
        "         de: 'stop' was C, now None",
    ]


def test_commands_that_take_those_of_the_home_are_counted(tiny_home: Bundle, tmp_path: Path) -> None:
    greedy = parse_domain("intents: {Take: {data: [{sentences: ['{anything}']}]}}\nlists: {anything: {wildcard: true}}")
    manifest = msgspec.structs.replace(tiny_home.manifest, grammar="own.bin")
    contents = {name: tiny_home.read(name) for name in tiny_home.manifest.files}
    taken = {**contents, "own.bin": pack_grammar(compile_grammar(greedy))}
    flips = home_flips(tiny_home, write_bundle(tmp_path / "greedy.edge", manifest, taken), ["en"], 20)
    assert flips.found and {flip.now for flip in flips.found} == {"Take"}
    with pytest.raises(BuildError, match=r"that tiny parsed right are wrong now.*now Take\); no bundle was written"):
        refuse_flips(flips, "tiny", 0.01)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("FeedPet", "HassTurnOn", r"d.yaml:3: home has an intent HassTurnOn already; give yours another name"),
        ("language: en", "language: xx", r"d.yaml:1: home has no language 'xx'"),
        ("language: en", "language: pt-br", r"d.yaml:1: .*did you mean 'pt-BR'"),
        ("{amount} (", "{pet:percentage} (", r"d.yaml:10: slot percentage holds a number in home and one of a list"),
        ("{amount} (", "{amount:color} (", r"d.yaml:12: slot color holds one of a list in home and a number here"),
        ("{pet} [", "{pet:area} [", r"d.yaml:10: slot area holds the home's own names"),
        ("  amount:", "  area:\n    values: [here]\n  amount:", r"d.yaml:12: {area} stands for the home's own names"),
        ("to: 5", "to: 5, multiplier: 7", r"d.yaml:12: .*multiplier must be 1 or -1"),
        ("{pet} [", "{pet:color} [", None),
        ("  amount:", "  x:\n    values: ['(a']\n  amount:", r"d.yaml:12: expected '\)'"),
    ],
)
def test_clashes_with_the_home_are_reported_with_their_line(old: str, new: str, message: str | None) -> None:
    assert old in PETS
    text = PETS.replace(old, new, 1)
    if message is None:
        check(text)
        return
    with pytest.raises(ConfigError, match=message) as caught:
        check(text)
    assert "\n" not in str(caught.value)


def test_the_shipped_example_fits_the_shipped_home() -> None:
    check((Path(quantize.__file__).parent / "recipes" / "kitchen.yaml").read_text(encoding="utf-8"))


def check(text: str) -> None:
    domain = parse_domain(text, "d.yaml")
    compile_grammar(domain)
    check_fit(domain, domain_templates(domain), open_bundle("home"))


def test_the_command_line_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "d.yaml").write_text(PETS.replace("FeedPet", "HassTurnOff"))
    assert main(["domain", "--add", "home", str(tmp_path / "d.yaml"), "--out", str(tmp_path / "new.edge")]) == 2
    assert capsys.readouterr().err.endswith(
        "d.yaml:3: home has an intent HassTurnOff already; give yours another name\n"
    )
    assert main(["domain", "--add", "massive-en", str(tmp_path / "d.yaml"), "--out", str(tmp_path / "new.edge")]) == 2
    assert "give a home bundle" in capsys.readouterr().err
