"""Reads intent and slots off the grammar where a transcript is one of its sentences."""

from __future__ import annotations

from edge.asr.automaton import Automaton
from edge.asr.grammar import Grammar, normalize
from edge.protocols import Parser
from edge.types import Parse, Transcript

SURE, KNOWN_SHARE = 0.95, 0.8


class GrammarParser:
    """A `Parser` for the sentences of ``grammar``; any other wording goes to ``otherwise``, or is rejected."""

    def __init__(self, grammar: Grammar, otherwise: Parser | None = None) -> None:
        self._automaton = Automaton(grammar)
        self._otherwise = otherwise

    def parse(self, transcript: Transcript) -> Parse:
        """The parse, with ``source="grammar"`` for a sentence of the grammar."""
        language = self._automaton.grammar.language
        found = self._automaton.understand(transcript.text)
        if found is not None:
            return Parse(
                found.intent, found.slots, transcript.confidence, language, "grammar", transcript.text, found.response
            )
        if self._otherwise is not None:
            return self._otherwise.parse(transcript)
        return Parse(None, language=language, source="grammar", text=transcript.text)


class SpokenParser:
    """A `Parser` that asks more of what was heard than of what was typed, for people also speak to each other.

    Of what was heard, sentences of ``expected`` mean what they mean there. The student is believed where it is sure and
    nearly all words are such as a command may have; other speech is rejected.
    """

    def __init__(self, expected: Grammar, student: Parser) -> None:
        self._sentences = GrammarParser(expected, student)
        self._words = expected.words()
        self._student = student

    def parse(self, transcript: Transcript) -> Parse:
        """The parse; what was typed goes to the student as it is."""
        if not transcript.heard:
            return self._student.parse(transcript)
        parse = self._sentences.parse(transcript)
        if parse.intent is None or parse.source == "grammar" or self._is_command(parse, transcript.text):
            return parse
        return Parse(None, (), 1.0 - parse.confidence, parse.language, parse.source, parse.text)

    def _is_command(self, parse: Parse, text: str) -> bool:
        words = normalize(text).split()
        known = sum(word in self._words for word in words)
        return parse.confidence >= SURE and known >= KNOWN_SHARE * len(words)
