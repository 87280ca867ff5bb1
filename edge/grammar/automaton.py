"""Runs a compiled grammar: which characters may follow, where sentences may end, and what a sentence means.

States are made only when reached (lazy subset construction; Mohri et al., "Weighted Finite-State Transducers in Speech
Recognition", 2002) and kept for the next utterance. A configuration is a state of a net and the stack of calls that led
into that net.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from edge.errors import BundleError
from edge.grammar.grammar import MAX_CALL_DEPTH, SPACE, Grammar, Kind, normalize, spell
from edge.types import Slot, SlotValue

MAX_STATES = 40_000
LOOSE = 64
NAME = "name"
_CALLS = (Kind.CALL, Kind.SLOT)

Configuration = tuple[int, int]


@dataclass(frozen=True)
class Moves:
    """What may follow in a state: the next state by character, ``other`` for any further character, and the end."""

    by_char: dict[str, int]
    other: int | None
    final: bool


@dataclass(frozen=True)
class Understood:
    """A sentence of the grammar: its intent and slots; ``loose`` counts characters that a wildcard took.

    ``response`` is the key of the reply that fits.
    """

    intent: str
    slots: tuple[Slot, ...]
    loose: int = 0
    response: str = "default"


@dataclass(frozen=True)
class _Call:
    """A call in progress: where it returns to, inside which call, and the slot that it fills."""

    back: int
    outer: int
    slot: int
    depth: int


@dataclass(frozen=True)
class _Mark:
    """One thing learnt on the way through the grammar, at a character position; linked to what was learnt before."""

    kind: Kind
    argument: int
    at: int
    before: _Mark | None
    opens: bool = True


class Automaton:
    """Deterministic view of a ``Grammar`` over normalized characters; state 0 is the beginning.

    Without ``wildcards`` only its sentences of known words are taken.
    """

    def __init__(self, grammar: Grammar, *, wildcards: bool = True) -> None:
        self.grammar = grammar
        arcs = grammar.arcs if wildcards else grammar.arcs[grammar.arcs[:, 1] != Kind.ANY]
        self._arcs = arcs[np.argsort(arcs[:, 0], kind="stable")]
        self._first = np.searchsorted(self._arcs[:, 0], np.arange(grammar.states + 1))
        self._rows: dict[int, list[tuple[int, int, int]]] = {}
        self.reset()

    def reset(self) -> None:
        """Forget the states made so far; ids given out before are void."""
        self._calls: list[_Call] = [_Call(-1, -1, -1, 0)]
        self._call_ids: dict[tuple[int, int, int], int] = {}
        self._sets: list[tuple[Configuration, ...]] = []
        self._ids: dict[tuple[Configuration, ...], int] = {}
        self._moves: dict[int, Moves] = {}
        self._state([(self.grammar.nets[0].start, 0)])

    @property
    def size(self) -> int:
        """Number of states made so far."""
        return len(self._sets)

    def moves(self, state: int) -> Moves:
        """What may follow in ``state``."""
        found = self._moves.get(state)
        if found is None:
            found = self._moves[state] = self._expand(self._sets[state])
        return found

    def walk(self, state: int, text: str) -> int | None:
        """State after the normalized ``text``, or None where the grammar does not allow it."""
        for char in text:
            moves = self.moves(state)
            after = moves.by_char.get(char, moves.other)
            if after is None:
                return None
            state = after
        return state

    def spells(self, state: int, text: str) -> bool:
        """Whether known words of the grammar read the normalized ``text`` in ``state``, without a wildcard."""
        for char in text:
            after = self.moves(state).by_char.get(char)
            if after is None:
                return False
            state = after
        return True

    def accepts(self, text: str) -> bool:
        """Whether ``text`` is a whole sentence of the grammar."""
        state = self.walk(0, normalize(text))
        return state is not None and self.moves(state).final

    def begins(self, text: str) -> bool:
        """Whether ``text`` is the beginning, in known words, of sentences of the grammar, but none itself."""
        spelled = normalize(text)
        return self.spells(0, spelled) and not self.accepts(spelled)

    def understand(self, text: str) -> Understood | None:
        """Intent and slots of ``text``, or None if it is not a sentence.

        Readings with fewer loose characters win, then those with fewer slots, where the name of a thing counts as none:
        "bedroom lamp" is a lamp called so, if there is one, rather than any lamp of the bedroom.
        """
        spelled = list(spell(text))
        while spelled and spelled[-1][0] == SPACE:
            spelled.pop()
        while spelled and spelled[0][0] == SPACE:
            spelled.pop(0)
        here: dict[Configuration, tuple[int, _Mark | None]] = {(self.grammar.nets[0].start, 0): (0, None)}
        for at, (char, _) in enumerate(spelled):
            after: dict[Configuration, tuple[int, _Mark | None]] = {}
            for (_, stack), kind, argument, target, cost, mark in self._closure(here, at):
                if kind == Kind.ANY or (kind == Kind.CHAR and argument == ord(char)):
                    spent = cost + (LOOSE if kind == Kind.ANY else 0)
                    known = after.get((target, stack))
                    if known is None or spent < known[0]:
                        after[target, stack] = (spent, mark)
            here = after
            if not here:
                return None
        ends = [
            (cost, mark)
            for (_, stack), kind, _, _, cost, mark in self._closure(here, len(spelled))
            if kind == Kind.END and stack == 0
        ]
        readings = [self._read(text, spelled, cost, mark) for cost, mark in ends]
        return min(readings, key=lambda reading: reading[:2])[2] if readings else None

    def _closure(
        self, here: dict[Configuration, tuple[int, _Mark | None]], at: int
    ) -> Iterator[tuple[Configuration, int, int, int, int, _Mark | None]]:
        """Arcs that read a character or end the sentence, reachable from ``here`` without reading, with their marks."""
        todo = [(configuration, cost, mark) for configuration, (cost, mark) in here.items()]
        best: dict[Configuration, int] = {configuration: cost for configuration, cost, _ in todo}
        while todo:
            configuration, cost, mark = todo.pop()
            if cost > best[configuration]:
                continue
            state, stack = configuration
            for kind, argument, target in self._leaving(state):
                if kind in (Kind.CHAR, Kind.ANY) or (kind == Kind.END and stack == 0):
                    yield configuration, kind, argument, target, cost, mark
                    if not _skipped(kind, argument):
                        continue
                after, new, spent = self._silent(stack, kind, argument, target), mark, cost
                if kind == Kind.SLOT and self.grammar.slots[argument].name != NAME:
                    spent += 1
                if kind in (Kind.SLOT, Kind.VALUE, Kind.BLOCK):
                    new = _Mark(Kind(kind), argument, at, mark)
                elif kind == Kind.END and self._calls[stack].slot >= 0:
                    new = _Mark(Kind.SLOT, self._calls[stack].slot, at, mark, opens=False)
                if spent < best.get(after, 1 << 30):
                    best[after] = spent
                    todo.append((after, spent, new))

    def _read(
        self, text: str, spelled: list[tuple[str, int]], cost: int, mark: _Mark | None
    ) -> tuple[int, int, Understood]:
        trail: list[_Mark] = []
        while mark is not None:
            trail.append(mark)
            mark = mark.before
        slots: list[Slot] = []
        opened: list[int] = []
        value: SlotValue | None = None
        block = 0
        for mark in reversed(trail):
            if mark.kind == Kind.BLOCK:
                block = mark.argument
            elif mark.kind == Kind.VALUE:
                value = self.grammar.values[mark.argument]
            elif mark.opens:
                opened.append(mark.at)
                value = None
            else:
                said_here = [index for char, index in spelled[opened.pop() : mark.at] if char != SPACE]
                span = (said_here[0], said_here[-1] + 1) if said_here else (0, 0)
                said = text[span[0] : span[1]]
                meant = said.lower() if value is None else value
                slots.append(Slot(self.grammar.slots[mark.argument].name, meant, said, span))
                value = None
        meaning = self.grammar.meanings[block]
        implied = tuple(Slot(name, value) for name, value in meaning.slots)
        return cost, block, Understood(meaning.intent, (*slots, *implied), cost // LOOSE, meaning.response)

    def _expand(self, configurations: tuple[Configuration, ...]) -> Moves:
        by_char: dict[str, dict[Configuration, None]] = {}
        other: dict[Configuration, None] = {}
        final = False
        seen, todo = set(configurations), list(configurations)
        while todo:
            state, stack = todo.pop()
            for kind, argument, target in self._leaving(state):
                if kind == Kind.CHAR:
                    by_char.setdefault(chr(argument), {})[target, stack] = None
                elif kind == Kind.ANY:
                    other[target, stack] = None
                elif kind == Kind.END and stack == 0:
                    final = True
                if _skipped(kind, argument) or kind not in (Kind.CHAR, Kind.ANY) and (kind != Kind.END or stack != 0):
                    after = self._silent(stack, kind, argument, target)
                    if after not in seen:
                        seen.add(after)
                        todo.append(after)
        table = {char: self._state({**targets, **other}) for char, targets in by_char.items()}
        return Moves(table, self._state(other) if other else None, final)

    def _silent(self, stack: int, kind: int, argument: int, target: int) -> Configuration:
        """Configuration after an arc that reads nothing."""
        if kind in _CALLS:
            slot = argument if kind == Kind.SLOT else -1
            net = self.grammar.slots[argument].net if kind == Kind.SLOT else argument
            return self.grammar.nets[net].start, self._push(target, stack, slot)
        if kind == Kind.END:
            call = self._calls[stack]
            return call.back, call.outer
        return target, stack

    def _push(self, back: int, outer: int, slot: int) -> int:
        key = (back, outer, slot)
        found = self._call_ids.get(key)
        if found is None:
            depth = self._calls[outer].depth + 1
            if depth > MAX_CALL_DEPTH:
                raise BundleError("the grammar calls itself without end: build the bundle again")
            found = self._call_ids[key] = len(self._calls)
            self._calls.append(_Call(back, outer, slot, depth))
        return found

    def _state(self, configurations: dict[Configuration, None] | list[Configuration]) -> int:
        key = tuple(sorted(configurations))
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = len(self._sets)
            self._sets.append(key)
        return found

    def _leaving(self, state: int) -> list[tuple[int, int, int]]:
        rows = self._rows.get(state)
        if rows is None:
            block = self._arcs[self._first[state] : self._first[state + 1], 1:]
            rows = self._rows[state] = [(kind, argument, target) for kind, argument, target in block.tolist()]
        return rows


def _skipped(kind: int, argument: int) -> bool:
    return kind == Kind.CHAR and argument == ord(SPACE)
