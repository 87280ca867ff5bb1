"""A domain file as templates to sample from, in the form of those of home-assistant-intents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edge.types import SlotValue
from quantize.templates.commands import Domain, Line, ListValue, SlotList
from quantize.templates.notation import parse_template
from quantize.templates.sampler import Templates


def domain_templates(domain: Domain) -> Templates:
    """Templates of a domain whose grammar compiles.

    Raises:
        ConfigError: one name stands for two different lists or rules, or one that no sentence uses is malformed.
    """
    rules, lists = _shared_rules(domain), _shared_lists(domain)
    blocks: dict[str, dict[str, Any]] = {}
    for block in domain.blocks:
        data: dict[str, Any] = {
            "sentences": [line.text for line in block.sentences],
            "slots": dict(block.slots),
            "response": block.response,
            "requires_context": {"domain": list(block.domains)} if block.domains else {},
        }
        blocks.setdefault(block.intent, {"data": []})["data"].append(data)
    return Templates(
        domain.language,
        {
            "language": domain.language,
            "intents": blocks,
            "lists": {name: _list(slot_list) for name, slot_list in lists.items()},
            "expansion_rules": {name: line.text for name, line in rules.items()},
            "skip_words": [line.text for line in domain.skip_words],
        },
    )


def _shared_rules(domain: Domain) -> dict[str, Line]:
    rules: dict[str, Line] = {}
    for name, line in _each_rule(domain):
        if rules.setdefault(name, line).text != line.text:
            raise domain.mistake(line.number, f"rule <{name}> stands for something else in line {rules[name].number}")
        try:
            parse_template(line.text)
        except ValueError as error:
            raise domain.mistake(line.number, f"{error} in {line.text[:80]!r}") from error
    return rules


def _each_rule(domain: Domain) -> Iterator[tuple[str, Line]]:
    yield from domain.rules.items()
    for block in domain.blocks:
        yield from block.rules.items()


def _shared_lists(domain: Domain) -> dict[str, SlotList]:
    lists: dict[str, SlotList] = {}
    for slot_list in each_list(domain):
        other = lists.setdefault(slot_list.name, slot_list)
        if _list(other) != _list(slot_list):
            raise domain.mistake(slot_list.line, f"list {slot_list.name} has other values in line {other.line}")
        for value in slot_list.values:
            try:
                parse_template(value.said.text)
            except ValueError as error:
                raise domain.mistake(value.said.number, f"{error} in {value.said.text[:80]!r}") from error
    return lists


def each_list(domain: Domain) -> Iterator[SlotList]:
    """The lists of the file and of its blocks."""
    yield from domain.lists.values()
    for block in domain.blocks:
        yield from block.lists.values()


def _list(slot_list: SlotList) -> dict[str, Any]:
    numbers = slot_list.numbers
    if numbers is not None:
        size = {"from": numbers.start, "to": numbers.stop, "step": numbers.step, "multiplier": numbers.multiplier}
        return {"range": {**size, "fractions": "halves"} if numbers.halves else size}
    if slot_list.open:
        return {"wildcard": True}
    return {"values": [_value(value) for value in slot_list.values]}


def _value(value: ListValue) -> dict[str, SlotValue | None]:
    return {"in": value.said.text, "out": value.out}
