"""The notation of sentence templates (hassil's), checked before hassil reads it, and the texts of number ranges."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from hassil.expression import Expression
from hassil.numbers import get_rbnf_engine
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from edge.types import SlotValue
from quantize.templates.commands import NumberRange

MAX_TEMPLATE = 4000
MAX_NESTING = 30


@lru_cache(maxsize=4096)
def parse_template(text: str) -> Expression:
    """Expression tree of a template.

    Raises:
        ValueError: it is none; the message says what was expected.
    """
    problem = _brackets(text)
    if problem:
        raise ValueError(problem)
    try:
        return parse_sentence(text).expression
    except (ParseError, AssertionError, IndexError, RecursionError) as error:
        raise ValueError("expected words, (a|b), [optional], {list} and <rule>") from error


def number_texts(numbers: NumberRange, language: str) -> Iterator[tuple[str, SlotValue]]:
    """Each number of the range in digits and in words, with its meaning; just digits where no speller is known."""
    try:
        engine: Any = get_rbnf_engine(language)
    except ValueError:
        engine = None
    for number in range(numbers.start, numbers.stop + 1, numbers.step):
        for half in (0.0, 0.5) if numbers.halves and number < numbers.stop else (0.0,):
            meaning = (number + half) * numbers.multiplier
            value: SlotValue = int(meaning) if meaning.is_integer() else meaning
            yield f"{number + half:g}", value
            if engine is not None:
                for words in set(engine.format_number(number + half).text_by_ruleset.values()):
                    yield words, value
                    if number < 0:
                        yield _with_digits(words, engine, number + half), value


def _with_digits(words: str, engine: Any, number: float) -> str:
    """The spelled negative number with its amount in digits: "minus 5"."""
    amount = max(set(engine.format_number(-number).text_by_ruleset.values()) & _endings(words), key=len, default="")
    return f"{words.removesuffix(amount)}{-number:g}" if amount else words


def _endings(words: str) -> set[str]:
    return {words[at:] for at in range(len(words))}


def _brackets(text: str) -> str | None:
    """What is wrong with the brackets of a template, or None."""
    if len(text) > MAX_TEMPLATE:
        return f"more than {MAX_TEMPLATE} characters"
    pairs, waiting, escaped = {"(": ")", "[": "]", "{": "}", "<": ">"}, [], False
    for char in text:
        if escaped or char == "\\":
            escaped = not escaped
        elif char in pairs:
            waiting.append(pairs[char])
            if len(waiting) > MAX_NESTING:
                return f"brackets nested deeper than {MAX_NESTING}"
        elif char in pairs.values() and (not waiting or waiting.pop() != char):
            return f"expected an opening bracket before {char!r}"
    return f"expected {waiting[-1]!r}" if waiting else None
