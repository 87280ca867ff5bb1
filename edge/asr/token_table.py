"""Finds the vocabulary tokens that a grammar allows next, by walking token trie and automaton together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.grammar.automaton import Automaton
from edge.grammar.grammar import APOSTROPHES, SPACE, spell

MAX_TOKEN_CHARS = 20
SINGLE_BYTES = range(3, 259)

Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Allowed:
    """Tokens [n] allowed in a state and the state [n] behind each; ``open`` where a wildcard takes nearly any token."""

    tokens: Ids
    states: Ids
    open: bool = False


NOTHING = Allowed(np.zeros(0, np.int32), np.zeros(0, np.int32))
ANYTHING = Allowed(np.zeros(0, np.int32), np.zeros(0, np.int32), open=True)


class TokenTable:
    """Tokens of a vocabulary by their normalized text, sorted, so that a prefix is a range.

    A token's text may begin and end with a space. Tokens that are only space or punctuation are ``silent``;
    apostrophes, which stand inside words ("what's") and are nothing to the grammar, are ``joining``. ``spaced`` says
    whether the text before the token already ended with a space (or has not begun).
    """

    def __init__(self, vocabulary: Sequence[bytes]) -> None:
        self._vocabulary = vocabulary
        self._used: dict[int, str] = {}
        silent: list[int] = []
        columns = np.zeros((MAX_TOKEN_CHARS, len(vocabulary)), np.uint16)
        for token in range(len(vocabulary)):
            text = self._spelled(token)
            if not text.strip(SPACE):
                if text or vocabulary[token] == "\u2581".encode():
                    silent.append(token)
            elif len(text) < MAX_TOKEN_CHARS and max(text) <= "\uffff":
                columns[: len(text), token] = [ord(char) for char in text]
        self.silent: Ids = np.array(silent, np.int32)
        joining = [token for token in range(len(vocabulary)) if self._joins(token)]
        self.joining: Ids = np.array(joining, np.int32)
        order = np.lexsort(columns[::-1])
        self._tokens: Ids = order[columns[0, order] > 0].astype(np.int32)
        self._columns = columns[:, self._tokens]

    def text(self, token: int, spaced: bool) -> str:
        """What the token adds to the text: spaces are not doubled."""
        text = self._used.get(token)
        if text is None:
            text = self._used[token] = self._spelled(token)
        return text.lstrip(SPACE) if spaced else text

    def _spelled(self, token: int) -> str:
        """Normalized text of a token; empty for special tokens and single bytes."""
        if token in SINGLE_BYTES:
            return ""
        return "".join(char for char, _ in spell(self._vocabulary[token].decode("utf-8", "ignore")))

    def _joins(self, token: int) -> bool:
        text = self._vocabulary[token].decode("utf-8", "ignore")
        return token not in SINGLE_BYTES and len(text) == 1 and text in APOSTROPHES

    def allowed(self, automaton: Automaton, state: int, spaced: bool) -> Allowed:
        """Tokens that the automaton can read in ``state``, silent ones left out."""
        tokens: list[Ids] = []
        states: list[Ids] = []
        todo = [(0, len(self._tokens), 0, state)]
        if spaced:
            after_space = int(np.searchsorted(self._columns[0], ord(SPACE), "right"))
            todo = [(after_space, len(self._tokens), 0, state), (0, after_space, 1, state)]
        while todo:
            low, high, depth, here = todo.pop()
            column = self._columns[depth, low:high]
            whole = int(np.searchsorted(column, 0, "right"))
            if whole:
                tokens.append(self._tokens[low : low + whole])
                states.append(np.full(whole, here, np.int32))
            if whole == high - low:
                continue
            moves = automaton.moves(here)
            if moves.other is not None:
                return ANYTHING
            for char, after in moves.by_char.items():
                left, right = np.searchsorted(column, [ord(char), ord(char) + 1])
                if right > left:
                    todo.append((low + int(left), low + int(right), depth + 1, after))
            if moves.final:
                # A command may end with punctuation that the decoder joined to its last letters.
                left, right = np.searchsorted(column, [ord(SPACE), ord(SPACE) + 1])
                ends = np.arange(low + int(left), low + int(right))
                ends = ends[self._columns[depth + 1, ends] == 0]
                tokens.append(self._tokens[ends])
                states.append(np.full(len(ends), here, np.int32))
        return Allowed(np.concatenate(tokens), np.concatenate(states)) if tokens else NOTHING

    def check(self, automaton: Automaton, state: int, spaced: bool, tokens: Ids) -> Allowed:
        """Those of ``tokens`` that the automaton can read in ``state``, silent ones left out."""
        pairs = [
            (token, after)
            for token in tokens.tolist()
            if (text := self.text(token, spaced)).strip(SPACE) and (after := automaton.walk(state, text)) is not None
        ]
        found = np.array(pairs, np.int32).reshape(-1, 2)
        return Allowed(found[:, 0], found[:, 1])
