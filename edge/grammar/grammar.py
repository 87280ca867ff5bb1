"""The compiled grammar of a domain: a network of small automata over characters, as arrays and a JSON page.

A *net* is an automaton of its own: the whole sentence, an expansion rule, a list. Arcs of one net call others, so a
list that stands in a hundred templates is stored once (a recursive transition network, without recursion: Woods,
"Transition Network Grammars for Natural Language Analysis", CACM 1970). Lists of the home's own names are left open in
the bundle and filled on the device.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from edge.errors import BundleError
from edge.types import Area, Entity, Floor, Home, SlotValue

FORMAT = 1
MAX_CALL_DEPTH = 40
SPACE = " "
MINUS_SIGNS = "\u2212-\u2013"
APOSTROPHES = "'\u2019\u02bc`"
_ABBREVIATION = re.compile(r"\b(?:[A-Z]{2,4}|[b-df-hj-np-tv-xzB-DF-HJ-NP-TV-XZ]{2,3})\b")

Names = Iterable[tuple[str, SlotValue]]


class Kind(IntEnum):
    """What an arc does; the argument is a character code, a net, a slot, a value or a block.

    The character ``SPACE`` may be read or skipped: words may be said together, but never be broken.
    """

    CHAR = 0
    ANY = 1
    CALL = 2
    SLOT = 3
    VALUE = 4
    BLOCK = 5
    END = 6


@dataclass(frozen=True)
class Net:
    """Where a net starts; with ``fill`` it is a list of the home, limited to entities of ``domains`` where given."""

    start: int
    fill: str | None = None
    domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class SlotCall:
    """A slot of this name whose text is what ``net`` accepts."""

    name: str
    net: int


@dataclass(frozen=True)
class Meaning:
    """What a sentence means as a whole: its intent, the slots that it implies, and the key of the reply that fits."""

    intent: str
    slots: tuple[tuple[str, SlotValue], ...] = ()
    response: str = "default"


@dataclass(frozen=True, eq=False)
class Grammar:
    """A compiled domain; net 0 is the whole sentence. ``arcs`` is int32 [A, 4]: source, kind, argument, target."""

    language: str
    nets: tuple[Net, ...]
    slots: tuple[SlotCall, ...]
    values: tuple[SlotValue, ...]
    meanings: tuple[Meaning, ...]
    arcs: NDArray[np.int32]

    @property
    def states(self) -> int:
        """Number of states of all nets."""
        return int(self.arcs[:, [0, 3]].max(initial=max(net.start for net in self.nets))) + 1

    def words(self) -> frozenset[str]:
        """Every word that the grammar spells out, normalized."""
        leaving: dict[int, list[tuple[int, int, int]]] = {}
        for source, kind, argument, target in self.arcs.tolist():
            leaving.setdefault(source, []).append((kind, argument, target))
        begun = {(net.start, "") for net in self.nets}
        seen, words = set(begun), set()
        while begun:
            state, word = begun.pop()
            for kind, argument, target in leaving.get(state, ()):
                spells = kind == Kind.CHAR and argument != ord(SPACE)
                if not spells:
                    words.add(word)
                after = (target, word + chr(argument) if spells else "")
                if kind != Kind.END and after not in seen:
                    seen.add(after)
                    begun.add(after)
        return frozenset(words - {""})

    def fill(self, names_of: Callable[[str, tuple[str, ...]], Names]) -> Grammar:
        """Grammar whose open lists hold ``names_of(list, domains)``: what is said, and the value it stands for."""
        values, rows, free = list(self.values), [self.arcs], self.states
        for net in self.nets:
            if net.fill is not None:
                spelled = {normalize(said): value for said, value in names_of(net.fill, net.domains)}
                trie, free = _trie(spelled, net.start, free, values)
                rows.append(trie)
        return replace(self, values=tuple(values), arcs=np.concatenate(rows))


def home_names(home: Home) -> Callable[[str, tuple[str, ...]], Names]:
    """Fills a grammar's open lists with the names and aliases of a home."""

    def names_of(name: str, domains: tuple[str, ...]) -> Names:
        places: Sequence[Area | Floor | Entity] = ()
        if name == "area":
            places = home.areas
        elif name == "floor":
            places = home.floors
        elif name == "name":
            places = [entity for entity in home.entities if not domains or entity.domain in domains]
        said = ((name, place.name) for place in places for name in (place.name, *place.aliases))
        return [(form, value) for name, value in said for form in (name, letter_by_letter(name))]

    return names_of


def letter_by_letter(name: str) -> str:
    """The name with its abbreviations in single letters, as recognizers write them: *TV* is heard as "T. V."."""
    return _ABBREVIATION.sub(lambda found: SPACE.join(found[0]), name)


def normalize(text: str) -> str:
    """What the automaton runs over: letters and digits without case and accents, one space between words."""
    return "".join(part for part, _ in spell(text)).strip(SPACE)


def spell(text: str) -> Iterator[tuple[str, int]]:
    """Normalized characters of ``text``, each with the index of the character that it came from.

    Whatever stands between letters and digits is one space, but apostrophes are nothing ("what's" is "whats"), and the
    sign of a negative number stays.
    """
    space = False
    for index, char in enumerate(text):
        if char in MINUS_SIGNS and _is_sign(text, index):
            yield MINUS_SIGNS[0], index
            space = False
            continue
        folded = char.lower() if char.isascii() else unicodedata.normalize("NFKD", _casefold(char))
        for part in folded:
            if part.isalnum():
                yield part, index
                space = False
            elif not (space or part in APOSTROPHES or unicodedata.combining(part)):
                yield SPACE, index
                space = True


def _is_sign(text: str, index: int) -> bool:
    """Whether a dash is right before a number and after nothing: not the one of "20-30"."""
    return text[index + 1 : index + 2].isdigit() and not text[:index][-1:].isalnum()


def _casefold(char: str) -> str:
    return unicodedata.normalize("NFKD", char).casefold()


def pack_grammar(grammar: Grammar) -> bytes:
    """One file: a line of JSON, then the arcs as a NumPy array file."""
    page = {
        "format": FORMAT,
        "language": grammar.language,
        "nets": [[net.start, net.fill, list(net.domains)] for net in grammar.nets],
        "slots": [[slot.name, slot.net] for slot in grammar.slots],
        "values": list(grammar.values),
        "meanings": [[meaning.intent, dict(meaning.slots), meaning.response] for meaning in grammar.meanings],
    }
    file = io.BytesIO(json.dumps(page, separators=(",", ":")).encode() + b"\n")
    file.seek(0, io.SEEK_END)
    np.save(file, grammar.arcs.astype(np.int32), allow_pickle=False)
    return file.getvalue()


def unpack_grammar(data: bytes) -> Grammar:
    """Read and check what ``pack_grammar`` made.

    Raises:
        BundleError: the data is damaged or of another format.
    """
    head, _, tail = data.partition(b"\n")
    try:
        page = json.loads(head)
        if page["format"] != FORMAT:
            raise BundleError(f"the grammar has format {page['format']}, this program reads {FORMAT}: build it again")
        grammar = Grammar(
            page["language"],
            tuple(Net(start, fill, tuple(domains)) for start, fill, domains in page["nets"]),
            tuple(SlotCall(name, net) for name, net in page["slots"]),
            tuple(page["values"]),
            tuple(Meaning(intent, tuple(slots.items()), response) for intent, slots, response in page["meanings"]),
            _read_arcs(tail),
        )
        _check(grammar)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise BundleError(f"the bundle's grammar is damaged, build the bundle again: {error}") from error
    return grammar


def _read_arcs(data: bytes) -> NDArray[np.int32]:
    """The array of a NumPy file, which holds as many numbers as it says: ``np.load`` would make room for them first."""
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("the arcs are of another version of NumPy's format")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    left = data[file.tell() :]
    if len(shape) != 2 or shape[1] != 4 or dtype != np.int32 or len(left) != 16 * shape[0]:
        raise ValueError("the arcs are not int32 [A, 4]")
    return np.frombuffer(left, np.int32).reshape(shape, order="F" if by_column else "C")


def _check(grammar: Grammar) -> None:
    arcs, nets = grammar.arcs, grammar.nets
    if not nets:
        raise ValueError("there is no net")
    if max(arcs[:, [0, 3]].max(initial=0), *(net.start for net in nets)) > 2 * len(arcs) + len(nets):
        raise ValueError("there are more states than arcs lead to")
    limits = {
        Kind.CHAR: 0x110000,
        Kind.CALL: len(grammar.nets),
        Kind.SLOT: len(grammar.slots),
        Kind.VALUE: len(grammar.values),
        Kind.BLOCK: len(grammar.meanings),
    }
    if arcs.min(initial=0) < 0 or arcs[:, 1].max(initial=0) > Kind.END:
        raise ValueError("an arc is out of range")
    for kind, limit in limits.items():
        if arcs[arcs[:, 1] == kind, 2].max(initial=-1) >= limit:
            raise ValueError(f"an arc's {kind.name.lower()} is out of range")
    if any(not 0 <= slot.net < len(grammar.nets) for slot in grammar.slots):
        raise ValueError("a slot's net is out of range")
    if any(net.start < 0 for net in grammar.nets):
        raise ValueError("a net's start is out of range")


def _trie(
    spelled: Mapping[str, SlotValue], start: int, free: int, values: list[SlotValue]
) -> tuple[NDArray[np.int32], int]:
    """Arcs that accept the texts from ``start``, and the next free state; the values are appended to ``values``."""
    rows: list[tuple[int, int, int, int]] = []
    steps: dict[tuple[int, str], int] = {}
    for text, value in spelled.items():
        if not text:
            continue
        state = start
        for char in text:
            if (state, char) not in steps:
                steps[state, char] = free
                rows.append((state, Kind.CHAR, ord(char), free))
                free += 1
            state = steps[state, char]
        rows += [(state, Kind.VALUE, len(values), free), (free, Kind.END, 0, free)]
        values.append(value)
        free += 1
    return np.array(rows, np.int32).reshape(-1, 4), free
