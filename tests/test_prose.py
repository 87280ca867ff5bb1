"""Documents and docstrings can be read once: short sentences, without turns of phrase that hide the subject."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
LONGEST = 28
"""Words of a sentence."""
TURNS = re.compile(
    r"\b(of (?:which|whom|whose)|(?:is|are|was) no (?!longer|more|need|way|one)\w+|what (?:is|was) (?:no|not) |"
    r"that one |so many |is told from|(?:in|by|with|from) which|where nothing|be it|be they|"
    r"as it is\b.*\bas|which is what)\b",
    re.IGNORECASE,
)


def passages(path: Path) -> Iterator[str]:
    """Docstrings of Python, paragraphs and list items of Markdown; tables, headings and code are left out."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        yield from (ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, kinds))
        return
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    parts = re.split(r"\n\s*\n|\n\s*(?:[-*]|\d+\.) |\n\|.*", text)
    yield from (part for part in parts if not part.lstrip().startswith(("|", "#")))


def hard_sentences(passage: str) -> list[str]:
    plain = re.sub(r"\s+", " ", re.sub(r"`[^`]*`|\([^)]*\)|\[([^]]*)\]", r"\1", passage))
    sentences = re.split(r"(?<=[.!?:;])\s+", plain)
    return [sentence for sentence in sentences if len(sentence.split()) > LONGEST or TURNS.search(sentence)]


def documents() -> list[str]:
    found = [path for folder in ("edge", "quantize", "benchmarks") for path in (CHECKOUT / folder).rglob("*.py")]
    found += [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md"), *(CHECKOUT / "docs" / "howto").glob("*.md")]
    return sorted(str(path.relative_to(CHECKOUT)) for path in found)


@pytest.mark.parametrize("name", documents())
def test_each_sentence_can_be_read_once(name: str) -> None:
    assert [hard for passage in passages(CHECKOUT / name) for hard in hard_sentences(passage)] == []


def test_finds_long_sentences_and_turns() -> None:
    assert hard_sentences("A file of which it is no part. " + "word " * LONGEST + "end. Short and plain.") == [
        "A file of which it is no part.",
        "word " * LONGEST + "end.",
    ]


def test_the_changelog_names_each_kind_of_change_once() -> None:
    releases = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n## ")[1:]
    for release in releases:
        kinds = re.findall(r"^### (\w+)$", release, re.MULTILINE)
        assert kinds == list(dict.fromkeys(kinds)), release.splitlines()[0]
        assert max(map(len, release.splitlines())) <= 180, "a short line a change; the rest is for docs/lab-notes"
