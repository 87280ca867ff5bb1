"""Measures a home bundle on freshly sampled sentences about homes that training never saw, and on unrelated talk."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.bundle.format import Bundle
from edge.grammar.grammar import home_names, unpack_grammar
from edge.grammar.parser import GrammarParser
from edge.nlu.student import StudentParser
from edge.protocols import Parser
from edge.types import Home, Parse, SlotValue, Transcript
from quantize.data.metrics import Flip, Flips, rejection
from quantize.evaluate.bundle import shipped_threshold, without_threshold
from quantize.student.examples import label_space
from quantize.student.home import word_material
from quantize.student.source import HomeSource
from quantize.templates.package import package_templates
from quantize.templates.sampler import Sample, slot_of
from quantize.variation.augment import disturbances, language_words
from quantize.variation.not_commands import heard_words, unrelated_sentences

log = logging.getLogger(__name__)
_IMPLIED = {"domain", "device_class", "state"}
_PER_HOME = 20
_SEED = 987_654_321


@dataclass(frozen=True)
class Case:
    """A sentence, what it means, and the home that it speaks of."""

    sample: Sample
    home: Home
    wanted: dict[str, list[SlotValue]]

    @property
    def intent(self) -> str:
        """The intent that its template belongs to."""
        return self.sample.frame.split("#")[0].split("|")[0]


def sampled_cases(language: str, count: int, seed: int = _SEED) -> list[Case]:
    """``count`` clean sentences of one language with homes made for them alone."""
    templates = package_templates(language)
    source = HomeSource(templates, word_material(), label_space([templates]), [])
    rng = random.Random(f"{seed}{language}")
    return [
        Case(sample, index.home, _wanted(sample))
        for sample, index in source.samples(count, rng, noisy=False, per_home=_PER_HOME, unrelated_share=0.0)
    ]


def evaluate_home(
    bundle: Bundle,
    languages: Sequence[str],
    count: int,
    unrelated: Sequence[str] = (),
    against: Bundle | None = None,
) -> dict[str, Any]:
    """Everything that ``edge-quantize evaluate-home --json`` prints.

    Args:
        bundle: a home bundle.
        languages: those to measure.
        count: sentences per language.
        unrelated: sentences that are not commands, to measure rejection.
        against: an older bundle, to count negative flips in the languages that it knows too.
    """
    rows: dict[str, dict[str, float]] = {}
    for language in languages:
        rows[language] = measure_language(bundle, language, count)
        log.info("%s %s", language, rows[language])
    columns = dict.fromkeys(name for row in rows.values() for name in row if name != "n")
    mean = {name: float(np.mean([row[name] for row in rows.values() if name in row])) for name in columns}
    report: dict[str, Any] = {"mean": mean, "languages": rows}
    if unrelated:
        report["rejection"] = measure_rejection(bundle, languages, unrelated)
    if against is not None:
        known = set(against.manifest.languages)
        report["negative_flips"] = home_flips(against, bundle, [n for n in languages if n in known], count).report()
    return report


def table(report: dict[str, Any]) -> str:
    """The report as Markdown, a row per language."""
    columns = list(report["mean"])
    lines = [
        f"| language | {' | '.join(name.replace('_', ' ') for name in columns)} |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for name, row in [("all", report["mean"]), *report["languages"].items()]:
        cells = [f"{row[column]:.1%}" if column in row else "–" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    lines += [
        f"\nrejection, {name.replace('_', ' ')}: {value:.4g}" for name, value in report.get("rejection", {}).items()
    ]
    if "negative_flips" in report:
        lines.append(f"\nnegative flips: {report['negative_flips']['share']:.2%}")
    return "\n".join(lines)


def measure_language(bundle: Bundle, language: str, count: int) -> dict[str, float]:
    """Intent, intent and all slots, and intent under each augmentation, over the sentences that it changes."""
    templates = package_templates(language)
    changes = disturbances(language_words(templates, heard_words(unrelated_sentences(templates))))
    rngs = {name: random.Random(_SEED) for name in changes}
    hits: dict[str, list[bool]] = {"intent": [], "exact": [], **{name: [] for name in changes}}
    for case, (parser,) in _spoken(language, count, bundle):
        found = parser.parse(Transcript(case.sample.text))
        hits["intent"].append(found.intent == case.intent)
        hits["exact"].append(_right(case, found))
        for name, change in changes.items():
            text = change(case.sample, rngs[name]).text
            if text != case.sample.text:
                hits[name].append(parser.parse(Transcript(text)).intent == case.intent)
    return {**{name: float(np.mean(values)) for name, values in hits.items() if values}, "n": len(hits["intent"])}


def home_flips(old: Bundle, new: Bundle, languages: Sequence[str], count: int) -> Flips:
    """Sentences that the old bundle parses with all slots and the new one does not."""
    found: list[Flip] = []
    n = 0
    for language in languages:
        for case, (before, after) in _spoken(language, count, old, new):
            n += 1
            said = Transcript(case.sample.text)
            now = after.parse(said)
            if _right(case, before.parse(said)) and not _right(case, now):
                found.append(Flip(said.text, language, case.intent, now.intent))
    return Flips(tuple(found), n)


def _spoken(language: str, count: int, *bundles: Bundle) -> Iterator[tuple[Case, tuple[Parser, ...]]]:
    """Each sampled case with the bundles' parsers in its home."""
    home: Home | None = None
    for case in sampled_cases(language, count):
        if case.home is not home:
            home = case.home
            parsers = tuple(device_parser(bundle, home, language) for bundle in bundles)
        yield case, parsers


def device_parser(bundle: Bundle, home: Home, language: str) -> Parser:
    """What understands typed commands on the device: the bundle's own sentences, then its student."""
    student = StudentParser(bundle, home, language)
    if bundle.manifest.grammar is None:
        return student
    own = unpack_grammar(bundle.read(bundle.manifest.grammar))
    return GrammarParser(own.fill(home_names(home)), student)


def _right(case: Case, found: Parse) -> bool:
    return found.intent == case.intent and same_slots(case.wanted, found)


def same_slots(wanted: dict[str, list[SlotValue]], found: Parse) -> bool:
    """Every wanted slot has its value, and the only others are those that devices imply."""
    got: dict[str, list[str]] = {}
    for slot in found.slots:
        got.setdefault(slot.name, []).append(str(slot.value).casefold().strip())
    right = all(
        any(str(value).casefold().strip() in got.get(name, []) for value in values) for name, values in wanted.items()
    )
    return right and set(got) <= set(wanted) | _IMPLIED


def measure_rejection(bundle: Bundle, languages: Sequence[str], unrelated: Sequence[str]) -> dict[str, float]:
    """How well the probability of being a command parts a few commands of each language from other talk."""
    open_minded = without_threshold(bundle)
    inside: list[float] = []
    right: list[bool] = []
    for language in languages:
        for case, (speaker,) in _spoken(language, _PER_HOME, open_minded):
            found = speaker.parse(Transcript(case.sample.text))
            inside.append(found.in_scope if found.intent else 0.0)
            right.append(found.intent == case.intent)
    parser = StudentParser(open_minded, Home())
    parses = [parser.parse(Transcript(text)) for text in unrelated]
    outside = [found.in_scope if found.intent else 0.0 for found in parses]
    return rejection(inside, right, outside, shipped_threshold(bundle))


def _wanted(sample: Sample) -> dict[str, list[SlotValue]]:
    wanted: dict[str, list[SlotValue]] = {}
    for part in sample.frame.split("#")[0].split("|")[1:]:
        name, _, value = part.partition("=")
        wanted.setdefault(name, []).append(value)
    for slot in sample.slots:
        wanted.setdefault(slot_of(slot.tag), []).append(slot.value)
    return wanted
