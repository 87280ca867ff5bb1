"""Speech models that others publish: which there are, and installing them by name."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from edge.errors import EngineError
from edge.models.download import MAX_BYTES, Progress, download, fetch_bytes
from edge.models.unpack import unpack_zip

CATALOG = Path(__file__).parents[1] / "data" / "models.toml"
PIPER_LICENCE = "each voice's own, see its MODEL_CARD"


@dataclass(frozen=True)
class ModelFile:
    """A file at its publisher; ``size`` in bytes and hashes where they are known."""

    url: str
    size: int | None = None
    md5: str | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self.url.rsplit("/", 1)[1]


@dataclass(frozen=True)
class Model:
    """A recognizer's model or a voice that can be installed; ``size_mb`` is what is downloaded, rounded."""

    name: str
    engine: Literal["vosk", "piper"]
    language: str
    size_mb: float | None
    licence: str
    files: tuple[ModelFile, ...]
    index: str | None = None


class _VoskEntry(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    language: str
    licence: str
    size_mb: float | None = None
    size: int | None = None
    sha256: str | None = None


class _VoskCatalog(msgspec.Struct, forbid_unknown_fields=True):
    base: str
    index: str
    models: list[_VoskEntry]


class _PiperFile(msgspec.Struct, forbid_unknown_fields=True):
    path: str
    size: int
    md5: str
    sha256: str | None = None


class _PiperEntry(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    language: str
    files: list[_PiperFile]


class _PiperCatalog(msgspec.Struct, forbid_unknown_fields=True):
    base: str
    models: list[_PiperEntry]


class _Catalog(msgspec.Struct, forbid_unknown_fields=True):
    vosk: _VoskCatalog
    piper: _PiperCatalog


def models_folder() -> Path:
    """Where models are installed: ``$XDG_DATA_HOME/edge/models``, by default below ``~/.local/share``."""
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "edge" / "models"


def list_models(catalog: Path = CATALOG) -> tuple[Model, ...]:
    """Every model that can be installed, by engine, language and name.

    Raises:
        EngineError: the catalogue cannot be read.
    """
    try:
        content = msgspec.toml.decode(catalog.read_bytes(), type=_Catalog)
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise EngineError(f"{catalog} cannot be read: {error}") from error
    vosk = [
        Model(
            entry.name,
            "vosk",
            entry.language,
            entry.size_mb,
            entry.licence,
            (ModelFile(f"{content.vosk.base}{entry.name}.zip", entry.size, sha256=entry.sha256),),
            content.vosk.index,
        )
        for entry in content.vosk.models
    ]
    piper = [
        Model(
            entry.name,
            "piper",
            entry.language,
            round(sum(file.size for file in entry.files) / 1e6, 1),
            PIPER_LICENCE,
            tuple(ModelFile(content.piper.base + file.path, file.size, file.md5, file.sha256) for file in entry.files),
        )
        for entry in content.piper.models
    ]
    return tuple(sorted(vosk + piper, key=lambda model: (model.engine, model.language, model.name)))


def installed_model(name: str, folder: Path | None = None) -> Path | None:
    """Folder of an installed model, or None; recognizers and voices take that folder."""
    if not name or name.startswith(".") or Path(name).name != name:
        return None
    path = (folder or models_folder()) / name
    return path if path.is_dir() else None


def find_model(name: str, folder: Path | None = None) -> Path:
    """Folder of the installed model ``name``.

    Raises:
        EngineError: It is not installed, or the name is unknown.
    """
    path = installed_model(name, folder)
    if path is None:
        raise EngineError(f"{_known(name, list_models()).name} is not installed: edge models install {name}")
    return path


def install(
    name: str,
    progress: Progress | None = None,
    *,
    folder: Path | None = None,
    catalog: Path = CATALOG,
    attempts: int = 5,
    wait_s: float = 1.0,
) -> Path:
    """Download, verify, unpack and put the model ``name`` in place in one step; its folder.

    An interrupted download goes on where it stopped when called again. ``progress`` gets the bytes so far and the bytes
    expected of the file being fetched.

    Raises:
        EngineError: no such model, no network, a wrong hash, a hostile archive, no space.
    """
    model = _known(name, list_models(catalog))
    place = folder or models_folder()
    present = installed_model(name, place)
    if present is not None:
        return present
    downloads = place / ".downloads" / name
    try:
        downloads.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=place) as scratch:
            ready = Path(scratch) / name
            ready.mkdir()
            for file in _with_published_hashes(model):
                target = downloads / file.name
                download(
                    file.url,
                    target,
                    size=file.size,
                    md5=file.md5,
                    sha256=file.sha256,
                    progress=progress,
                    attempts=attempts,
                    wait_s=wait_s,
                )
                if target.suffix == ".zip":
                    try:
                        unpack_zip(target, ready)
                    finally:
                        target.unlink()
                else:
                    os.replace(target, ready / file.name)
            os.replace(_only_folder(ready), place / name)
        shutil.rmtree(downloads, ignore_errors=True)
    except OSError as error:
        raise EngineError(f"cannot install {name} in {place}: {error.strerror or error}") from error
    return place / name


def remove(name: str, folder: Path | None = None) -> None:
    """Delete an installed model.

    Raises:
        EngineError: it is not installed or cannot be deleted.
    """
    path = installed_model(name, folder)
    if path is None:
        raise EngineError(f"{name} is not installed in {folder or models_folder()}")
    try:
        shutil.rmtree(path)
    except OSError as error:
        raise EngineError(f"cannot delete {path}: {error.strerror or error}") from error


def _known(name: str, models: tuple[Model, ...]) -> Model:
    by_name = {model.name: model for model in models}
    if name in by_name:
        return by_name[name]
    near = difflib.get_close_matches(name, by_name, n=1, cutoff=0.3)
    hint = f", do you mean {near[0]}?" if near else ""
    raise EngineError(f"there is no model {name!r}{hint} See: edge models list")


def _with_published_hashes(model: Model) -> tuple[ModelFile, ...]:
    """Files whose hash is known: the catalogue's, else the one in the publisher's own list.

    Raises:
        EngineError: the publisher's list cannot be had or does not name the model.
    """
    if model.index is None or all(file.sha256 is not None for file in model.files):
        return model.files
    try:
        published = {entry["name"]: entry for entry in json.loads(fetch_bytes(model.index))}
        entry = published[model.name]
        size, md5 = int(entry["size"]), str(entry["md5"])
        if not 0 < size <= MAX_BYTES or not re.fullmatch("[0-9a-fA-F]{32}", md5):
            raise ValueError(f"a size of {size} or a hash of {md5[:40]!r}")
    except EngineError as error:
        raise EngineError(f"no hash of {model.name} can be had, nothing is installed without one: {error}") from error
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        problem = f"{type(error).__name__}: {' '.join(str(error).split())[:80]}"
        raise EngineError(
            f"{model.index} has no hash of {model.name} ({problem}), nothing is installed without one: try again later"
        ) from error
    return (ModelFile(model.files[0].url, size, md5),)


def _only_folder(folder: Path) -> Path:
    """The one folder that an archive consists of, or the unpacked folder itself."""
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder
