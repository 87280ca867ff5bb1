"""Augmentations that reflect real use: words dropped, repeated, misheard or in English; letters or endings changed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from edge.nlu.tokens import strip_marks, tokenize
from quantize.templates.sampler import Sample, SampledSlot, Templates, is_word
from quantize.variation.borrowing import LONGEST, english_words
from quantize.variation.endings import Endings

Change = Callable[[Sample, random.Random], Sample]
_NAMES = ("name", "area", "floor")


def edit(sample: Sample, start: int, end: int, text: str) -> Sample:
    """The sample with ``[start, end)`` replaced; spans move along and a slot that loses all its text goes.

    What is inserted where a slot begins or ends does not belong to it.
    """
    shift = len(text) - (end - start)

    def moved(offset: int, closing: bool) -> int:
        if offset >= end and (offset > start or not closing):
            return offset + shift
        return min(offset, start + len(text)) if offset > start else offset

    slots = []
    for slot in sample.slots:
        first, last = moved(slot.start, False), moved(slot.end, True)
        if start <= slot.start and slot.end <= end and not text.strip():
            continue
        slots.append(SampledSlot(slot.tag, slot.value, first, last))
    return replace(sample, text=sample.text[:start] + text + sample.text[end:], slots=slots)


def drop_word(sample: Sample, rng: random.Random) -> Sample:
    """Without one of its words."""
    words = list(re.finditer(r"\S+\s*", sample.text))
    if len(words) >= 3:
        word = rng.choice(words)
        return edit(sample, word.start(), word.end(), "")
    tokens = tokenize(sample.text)
    if len(tokens) < 4:
        return sample
    token = rng.choice(tokens)
    return edit(sample, token.start, token.end, "")


def repeat_word(sample: Sample, rng: random.Random) -> Sample:
    """With one word said twice, outside slots."""
    tokens = [t for t in tokenize(sample.text) if not any(s.start < t.end and t.start < s.end for s in sample.slots)]
    if not tokens:
        return sample
    token = rng.choice(tokens)
    return edit(sample, token.start, token.start, token.text + " ")


def wrong_letter(sample: Sample, rng: random.Random) -> Sample:
    """One letter replaced by another letter of the sentence, left out, or doubled."""
    places = [i for i, c in enumerate(sample.text) if c.isalpha()]
    if not places:
        return sample
    i = rng.choice(places)
    kind = rng.random()
    letter = sample.text[rng.choice(places)] if kind < 0.75 else "" if kind < 0.9 else sample.text[i] * 2
    if not letter and any(s.end - s.start == 1 and s.start == i for s in sample.slots):
        return sample
    return edit(sample, i, i + 1, letter)


def added_words(sample: Sample, rng: random.Random, words: str) -> Sample:
    """With ``words`` before some word that is in no slot but its first, or at the end."""
    inside = [range(s.start + 1, s.end) for s in sample.slots]
    places = [t.start for t in tokenize(sample.text) if not any(t.start in span for span in inside)]
    at = rng.choice([*places, len(sample.text)])
    return edit(sample, at, at, f" {words}" if at == len(sample.text) else f"{words} ")


def without_marks(sample: Sample, rng: random.Random) -> Sample:
    """Without diacritics."""
    text = "".join(p if len(p := strip_marks(c)) == 1 else c for c in sample.text)
    return replace(sample, text=text)


class SoundAlikes:
    """Words of a language by how they sound: consonants alone, voiced and unvoiced ones alike (after Russell 1918).

    Only alphabets that the Latin letters cover without their marks have any.
    """

    _CONSONANTS = str.maketrans("bvfdgckqxzj", "ppptkkkksss", "aeiouyhw")

    def __init__(self, words: Iterable[str]) -> None:
        self._by_sound: dict[str, list[str]] = {}
        for word in dict.fromkeys(word.lower() for word in words):
            if sound := self.sound(word):
                self._by_sound.setdefault(sound, []).append(word)

    def sound(self, word: str) -> str:
        """The key; empty for words that have none."""
        letters = strip_marks(word.lower())
        if len(letters) < 3 or not (letters.isascii() and letters.isalpha()):
            return ""
        return re.sub(r"(.)\1+", r"\1", letters.translate(self._CONSONANTS))

    def of(self, word: str) -> list[str]:
        """Other words that sound alike."""
        return [other for other in self._by_sound.get(self.sound(word), ()) if other != word.lower()]


def misheard(sample: Sample, rng: random.Random, alike: SoundAlikes) -> Sample:
    """With one word replaced by another that sounds alike, as recognizers do."""
    places = [(token, others) for token in tokenize(sample.text) if (others := alike.of(token.text))]
    if not places:
        return sample
    token, others = rng.choice(places)
    return edit(sample, token.start, token.end, rng.choice(others))


def borrowed(sample: Sample, rng: random.Random, english: Mapping[str, Sequence[str]]) -> Sample:
    """With one word or phrase said in English, outside slots or a whole one."""
    tokens = tokenize(sample.text)
    places = [
        (tokens[first].start, tokens[last - 1].end)
        for first in range(len(tokens))
        for last in range(first + 1, min(first + LONGEST, len(tokens)) + 1)
    ]
    places = [
        (start, end)
        for start, end in places
        if sample.text[start:end].lower() in english
        and all(s.end <= start or end <= s.start or (s.start, s.end) == (start, end) for s in sample.slots)
    ]
    if not places:
        return sample
    start, end = rng.choice(places)
    return edit(sample, start, end, rng.choice(english[sample.text[start:end].lower()]))


def other_ending(sample: Sample, rng: random.Random, endings: Endings) -> Sample:
    """With the last word of one name in another form."""
    names = [slot for slot in sample.slots if slot.tag in _NAMES and slot.start < slot.end]
    if not names:
        return sample
    name = rng.choice(names)
    word = tokenize(sample.text[name.start : name.end])[-1:]
    if not word or name.start + word[0].end != name.end:
        return sample
    return edit(sample, name.start + word[0].start, name.end, endings.other_form(word[0].text, rng))


def polite(sample: Sample, rng: random.Random, frames: Sequence[str]) -> Sample:
    """With a polite phrase of the language before or after."""
    if not frames:
        return sample
    phrase = rng.choice(frames)
    if rng.random() < 0.5:
        return edit(sample, 0, 0, phrase + " ")
    return edit(sample, len(sample.text), len(sample.text), " " + phrase)


@dataclass(frozen=True)
class LanguageWords:
    """What augmentation knows of a language: polite phrases, words alike, English for its words, endings of names."""

    polite: Sequence[str] = ()
    alike: SoundAlikes = field(default_factory=lambda: SoundAlikes([]))
    english: Mapping[str, Sequence[str]] = field(default_factory=dict)
    endings: Endings = field(default_factory=lambda: Endings([]))


def language_words(templates: Templates, heard: Iterable[str] = ()) -> LanguageWords:
    """Of the templates' language; ``heard``: more of its words."""
    words = [*templates.words, *heard]
    spaced = (word for word in words if is_word(word) and len(tokenize(word)) == 1)
    return LanguageWords(templates.skip_words, SoundAlikes(words), english_words(templates), Endings(spaced))


def disturbances(words: LanguageWords) -> dict[str, Change]:
    """Each augmentation by itself, by the name under which robustness to it is reported."""
    return {
        "one_word_dropped": drop_word,
        "one_letter_wrong": wrong_letter,
        "one_word_repeated": repeat_word,
        "one_word_misheard": partial(misheard, alike=words.alike),
        "one_word_in_english": partial(borrowed, english=words.english),
        "other_ending_of_a_name": partial(other_ending, endings=words.endings),
        "without_marks": without_marks,
        "polite_phrase": partial(polite, frames=words.polite),
    }


def augment(sample: Sample, rng: random.Random, words: LanguageWords) -> Sample:
    """A random mix, leaving about a fifth of the samples as they are."""
    kind = rng.random()
    if kind < 0.20:
        return sample
    if kind < 0.23:
        return borrowed(sample, rng, words.english)
    if kind < 0.26:
        return other_ending(sample, rng, words.endings)
    if kind < 0.31:
        return misheard(sample, rng, words.alike)
    if kind < 0.64:
        return drop_word(sample, rng)
    if kind < 0.85:
        sample = wrong_letter(sample, rng)
        return wrong_letter(sample, rng) if rng.random() < 0.2 else sample
    if kind < 0.90:
        return wrong_letter(drop_word(sample, rng), rng)
    if kind < 0.93:
        return repeat_word(sample, rng)
    if kind < 0.96:
        return without_marks(sample, rng)
    return polite(sample, rng, words.polite)
