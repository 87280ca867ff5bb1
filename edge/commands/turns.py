"""How a whole turn is written: JSON for programs, a few lines for people."""

from __future__ import annotations

from typing import Any

from edge.board.memory import peak_rss_mib
from edge.commands.output import action_json, action_lines, parse_json, parse_line, spans_json
from edge.parts import Turn


def turn_json(turn: Turn, cap: str) -> dict[str, Any]:
    """The JSON form of a turn; ``cap`` says what limits the process's memory."""
    text = turn.transcript.text if turn.transcript else None
    parse_ms = next((span.ms for span in turn.spans if span.stage == "parse"), 0.0)
    return {
        "transcript": text,
        "transcript_confidence": round(turn.transcript.confidence, 4) if turn.transcript else None,
        "parse": parse_json(turn.parse, text or "", parse_ms) if turn.parse else None,
        "action": action_json(turn.action) if turn.action else None,
        "reply": {
            "text": turn.reply.text,
            "language": turn.reply.language,
            "expects_answer": turn.reply.expects_answer,
        }
        if turn.reply
        else None,
        "spans": spans_json(turn.spans),
        "waited_ms": round(turn.waited_ms, 1),
        "saved_ms": round(turn.saved_ms, 1),
        "first_audio_ms": round(turn.first_audio_ms, 1) if turn.first_audio_ms is not None else None,
        "interrupted": turn.interrupted,
        "drops": turn.drops,
        "peak_rss_mib": round(peak_rss_mib(), 1),
        "memory": cap,
        "error": turn.error,
    }


def turn_summary(turn: Turn) -> str:
    """A turn in one line without the words that were said: intent, language, how sure, what came of it."""
    if turn.error is not None:
        return f"error: {turn.error}"
    if turn.parse is None:
        return "a timer rang"
    changes = len(turn.action.changes) if turn.action is not None else 0
    found = f"{turn.parse.intent or 'rejected'}  {turn.parse.language}, confidence {turn.parse.confidence:.2f}"
    sound = f", first sound after {turn.first_audio_ms:.0f} ms" if turn.first_audio_ms is not None else ""
    return f"{found}, changes: {changes}{sound}"


def turn_lines(turn: Turn) -> list[str]:
    """A turn for a person: what was heard, understood, done and said, then the stages."""
    lines = []
    if turn.transcript is not None:
        lines.append(f"heard     {turn.transcript.text}")
    if turn.parse is not None:
        lines.append(f"parse     {parse_line(turn.parse)}")
    if turn.transcript is not None:
        lines += [f"{'action' if i == 0 else '':<9} {line}" for i, line in enumerate(action_lines(turn.action))]
    if turn.reply is not None:
        lines.append(f"reply     {turn.reply.text}{'  (waits for an answer)' if turn.reply.expects_answer else ''}")
    if turn.error is not None:
        lines.append(f"error     {turn.error}")
    lines.append(f"{'stage':<12} {'ms':>8} {'CPU ms':>8} {'MiB':>6}")
    lines += [f"{span.stage:<12} {span.ms:8.1f} {span.cpu_ns / 1e6:8.1f} {span.rss_mib:6.0f}" for span in turn.spans]
    if turn.first_audio_ms is not None and turn.waited_ms:
        saved = f", {turn.saved_ms:.0f} ms saved by ending early" if turn.saved_ms else ""
        lines.append(
            f"latency   end of speech → first reply audio {turn.first_audio_ms:.0f} ms"
            f" ({turn.waited_ms:.0f} ms audio waited{saved})"
        )
    if turn.drops:
        lines.append(f"drops     {turn.drops} blocks of audio were lost")
    return lines
