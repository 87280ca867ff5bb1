"""What the device must know of a language to turn text into values: its closed lists and how it spells numbers."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from edge.nlu.matching import plain
from edge.nlu.resolve import Lexicon, ListedValue, lexicon_key
from edge.nlu.tokens import tokenize
from edge.types import SlotValue
from quantize.templates import ARTICLES, DURATIONS, PROCLITICS, Block, Sample, Templates, numeric_tags

_DRAWS = 12
_NAME = "0"
_NUMBERS = (*range(101), *range(1000, 10001, 100))


def build_lexicon(templates: Templates) -> Lexicon:
    """Lexicon of one language."""
    values: dict[str, dict[str, dict[SlotValue, set[str] | None]]] = {}
    for tag, text, value, domains in templates.listed_values():
        key = lexicon_key(text)
        if not key:
            continue
        known = values.setdefault(tag, {}).setdefault(key, {})
        if not domains:
            known[value[0] if isinstance(value, list) else value] = None
        else:
            before = known.setdefault(value[0] if isinstance(value, list) else value, set())
            if before is not None:
                before.update(domains)
    for tag in DURATIONS:
        for article in ARTICLES.get(templates.language, ()):
            values.setdefault(tag, {})[article] = {1: None}
    numbers: dict[str, int] = {}
    for number in _NUMBERS:
        for form in templates.spellings(number):
            numbers.setdefault(lexicon_key(form), number)
    return Lexicon(
        {tag: {key: _listed(found) for key, found in sorted(texts.items())} for tag, texts in sorted(values.items())},
        numbers if numeric_tags(templates) else {},
        PROCLITICS.get(templates.language, ()),
        command_words(templates),
    )


def command_words(templates: Templates) -> tuple[str, ...]:
    """The folded words of a language's commands, slots aside, from some sentences of each template."""
    rng = random.Random(templates.language)
    words: set[str] = set()
    for block in templates.blocks:
        for template in block.sentences:
            for _ in range(_DRAWS):
                sample = templates.sample(block, template, rng, _some_name)
                words.update(_outside_slots(sample) if sample else ())
    return tuple(sorted(words))


def _outside_slots(sample: Sample) -> Iterator[str]:
    for token in tokenize(sample.text):
        if token.text.isalpha() and not any(slot.start < token.end and token.start < slot.end for slot in sample.slots):
            yield plain(token.text)


def _some_name(list_name: str, block: Block, rng: random.Random) -> tuple[str, str]:
    return _NAME, _NAME


def lexicon_bytes(lexicon: Lexicon) -> bytes:
    """The lexicon as the bundle holds it."""
    return msgspec.json.encode(lexicon)


def _listed(found: dict[SlotValue, set[str] | None]) -> tuple[ListedValue, ...]:
    if len(found) == 1:
        return (ListedValue(next(iter(found))),)
    return tuple(ListedValue(value, tuple(sorted(domains or ()))) for value, domains in found.items())
