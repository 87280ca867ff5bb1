"""Measures a bundle in the device runtime: MASSIVE's metrics per locale, robustness, and what changed for the worse."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from edge.bundle import Bundle
from edge.nlu.student import StudentParser
from edge.types import Home, Parse, Transcript
from quantize.augment import drop_word, wrong_letter
from quantize.datasets import SlotSpan, Utterance
from quantize.metrics import Metrics, Prediction, measure, measure_locales, negative_flips
from quantize.templates import Sample


def predict(bundle: Bundle, utterances: Sequence[Utterance], home: Home | None = None) -> list[Prediction]:
    """Parse every utterance with the bundle's int8 program, in the language of its locale."""
    parsers: dict[str, StudentParser] = {}
    return [
        as_prediction(_parser(bundle, parsers, home or Home(), u.locale).parse(Transcript(u.text))) for u in utterances
    ]


def as_prediction(parse: Parse) -> Prediction:
    """A parse as the metrics take it: intent and the spans of the slots that have text."""
    spans = tuple(SlotSpan(slot.name, *slot.span) for slot in parse.slots if slot.span is not None)
    return Prediction(parse.intent, spans, parse.confidence)


def evaluate(
    bundle: Bundle, utterances: Sequence[Utterance], against: Bundle | None = None, home: Home | None = None
) -> dict[str, Any]:
    """Everything that ``edge-quantize evaluate --json`` prints."""
    predicted = predict(bundle, utterances, home)
    report: dict[str, Any] = _figures(measure(utterances, predicted))
    report["locales"] = {locale: _figures(part) for locale, part in measure_locales(utterances, predicted).items()}
    report["robustness"] = {
        name: _figures(measure(changed, predict(bundle, changed, home)))["intent_accuracy"]
        for name, change in (("one_word_dropped", drop_word), ("one_letter_wrong", wrong_letter))
        for changed in [_changed(utterances, change)]
    }
    if against is not None:
        flips = negative_flips(utterances, predict(against, utterances, home), predicted)
        report["negative_flips"] = {
            "share": len(flips) / max(1, len(utterances)),
            "examples": [
                {"text": u.text, "locale": u.locale, "intent": u.intent, "now": p.intent} for u, p in flips[:20]
            ],
        }
    return report


def table(report: dict[str, Any], title: str) -> str:
    """The report for people."""
    rows = [("all", report), *report["locales"].items()]
    lines = [title, f"{'locale':<10}{'n':>7}{'intent':>9}{'slot F1':>9}{'exact':>9}"]
    lines += [
        f"{name:<10}{row['n']:>7}{row['intent_accuracy']:>9.2%}{row['slot_f1']:>9.2%}{row['exact_match']:>9.2%}"
        for name, row in rows
        if name == "all" or len(rows) > 2
    ]
    lines += [f"intent with {name.replace('_', ' ')}: {value:.2%}" for name, value in report["robustness"].items()]
    if "negative_flips" in report:
        lines.append(f"negative flips: {report['negative_flips']['share']:.2%}")
    return "\n".join(lines)


def _figures(metrics: Metrics) -> dict[str, Any]:
    return {
        "intent_accuracy": metrics.intent_accuracy, "slot_f1": metrics.slot_f1, "exact_match": metrics.exact_match,
        "n": metrics.n,
    }  # fmt: skip


def _changed(utterances: Sequence[Utterance], change: Callable[[Sample, random.Random], Sample]) -> list[Utterance]:
    rng = random.Random(7)
    changed = []
    for utterance in utterances:
        text = change(Sample(utterance.text, utterance.intent, utterance.locale), rng).text
        changed.append(
            Utterance(
                utterance.id, utterance.locale, utterance.partition, utterance.scenario, utterance.intent, text, ()
            )
        )
    return changed


def _parser(bundle: Bundle, parsers: dict[str, StudentParser], home: Home, locale: str) -> StudentParser:
    spec = bundle.manifest.student
    known = spec.languages if spec else ()
    language = next((name for name in (locale, locale.split("-")[0]) if name in known), None)
    key = language or ""
    if key not in parsers:
        parsers[key] = StudentParser(bundle, home, language)
    return parsers[key]
