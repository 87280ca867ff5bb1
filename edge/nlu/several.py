"""Several commands in one utterance, and one command about several things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edge.nlu.decode import Span
from edge.nlu.tokens import Token

SEVERAL = "several"
"""Label of the student's frame for several commands."""
NEXT, AND = "next", "and"
"""Its slots: the first word of each further command, and the words that join two."""
MOST_COMMANDS = 6
_JOINT = 4
"""Words between two things of one command, at most: more are a verb of their own."""
_SHARED = ("name", "area", "floor")


def parts(text: str, spans: Sequence[Span], tokens: Sequence[Token]) -> list[str]:
    """The text of each command, without the words that join them; the whole text if nothing was cut."""
    starts = [span.first for span in spans if span.slot == NEXT and span.first > 0]
    joints = {span.last: span.first for span in spans if span.slot == AND}
    found: list[str] = []
    first = 0
    for start in [*starts, len(tokens)]:
        last = joints.get(start, start)
        if last > first:
            found.append(text[tokens[first].start : tokens[last - 1].end])
        first = start
    return found


def borrowed(part: str, before: str, slot_start: int | None) -> str | None:
    """``part`` with the words of the command ``before`` up to its first slot: *turn off* the hall light."""
    return f"{before[:slot_start]}{part}" if slot_start else None


def each_thing(
    text: str, spans: Sequence[Span], tokens: Sequence[Token], free: Sequence[str]
) -> Iterator[tuple[Span, ...]]:
    """The spans once for each thing that is named, for *turn off the kitchen light and the fan*.

    Spans of one thing that stand side by side with nothing between them are two pieces of one name.
    """
    for slot in _SHARED:
        named = [span for span in spans if span.slot == slot and slot not in free]
        apart = [
            span
            for before, span in zip(named, named[1:], strict=False)
            if span.first - before.last <= _JOINT and _between(text, tokens[before.last - 1], tokens[span.first])
        ]
        if len(apart) == len(named) - 1 > 0:
            others = [span for span in spans if span.slot != slot]
            for span in named:
                yield tuple(sorted((*others, span), key=lambda each: each.first))
            return
    yield tuple(spans)


def _between(text: str, before: Token, after: Token) -> str:
    return text[before.end : after.start].strip()
