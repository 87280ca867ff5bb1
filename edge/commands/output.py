"""How parses and turns are written: JSON for programs, a few lines for people."""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from edge.types import Action, Parse, Slot, StageSpan

# Characters that JSON allows in strings and that some programs take for the end of a line.
_LINE_ENDS = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def write_json(value: object) -> None:
    """One object on one line of standard output, at once; UTF-8 in whatever locale, as RFC 8259 has it."""
    line = msgspec.json.format(msgspec.json.encode(value).decode(), indent=0)
    sys.stdout.flush()
    sys.stdout.buffer.write((line.translate(_LINE_ENDS) + "\n").encode())
    sys.stdout.buffer.flush()


def write_line(text: str = "") -> None:
    """One line for a person."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def clean(text: str) -> str:
    """Text of a command line or a file, without bytes that are invalid UTF-8."""
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode("utf-8")


def parse_json(parse: Parse, text: str, ms: float) -> dict[str, Any]:
    """The JSON form of a parse that took ``ms``; the first command stands outside, all of several in ``commands``."""
    first = {"text": text, "language": parse.language, **_command_json(parse)}
    written = {**first, "in_scope": round(parse.in_scope, 4), "source": parse.source, "ms": round(ms, 3)}
    if parse.further:
        written["commands"] = [_command_json(each) for each in (parse, *parse.further)]
    return written


def _command_json(parse: Parse) -> dict[str, Any]:
    return {
        "intent": parse.intent,
        "slots": [_slot_json(slot) for slot in parse.slots],
        "confidence": round(parse.confidence, 4),
    }


def _slot_json(slot: Slot) -> dict[str, Any]:
    start, end = slot.span if slot.span is not None else (None, None)
    return {"name": slot.name, "text": slot.text, "value": slot.value, "start": start, "end": end}


def spans_json(spans: tuple[StageSpan, ...]) -> list[dict[str, Any]]:
    """The JSON form of the stages' times and memory."""
    return [
        {
            "stage": span.stage,
            "ms": round(span.ms, 3),
            "cpu_ms": round(span.cpu_ns / 1e6, 3),
            "rss_mib": round(span.rss_mib, 1),
        }
        for span in spans
    ]


def action_json(action: Action) -> dict[str, Any]:
    """The JSON form of what was done to the home."""
    return {
        "intent": action.intent,
        "targets": list(action.targets),
        "changes": [
            {"entity": change.entity_id, "attribute": change.attribute, "before": change.before, "after": change.after}
            for change in action.changes
        ],
        "calls": [
            {
                "service": f"{call.domain}.{call.service}",
                "targets": list(call.targets),
                "data": dict(call.data),
                "outcome": outcome.status.value,
                "reason": outcome.reason,
            }
            for call, outcome in zip(action.calls, action.outcomes, strict=True)
        ],
    }


def parse_line(parse: Parse) -> str:
    """A parse as one line for a person."""
    if parse.intent is None:
        return f"rejected ({parse.language}, confidence {parse.confidence:.2f})"
    every = (parse, *parse.further)
    said = " + ".join(f"{p.intent}({', '.join(f'{slot.name}={slot.value}' for slot in p.slots)})" for p in every)
    return f"{said}  {parse.language}, confidence {min(p.confidence for p in every):.2f}"


def action_lines(action: Action | None) -> list[str]:
    """What changed in the home, a line each, for a person."""
    if action is None:
        return ["nothing"]
    changes = [f"{c.entity_id}: {c.attribute} {c.before} → {c.after}" for c in action.changes]
    failed = [
        f"{call.domain}.{call.service} {', '.join(call.targets)}: {outcome.status.value} ({outcome.reason})"
        for call, outcome in zip(action.calls, action.outcomes, strict=True)
        if not outcome.done
    ]
    return [*changes, *failed] or [f"{action.intent}: nothing changed"]
