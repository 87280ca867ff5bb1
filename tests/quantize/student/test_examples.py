"""Examples of the home student: labels that fit the tokens, sentences that are no command."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from importlib import resources
from itertools import product

import pytest

from edge.nlu.lexicon import ListedValue
from edge.nlu.matching import FEATURES
from edge.types import Area, Entity, Home
from quantize.student.examples import LabelSpace, encode_sample, label_space
from quantize.student.source import HomeSource
from quantize.templates.homes import WordMaterial
from quantize.templates.lexicon import build_lexicon
from quantize.templates.package import package_templates
from quantize.templates.sampler import NOTHING, Sample, SampledSlot, Templates
from quantize.variation.exceptions import EXCEPT, with_exception
from quantize.variation.not_commands import everyday_sentences, unrelated_sentences
from quantize.variation.questions import Questions, as_command

MATERIAL = WordMaterial(["lantern", "orchid", "velvet", "harbour", "picnic", "saddle", "ferry"])


@pytest.fixture(scope="module")
def source() -> tuple[HomeSource, LabelSpace]:
    templates = package_templates("en")
    space = label_space([templates])
    return HomeSource(templates, MATERIAL, space, ["The parliament meets today."]), space


def test_examples_have_labels_for_every_token(source: tuple[HomeSource, LabelSpace]) -> None:
    home, space = source
    for sample, index in home.samples(150, random.Random(1)):
        example = encode_sample(sample, index, space, 4096, True)
        assert len(example.ids) == len(example.features) == len(example.tags) + 1
        assert example.features.shape[1] == FEATURES
        assert 0 <= example.frame < len(space.frames)
        allowed = set(space.frames[example.frame].tags)
        assert {space.tags[t][2:] for t in example.tags if t} <= allowed


def test_epochs_are_redrawn_and_reproducible(source: tuple[HomeSource, LabelSpace]) -> None:
    home, _ = source

    def texts(seed: int) -> list[str]:
        return [sample.text for sample, _ in home.samples(40, random.Random(seed))]

    assert texts(1) == texts(1)
    assert texts(1) != texts(2)


def test_a_build_continued_by_another_process_draws_the_same_sentences() -> None:
    draw = """
import random
from quantize.student.examples import label_space
from quantize.student.source import HomeSource
from quantize.templates.homes import WordMaterial
from quantize.templates.package import package_templates
from quantize.variation.not_commands import unrelated_sentences
templates = package_templates("de")
words = WordMaterial(["lantern", "orchid", "velvet", "harbour", "picnic", "saddle", "ferry"])
home = HomeSource(templates, words, label_space([templates]), unrelated_sentences(templates))
print([sample for sample, _ in home.samples(60, random.Random(3))])
"""

    def drawn(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        run = [sys.executable, "-c", draw]
        return subprocess.run(run, env=environment, check=True, capture_output=True, text=True).stdout

    first = drawn("1")
    assert first.count("Sample(") == 60
    assert first == drawn("2")


def test_unrelated_sentences_are_no_command(source: tuple[HomeSource, LabelSpace]) -> None:
    home, space = source
    drawn = [s for s, _ in home.samples(400, random.Random(5), unrelated_share=0.5)]
    assert 120 < sum(s.frame == NOTHING for s in drawn) < 280
    assert space.frames[0].intent is None


@pytest.mark.parametrize(("language", "least", "most"), [("en", 0.3, 0.5), ("ko", 0.4, 0.75), ("zh-CN", 0.4, 0.75)])
def test_commands_are_not_spoiled_by_a_character_of_a_script_without_spaces(
    language: str, least: float, most: float
) -> None:
    templates = package_templates(language)
    talk = unrelated_sentences(templates)
    home = HomeSource(templates, MATERIAL, label_space([templates]), talk)
    drawn = [sample.text for sample, _ in home.samples(300, random.Random(2), unrelated_share=1.0)]
    sentences = "\n".join(" ".join(text.split()) for text in talk)
    assert least < sum(text in sentences for text in drawn) / len(drawn) < most


def test_names_differ_between_homes(source: tuple[HomeSource, LabelSpace]) -> None:
    home, _ = source
    rng = random.Random(1)
    one, other = ({entity.name for entity in home.maker.home(rng).entities} for _ in range(2))
    assert len(one & other) < len(one)


def test_everyday_sentences_are_written_as_recognizers_write() -> None:
    english = everyday_sentences("en")
    assert all(text == text.lower() and "?" not in text and 2 <= len(text.split()) <= 20 for text in english)
    assert any("don't" in text for text in english)
    assert everyday_sentences("kw") == []


def test_unrelated_sentences_are_in_the_language_and_no_commands() -> None:
    english, german, cornish = (unrelated_sentences(package_templates(name)) for name in ("en", "de", "kw"))
    assert any(" the " in text for text in english)
    assert len(set(english) & set(german)) < 0.02 * len(english)
    assert any(" nicht " in text for text in german)
    assert cornish == []
    assert "who are you?" not in {text.lower() for text in english}


def test_commands_about_what_the_home_lacks_are_no_commands() -> None:
    package = resources.files("home_assistant_intents") / "data" / "en.json"
    templates = Templates("en", json.loads(package.read_text("utf-8")))  # without wordings of our own
    space = label_space([templates])
    syllables = ("bo", "ka", "lin", "mer", "sot", "vu")
    home = HomeSource(templates, WordMaterial([a + b + c for a, b, c in product(syllables, repeat=3)]), space, [])
    drawn = list(home.samples(1000, random.Random(4), unrelated_share=1.0))
    assert {sample.frame for sample, _ in drawn} == {NOTHING}
    drawn = [(s, index) for s, index in drawn if not any(f" {word} " in s.text for word in EXCEPT["en"])]
    absent = [(s, index) for s, index in drawn if s.text.startswith(("turn on ", "turn off ", "open ", "close "))]
    assert absent
    for sample, index in absent:
        assert not any(isinstance(match.part, Entity) for match in index.matches(index.tokens(sample.text)))


def test_a_question_that_lost_its_mark_is_taught_as_the_command(source: tuple[HomeSource, LabelSpace]) -> None:
    home, space = source
    questions = Questions(home.templates)
    drawn = [s for s, _ in home.samples(20000, random.Random(3), unrelated_share=0.0)]
    assert sum(s.frame.startswith("HassGetState") for s in drawn) > 200
    assert not any(questions.is_elliptic(s) for s in drawn)
    assert all(s.frame in space.frame_index for s in drawn)
    bare = {s.frame for s in drawn if re.fullmatch(r"(all|every|each) (the )?(lights?|lamps?) off", s.text)}
    assert bare == {"HassTurnOff|domain=light"}


@pytest.mark.parametrize(
    ("text", "elliptic"),
    [
        ("all lights off", True),
        ("are all lights off", False),
        ("all windows open", False),
        ("all lights in den on", True),
    ],
)
def test_a_question_in_the_words_of_a_command_is_elliptic(text: str, elliptic: bool) -> None:
    state = SampledSlot("state", "off", text.rindex(" ") + 1, len(text))
    area = [SampledSlot("area", "den", text.index("den"), text.index("den") + 3)] if "den" in text else []
    asked = Sample(text, "HassGetState|domain=light#all", "en", [*area, state])
    assert Questions(package_templates("en")).is_elliptic(asked) is elliptic


def test_the_first_word_that_makes_a_question_is_left_out() -> None:
    questions = Questions(package_templates("en"))
    off = SampledSlot("state", "off", 15, 18)
    short = questions.without_mark(Sample("are all lights off", "HassGetState|domain=light#all", "en", [off]))
    assert short.text == "all lights off"
    assert short.text[short.slots[0].start : short.slots[0].end] == "off"
    asked = Sample(
        "which lights are off", "HassGetState|domain=light#which", "en", [SampledSlot("state", "off", 17, 20)]
    )
    assert questions.without_mark(asked).text == "lights are off"
    assert not questions.is_elliptic(questions.without_mark(asked))


@pytest.mark.parametrize(
    ("frame", "tag", "value", "command"),
    [
        ("HassGetState|domain=light#all", "", "off", "HassTurnOff|domain=light"),
        (
            "HassGetState|device_class=blind|domain=cover#all",
            "area",
            "open",
            "HassTurnOn|device_class=blind|domain=cover",
        ),
        ("HassGetState|domain=lock#one_yesno", "name", "locked", "HassTurnOn#lock"),
        ("HassGetState|domain=person#all", "", "home", None),
    ],
)
def test_an_elliptic_question_as_a_command(frame: str, tag: str, value: str, command: str | None) -> None:
    other = [SampledSlot(tag, "den", 0, 3)] if tag else []
    found = as_command(Sample("den lights off", frame, "en", [*other, SampledSlot("state", value, 11, 14)]))
    assert (found.frame if found else None) == command
    assert found is None or found.slots == other


def test_commands_with_an_exception_are_no_commands(source: tuple[HomeSource, LabelSpace]) -> None:
    home, _ = source
    drawn = [s for s, _ in home.samples(2000, random.Random(5), unrelated_share=1.0) if " except " in s.text]
    assert drawn
    assert {sample.frame for sample in drawn} == {NOTHING}
    bath = Home((Area("a", "Bad"),))
    excepted = with_exception(Sample("lights off", "HassTurnOff", "de"), bath, random.Random(0))
    assert excepted is not None
    assert excepted.startswith("lights off ")
    assert excepted.endswith(" Bad")
    assert with_exception(Sample("lights off", "HassTurnOff", "kw"), bath, random.Random(0)) is None


def test_one_hour_is_said_with_an_article(source: tuple[HomeSource, LabelSpace]) -> None:
    home, _ = source
    said = {
        slot.value
        for sample, _ in home.samples(4000, random.Random(6), noisy=False, unrelated_share=0.0)
        for slot in sample.slots
        if slot.tag == "hours" and sample.text[slot.start : slot.end] in ("a", "an")
    }
    assert said == {1}
    assert build_lexicon(home.templates).values["hours"]["an"] == (ListedValue(1),)
