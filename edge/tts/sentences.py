"""Cuts a reply into pieces that are spoken one after the other."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
_SENTENCE = re.compile(r"(?<=[.!?…؟۔।॥։။])\s+|(?<=[。！？])\s*")
_CLAUSE = re.compile(r"(?<=[,;:،؛])\s+|(?<=[、，；：])\s*|\s+(?=[–—-]\s)")
_WIDE = 3


def split_sentences(text: str, longest: int = 80, first: int = 40) -> list[str]:
    """Sentences of ``text`` in order, without control characters.

    A sentence over ``longest`` letters is cut at commas, else between words, so that a synthesizer's memory stays
    bounded. The first piece is cut at a comma already over ``first`` letters: the first sound comes early. A letter
    of a script without spaces between words counts as three.
    """
    plain = _CONTROL.sub(" ", text).replace("[[", "[").replace("]]", "]")
    pieces: list[str] = []
    for sentence in _SENTENCE.split(plain):
        if any(character.isalnum() for character in sentence):
            pieces += _clauses(" ".join(sentence.split()), longest if pieces else min(first, longest), longest)
    return pieces


def _clauses(sentence: str, cut_over: int, longest: int) -> list[str]:
    if _length(sentence) <= cut_over:
        return [sentence]
    clauses = [line for clause in _CLAUSE.split(sentence) for line in _lines(clause.split(), longest)]
    return _lines(clauses, longest, cut_over)


def _lines(parts: list[str], longest: int, first: int | None = None) -> list[str]:
    """Fill lines of at most ``longest`` letters, the first of ``first``, with parts; a part that is longer is cut."""
    lines: list[str] = []
    room = 0
    for part in parts:
        for unit in _units(part, longest):
            length = _length(unit)
            if lines and length < room:
                lines[-1] += ("" if _is_wide(lines[-1][-1]) else " ") + unit
                room -= length + 1
            else:
                room = (longest if lines or first is None else first) - length
                lines.append(unit)
    return lines


def _units(part: str, longest: int) -> list[str]:
    step = max(longest // _WIDE, 1)
    return [part] if _length(part) <= longest else [part[at : at + step] for at in range(0, len(part), step)]


def _length(text: str) -> int:
    return sum(_WIDE if _is_wide(character) else 1 for character in text)


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
