"""The bundle: what a student is shipped in. A folder or one ``.edge`` file (zip), every file's hash in its manifest.

Nothing of a bundle is parsed before its hash is verified, except the manifest itself: plain JSON of a fixed type.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from edge.bundle.manifest import FORMAT_VERSION, FileEntry, Manifest
from edge.errors import BundleError
from edge.files import write_file

# The interpreter's own SHA-256: hashlib would load OpenSSL, which takes 4 MiB.
try:
    from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]

MAX_FILE_BYTES = 64 * 1024 * 1024
_BLOCK_BYTES = 65536
_SHIPPED = Path(__file__).parents[1] / "data" / "bundles"
_MANIFEST = "manifest.json"


class Bundle:
    """An opened, verified bundle; its files are read when they are needed, and not kept in memory."""

    def __init__(self, source: Path, manifest: Manifest) -> None:
        self.source = source
        self.manifest = manifest

    def read(self, name: str) -> bytes:
        """Content of one file; its hash is checked again.

        Raises:
            BundleError: there is no such file, or it changed since the bundle was opened.
        """
        entry = self.manifest.files.get(name)
        if entry is None:
            raise BundleError(
                f"bundle {self.source} has no file {name}; it has {', '.join(sorted(self.manifest.files))}"
            )
        data = _read_file(self.source / name) if self.source.is_dir() else _read_entry(self.source, name)
        _verify(self.source, name, entry, data)
        return data

    def path(self, name: str) -> Path:
        """A file of the bundle on disk, for libraries that take paths; out of a zip it is unpacked to the cache."""
        if self.source.is_dir():
            self.read(name)
            return self.source / name
        entry = self.manifest.files.get(name)
        target = cache_folder() / (f"{entry.sha256[:16]}-{PurePosixPath(name).name}" if entry is not None else name)
        if entry is None or not (target.is_file() and _file_sha256(target) == entry.sha256):
            write_atomically(target, self.read(name))
        return target


def cache_folder() -> Path:
    """Where programs of zipped bundles are unpacked (``$XDG_CACHE_HOME/edge``), else a private temporary folder."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge"
    try:
        base.mkdir(parents=True, exist_ok=True)
        if os.access(base, os.W_OK):
            return base
    except OSError:
        pass
    import tempfile  # what only writing needs takes memory from reading

    return Path(tempfile.mkdtemp(prefix="edge-"))


def bundle_folder() -> Path:
    """Where ``edge bundle install`` puts bundles: ``$XDG_DATA_HOME/edge/bundles``."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "edge" / "bundles"


def bundle_names() -> list[str]:
    """Names of the installed and the shipped bundles."""
    names = {path.stem for path in _SHIPPED.glob("*.edge")} | {path.stem for path in bundle_folder().glob("*.edge")}
    return sorted(names)


def open_bundle(name_or_path: str | Path) -> Bundle:
    """Open and verify a bundle by name (installed before shipped) or path.

    Raises:
        BundleError: not found, damaged, of another format version, or with a file that its manifest does not list.
    """
    source = _find(name_or_path)
    if source.is_dir():
        manifest = _parse_manifest(source, _read_file(source / _MANIFEST))
        bundle = Bundle(source, manifest)
        for name in manifest.files:
            bundle.read(name)
        return bundle
    names = _entries(source)
    if _MANIFEST not in names:
        raise BundleError(f"{source} has no {_MANIFEST}: it is not a bundle, or it is damaged; install it again")
    bundle = Bundle(source, _parse_manifest(source, _read_entry(source, _MANIFEST)))
    strangers = sorted(names - set(bundle.manifest.files) - {_MANIFEST})
    if strangers:
        raise BundleError(f"{source} holds {strangers[0]}, which its manifest does not list; install it again")
    for name in bundle.manifest.files:
        if name not in names:
            raise BundleError(f"{source} lacks {name}; install it again")
        bundle.read(name)
    return bundle


def write_bundle(target: Path, manifest: Manifest, contents: Mapping[str, bytes]) -> Bundle:
    """Write ``target`` (``.edge`` file) in one step: a kill or a full disk leaves the old bundle or none.

    ``manifest.files`` is filled in. Equal input gives an equal file.
    """
    files = {n: FileEntry(sha256(d).hexdigest(), len(d)) for n, d in sorted(contents.items())}
    manifest = msgspec.structs.replace(manifest, files=files)
    head = msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in [(_MANIFEST, head), *sorted(contents.items())]:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
    write_atomically(target, buffer.getvalue())
    return open_bundle(target)


def install_bundle(source: str | Path) -> Path:
    """Verify a bundle and install it under its name; the one it replaces is kept for ``rollback_bundle``."""
    bundle = open_bundle(source)
    if bundle.source.is_dir():
        raise BundleError(f"{source} is a folder: install the .edge file, or use the folder with --bundle {source}")
    target = bundle_folder() / f"{bundle.manifest.name}.edge"
    data = bundle.source.read_bytes()
    if target.exists():
        write_atomically(target.with_suffix(".previous"), target.read_bytes())
    write_atomically(target, data)
    return target


def rollback_bundle(name: str) -> Path:
    """Put back the bundle that the last installation of ``name`` replaced, or the shipped one.

    Raises:
        BundleError: there is nothing to go back to.
    """
    target = bundle_folder() / f"{name}.edge"
    previous = target.with_suffix(".previous")
    if previous.exists():
        os.replace(previous, target)
        return target
    if target.exists() and (_SHIPPED / target.name).exists():
        target.unlink()
        return _SHIPPED / target.name
    raise BundleError(f"there is no earlier bundle {name!r} to go back to")


def write_atomically(target: Path, data: bytes) -> None:
    """Write a file of a bundle, whole or not at all.

    Raises:
        BundleError: the disk is full or the folder cannot be written.
    """
    write_file(target, data, BundleError)


def _find(name_or_path: str | Path) -> Path:
    text = str(name_or_path)
    path = Path(text)
    if path.suffix == ".edge" or os.sep in text or (path / _MANIFEST).is_file():
        if not path.exists():
            raise BundleError(f"no bundle at {text}; shipped are {', '.join(bundle_names()) or 'none'}")
        return path
    for folder in (bundle_folder(), _SHIPPED):
        if (folder / f"{text}.edge").is_file():
            return folder / f"{text}.edge"
    import difflib

    names = bundle_names()
    near = difflib.get_close_matches(text, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names) or 'none'}"
    raise BundleError(f"no bundle called {text!r}; {hint}")


def _entries(source: Path) -> set[str]:
    """Names in a zip, all of them such as a bundle may have."""
    names: set[str] = set()
    with _opened_zip(source) as archive:
        for info in archive.infolist():
            name = PurePosixPath(info.filename)
            if name.is_absolute() or ".." in name.parts or info.file_size > MAX_FILE_BYTES:
                raise BundleError(f"{source} holds an entry that no bundle has ({info.filename}); do not use it")
            if info.filename in names:
                raise BundleError(f"{source} holds {info.filename} twice; do not use it")
            names.add(info.filename)
    return names


def _read_entry(source: Path, name: str) -> bytes:
    with _opened_zip(source) as archive:
        return archive.read(name)


@contextmanager
def _opened_zip(source: Path) -> Iterator[zipfile.ZipFile]:
    """A zip whose damage, wherever it shows, is a BundleError."""
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except BundleError:
        raise
    except (OSError, zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise BundleError(f"{source} is not a whole bundle ({error}); install it again") from error
    except Exception as error:
        raise BundleError(f"{source} is damaged ({error}); install it again") from error


def _parse_manifest(source: Path, data: bytes) -> Manifest:
    try:
        version = msgspec.json.decode(data, type=dict[str, Any]).get("format_version")
        if version != FORMAT_VERSION:
            raise BundleError(
                f"{source} has bundle format {version}, this program reads {FORMAT_VERSION}; "
                "install a bundle and a program of one release"
            )
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BundleError(f"the manifest of {source} is damaged ({error}); install the bundle again") from error
    for name in manifest.files:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or not path.parts:
            raise BundleError(f"the manifest of {source} names a file outside the bundle ({name}); do not use it")
    return manifest


def _read_file(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BundleError(f"{path} is larger than any file of a bundle; do not use it")
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"cannot read {path}: {error.strerror}; install the bundle again") from error


def _file_sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return str(digest.hexdigest())


def _verify(source: Path, name: str, entry: FileEntry, data: bytes) -> None:
    if len(data) != entry.bytes or sha256(data).hexdigest() != entry.sha256:
        raise BundleError(f"{name} of bundle {source} is damaged (its hash differs); install the bundle again")


def copy_bundle(bundle: Bundle, folder: Path) -> None:
    """Unpack a bundle into ``folder``, which must not exist yet."""
    import shutil

    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name in bundle.manifest.files:
        write_atomically(partial / name, bundle.read(name))
    write_atomically(partial / _MANIFEST, msgspec.json.encode(bundle.manifest))
    os.replace(partial, folder)
