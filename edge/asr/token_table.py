"""Finds the vocabulary tokens that a grammar allows next, by walking token trie and automaton together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.asr.automaton import Automaton
from edge.asr.grammar import normalize

MAX_TOKEN_CHARS = 20
SINGLE_BYTES = range(3, 259)

Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Allowed:
    """Tokens [n] allowed in a state and the state [n] behind each; ``open`` where a wildcard takes nearly any token."""

    tokens: Ids
    states: Ids
    open: bool = False


class TokenTable:
    """Tokens of a vocabulary by their normalized text, sorted, so that a prefix is a range.

    Tokens without letters or digits (spaces, punctuation) are ``silent``: they leave the automaton where it is.
    """

    def __init__(self, vocabulary: Sequence[bytes]) -> None:
        self.texts: dict[int, str] = {}
        silent: list[int] = []
        for token, piece in enumerate(vocabulary):
            if not piece or token in SINGLE_BYTES:
                continue
            text = normalize(piece.decode("utf-8", "ignore"))
            if text:
                self.texts[token] = text
            elif piece.isascii() or piece == "\u2581".encode():
                silent.append(token)
        self.silent: Ids = np.array(silent, np.int32)
        order = sorted((text, token) for token, text in self.texts.items() if len(text) < MAX_TOKEN_CHARS)
        self._tokens: Ids = np.array([token for _, token in order], np.int32)
        self._columns = np.zeros((MAX_TOKEN_CHARS, len(order)), np.uint32)
        for row, (text, _) in enumerate(order):
            self._columns[: len(text), row] = [ord(char) for char in text]

    def allowed(self, automaton: Automaton, state: int) -> Allowed:
        """Tokens that the automaton can read in ``state``, silent ones left out."""
        if automaton.moves(state).other is not None:
            return Allowed(np.zeros(0, np.int32), np.zeros(0, np.int32), open=True)
        tokens: list[Ids] = []
        states: list[Ids] = []
        todo = [(0, len(self._tokens), 0, state)]
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
            for char, after in moves.by_char.items():
                left, right = np.searchsorted(column, [ord(char), ord(char) + 1])
                if right > left:
                    todo.append((low + int(left), low + int(right), depth + 1, after))
            if moves.other is not None:
                return Allowed(np.zeros(0, np.int32), np.zeros(0, np.int32), open=True)
        if not tokens:
            return Allowed(np.zeros(0, np.int32), np.zeros(0, np.int32))
        return Allowed(np.concatenate(tokens), np.concatenate(states))

    def check(self, automaton: Automaton, state: int, tokens: Ids) -> Allowed:
        """Those of ``tokens`` that the automaton can read in ``state``, silent ones left out."""
        pairs = [
            (token, after)
            for token in tokens.tolist()
            if token in self.texts and (after := automaton.walk(state, self.texts[token])) is not None
        ]
        found = np.array(pairs, np.int32).reshape(-1, 2)
        return Allowed(found[:, 0], found[:, 1])
