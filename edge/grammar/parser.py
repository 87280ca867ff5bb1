"""Reads intent and slots off the grammar where a transcript is one of its sentences."""

from __future__ import annotations

import re
from dataclasses import replace

from edge.grammar.automaton import Automaton
from edge.grammar.grammar import Grammar, normalize
from edge.protocols import Parser
from edge.types import Parse, Transcript

SURE, KNOWN_SHARE = 0.95, 0.8
DOUBTED, DISBELIEVED = 0.5, 0.03
LONGEST = 1000
"""Letters of a text that is looked up in the grammar, which takes 17 ms for so many; no sentence has them."""
DELAYED = "conversation_command"
STUTTER = re.compile(r"\b(\w+(?: \w+)+) \1\b|\b(\w+(?: \w+){3,}) .*\b\2\b")


class GrammarParser:
    """A `Parser` for the sentences of ``grammar``; any other wording goes to ``otherwise``, or is rejected."""

    def __init__(self, grammar: Grammar, otherwise: Parser | None = None) -> None:
        self._automaton = Automaton(grammar)
        self._otherwise = otherwise

    def parse(self, transcript: Transcript) -> Parse:
        """The parse, with ``source="grammar"`` for a sentence of the grammar."""
        language = self._automaton.grammar.language
        listed = len(transcript.text) <= LONGEST
        found = self._automaton.understand(transcript.text) if listed else None
        if found is not None:
            return Parse(
                found.intent, found.slots, transcript.confidence, language, "grammar", transcript.text, found.response
            )
        if self._otherwise is not None:
            parse = self._otherwise.parse(transcript)
            return replace(parse, unfinished=listed and self._automaton.begins(transcript.text))
        return Parse(None, language=language, source="grammar", text=transcript.text)


class FreeWording:
    """A `Parser` that believes ``student`` of what was heard where it is sure and nearly all words are of ``words``."""

    def __init__(self, words: frozenset[str], student: Parser) -> None:
        self._words, self._student = words, student

    def parse(self, transcript: Transcript) -> Parse:
        """The parse; what was typed goes to the student as it is."""
        parse = self._student.parse(transcript)
        if parse.intent is None or not transcript.heard:
            return parse
        words = normalize(transcript.text).split()
        known = sum(word in self._words for word in words)
        if parse.confidence >= SURE and known >= KNOWN_SHARE * len(words):
            return parse
        return Parse(None, (), 1.0 - parse.confidence, parse.language, parse.source, parse.text)


class SpokenParser:
    """A `Parser` that asks more of what was heard than of what was typed, for people also speak to each other.

    Of what was heard, sentences of ``expected`` mean what they mean there; where the recognizer doubts a word of one,
    only if the student takes it for the same command, and not at all where it heard quite another word. The student
    alone is believed where it is sure and nearly all words are such as a command may have. A command for later must be
    one itself. Other speech is rejected, also where it was pressed into a sentence: one that says the same words twice
    ("I'd like to go back, I'd like to, I'd like to"), or whose free text begins inside a word ("play" of "playful").
    What was doubted counts as not wholly explained, so that nothing is unlocked for it without a question.
    """

    def __init__(self, expected: Grammar, student: Parser) -> None:
        self._sentences = GrammarParser(expected, FreeWording(expected.words(), student))
        self._student = student

    def parse(self, transcript: Transcript) -> Parse:
        """The parse; what was typed goes to the student as it is."""
        if not transcript.heard:
            return self._student.parse(transcript)
        parse = self._sentences.parse(transcript)
        if parse.intent is None:
            return parse
        if parse.source != "grammar":
            meant = True
        elif is_pressed(parse):
            meant = False
        elif transcript.confidence >= DOUBTED:
            meant = True
        else:
            second = self._student.parse(transcript)
            agreed = second.intent == parse.intent and second.confidence >= SURE
            meant = agreed and transcript.confidence >= DISBELIEVED
            parse = replace(parse, confidence=second.confidence, unfinished=True, explained=False)
        if meant and self._may_come_later(parse, transcript):
            return self._scoped(parse, transcript)
        return Parse(None, (), 1.0 - parse.confidence, parse.language, parse.source, parse.text)

    def _scoped(self, parse: Parse, transcript: Transcript) -> Parse:
        """A sentence about a kind of device, with how many of them are meant: a grammar does not tell."""
        named = any(slot.name in ("name", "area", "floor") for slot in parse.slots)
        if parse.source != "grammar" or named or parse.value("domain") is None:
            return parse
        return replace(parse, scope=self._student.parse(transcript).scope)

    def _may_come_later(self, parse: Parse, transcript: Transcript) -> bool:
        """Whether what is to be done after a time, if anything, is a command."""
        later = (slot.text or "" for slot in parse.slots if slot.name == DELAYED)
        return all(
            len(text) < len(transcript.text) and self.parse(replace(transcript, text=text)).intent is not None
            for text in later
        )


def is_pressed(parse: Parse) -> bool:
    """Whether a sentence of the grammar says words twice outside its slots, or its free text begins inside a word."""
    words, end = "", 0
    spans = [(*slot.span, slot.value == (slot.text or "").lower()) for slot in parse.slots if slot.span]
    for start, after, free in sorted(spans):
        if free and parse.text[max(start - 1, 0) : start].isalnum():
            return True
        words += f"{parse.text[end:start]} slot "
        end = after
    return STUTTER.search(normalize(words + parse.text[end:])) is not None
