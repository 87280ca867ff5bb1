"""Measures a home bundle on freshly sampled sentences about homes that training never saw, and on unrelated talk."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from edge.bundle import Bundle
from edge.nlu.student import StudentParser
from edge.types import Home, Parse, SlotValue, Transcript
from quantize.augment import drop_word, wrong_letter
from quantize.home import HomeSource, label_space
from quantize.home_build import word_material
from quantize.metrics import auroc, threshold_at_rejection
from quantize.templates import Sample, package_templates, slot_of

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


def sampled_cases(language: str, count: int) -> list[Case]:
    """``count`` clean sentences of one language with homes made for them alone."""
    templates = package_templates(language)
    source = HomeSource(templates, word_material(), label_space([templates]), [])
    rng = random.Random(f"{_SEED}{language}")
    return [
        Case(sample, index.home, _wanted(sample))
        for sample, index in source.samples(count, rng, noisy=False, per_home=_PER_HOME, unrelated_share=0.0)
    ]


def measure_language(bundle: Bundle, language: str, count: int) -> dict[str, float]:
    """Intent, intent and all slots, intent with one word dropped and with one letter wrong."""
    rng = random.Random(_SEED)
    hits = {"intent": 0, "exact": 0, "drop": 0, "letter": 0}
    home: Home | None = None
    cases = sampled_cases(language, count)
    for case in cases:
        if case.home is not home:
            home = case.home
            parser = StudentParser(bundle, home, language)
        found = parser.parse(Transcript(case.sample.text))
        hits["intent"] += found.intent == case.intent
        hits["exact"] += found.intent == case.intent and same_slots(case.wanted, found)
        for name, change in (("drop", drop_word), ("letter", wrong_letter)):
            text = change(case.sample, rng).text
            hits[name] += parser.parse(Transcript(text)).intent == case.intent
    return {**{name: value / len(cases) for name, value in hits.items()}, "n": len(cases)}


def same_slots(wanted: dict[str, list[SlotValue]], found: Parse) -> bool:
    """Every wanted slot has its value, and there is no other but those that devices imply."""
    got: dict[str, list[str]] = {}
    for slot in found.slots:
        got.setdefault(slot.name, []).append(str(slot.value).casefold().strip())
    right = all(
        any(str(value).casefold().strip() in got.get(name, []) for value in values) for name, values in wanted.items()
    )
    return right and set(got) <= set(wanted) | _IMPLIED


def rejection(bundle: Bundle, languages: Sequence[str], unrelated: Sequence[str], count: int) -> dict[str, Any]:
    """How well confidence parts commands from other talk: AUROC, and in-scope accuracy at 95 % rejection."""
    spec = bundle.manifest.student
    if spec is None:
        raise ValueError("the bundle has no student")
    manifest = msgspec.structs.replace(bundle.manifest, student=msgspec.structs.replace(spec, threshold=0.0))
    lenient = Bundle(bundle.source, manifest)
    inside: list[float] = []
    right: list[bool] = []
    for language in languages:
        for case in sampled_cases(language, count):
            found = StudentParser(lenient, case.home, language).parse(Transcript(case.sample.text))
            inside.append(found.confidence if found.intent else 0.0)
            right.append(found.intent == case.intent)
    parser = StudentParser(lenient, Home())
    parses = [parser.parse(Transcript(text)) for text in unrelated]
    outside = [found.confidence if found.intent else 0.0 for found in parses]
    threshold = threshold_at_rejection(outside)
    return {
        "auroc": auroc(inside, outside),
        "threshold": threshold,
        "in_scope_accuracy": _accuracy(inside, right, threshold),
        "rejected_at_shipped_threshold": float(np.mean(np.array(outside) < spec.threshold)),
        "in_scope_at_shipped_threshold": _accuracy(inside, right, spec.threshold),
        "n": [len(inside), len(outside)],
    }


def _accuracy(confidence: Sequence[float], right: Sequence[bool], threshold: float) -> float:
    """Share of sentences that are accepted and right."""
    return float(np.mean((np.array(confidence) >= threshold) & np.array(right)))


def _wanted(sample: Sample) -> dict[str, list[SlotValue]]:
    wanted: dict[str, list[SlotValue]] = {}
    for part in sample.frame.split("#")[0].split("|")[1:]:
        name, _, value = part.partition("=")
        wanted.setdefault(name, []).append(value)
    for slot in sample.slots:
        wanted.setdefault(slot_of(slot.tag), []).append(slot.value)
    return wanted
