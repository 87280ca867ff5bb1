"""Which of the things that were asked about does an answer name?"""

from __future__ import annotations

import difflib
import re

from edge.dialogue.targets import Candidate
from edge.dialogue.texts import Texts
from edge.types import Parse

_ANSWER_LIKENESS = 0.75
_ANSWER_EXTRA_LETTERS = 12
_SURE_COMMAND, _CERTAIN_COMMAND = 0.85, 0.97
_SHORTEST_VERB = 3
_LONGEST_YES = 5
"""Letters beside a name that make a certain command of it: "tv off"."""
"""A room alone ("in the hall") is understood as a command with less, a command in a room with more."""


def answer_among(parse: Parse, candidates: tuple[Candidate, ...]) -> Candidate | None:
    """The one candidate that the words name; None where they name none, several, or are a command of their own."""
    text = parse.text.casefold()
    spoken = [str(slot.value) for slot in parse.slots if slot.name in ("name", "area") and isinstance(slot.value, str)]
    scored = []
    called = [str(candidate.slot.text).casefold() for candidate in candidates]
    for candidate in candidates:
        names = [name.casefold() for name in (*candidate.names, *candidate.places)]
        # A name that several have says less than any room: it means the one without a room.
        shared = {name for name in names if called.count(name) > 1}
        rated = ((_likeness(name, text), 0 if name in shared else len(name), name) for name in names)
        likeness, letters, said = max(rated, default=(0.0, 0, ""))
        if any(own.casefold() in names for own in spoken):
            likeness = max(likeness, _ANSWER_LIKENESS)
        scored.append((likeness, letters, said, candidate))
    likeness, letters, said, chosen = max(scored, key=lambda score: score[:2])
    rivals = [score for score in scored if score[:2] == (likeness, letters)]
    if likeness < _ANSWER_LIKENESS or len(rivals) > 1:
        word, only = _told_apart(text, candidates)
        if only is None:
            return None
        letters, said, chosen = len(word), word, only
    by_name = said in [name.casefold() for name in chosen.names]
    extra = len(text) - letters
    is_command = parse.intent is not None and (
        extra > _ANSWER_EXTRA_LETTERS
        or (not by_name and parse.confidence >= _SURE_COMMAND)
        or (extra >= _SHORTEST_VERB and parse.confidence >= _CERTAIN_COMMAND)
    )
    return None if is_command else chosen


def yes_or_no(parse: Parse, texts: Texts) -> bool | None:
    """Whether the words say yes or no; None where they say neither, or are a command of their own."""
    words = re.findall(r"\w+", parse.text.casefold())
    said = f" {' '.join(words)} "
    if len(words) > _LONGEST_YES:
        return None
    if parse.refusal == "negated" or any(f" {_spelled(phrase)} " in said for phrase in texts.no):
        return False
    if any(said.startswith(f" {_spelled(phrase)} ") for phrase in texts.yes) and parse.intent is None:
        return True
    return True if said.strip() in map(_spelled, texts.yes) else None


def _spelled(phrase: str) -> str:
    return " ".join(re.findall(r"\w+", phrase.casefold()))


def _told_apart(text: str, candidates: tuple[Candidate, ...]) -> tuple[str, Candidate | None]:
    """A word of the text that only one candidate's names and rooms have ("the left one"), and that candidate."""
    words = [set(" ".join((*c.names, *c.places)).casefold().split()) for c in candidates]
    said = {word for word in re.findall(r"\w{3,}", text) if sum(word in own for own in words) == 1}
    meant = [candidate for candidate, own in zip(candidates, words, strict=True) if own & said]
    return (max(said, key=len), meant[0]) if len(meant) == 1 else ("", None)


def _likeness(name: str, text: str) -> float:
    """Best agreement (0..1) of a name with as many words of the text, or with letters of an unspaced script."""
    if name in text:
        return 1.0
    words, length = re.findall(r"\w+", text), len(name.split())
    windows = [" ".join(words[at : at + length]) for at in range(len(words) - length + 1)]
    return max((difflib.SequenceMatcher(None, name, window).ratio() for window in windows), default=0.0)
