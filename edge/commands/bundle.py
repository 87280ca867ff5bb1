"""``edge bundle``: what is installed on this device, who vouches for it, and the version before."""

from __future__ import annotations

import argparse
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge.bundle.format import Bundle, is_path, open_bundle, sign_bundle
from edge.bundle.install import install_bundle, rollback_bundle, verify_bundle
from edge.bundle.signing import generate, key_folder, machine_key, read_secret_key, trusted_folders, voucher
from edge.bundle.slots import read_state
from edge.commands.output import write_json, write_line
from edge.errors import BundleError


def bundle(arguments: argparse.Namespace) -> int:
    """Carry out ``edge bundle``."""
    actions = {
        "info": _info,
        "verify": _verify,
        "install": _install,
        "rollback": _rollback,
        "keygen": _keygen,
        "sign": _sign,
    }
    _show(actions[arguments.action](arguments), arguments.json)
    return 0


def _info(arguments: argparse.Namespace) -> dict[str, Any]:
    opened = open_bundle(arguments.bundle)
    manifest = opened.manifest
    student = manifest.student
    return {
        "name": manifest.name,
        "source": str(opened.source),
        "signature": _signature(opened),
        "built": _time(manifest.built),
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
        "versions": [] if is_path(arguments.bundle) else _versions(arguments.bundle),
    }


def _verify(arguments: argparse.Namespace) -> dict[str, Any]:
    opened, found = verify_bundle(arguments.bundle, allow_unsigned=arguments.allow_unsigned)
    files = len(opened.manifest.files)
    return {"bundle": opened.manifest.name, "verified": True, "files": files, "signature": found.words}


def _install(arguments: argparse.Namespace) -> dict[str, Any]:
    path = install_bundle(
        arguments.bundle, allow_unsigned=arguments.allow_unsigned, allow_older=arguments.allow_downgrade
    )
    active = read_state(path.parent.name).active
    return {"installed": str(path), "signature": active.vouched if active is not None else ""}


def _rollback(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"in use": str(rollback_bundle(arguments.bundle))}


def _keygen(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.out is None:
        secret, public = key_folder() / "machine.key", trusted_folders()[0] / "machine.pub"
    else:
        secret, public = Path(f"{arguments.out}.key"), Path(f"{arguments.out}.pub")
    generate(secret, public)
    return {"secret key": str(secret), "public key": str(public)}


def _sign(arguments: argparse.Namespace) -> dict[str, Any]:
    opened = open_bundle(arguments.bundle)
    if not is_path(arguments.bundle):
        raise BundleError(f"{arguments.bundle} is a name: give the .edge file or the folder that is to be signed")
    sign_bundle(opened, (read_secret_key(Path(arguments.key)) if arguments.key else machine_key()).sign)
    return {"signed": str(opened.source), "signature": _signature(opened)}


def _signature(opened: Bundle) -> str:
    try:
        return voucher(opened).words
    except BundleError as error:
        return str(error)


def _versions(name: str) -> list[str]:
    """Every slot in words, the one in use first."""
    state = read_state(name)
    rows = []
    for slot in (*state.order, *(slot for slot in state.versions if slot not in state.order)):
        version = state.versions[slot]
        use = "in use" if slot in state.order[:1] else "before" if slot in state.order else "failed"
        works = "works" if version.works else f"{version.starts} starts without success"
        rows.append(f"{slot} {use}, {works}, {version.vouched}, built {_time(version.built)}")
    return rows


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds") if seconds else "not recorded"


def _show(facts: dict[str, Any], as_json: bool) -> None:
    if as_json:
        write_json(facts)
        return
    width = max(len(name) for name in facts)
    for name, value in facts.items():
        write_line(f"{name:<{width}}  {_plain(value)}")


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_plain(key)} {_plain(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, list):
        return f"{len(value)}: {' '.join(map(_plain, value))}" if value else "none"
    return "".join(char if char.isprintable() else "?" for char in str(value))
