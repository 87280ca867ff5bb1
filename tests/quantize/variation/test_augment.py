"""Augmentation keeps labels right and changes what its name says."""

from __future__ import annotations

import random

import pytest

from edge.nlu.tokens import tokenize
from quantize.templates.package import package_languages, package_templates
from quantize.templates.sampler import Sample, SampledSlot
from quantize.variation.augment import (
    LanguageWords,
    SoundAlikes,
    augment,
    borrowed,
    disturbances,
    drop_word,
    edit,
    language_words,
    misheard,
    other_ending,
    wrong_letter,
)  # fmt: skip
from quantize.variation.borrowing import english_words
from quantize.variation.endings import Endings
from quantize.variation.not_commands import heard_words, unrelated_sentences


def sample() -> Sample:
    return Sample("turn on the desk lamp now", "f", "en", [SampledSlot("name", "Desk Lamp", 12, 21)])


@pytest.mark.parametrize(
    ("start", "end", "text", "expected"),
    [
        (0, 8, "", "desk lamp"),
        (12, 17, "", "lamp"),
        (12, 21, "", None),
        (17, 18, "c", "desk camp"),
        (22, 25, "", "desk lamp"),
        (0, 0, "please ", "desk lamp"),
        (12, 12, "big ", "desk lamp"),
        (21, 21, " please", "desk lamp"),
        (17, 21, "", "desk"),
    ],
)
def test_spans_move_with_edits(start: int, end: int, text: str, expected: str | None) -> None:
    changed = edit(sample(), start, end, text)
    found = [changed.text[s.start : s.end].strip() for s in changed.slots]
    assert found == ([expected] if expected else [])


def test_dropping_takes_exactly_one_word() -> None:
    for seed in range(20):
        assert len(drop_word(sample(), random.Random(seed)).text.split()) == 5


def test_a_wrong_letter_changes_little() -> None:
    for seed in range(20):
        assert abs(len(wrong_letter(sample(), random.Random(seed)).text) - len(sample().text)) <= 1


def test_augmented_spans_stay_inside() -> None:
    for seed in range(300):
        changed = augment(sample(), random.Random(seed), LanguageWords(["please"], SoundAlikes(["dusk", "ramp"])))
        assert tokenize(changed.text)
        assert all(0 <= s.start < s.end <= len(changed.text) for s in changed.slots)


def test_a_misheard_word_is_another_that_sounds_alike() -> None:
    alike = SoundAlikes(["turn", "torn", "Dürne", "lamp", "limb", "now", "свет"])
    assert alike.of("turn") == ["torn", "dürne"]
    assert alike.of("lamp") == ["limb"]
    assert alike.of("свет") == []
    heard = {misheard(sample(), random.Random(seed), alike).text for seed in range(30)}
    assert heard == {"torn on the desk lamp now", "dürne on the desk lamp now", "turn on the desk limb now"}


def test_a_word_in_english_is_outside_slots_or_a_whole_one() -> None:
    german = Sample(
        "mach die rote Lampe rot", "f", "de", [SampledSlot("name", "", 9, 19), SampledSlot("color", "", 20, 23)]
    )
    english = {"lampe": ("lamp",), "rot": ("red",), "mach die": ("make",)}
    changed = {borrowed(german, random.Random(seed), english).text for seed in range(30)}
    assert changed == {"make rote Lampe rot", "mach die rote Lampe red"}
    red = borrowed(german, random.Random(1), {"rot": ("red",)})
    assert [red.text[slot.start : slot.end] for slot in red.slots] == ["rote Lampe", "red"]
    assert borrowed(german, random.Random(1), {}) == german


def test_english_for_the_words_of_rules_and_colors() -> None:
    german, hindi = (english_words(package_templates(name)) for name in ("de", "hi"))
    assert german["rot"] == ("red",)
    assert "light" in hindi["बत्ती"]
    assert english_words(package_templates("en")) == {}
    assert sum(bool(english_words(package_templates(name))) for name in package_languages()) > 55


def test_endings_are_those_that_many_stems_share() -> None:
    stems = ("valo", "talo", "sauna", "peili")
    endings = Endings([stem + ending for stem in stems for ending in ("", "n", "ssa")] + ["ovi", "tuuletin"])
    assert {new for _, new, _ in endings.pairs} == {"n", "ssa"}
    assert {endings.other_form("Keittiö", random.Random(seed)) for seed in range(20)} >= {"Keittiön", "Keittiössa"}
    assert Endings(["one", "word"]).other_form("lamp", random.Random(1)) == "lamp"


def test_only_a_name_gets_another_ending() -> None:
    endings = Endings([stem + ending for stem in ("lamp", "desk", "turn") for ending in ("", "s")])
    changed = other_ending(sample(), random.Random(1), endings)
    assert changed.text == "turn on the desk lamps now"
    assert changed.text[changed.slots[0].start : changed.slots[0].end] == "desk lamps"


@pytest.mark.parametrize("language", ["fi", "tr", "ja"])
def test_what_a_language_has_of_each_augmentation(language: str) -> None:
    templates = package_templates(language)
    words = language_words(templates, heard_words(unrelated_sentences(templates)))
    assert words.english
    assert bool(words.endings.pairs) == (language != "ja")
    assert {"one_word_in_english", "other_ending_of_a_name"} < set(disturbances(words))
