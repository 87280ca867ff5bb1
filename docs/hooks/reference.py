"""Writes the reference pages from the code while MkDocs builds the site."""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = {"edge": "edge.commands.cli", "edge-quantize": "quantize.cli", "edge-bench": "benchmarks.cli"}


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages to those of the folder."""
    pages = {"commands": commands_page(), "profile": profile_page(), "python": python_page()}
    for name, text in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill the folder map of the architecture page."""
    return markdown.replace("<!-- folders -->", folder_map())


def commands_page() -> str:
    """Every command with its help."""
    os.environ.update(COLUMNS="100", NO_COLOR="1")
    parts = ["# Commands", "This page is made from the commands' own `--help`."]
    for name, module in COMMANDS.items():
        parts.append(f"## {name}")
        for title, parser in _parsers(importlib.import_module(module)._arguments(), name):
            help_text = "\n".join(line.rstrip() for line in parser.format_help().splitlines())
            parts.append(f"### {title}\n\n```text\n{help_text}\n```")
    return "\n\n".join(parts) + "\n"


def _parsers(parser: argparse.ArgumentParser, title: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield title, parser
    for group in groups:
        for name, child in group.choices.items():
            yield from _parsers(child, f"{title} {name}")


def profile_page() -> str:
    """Every key of a board profile: name, type, default, meaning."""
    tree = ast.parse((ROOT / "edge" / "config.py").read_text(encoding="utf-8"))
    parts = ["# Profile keys", "A profile is a TOML file. This page is made from `edge/config.py`."]
    for table in (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name != "_Table"):
        rows = "\n".join(_key_rows(table))
        head = "| key | type | default | meaning |\n|---|---|---|---|"
        parts.append(f"## {table.name}\n\n{ast.get_docstring(table)}\n\n{head}\n{rows}")
    return "\n\n".join(parts).replace("``", "`") + "\n"


def _key_rows(table: ast.ClassDef) -> Iterator[str]:
    for field, after in zip(table.body, [*table.body[1:], None], strict=True):
        if not isinstance(field, ast.AnnAssign):
            continue
        if not (isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)):
            raise ValueError(f"{table.name}.{ast.unparse(field.target)} in edge/config.py has no docstring")
        default = f"`{ast.unparse(field.value)}`" if field.value is not None else "required"
        cells = (
            f"`{ast.unparse(field.target)}`",
            _kind(field.annotation),
            default,
            inspect.cleandoc(str(after.value.value)),
        )
        yield "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _kind(annotation: ast.expr) -> str:
    kinds = {
        "_Text": "text",
        "_Name": "name",
        "_Count": "whole number",
        "_Milliseconds": "milliseconds",
        "_Rate": "number",
    }
    text = ast.unparse(annotation).removesuffix(" | None")
    for name, plain in kinds.items():
        text = text.replace(name, plain)
    if text.startswith("Annotated"):
        text = text.split("[")[1].split(",")[0]
    if text.startswith("Literal["):
        return "one of " + ", ".join(f"`{value}`" for value in ast.literal_eval(text[7:]))
    return text.replace("tuple[", "list of ").replace(", ...]", "")


def python_page() -> str:
    """Every public name of ``import edge``."""
    edge = importlib.import_module("edge")
    parts = ["# Python", "This page is made from the docstrings of the names in `edge.__all__`."]
    parts.append('```python\nimport edge\n\nprint(edge.load("home").parse("turn on the kitchen light"))\n```')
    for name in edge.__all__:
        value = getattr(edge, name)
        parts.append(f"## edge.{name}\n\n```python\n{name}{_signature(value)}\n```\n\n{_doc(value)}")
        for method, function in vars(value).items() if inspect.isclass(value) else ():
            if inspect.isfunction(function) and not method.startswith("_"):
                parts.append(
                    f"### {name}.{method}\n\n```python\n{method}{_signature(function)}\n```\n\n{_doc(function)}"
                )
    return "\n\n".join(parts) + "\n"


def _signature(value: Any) -> str:
    if inspect.isclass(value) and issubclass(value, Exception):
        return ""
    return str(inspect.signature(value)).replace("'", "").replace("edge.types.", "").replace("edge.parts.", "")


def _doc(value: Any) -> str:
    text = inspect.getdoc(value) or ""
    return text.replace("``", "`").replace("Args:\n", "Arguments:\n\n").replace("Raises:\n", "Raises:\n\n")


def folder_map() -> str:
    """The packages with the question that each answers."""
    rows = ["| folder | question | holds |", "|---|---|---|"]
    for package in ("edge", "quantize", "benchmarks"):
        for path in sorted((ROOT / package).rglob("__init__.py")):
            question, _, rest = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")
            holds = " ".join(rest.split()).replace("``", "`")
            rows.append(f"| `{path.parent.relative_to(ROOT)}/` | {question} | {holds} |")
    return "\n".join(rows)
