"""``edge bundle`` and ``edge models``: what is installed on this device."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any

from edge.bundle.format import Bundle, install_bundle, open_bundle, rollback_bundle
from edge.commands.output import write_json, write_line
from edge.errors import BundleError


def bundle(arguments: argparse.Namespace) -> int:
    """Carry out ``edge bundle``."""
    action: str = arguments.action
    if action == "info":
        _show(_facts(open_bundle(arguments.bundle)), arguments.json)
    elif action == "verify":
        opened = open_bundle(arguments.bundle)
        _load(opened)
        _show({"bundle": opened.manifest.name, "verified": True, "files": len(opened.manifest.files)}, arguments.json)
    elif action == "install":
        _show({"installed": str(install_bundle(arguments.bundle))}, arguments.json)
    else:
        _show({"in use": str(rollback_bundle(arguments.bundle))}, arguments.json)
    return 0


def models(arguments: argparse.Namespace) -> int:
    """Carry out ``edge models``."""
    from edge.models.catalog import install, installed_model, list_models, remove

    if arguments.action == "install":
        write_line(f"installed in {install(arguments.model, _Bar() if sys.stderr.isatty() else None)}")
    elif arguments.action == "remove":
        remove(arguments.model)
        write_line(f"removed {arguments.model}")
    else:
        rows = [(model, installed_model(model.name)) for model in list_models()]
        if arguments.json:
            write_json([{**asdict(model), "installed": str(folder) if folder else None} for model, folder in rows])
            return 0
        for model, folder in rows:
            size = f"{model.size_mb:7.0f} MB" if model.size_mb is not None else " " * 10
            mark = "installed" if folder else ""
            write_line(f"{model.engine:<6} {model.language:<6} {size}  {model.name:<40} {mark:<10} {model.licence}")
    return 0


class _Bar:
    """A progress bar on standard error."""

    def __init__(self) -> None:
        self._shown = -1

    def __call__(self, done: int, expected: int | None) -> None:
        """Draw it again when a further percent, or megabyte, is there."""
        step = 100 * done // expected if expected else done >> 20
        if step == self._shown:
            return
        self._shown = step
        bar = f"{'#' * (step // 4):<25} {step:3d} %" if expected else f"{step} MiB"
        sys.stderr.write(f"\r{bar}" + ("\n" if done == expected else ""))
        sys.stderr.flush()


def _facts(opened: Bundle) -> dict[str, Any]:
    manifest = opened.manifest
    student = manifest.student
    return {
        "name": manifest.name,
        "source": str(opened.source),
        "bytes": sum(entry.bytes for entry in manifest.files.values()),
        "languages": list(manifest.languages),
        "intents": sorted({frame.intent for frame in student.frames if frame.intent}) if student else [],
        "slots": list(student.slots) if student else [],
        "quantization": manifest.quantization,
        "threshold": student.threshold if student else None,
        "metrics": manifest.metrics,
        "licences": manifest.licences,
        "files": {name: entry.bytes for name, entry in manifest.files.items()},
        "recipe_sha256": manifest.recipe_sha256,
    }


def _load(opened: Bundle) -> None:
    """Load the student's program, which shows damage that hashes cannot."""
    student = opened.manifest.student
    if student is None and opened.manifest.grammar is None:
        raise BundleError(f"bundle {opened.manifest.name} has neither a student nor a grammar: build it again")
    if student is not None:
        from edge.nlu.program import Program

        Program(opened.path(student.program))


def _show(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(facts)
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        write_line(f"{name:<{width}}  {_plain(value)}")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list):
        return f"{len(value)}: {' '.join(map(str, value))}" if value else "none"
    return str(value)
