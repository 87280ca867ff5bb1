"""Several commands in one sentence, and one command about two things."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from edge.nlu.several import AND, NEXT, SEVERAL
from edge.nlu.tokens import tokenize
from edge.types import Home
from quantize.templates.sampler import Sample, SampledSlot
from quantize.variation.augment import edit

_LONGEST = 30
_SHARED_VERB = 0.4
_THREE_THINGS = 0.2
_UNJOINED = 0.15
"""Commands that follow each other without a word between them, as in lists of three."""
_NUMBER = re.compile(r"\d+")


def two_things(sample: Sample, home: Home, joins: Sequence[str], space: str, rng: random.Random) -> Sample | None:
    """The sample about two or three devices or rooms: *the kitchen and the hall lights*; None where it names none."""
    places = [slot for slot in sample.slots if slot.tag in ("name", "area")]
    if len(places) != 1 or len(sample.slots) > 2:
        return None
    others = _like(places[0], home)
    for _ in range(1 + (rng.random() < _THREE_THINGS)):
        last = max((slot for slot in sample.slots if slot.tag == places[0].tag), key=lambda slot: slot.end)
        if not others:
            return None
        other = others.pop(rng.randrange(len(others)))
        joint = _spaced(rng.choice(joins), space)
        sample = edit(sample, last.end, last.end, joint + other)
        start = last.end + len(joint)
        sample.slots.append(SampledSlot(last.tag, other, start, start + len(other)))
    return sample


def several(
    samples: Sequence[Sample], free: Collection[str], joins: Sequence[str], space: str, rng: random.Random
) -> Sample | None:
    """The commands one after the other; some share the first one's verb. None where that would be too long.

    Each further command's first word is tagged ``next``, the words before it that join the two ``and``. A slot of
    ``free`` text in the first command would swallow the others.
    """
    first, *others = samples
    if free:
        return None
    tails = [other.text for other in others]
    start = min((slot.start for slot in first.slots), default=0)
    if start and len(first.slots) > 1 and rng.random() < _SHARED_VERB:
        tails = [_NUMBER.sub(lambda _: str(rng.randint(1, 99)), first.text[start:])]
    text, slots = first.text, []
    for tail in tails:
        joint = "" if rng.random() < _UNJOINED else rng.choice(joins)
        before = len(text)
        text += _spaced(joint, space) if joint else space
        slots += [SampledSlot(AND, joint, before + t.start, before + t.end) for t in tokenize(text[before:])]
        slots.append(SampledSlot(NEXT, tail, len(text), len(text) + 1))
        text += tail
    tokens = tokenize(text)
    starts = {slot.start: slot for slot in slots if slot.tag == NEXT}
    for token in tokens:
        if token.start in starts:
            starts[token.start].end = token.end
    joined = _as_one([slot for slot in slots if slot.tag == AND], text)
    if len(tokens) > _LONGEST:
        return None
    return replace(first, text=text, frame=SEVERAL, slots=[*joined, *starts.values()])


def _as_one(slots: Sequence[SampledSlot], text: str) -> list[SampledSlot]:
    """Joining words that stand side by side as one slot."""
    joined: list[SampledSlot] = []
    for slot in slots:
        if joined and not tokenize(text[joined[-1].end : slot.start]):
            joined[-1].end = slot.end
        else:
            joined.append(slot)
    return joined


def _spaced(joint: str, space: str) -> str:
    """The joining words with the language's spaces; a comma stands at the word before."""
    return ("" if joint[:1] in ",،、，" else space) + joint + space


def _like(slot: SampledSlot, home: Home) -> list[str]:
    """Names of other parts of the home of the same kind."""
    if slot.tag == "area":
        return [area.name for area in home.areas if area.name != slot.value]
    kinds = {entity.domain for entity in home.entities if entity.name == slot.value}
    return [entity.name for entity in home.entities if entity.domain in kinds and entity.name != slot.value]
