"""Walks over hassil's expression trees."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import Any

from hassil.expression import Alternative, Expression, ListReference, Permutation, RuleReference, Sequence, TextChunk

MAX_EXPANSIONS = 200


def chunks(node: Expression) -> Iterator[str]:
    """The literal texts of an expression."""
    if isinstance(node, TextChunk):
        yield node.original_text
    for item in getattr(node, "items", ()):
        yield from chunks(item)


def references(node: Expression, rules: dict[str, Any]) -> Iterator[ListReference]:
    """The lists that an expression refers to, rules followed."""
    if isinstance(node, ListReference):
        yield node
    elif isinstance(node, RuleReference):
        yield from references(rules[node.rule_name].expression, rules)
    for item in getattr(node, "items", ()):
        yield from references(item, rules)


def expansions(node: Expression, rules: dict[str, Any]) -> Iterator[str]:
    """The texts that an expression without lists can give; of each part of a sequence at most MAX_EXPANSIONS."""
    if isinstance(node, TextChunk):
        yield node.original_text
    elif isinstance(node, Alternative):
        for item in node.items:
            yield from expansions(item, rules)
    elif isinstance(node, (Sequence, Permutation)):
        for parts in product(*(list(islice(expansions(item, rules), MAX_EXPANSIONS)) for item in node.items)):
            yield "".join(parts)
    elif isinstance(node, RuleReference):
        yield from expansions(rules[node.rule_name].expression, rules)
