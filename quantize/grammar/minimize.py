"""Small automata while they are built: non-deterministic first, then deterministic and minimal."""

from __future__ import annotations

from edge.grammar.grammar import Kind

Symbol = tuple[int, int]
Row = tuple[int, int, int, int]
MAX_WORK = 4_000_000


class Nfa:
    """An acyclic automaton under construction; ``start`` and ``final`` exist from the beginning."""

    def __init__(self) -> None:
        self.start, self.final = 0, 1
        self.arcs: list[list[tuple[Symbol | None, int]]] = [[], []]

    def state(self) -> int:
        """A new state."""
        self.arcs.append([])
        return len(self.arcs) - 1

    def add(self, source: int, symbol: Symbol | None, target: int) -> None:
        """An arc that reads ``symbol`` (kind, argument), or nothing."""
        self.arcs[source].append((symbol, target))

    def text(self, source: int, text: str) -> int:
        """Append normalized ``text``; returns the state behind it."""
        for char in text:
            target = self.state()
            self.add(source, (Kind.CHAR, ord(char)), target)
            source = target
        return source

    def closure(self, states: frozenset[int]) -> frozenset[int]:
        """The states and all that are reached from them without reading."""
        seen, todo = set(states), list(states)
        while todo:
            for symbol, target in self.arcs[todo.pop()]:
                if symbol is None and target not in seen:
                    seen.add(target)
                    todo.append(target)
        return frozenset(seen)


def minimal_arcs(nfa: Nfa, base: int) -> tuple[list[Row], int, int] | None:
    """Arcs of the minimal deterministic automaton with states from ``base`` on, its start, and the next free state.

    None where making it deterministic takes more than ``MAX_WORK`` steps.
    """
    table = _deterministic(nfa)
    if table is None:
        return None
    moves, finals = table
    names: list[int] = [-1] * len(moves)
    known: dict[tuple[bool, tuple[tuple[Symbol, int], ...]], int] = {}
    rows: list[Row] = []
    todo = [(0, False)]
    while todo:
        state, ready = todo.pop()
        if names[state] >= 0:
            continue
        if not ready:
            todo.append((state, True))
            todo += [(target, False) for target in moves[state].values() if names[target] < 0]
            continue
        shape = (finals[state], tuple(sorted((symbol, names[target]) for symbol, target in moves[state].items())))
        if shape not in known:
            name = known[shape] = base + len(known)
            rows += [(name, kind, argument, target) for (kind, argument), target in shape[1]]
            if finals[state]:
                rows.append((name, Kind.END, 0, name))
        names[state] = known[shape]
    return rows, names[0], base + len(known)


def _deterministic(nfa: Nfa) -> tuple[list[dict[Symbol, int]], list[bool]] | None:
    """Subset construction: moves of each state, and which states are final; state 0 is the start."""
    first = nfa.closure(frozenset([nfa.start]))
    ids = {first: 0}
    sets = [first]
    moves: list[dict[Symbol, int]] = []
    work = 0
    while len(moves) < len(sets):
        members = sets[len(moves)]
        targets: dict[Symbol, set[int]] = {}
        for member in members:
            for symbol, target in nfa.arcs[member]:
                if symbol is not None:
                    targets.setdefault(symbol, set()).add(target)
        row: dict[Symbol, int] = {}
        for symbol, reached in targets.items():
            key = nfa.closure(frozenset(reached))
            work += len(key)
            if key not in ids:
                ids[key] = len(sets)
                sets.append(key)
            row[symbol] = ids[key]
        moves.append(row)
        if work > MAX_WORK:
            return None
    return moves, [nfa.final in members for members in sets]
