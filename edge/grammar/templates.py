"""Reads sentence templates (``[the] lamp|light``) and expands them to the words that they stand for.

The notation is hassil's (https://github.com/OHF-Voice/hassil): ``[optional]``, ``(one|two)``, ``(any;order)``,
``<rule>``, ``{list}`` or ``{list:slot}``. Lists stand for nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, permutations
from typing import TypeAlias

_TOKEN = re.compile(r"<[^<>]*>|\{[^{}]*\}|[][()|;<>{}]|[^][()|;<>{}]+")
_MAX_DEPTH = 40
_MAX_ORDERED = 7
_MAX_TRIED = 1000
"""Combinations looked at for different forms: ``(a|a)`` 40 times has 2^40, all alike."""


@dataclass(frozen=True)
class Group:
    """Parts that follow each other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Choice:
    """One of the options, or nothing where ``optional``."""

    options: tuple[Node, ...]
    optional: bool = False


@dataclass(frozen=True)
class AnyOrder:
    """All parts, in any order."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Rule:
    """The template of that name."""

    name: str


Node: TypeAlias = str | Group | Choice | AnyOrder | Rule


@lru_cache(maxsize=512)
def read_template(template: str) -> Node:
    """Syntax tree of a template.

    Raises:
        ValueError: a bracket without its partner, or brackets nested too deeply.
    """
    tokens = _TOKEN.findall(template)
    node, rest = _choice(tokens, 0, 0)
    if rest < len(tokens):
        raise ValueError(f"{tokens[rest]} without its opening bracket")
    return node


def _choice(tokens: list[str], at: int, depth: int) -> tuple[Node, int]:
    if depth > _MAX_DEPTH:
        raise ValueError("brackets nested too deeply")
    options: list[Node] = []
    ordered: list[Node] = []
    parts: list[Node] = []
    while at < len(tokens) and tokens[at] not in (")", "]"):
        token = tokens[at]
        at += 1
        if token in ("(", "["):
            inner, at = _choice(tokens, at, depth + 1)
            closing = ")" if token == "(" else "]"
            if at >= len(tokens) or tokens[at] != closing:
                raise ValueError(f"{token} without its closing bracket")
            at += 1
            parts.append(Choice((inner,), optional=True) if token == "[" else inner)
        elif token == ";":
            ordered.append(Group(tuple(parts)))
            parts = []
        elif token == "|":
            options.append(_finish(parts, ordered))
            parts, ordered = [], []
        elif token in ("<", ">", "{", "}"):
            raise ValueError(f"{token} without its partner")
        elif token[0] == "<":
            parts.append(Rule(token[1:-1].strip()))
        elif token[0] != "{":
            parts.append(token)
    options.append(_finish(parts, ordered))
    return (options[0] if len(options) == 1 else Choice(tuple(options))), at


def _finish(parts: list[Node], ordered: list[Node]) -> Node:
    group = Group(tuple(parts))
    return AnyOrder((*ordered, group)) if ordered else group


def spoken_forms(template: str, rules: Mapping[str, str] | None = None) -> Iterator[str]:
    """Different forms, optional words included first; there may be very many, so take a slice.

    Raises:
        ValueError: the template is not well formed, or a rule is unknown or contains itself.
    """
    seen: set[str] = set()
    for form in islice(_forms(read_template(template), rules or {}, ()), _MAX_TRIED):
        text = " ".join(form.split())
        if text and text not in seen:
            seen.add(text)
            yield text


def plain_form(template: str, rules: Mapping[str, str] | None = None) -> str:
    """The first option of every choice, optional words left out.

    Raises:
        ValueError: as ``spoken_forms``.
    """
    return " ".join(_plain(read_template(template), rules or {}, ()).split())


def _forms(node: Node, rules: Mapping[str, str], inside: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Rule):
        yield from _forms(_rule(node, rules, inside), rules, (*inside, node.name))
    elif isinstance(node, Choice):
        for option in node.options:
            yield from _forms(option, rules, inside)
        if node.optional:
            yield ""
    elif isinstance(node, AnyOrder):
        if len(node.parts) > _MAX_ORDERED:
            raise ValueError(f"more than {_MAX_ORDERED} parts in any order")
        for order in permutations(node.parts):
            spaced = tuple(part for item in order for part in (" ", item))
            yield from _joined((*spaced, " "), rules, inside)
    else:
        yield from _joined(node.parts, rules, inside)


def _joined(parts: tuple[Node, ...], rules: Mapping[str, str], inside: tuple[str, ...]) -> Iterator[str]:
    if not parts:
        yield ""
        return
    for head in _forms(parts[0], rules, inside):
        for tail in _joined(parts[1:], rules, inside):
            yield head + tail


def _plain(node: Node, rules: Mapping[str, str], inside: tuple[str, ...]) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, Rule):
        return _plain(_rule(node, rules, inside), rules, (*inside, node.name))
    if isinstance(node, Choice):
        return "" if node.optional else _plain(node.options[0], rules, inside)
    return ("" if isinstance(node, Group) else " ").join(_plain(part, rules, inside) for part in node.parts)


def _rule(node: Rule, rules: Mapping[str, str], inside: tuple[str, ...]) -> Node:
    if node.name not in rules or node.name in inside:
        raise ValueError(f"rule <{node.name}> is unknown or contains itself")
    return read_template(rules[node.name])
