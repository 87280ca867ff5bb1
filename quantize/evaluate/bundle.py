"""Measures a bundle in the device runtime: MASSIVE's metrics per locale, robustness, and what changed for the worse."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec

from edge.bundle.format import Bundle
from edge.bundle.manifest import StudentSpec
from edge.errors import BundleError
from edge.nlu.student import StudentParser
from edge.types import Home, Parse, Transcript
from quantize.data.datasets import SlotSpan, Utterance
from quantize.data.metrics import Metrics, Prediction, measure, measure_locales, negative_flips, rejection
from quantize.templates.package import package_languages, package_templates
from quantize.templates.sampler import Sample
from quantize.variation.augment import Change, LanguageWords, disturbances, language_words


def predict(bundle: Bundle, utterances: Sequence[Utterance], home: Home | None = None) -> list[Prediction]:
    """Parse every utterance with the bundle's int8 program, in the language of its locale."""
    parsers: dict[str, StudentParser] = {}
    return [
        as_prediction(_parser(bundle, parsers, home or Home(), u.locale).parse(Transcript(u.text))) for u in utterances
    ]


def as_prediction(parse: Parse) -> Prediction:
    """A parse as the metrics take it: intent and the spans of the slots that have text."""
    spans = tuple(SlotSpan(slot.name, *slot.span) for slot in parse.slots if slot.span is not None)
    return Prediction(parse.intent, spans, parse.in_scope)


def evaluate(
    bundle: Bundle,
    utterances: Sequence[Utterance],
    home: Home | None = None,
    unrelated: Sequence[str] = (),
    against: Bundle | None = None,
) -> dict[str, Any]:
    """Everything that ``edge-quantize evaluate --json`` prints.

    Args:
        bundle: the one to measure.
        utterances: labelled sentences.
        home: whose names they use.
        unrelated: sentences that are not commands, to measure rejection.
        against: an older bundle, to count negative flips.
    """
    predicted = predict(bundle, utterances, home)
    report: dict[str, Any] = _figures(measure(utterances, predicted))
    report["locales"] = {locale: _figures(part) for locale, part in measure_locales(utterances, predicted).items()}
    report["robustness"] = _robustness(bundle, utterances, home)
    if unrelated:
        open_minded = without_threshold(bundle)
        inside = predict(open_minded, utterances, home)
        outside = predict(open_minded, [Utterance("", "", "", "", "", text) for text in unrelated], home)
        report["rejection"] = rejection(
            [p.in_scope if p.intent else 0.0 for p in inside],
            [p.intent == u.intent for p, u in zip(inside, utterances, strict=True)],
            [p.in_scope if p.intent else 0.0 for p in outside],
            shipped_threshold(bundle),
        )
    if against is not None:
        report["negative_flips"] = negative_flips(utterances, predict(against, utterances, home), predicted).report()
    return report


def without_threshold(bundle: Bundle) -> Bundle:
    """The bundle with a student that rejects only what it takes for no command above all."""
    student = msgspec.structs.replace(_student(bundle), threshold=0.0)
    return Bundle(bundle.source, msgspec.structs.replace(bundle.manifest, student=student))


def shipped_threshold(bundle: Bundle) -> float:
    """The probability of being a command below which the bundle's student rejects."""
    return _student(bundle).threshold


def _student(bundle: Bundle) -> StudentSpec:
    if bundle.manifest.student is None:
        raise BundleError(f"bundle {bundle.manifest.name} has no student for text")
    return bundle.manifest.student


def _robustness(bundle: Bundle, utterances: Sequence[Utterance], home: Home | None) -> dict[str, dict[str, float]]:
    """Intent accuracy under each augmentation, over the utterances that it changes."""
    found = {}
    for name in disturbances(LanguageWords()):
        rng = random.Random(7)
        pairs = [(u, _changed(u, _disturbances(u.locale.split("-")[0])[name], rng)) for u in utterances]
        changed = [after for before, after in pairs if after.text != before.text]
        if changed:
            accuracy = measure(changed, predict(bundle, changed, home)).intent_accuracy
            found[name] = {"intent_accuracy": accuracy, "n": len(changed)}
    return found


@cache
def _disturbances(language: str) -> dict[str, Change]:
    if language not in package_languages():
        return disturbances(LanguageWords())
    return disturbances(language_words(package_templates(language)))


def _changed(utterance: Utterance, change: Change, rng: random.Random) -> Utterance:
    text = change(Sample(utterance.text, utterance.intent, utterance.locale), rng).text
    return replace(utterance, text=text, slots=())


def table(report: dict[str, Any], title: str) -> str:
    """The report for people."""
    rows = [("all", report), *report["locales"].items()]
    lines = [title, f"{'locale':<10}{'n':>7}{'intent':>9}{'slot F1':>9}{'exact':>9}"]
    lines += [
        f"{name:<10}{row['n']:>7}{row['intent_accuracy']:>9.2%}{row['slot_f1']:>9.2%}{row['exact_match']:>9.2%}"
        for name, row in rows
        if name == "all" or len(rows) > 2
    ]
    lines += [
        f"intent with {name.replace('_', ' ')}: {row['intent_accuracy']:.2%} of {row['n']}"
        for name, row in report["robustness"].items()
    ]
    lines += [
        f"rejection, {name.replace('_', ' ')}: {value:.4g}" for name, value in report.get("rejection", {}).items()
    ]
    if "negative_flips" in report:
        lines.append(f"negative flips: {report['negative_flips']['share']:.2%}")
    return "\n".join(lines)


def _figures(metrics: Metrics) -> dict[str, Any]:
    return {
        "intent_accuracy": metrics.intent_accuracy, "slot_f1": metrics.slot_f1, "exact_match": metrics.exact_match,
        "n": metrics.n,
    }  # fmt: skip


def _parser(bundle: Bundle, parsers: dict[str, StudentParser], home: Home, locale: str) -> StudentParser:
    spec = bundle.manifest.student
    known = spec.languages if spec else ()
    language = next((name for name in (locale, locale.split("-")[0]) if name in known), None)
    key = language or ""
    if key not in parsers:
        parsers[key] = StudentParser(bundle, home, language)
    return parsers[key]
