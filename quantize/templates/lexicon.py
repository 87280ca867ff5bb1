"""What the device must know of a language to turn text into values: its closed lists and how it spells numbers."""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import yaml

from edge.bundle.format import open_bundle, write_bundle
from edge.nlu.lexicon import Lexicon, ListedValue, lexicon_file, lexicon_key
from edge.nlu.matching import plain
from edge.nlu.tokens import tokenize
from edge.types import SlotValue
from quantize.templates.package import package_templates
from quantize.templates.sampler import (
    ARTICLES,
    DURATIONS,
    PROCLITICS,
    Block,
    Sample,
    Templates,
    is_word,
    stand_in,
)

_DRAWS = 32
_TELLING = 0.02
_KINDS = frozenset({"light", "fan"})
"""Kinds of which a command may mean all, and which it tells by a word: those of covers are listed values."""
_QUESTIONS = ("HassGet", "HassRespond", "HassNevermind", "HassBroadcast", "HassTimerStatus")
"""Intents that change nothing in the home: their words need not be told apart."""
_FUNCTION = 0.3
"""Share of the intents in which a word stands that belongs to none of them, such as an article."""
_NUMBER_WORDS = Path(__file__).with_name("number_words.yaml")
_COUNTED = (*range(21), *range(30, 101, 10))
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
        for form in templates.spellings(number) or counted(templates.language).get(number, []):
            numbers.setdefault(lexicon_key(form), number)
    return Lexicon(
        {tag: {key: _listed(found) for key, found in sorted(texts.items())} for tag, texts in sorted(values.items())},
        numbers,
        PROCLITICS.get(templates.language, ()),
        *command_words(templates),
    )


@cache
def counted(language: str) -> dict[int, list[str]]:
    """How a language spells numbers that has no rules for them; none where it has."""
    spelled = yaml.safe_load(_NUMBER_WORDS.read_text(encoding="utf-8")).get(language, "").split()
    return {number: [word] for number, word in zip(_COUNTED, spelled, strict=False) if word != "-"}


def command_words(
    templates: Templates,
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]], dict[str, tuple[int, ...]], tuple[str, ...]]:
    """The folded words of a language's commands, slots aside: all, those of kinds, those of uses, function words.

    They come from some sentences of each template. A word tells a kind where its share among the sentences about that
    kind is ten times the one among all others.
    """
    rng = random.Random(templates.language)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    sentences: Counter[str] = Counter()
    uses: dict[str, set[str]] = defaultdict(set)
    intents: dict[str, set[str]] = defaultdict(set)
    for block in templates.blocks:
        about = _kinds(block)
        kind = about[0] if len(about) == 1 else ""
        for template in block.sentences:
            for _ in range(_DRAWS):
                sample = templates.sample(block, template, rng, stand_in)
                if sample:
                    words = set(_outside_slots(sample))
                    sentences[kind] += 1
                    counts[kind].update(words)
                    for word in () if block.meaning else words:
                        intents[word].add(block.intent)
                    for each in () if block.intent.startswith(_QUESTIONS) else about:
                        uses[f"{block.intent}|{each}"] |= words
    everywhere: Counter[str] = sum(counts.values(), Counter())
    kinds: dict[str, tuple[str, ...]] = {}
    for kind in sorted(counts.keys() & _KINDS):
        others = max(1, sentences.total() - sentences[kind])
        shares = {word: (n / sentences[kind], (everywhere[word] - n) / others) for word, n in counts[kind].items()}
        telling = (word for word, (own, other) in shares.items() if own >= _TELLING and own >= 10 * other)
        kinds[kind] = tuple(sorted(telling))
    polite = {plain(token.text) for phrase in templates.skip_words for token in tokenize(phrase)}
    commands = tuple(sorted({*everywhere, *polite}))
    places = {word: place for place, word in enumerate(commands)}
    used = {key: tuple(sorted(places[word] for word in words)) for key, words in sorted(uses.items()) if words}
    many = _FUNCTION * len({block.intent for block in templates.blocks if not block.meaning})
    function = {word for word, found in intents.items() if len(found) >= many}
    return commands, kinds, used, tuple(sorted(function | polite))


def _kinds(block: Block) -> tuple[str, ...]:
    """The kinds of device that a block is about; "" where that is not said."""
    domain = dict(block.implied).get("domain")
    return (str(domain),) if domain is not None else block.domains or ("",)


def _outside_slots(sample: Sample) -> Iterator[str]:
    for token in tokenize(sample.text):
        if is_word(token.text) and not any(slot.start < token.end and token.start < slot.end for slot in sample.slots):
            yield plain(token.text)


def lexicon_bytes(lexicon: Lexicon) -> bytes:
    """The lexicon as the bundle holds it."""
    return msgspec.json.encode(lexicon)


def _listed(found: dict[SlotValue, set[str] | None]) -> tuple[ListedValue, ...]:
    if len(found) == 1:
        return (ListedValue(next(iter(found))),)
    return tuple(ListedValue(value, tuple(sorted(domains or ()))) for value, domains in found.items())


def refresh(bundle_file: Path) -> None:
    """Write the lexicons of a finished bundle again, from the installed templates; its student stays as it is."""
    bundle = open_bundle(bundle_file)
    contents = {name: bundle.read(name) for name in bundle.manifest.files}
    for language in bundle.manifest.languages:
        if lexicon_file(language) in contents:
            contents[lexicon_file(language)] = lexicon_bytes(build_lexicon(package_templates(language)))
    write_bundle(bundle_file, bundle.manifest, contents)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=refresh.__doc__)
    parser.add_argument("bundle", type=Path)
    refresh(parser.parse_args().bundle)
