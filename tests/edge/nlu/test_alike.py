"""Which spellings are near enough: nothing is lost by ruling words out early, and the nearest one is found."""

from __future__ import annotations

import random

import pytest
from jellyfish import jaro_winkler_similarity

from edge.nlu.alike import Spellings, nearest


def _word(rng: random.Random) -> str:
    return "".join(rng.choice("abcdeéо家") for _ in range(rng.randint(1, 12)))


@pytest.mark.parametrize("least", [0.6, 0.86, 1.0])
def test_finds_what_comparing_every_word_finds(least: float) -> None:
    rng = random.Random(3)
    for _ in range(300):
        words = list(dict.fromkeys(_word(rng) for _ in range(40)))
        asked = rng.choice(words)[1:] + "a"
        every = [(word, jaro_winkler_similarity(asked, word)) for word in words]
        expected = sorted((pair for pair in every if pair[1] >= least), key=lambda pair: -pair[1])[:4]
        assert Spellings(words).alike(asked, least, 4) == expected


@pytest.mark.parametrize("words", [[], ["lamp"]])
def test_no_word_is_like_nothing(words: list[str]) -> None:
    assert Spellings(words).alike("", 0.5, 4) == []
    assert Spellings([]).alike("lamp", 0.5, 4) == []


@pytest.mark.parametrize(
    ("text", "least", "expected"),
    [
        ("kitchen lite", 0.8, "kitchen light"),
        ("kitchen", 0.8, None),
        ("kitchen", 0.7, "kitchen light"),
        ("abcx", 0.75, "abcd"),  # just as near as "abce": the first of equals
        ("", 0.1, None),
    ],
)
def test_nearest_spelling(text: str, least: float, expected: str | None) -> None:
    assert nearest(text, ["bedroom light", "kitchen light", "abcd", "abce", ""], least) == expected


def test_nearest_takes_long_texts() -> None:
    long = "ein sehr langer name " * 20
    assert nearest(long[:-3], ["kurz", long], 0.9) == long
