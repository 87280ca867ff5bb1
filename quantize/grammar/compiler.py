"""Compiles the sentence templates of a domain to the grammar that the device's recognizer and parser run.

Each template, rule and list becomes an acyclic automaton; those of one net are made deterministic and minimal with
their calls and marks taken as letters (Revuz, "Minimisation of acyclic deterministic automata in linear time", 1992),
so that templates share their common beginnings and ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from hassil.expression import Alternative, Expression, Group, ListReference, Permutation, RuleReference, TextChunk

from edge.errors import ConfigError
from edge.grammar.grammar import SPACE, Grammar, Kind, Meaning, Net, SlotCall, normalize, spell
from edge.types import SlotValue
from quantize.grammar.minimize import Nfa, minimal_arcs
from quantize.templates.commands import CommandBlock, Domain, Line, ListValue, NumberRange, SlotList
from quantize.templates.notation import MAX_NESTING, number_texts, parse_template

HOME_LISTS = ("name", "area", "floor")
MAX_PERMUTED = 6
MAX_VALUE_TEXTS = 1000
MAX_STATES = 400_000
MAX_SKIPPED = 2
_SPACE = (int(Kind.CHAR), ord(SPACE))


def compile_grammar(domain: Domain) -> Grammar:
    """Grammar of a domain.

    Raises:
        ConfigError: a template is malformed, names an unknown rule or list, or stands for too many sentences.
    """
    return _Compiler(domain).grammar()


@dataclass(frozen=True)
class _Place:
    """Where a template stands: its block (whose own rules and lists come first) and line."""

    block: CommandBlock
    line: Line


class _Compiler:
    """Collects nets, slots and values while it walks the templates."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.nets: list[Net] = []
        self.arcs: list[tuple[int, int, int, int]] = []
        self.slots: dict[SlotCall, int] = {}
        self.values: list[SlotValue] = []
        self.value_ids: dict[tuple[type, SlotValue], int] = {}
        self.made: dict[tuple[object, ...], int] = {}
        self.empty: set[int] = set()
        self.making: list[str] = []
        self.states = 0
        self.size = 0

    def grammar(self) -> Grammar:
        """Compile every block; net 0 is the whole sentence."""
        meanings: dict[Meaning, int] = {}
        self.nets.append(Net(0))
        whole = Nfa()
        first, last = whole.start, whole.state()
        if self.domain.skip_words:
            polite = (Kind.CALL, self._skip_words())
            first = self._perhaps(whole, first, (polite, _SPACE))
            whole.add(self._perhaps(whole, last, (_SPACE, polite)), None, whole.final)
        else:
            whole.add(last, None, whole.final)
        for block in self.domain.blocks:
            meaning = Meaning(block.intent, tuple(block.slots.items()), block.response)
            mark = (Kind.BLOCK, meanings.setdefault(meaning, len(meanings)))
            for line in block.sentences:
                sentence = Nfa()
                end = self._expression(sentence, sentence.start, self._parse(line), _Place(block, line))
                sentence.add(end, None, sentence.final)
                if self._may_be_empty(sentence):
                    raise self._mistake(line, "this sentence may be empty; make at least one word of it obligatory")
                whole.add(_append(whole, first, sentence), mark, last)
        self._close(0, whole, self.domain.blocks[0].sentences[0])
        return Grammar(
            self.domain.language,
            tuple(self.nets),
            tuple(self.slots),
            tuple(self.values),
            tuple(meanings),
            np.array(self.arcs, np.int32).reshape(-1, 4),
        )

    def _skip_words(self) -> int:
        nfa = Nfa()
        for line in self.domain.skip_words:
            spelled = normalize(line.text)
            if not spelled:
                raise self._mistake(line, f"skip word {line.text[:40]!r} has no letter or digit")
            nfa.add(nfa.text(nfa.start, spelled), None, nfa.final)
        return self._net(nfa, self.domain.skip_words[0])

    def _perhaps(self, nfa: Nfa, source: int, symbols: tuple[tuple[int, int], ...]) -> int:
        """Up to ``MAX_SKIPPED`` times the symbols behind ``source``; returns the state behind them."""
        target = nfa.state()
        for _ in range(MAX_SKIPPED):
            nfa.add(source, None, target)
            for symbol in symbols:
                after = nfa.state()
                nfa.add(source, symbol, after)
                source = after
        nfa.add(source, None, target)
        return target

    def _expression(self, nfa: Nfa, source: int, expression: Expression, place: _Place) -> int:
        """Add ``expression`` behind ``source``; returns the state behind it."""
        self._grow(place.line)
        if isinstance(expression, TextChunk):
            text = "".join(char for char, _ in spell(expression.original_text))
            self.size += len(text)
            return nfa.text(source, text)
        if isinstance(expression, ListReference):
            slot = SlotCall(expression.slot_name, self._list(expression, place))
            target = nfa.state()
            nfa.add(source, (Kind.SLOT, self.slots.setdefault(slot, len(self.slots))), target)
            return target
        if isinstance(expression, RuleReference):
            target = nfa.state()
            nfa.add(source, (Kind.CALL, self._rule(expression.rule_name, place)), target)
            return target
        if isinstance(expression, Permutation):
            return self._permutation(nfa, source, expression, place)
        if isinstance(expression, Alternative):
            target = nfa.state()
            for item in expression.items:
                nfa.add(self._expression(nfa, source, item, place), None, target)
            return target
        if isinstance(expression, Group):
            for item in expression.items:
                source = self._expression(nfa, source, item, place)
            return source
        raise self._mistake(place.line, f"cannot read {place.line.text[:80]!r}")

    def _permutation(self, nfa: Nfa, source: int, expression: Permutation, place: _Place) -> int:
        """Every order of the items: a state for each set of items already said."""
        items = expression.items
        if len(items) > MAX_PERMUTED:
            raise self._mistake(place.line, f"(a;b;…) has {len(items)} items, the most is {MAX_PERMUTED}")
        said = [source] + [nfa.state() for _ in range(2 ** len(items) - 1)]
        for done in range(2 ** len(items)):
            for index, item in enumerate(items):
                if not done >> index & 1:
                    nfa.add(self._expression(nfa, said[done], item, place), None, said[done | 1 << index])
        return said[-1]

    def _rule(self, name: str, place: _Place) -> int:
        rules = place.block.rules if name in place.block.rules else self.domain.rules
        if name not in rules:
            raise self._mistake(place.line, f"unknown rule <{name[:60]}>; expected one of expansion_rules")
        line = rules[name]
        key = ("rule", name, line)
        if key not in self.made:
            if name in self.making or len(self.making) >= MAX_NESTING:
                raise self._mistake(line, f"rule <{name[:60]}> contains itself")
            self.making.append(name)
            nfa = Nfa()
            end = self._expression(nfa, nfa.start, self._parse(line), _Place(place.block, line))
            nfa.add(end, None, nfa.final)
            self.made[key] = self._net(nfa, line)
            self.making.pop()
        return self.made[key]

    def _list(self, reference: ListReference, place: _Place) -> int:
        name, block = reference.list_name, place.block
        slot_list = block.lists.get(name) or self.domain.lists.get(name)
        if reference.is_inline_range:
            start, stop, step = reference.get_inline_range() or (0, 0, 1)
            if step < 1 or stop < start or (stop - start) // step > MAX_VALUE_TEXTS:
                raise self._mistake(place.line, f"{{{name[:60]}}}: expected from..to with from <= to")
            slot_list = SlotList(name, place.line.number, numbers=NumberRange(start, stop, step))
        if slot_list is None:
            if name not in HOME_LISTS:
                known = ", ".join((*self.domain.lists, *HOME_LISTS))[:200]
                raise self._mistake(place.line, f"unknown list {{{name[:60]}}}; expected one of {known}")
            return self._home_list(name, block.domains if name == "name" else ())
        key = ("list", name, slot_list.line)
        if key not in self.made:
            self.made[key] = self._open_list() if slot_list.open else self._net(self._values(slot_list), place.line)
        return self.made[key]

    def _home_list(self, name: str, domains: tuple[str, ...]) -> int:
        key = ("home", name, domains)
        if key not in self.made:
            self.made[key] = len(self.nets)
            self.nets.append(Net(self.states, name, domains))
            self.states += 1
        return self.made[key]

    def _open_list(self) -> int:
        first, rest = self.states, self.states + 1
        self.states += 2
        self.arcs += [(first, Kind.ANY, 0, rest), (rest, Kind.ANY, 0, rest), (rest, Kind.END, 0, rest)]
        self.nets.append(Net(first))
        return len(self.nets) - 1

    def _values(self, slot_list: SlotList) -> Nfa:
        nfa = Nfa()
        spoken: dict[str, SlotValue] = {}
        for value in slot_list.values:
            for text in self._value_texts(value):
                spoken.setdefault(text, text if value.out is None else value.out)
        if slot_list.numbers is not None:
            spoken = dict(number_texts(slot_list.numbers, self.domain.language))
        for text, meaning in spoken.items():
            spelled = normalize(text)
            if not spelled:
                raise self.domain.mistake(slot_list.line, f"{slot_list.name}: {text[:40]!r} has no letter or digit")
            number = self.value_ids.setdefault((type(meaning), meaning), len(self.values))
            if number == len(self.values):
                self.values.append(meaning)
            nfa.add(nfa.text(nfa.start, spelled), (Kind.VALUE, number), nfa.final)
        return nfa

    def _value_texts(self, value: ListValue) -> list[str]:
        texts = list(islice(self._texts(self._parse(value.said), value.said, 0), MAX_VALUE_TEXTS + 1))
        if len(texts) > MAX_VALUE_TEXTS:
            raise self._mistake(value.said, f"this value stands for more than {MAX_VALUE_TEXTS} texts; split it")
        return [" ".join(text.split()) for text in texts]

    def _texts(self, expression: Expression, line: Line, depth: int) -> Iterator[str]:
        """Every text that a list value's template stands for."""
        self._grow(line)
        if isinstance(expression, TextChunk):
            yield expression.original_text
        elif isinstance(expression, RuleReference) and (rule := self._known_rule(expression.rule_name, depth)):
            yield from self._texts(self._parse(rule), rule, depth + 1)
        elif isinstance(expression, Alternative):
            for item in expression.items:
                yield from self._texts(item, line, depth + 1)
        elif isinstance(expression, Group) and not isinstance(expression, Permutation):
            parts = [list(islice(self._texts(item, line, depth + 1), MAX_VALUE_TEXTS + 1)) for item in expression.items]
            yield from ("".join(choice) for choice in product(*parts))
        else:
            raise self._mistake(line, f"a list value may hold (a|b), [a] and known <rules>, not {line.text[:60]!r}")

    def _known_rule(self, name: str, depth: int) -> Line | None:
        return self.domain.rules.get(name) if depth < MAX_NESTING else None

    def _parse(self, line: Line) -> Expression:
        try:
            return parse_template(line.text)
        except ValueError as error:
            raise self._mistake(line, f"{error} in {line.text[:80]!r}") from error

    def _net(self, nfa: Nfa, line: Line) -> int:
        self.nets.append(Net(0))
        net = len(self.nets) - 1
        if self._may_be_empty(nfa):
            self.empty.add(net)
        self._close(net, nfa, line)
        return net

    def _close(self, net: int, nfa: Nfa, line: Line) -> None:
        made = minimal_arcs(nfa, self.states)
        if made is None:
            raise self._mistake(line, "too many combinations; use fewer free orders and options side by side")
        rows, start, self.states = made
        self.arcs += rows
        self.nets[net] = Net(start)

    def _may_be_empty(self, nfa: Nfa) -> bool:
        seen, todo = {nfa.start}, [nfa.start]
        while todo:
            for symbol, target in nfa.arcs[todo.pop()]:
                passes = symbol is None or (symbol[0] == Kind.CALL and symbol[1] in self.empty)
                if passes and target not in seen:
                    seen.add(target)
                    todo.append(target)
        return nfa.final in seen

    def _grow(self, line: Line) -> None:
        self.size += 1
        if self.size > MAX_STATES:
            raise self._mistake(line, "the sentences make too large a grammar; use fewer free orders and options")

    def _mistake(self, line: Line, message: str) -> ConfigError:
        return self.domain.mistake(line.number, message)


def _append(whole: Nfa, source: int, part: Nfa) -> int:
    """Copy ``part`` into ``whole`` behind ``source``; returns its final state there."""
    states = [whole.state() for _ in part.arcs]
    whole.add(source, None, states[part.start])
    for source, arcs in enumerate(part.arcs):
        for symbol, target in arcs:
            whole.add(states[source], symbol, states[target])
    return states[part.final]
