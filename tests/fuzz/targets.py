"""Where what comes from outside is read: what may come out of it is a result or one line, in time."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from edge import compose
from edge.audio.wav import wav_blocks, write_wav
from edge.bundle.format import open_bundle, write_bundle
from edge.bundle.manifest import FORMAT_VERSION, Manifest, parse_manifest
from edge.commands.firmware import render
from edge.commands.output import clean, parse_json
from edge.config import load_profile
from edge.dialogue.dialogue import open_dialogue
from edge.home.demo import default_home
from edge.home.home_file import load_home
from edge.models.unpack import unpack_zip
from edge.nlu.matching import HomeIndex
from edge.nlu.short_names import with_short_names
from edge.reply_template import ReplyTemplate
from edge.tts.sentences import split_sentences
from edge.types import Transcript
from tests.fuzz import strategies

_SHIPPED = Path(compose.__file__).parent / "data" / "bundles" / "home.edge"


@dataclass(frozen=True)
class Target:
    """A way into the assistant: ``read`` gets what ``strategy`` draws, and a folder that it may write to."""

    strategy: st.SearchStrategy[Any]
    read: Callable[[Any, Path], object]
    refusals: tuple[type[Exception], ...] = ()


@lru_cache(maxsize=1)
def _parser() -> Any:
    return compose.parser(open_bundle("home"), default_home(), None)


@lru_cache(maxsize=1)
def _spoken_parser() -> Any:
    return compose.spoken_parser(load_profile("desktop"), open_bundle("home"), default_home(), "en")


@lru_cache(maxsize=1)
def _replies() -> Any:
    from edge.dialogue.replies import Replies

    return Replies()


def _typed(text: str, _: Path) -> None:
    text = clean(text)
    parse = _parser().parse(Transcript(text))
    msgspec.json.encode(parse_json(parse, text, 0.0))
    _, reply = open_dialogue(default_home(), replies=_replies()).handle(parse)
    split_sentences(reply.text)


def _spoken(text: str, _: Path) -> None:
    parse = _spoken_parser().parse(Transcript(text, 0.9, heard=True))
    open_dialogue(default_home(), replies=_replies()).handle(parse)


def _home(content: bytes, folder: Path) -> None:
    (folder / "home.yaml").write_bytes(content)
    home = with_short_names(load_home(folder / "home.yaml"), {"light"})
    index = HomeIndex(home)
    index.matches(index.tokens("turn on the kitchen light"))
    msgspec.json.encode(home)
    open_dialogue(home, replies=_replies()).handle(_parser().parse(Transcript("turn on the kitchen light")))


def _profile(content: bytes, folder: Path) -> None:
    (folder / "profile.toml").write_bytes(content)
    files = render(load_profile(str(folder / "profile.toml")))
    (command,) = [line for line in files["edge-assistant.service"].splitlines() if line.startswith("ExecStart")]
    assert len(command.split()) == 4
    json.loads(files["user-data"].partition("\n")[2])


def _domain(content: bytes, folder: Path) -> None:
    from quantize.grammar.compiler import compile_grammar
    from quantize.templates.command_file import read_domain

    (folder / "domain.yaml").write_bytes(content)
    compile_grammar(read_domain(folder / "domain.yaml"))


def _manifest(content: bytes, folder: Path) -> None:
    parse_manifest(folder / "x.edge", content)


def _bundle(content: bytes, folder: Path) -> None:
    (folder / "x.edge").write_bytes(content)
    open_bundle(folder / "x.edge")


def _recording(content: bytes, folder: Path) -> None:
    (folder / "in.wav").write_bytes(content)
    for block in wav_blocks(folder / "in.wav"):
        assert block.dtype == "int16"


def _archive(content: bytes, folder: Path) -> None:
    (folder / "m.zip").write_bytes(content)
    (folder / "out").mkdir()
    unpack_zip(folder / "m.zip", folder / "out")


def _reply(source: str, _: Path) -> None:
    ReplyTemplate(source).render({"pet": "cat" * 500, "number": 3})


def _good_manifest() -> bytes:
    with zipfile.ZipFile(_SHIPPED) as archive:
        return archive.read("manifest.json")


@lru_cache(maxsize=1)
def targets() -> dict[str, Target]:
    """Every target by its name."""
    return {
        "typed text": Target(strategies.texts, _typed),
        "heard text": Target(strategies.texts, _spoken),
        "homes": Target(strategies.homes, _home),
        "profiles": Target(strategies.profiles, _profile),
        "domain files": Target(strategies.domain_files, _domain),
        "manifests": Target(strategies.manifests(_good_manifest()), _manifest),
        "bundles": Target(strategies.spoiled(_small_bundle()), _bundle),
        "recordings": Target(strategies.recordings | strategies.spoiled(_good_recording()), _recording),
        "archives": Target(strategies.spoiled(_good_archive()), _archive),
        "replies": Target(strategies.reply_templates, _reply, (ValueError,)),
    }


def _small_bundle() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "small.edge"
        write_bundle(target, Manifest(FORMAT_VERSION, "small", {}, ("en",)), {"a.bin": b"a" * 300, "b.json": b"{}"})
        return target.read_bytes()


def _good_recording() -> bytes:
    import tempfile

    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        write_wav(Path(folder) / "a.wav", np.arange(3000, dtype=np.int16))
        return (Path(folder) / "a.wav").read_bytes()


def _good_archive() -> bytes:
    import io

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("m/am/final.mdl", "m/conf/model.conf"):
            archive.writestr(name, name * 50)
    return buffer.getvalue()
