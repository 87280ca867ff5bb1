"""Examples of the home student: labels that fit the tokens, augmentation that keeps them right."""

from __future__ import annotations

import random

import pytest

from edge.nlu.matching import FEATURES
from edge.nlu.tokens import tokenize
from quantize.augment import augment, drop_word, edit, wrong_letter
from quantize.home import NOTHING, HomeSource, LabelSpace, encode_sample, interface_texts, label_space
from quantize.homes import WordMaterial
from quantize.templates import Sample, SampledSlot, package_templates

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


def test_unrelated_sentences_are_no_command(source: tuple[HomeSource, LabelSpace]) -> None:
    home, space = source
    drawn = [s for s, _ in home.samples(400, random.Random(5), unrelated_share=0.5)]
    assert 120 < sum(s.frame == NOTHING for s in drawn) < 280
    assert space.frames[0].intent is None


def test_names_differ_between_homes(source: tuple[HomeSource, LabelSpace]) -> None:
    home, _ = source
    rng = random.Random(1)
    one, other = ({entity.name for entity in home.maker.home(rng).entities} for _ in range(2))
    assert len(one & other) < len(one)


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
        changed = augment(sample(), random.Random(seed), ["please"])
        assert tokenize(changed.text)
        assert all(0 <= s.start < s.end <= len(changed.text) for s in changed.slots)


def test_interface_texts_are_in_the_language() -> None:
    assert interface_texts("de") != interface_texts("fr")
    assert any(" the " in text for text in interface_texts("en"))
    assert interface_texts("kw") == []
