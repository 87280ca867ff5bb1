"""The bundle: what a student is shipped in. A folder or one ``.edge`` file (zip), every file's hash in its manifest.

Nothing of a bundle is parsed before its hash is verified, except the manifest itself: plain JSON of a fixed type.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from edge.bundle.archive import BLOCK_BYTES, entries, opened_archive, opened_file
from edge.bundle.manifest import (
    MAX_FILE_BYTES,
    MAX_MANIFEST_BYTES,
    FileEntry,
    Manifest,
    is_name,
    parse_manifest,
)
from edge.bundle.slots import active_version, installed_names
from edge.errors import BundleError
from edge.files import write_file

# The interpreter's own SHA-256: hashlib would load OpenSSL, which takes 4 MiB.
try:
    from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]

MANIFEST = "manifest.json"
SIGNATURE = "manifest.json.minisig"
MAX_SIGNATURE_BYTES = 4096
SHIPPED = Path(__file__).parents[1] / "data" / "bundles"

Signer = Callable[[bytes], bytes]
"""Signature file of a manifest."""


class Bundle:
    """An opened, verified bundle; its files are read when they are needed, and not kept in memory."""

    def __init__(self, source: Path, manifest: Manifest, manifest_sha256: str = "") -> None:
        self.source = source
        self.manifest = manifest
        self.manifest_sha256 = manifest_sha256

    def read(self, name: str) -> bytes:
        """Content of one file; its hash is checked again.

        Raises:
            BundleError: The file is missing, or it changed since the bundle was opened.
        """
        data = bytearray()
        for block in self._blocks(name):
            data += block
        return bytes(data)

    def check(self, name: str) -> None:
        """Compare a file with its size and hash; raises BundleError where it differs."""
        for _ in self._blocks(name):
            pass

    def path(self, name: str) -> Path:
        """A file of the bundle on disk, for libraries that take paths; out of a zip it is unpacked to the cache."""
        if self.source.is_dir():
            self.check(name)
            return self.source / name
        entry, target = self._entry(name), self._unpacked(name)
        if not (target.is_file() and _file_sha256(target) == entry.sha256):
            write_file(target, self.read(name), BundleError)
        return target

    def unpacked(self) -> list[Path]:
        """Files of a zip in the cache; another bundle may use them too, and unpacks them again."""
        paths = [self._unpacked(name) for name in self.manifest.files]
        return [path for path in paths if path.is_file()]

    def manifest_bytes(self) -> bytes:
        """The manifest as it is stored; a signature covers these bytes.

        Raises:
            BundleError: it changed since the bundle was opened.
        """
        data = _content(self.source, MANIFEST, MAX_MANIFEST_BYTES)
        if sha256(data).hexdigest() != self.manifest_sha256:
            raise BundleError(f"the manifest of {self.source} changed while it was read; try again")
        return data

    def signature(self) -> bytes | None:
        """The signature file, or None where nobody signed the bundle."""
        is_folder = self.source.is_dir()
        present = (self.source / SIGNATURE).exists() if is_folder else SIGNATURE in entries(self.source)
        return _content(self.source, SIGNATURE, MAX_SIGNATURE_BYTES) if present else None

    def _unpacked(self, name: str) -> Path:
        return cache_folder() / f"{self._entry(name).sha256[:16]}-{PurePosixPath(name).name}"

    def _entry(self, name: str) -> FileEntry:
        entry = self.manifest.files.get(name)
        if entry is None:
            raise BundleError(
                f"bundle {self.source} has no file {name}; it has {', '.join(sorted(self.manifest.files))}"
            )
        return entry

    def _blocks(self, name: str) -> Iterator[bytes]:
        """Content of a file, never more than its entry allows; the last block comes after the hash was compared."""
        entry = self._entry(name)
        digest, size, last = sha256(), 0, b""
        with _stream(self.source, name, MAX_FILE_BYTES) as stream:
            while size <= entry.bytes and (block := stream.read(BLOCK_BYTES)):
                digest.update(block)
                size += len(block)
                yield last
                last = block
        if size != entry.bytes or digest.hexdigest() != entry.sha256:
            raise BundleError(f"{name} of bundle {self.source} is damaged (its hash differs); install the bundle again")
        yield last


def cache_folder() -> Path:
    """Where programs of zipped bundles are unpacked (``$XDG_CACHE_HOME/edge``), else a private temporary folder."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge"
    try:
        base.mkdir(parents=True, exist_ok=True)
        if os.access(base, os.W_OK):
            return base
    except OSError:
        pass
    return _private_folder()


@lru_cache(maxsize=1)
def _private_folder() -> Path:
    """One folder for this process, which goes when the process ends."""
    import atexit  # here and below: what only a read-only cache needs takes memory
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="edge-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def bundle_names() -> list[str]:
    """Names of the installed and the shipped bundles."""
    return sorted({path.stem for path in SHIPPED.glob("*.edge")} | set(installed_names()))


def open_bundle(name_or_path: str | Path) -> Bundle:
    """Open and verify a bundle by name (installed before shipped) or path.

    Raises:
        BundleError: not found, damaged, of another format version, or with a file that its manifest does not list.
    """
    if is_path(name_or_path):
        return open_path(Path(name_or_path))
    name = str(name_or_path)
    installed = active_version(name) if is_name(name) else None
    if installed is not None:
        opened = open_path(installed.path)
        if opened.manifest_sha256 != installed.manifest_sha256:
            raise BundleError(f"{installed.path} is not what was installed as {name}; install it again")
        return opened
    return open_shipped(name)


def is_path(name_or_path: str | Path) -> bool:
    """Whether a bundle is named by its path: an ``.edge`` file, a folder with a manifest, or anything with a slash."""
    text = str(name_or_path)
    return text.endswith(".edge") or os.sep in text or (Path(text) / MANIFEST).is_file()


def open_shipped(name: str) -> Bundle:
    """Open the bundle of this name that comes with the package; raises BundleError where there is none."""
    if is_name(name) and (SHIPPED / f"{name}.edge").is_file():
        return open_path(SHIPPED / f"{name}.edge")
    import difflib

    names = bundle_names()
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names) or 'none'}"
    raise BundleError(f"no bundle called {name!r}; {hint}")


def open_path(source: Path) -> Bundle:
    """Open and verify the bundle in a file or folder.

    Raises:
        BundleError: as ``open_bundle``.
    """
    if not source.exists():
        raise BundleError(f"no bundle at {source}; shipped are {', '.join(bundle_names()) or 'none'}")
    sizes = None if source.is_dir() else entries(source)
    if sizes is not None and MANIFEST not in sizes:
        raise BundleError(f"{source} has no {MANIFEST}: it is not a bundle, or it is damaged; install it again")
    head = _content(source, MANIFEST, MAX_MANIFEST_BYTES)
    bundle = Bundle(source, parse_manifest(source, head), sha256(head).hexdigest())
    if sizes is not None:
        _compare(bundle, sizes)
    for name in bundle.manifest.files:
        bundle.check(name)
    return bundle


def _compare(bundle: Bundle, sizes: Mapping[str, int]) -> None:
    """A zip holds what its manifest lists and nothing else, in these sizes."""
    strangers = sorted(set(sizes) - set(bundle.manifest.files) - {MANIFEST, SIGNATURE})
    if strangers:
        raise BundleError(f"{bundle.source} holds {strangers[0]!r}, which its manifest does not list; install it again")
    for name, entry in bundle.manifest.files.items():
        if name not in sizes:
            raise BundleError(f"{bundle.source} lacks {name}; install it again")
        if sizes[name] != entry.bytes:
            raise BundleError(f"{name} of bundle {bundle.source} is damaged (its size differs); install it again")


def write_bundle(target: Path, manifest: Manifest, contents: Mapping[str, bytes], sign: Signer | None = None) -> Bundle:
    """Write ``target`` (``.edge`` file) in one step: a kill or a full disk leaves the old bundle or none.

    ``manifest.files`` is filled in. Equal input gives an equal file.
    """
    files = {n: FileEntry(sha256(d).hexdigest(), len(d)) for n, d in sorted(contents.items())}
    manifest = msgspec.structs.replace(manifest, files=files)
    head = msgspec.json.format(msgspec.json.encode(manifest, order="deterministic"), indent=1)
    parse_manifest(target, head)
    _pack(target, head, contents, sign(head) if sign is not None else None)
    return open_path(target)


def sign_bundle(bundle: Bundle, sign: Signer) -> None:
    """Put a signature into a bundle, file or folder, in place of the one that it had."""
    head = bundle.manifest_bytes()
    signature = sign(head)
    if bundle.source.is_dir():
        write_file(bundle.source / SIGNATURE, signature, BundleError)
    else:
        _pack(bundle.source, head, {name: bundle.read(name) for name in bundle.manifest.files}, signature)


def copy_bundle(bundle: Bundle, folder: Path) -> None:
    """Unpack a bundle with its signature into ``folder``, which must not exist yet."""
    import shutil

    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name in bundle.manifest.files:
        write_file(partial / name, bundle.read(name), BundleError)
    signature = bundle.signature()
    if signature is not None:
        write_file(partial / SIGNATURE, signature, BundleError)
    write_file(partial / MANIFEST, bundle.manifest_bytes(), BundleError)
    os.replace(partial, folder)


def _pack(target: Path, head: bytes, contents: Mapping[str, bytes], signature: bytes | None) -> None:
    signed = [(SIGNATURE, signature)] if signature is not None else []
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in [(MANIFEST, head), *signed, *sorted(contents.items())]:
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
    write_file(target, buffer.getvalue(), BundleError)


@contextmanager
def _stream(source: Path, name: str, limit: int) -> Iterator[IO[bytes]]:
    """A file of a bundle, not yet compared with anything."""
    if source.is_dir():
        with opened_file(source / name, limit) as file:
            yield file
        return
    with opened_archive(source) as archive, archive.open(name) as entry:
        yield entry


def _content(source: Path, name: str, limit: int) -> bytes:
    with _stream(source, name, limit) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise BundleError(f"{name} of {source} is longer than that of any bundle; do not use it")
    return data


def _file_sha256(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return str(digest.hexdigest())
