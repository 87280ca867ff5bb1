"""Builds the bundle of a user's own commands from a domain file."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge.bundle.format import Bundle, Signer, copy_bundle, open_bundle, write_bundle
from edge.bundle.manifest import FORMAT_VERSION, Manifest, name_of
from edge.bundle.signing import machine_key
from edge.errors import ConfigError
from edge.grammar.grammar import Grammar, pack_grammar
from quantize.grammar.compiler import compile_grammar
from quantize.templates.command_file import read_domain

if TYPE_CHECKING:
    from quantize.own_commands.student import Course

GRAMMAR_FILE = "grammar.bin"


def build_domain(path: Path, out: Path, course: Course | None = None, sign: Signer | None = None) -> Bundle:
    """Build the domain file ``path`` into ``out``: its sentences, and a student for other wordings.

    Args:
        path: the domain file.
        out: an ``.edge`` file, or a folder that is new or an older bundle.
        course: how to teach the student; None for a bundle of the sentences alone.
        sign: what signs the bundle; this machine's key without.

    Raises:
        ConfigError: the domain file has a mistake, or ``out`` is a folder with something else in it.
        BundleError: ``out`` cannot be written.
        BuildError: the student's programs disagree; no bundle is written.
    """
    domain = read_domain(path)
    grammar = compile_grammar(domain)
    card = f"Commands of {path.name}: {', '.join(dict.fromkeys(block.intent for block in domain.blocks))}."
    name = name_of(path.stem)
    manifest = Manifest(FORMAT_VERSION, name, {}, (domain.language,), card=card, built=int(time.time()))
    contents: dict[str, bytes] = {}
    if course is not None:
        # torch alone takes seconds, and the sentences need none of it
        from quantize.own_commands.student import LICENCES, domain_student
        from quantize.pipeline import assemble
        from quantize.recipe import Data, Recipe, Release

        with tempfile.TemporaryDirectory() as scratch:
            trained = domain_student(domain, course, Path(scratch))
            recipe = Recipe(name, Data("home"), release=Release(card=card, licences=LICENCES))
            manifest, contents = assemble(recipe, trained, Path(scratch))
    manifest = msgspec.structs.replace(
        manifest,
        grammar=GRAMMAR_FILE,
        replies=domain.replies,
        recipe_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        metrics={**manifest.metrics, **_size(grammar)},
    )
    return write_anywhere(out, manifest, {**contents, GRAMMAR_FILE: pack_grammar(grammar)}, sign)


def write_anywhere(out: Path, manifest: Manifest, contents: Mapping[str, bytes], sign: Signer | None = None) -> Bundle:
    """Write a bundle to ``out``: an ``.edge`` file, or a folder that is new or an older bundle.

    ``sign`` signs it, or this machine's key.

    Raises:
        ConfigError: ``out`` is a folder with something else in it.
        BundleError: ``out`` cannot be written.
    """
    sign = sign or machine_key().sign
    if out.suffix == ".edge":
        return write_bundle(out, manifest, contents, sign)
    with tempfile.TemporaryDirectory() as scratch:
        packed = write_bundle(Path(scratch) / f"{manifest.name}.edge", manifest, contents, sign)
        _make_room(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        copy_bundle(packed, out)
    return open_bundle(out)


def _size(grammar: Grammar) -> dict[str, int]:
    return {"grammar_states": grammar.states, "grammar_arcs": len(grammar.arcs), "intents": len(grammar.meanings)}


def _make_room(folder: Path) -> None:
    """Remove the older bundle in ``folder``, but nothing else."""
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / "manifest.json").is_file():
            raise ConfigError(f"{folder} holds something other than a bundle: choose another --out")
        shutil.rmtree(folder)
    elif folder.is_dir():
        folder.rmdir()
    elif folder.exists():
        raise ConfigError(f"{folder} is a file: choose another --out, or one that ends in .edge")
