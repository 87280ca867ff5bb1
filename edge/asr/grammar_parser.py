"""Reads intent and slots off the grammar where a transcript is one of its sentences."""

from __future__ import annotations

from edge.asr.automaton import Automaton
from edge.asr.grammar import Grammar
from edge.protocols import Parser
from edge.types import Parse, Transcript


class GrammarParser:
    """A `Parser` for the sentences of ``grammar``; any other wording goes to ``otherwise``, or is rejected."""

    def __init__(self, grammar: Grammar, otherwise: Parser | None = None) -> None:
        self._automaton = Automaton(grammar)
        self._otherwise = otherwise

    def parse(self, transcript: Transcript) -> Parse:
        """The parse, with ``source="grammar"`` for a sentence of the grammar."""
        language = self._automaton.grammar.language
        understood = self._automaton.understand(transcript.text)
        if understood is not None:
            return Parse(
                understood.intent, understood.slots, transcript.confidence, language, "grammar", transcript.text
            )
        if self._otherwise is not None:
            return self._otherwise.parse(transcript)
        return Parse(None, language=language, source="grammar", text=transcript.text)
