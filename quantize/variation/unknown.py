"""Commands about a device or a place that the home does not have: *the sun room lights*, *Tom's lamp*."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from edge.nlu.matching import HomeIndex
from quantize.templates.homes import NameMaker
from quantize.templates.sampler import Sample
from quantize.variation.augment import edit

_PLACES = ("name", "area", "floor")


def unknown_target(
    sample: Sample,
    free: Collection[str],
    words: Sequence[str],
    maker: NameMaker,
    index: HomeIndex,
    rng: random.Random,
) -> Sample | None:
    """The sample with one name of something that is not there, made of everyday ``words`` or like a name.

    None where it names nothing, or the new name is like one of the home.
    """
    named = [slot for slot in sample.slots if slot.tag in _PLACES and slot.tag not in free]
    if not named or "name" in free:  # "the pizza timer" is in no room
        return None
    slot = rng.choice(named)
    if words and rng.random() < 0.6:
        other = maker.space.join(rng.choice(words) for _ in range(rng.randint(1, 2)))
    else:
        other = maker.phrase(rng, 3, 0.2)
    changed = edit(sample, slot.start, slot.end, other)
    tokens = index.tokens(changed.text)
    place = range(slot.start, slot.start + len(other))
    for match in index.matches(tokens):
        if any(tokens[at].start in place for at in range(match.first, match.last)):
            return None
    return changed
