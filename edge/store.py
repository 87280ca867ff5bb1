"""``edge bundle`` and ``edge models``: what is installed on this device."""

from __future__ import annotations

import argparse
from typing import Any

from edge.bundle import Bundle, install_bundle, open_bundle, rollback_bundle
from edge.errors import BundleError
from edge.output import write_json, write_line


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
