"""Reads an ``.edge`` file, which is a zip, without trusting any number in it: memory is bounded before it is taken."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from edge.bundle.manifest import MAX_BUNDLE_BYTES, MAX_FILE_BYTES, MAX_FILES
from edge.errors import BundleError

BLOCK_BYTES = 65536
_BESIDE_FILES = 2
"""The manifest and its signature."""
_MAX_DIRECTORY_BYTES = (MAX_FILES + _BESIDE_FILES) * 512
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1

# The end of a zip (PKWARE's APPNOTE 4.3.16), here without a comment, and the mark of a 64-bit one (4.3.15) before it.
_END = struct.Struct("<4s4H2LH")
_END_MARK, _END64_MARK, _END64_BYTES = b"PK\x05\x06", b"PK\x06\x07", 20


@contextmanager
def opened_file(path: Path, limit: int) -> Iterator[BinaryIO]:
    """A regular file of at most ``limit`` bytes: neither a pipe that never ends nor a device.

    Raises:
        BundleError: it is none, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise BundleError(f"cannot read {path}: {error.strerror}; install the bundle again") from error
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise BundleError(f"{path} is not a file: name an .edge file or the folder of a bundle")
        if facts.st_size > limit:
            raise BundleError(f"{path} has {facts.st_size} bytes, more than any bundle has; do not use it")
        yield file


@contextmanager
def opened_archive(source: Path) -> Iterator[zipfile.ZipFile]:
    """A zip with few entries, whose damage, wherever it shows, is a BundleError."""
    with opened_file(source, MAX_BUNDLE_BYTES) as file:
        _check_end(source, file)
        try:
            with zipfile.ZipFile(file) as archive:
                yield archive
        except BundleError:
            raise
        except (OSError, zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
            raise BundleError(f"{source} is not a whole bundle ({error}); install it again") from error
        except Exception as error:
            raise BundleError(f"{source} is damaged ({error}); install it again") from error


def entries(source: Path) -> dict[str, int]:
    """Size of each entry by its name.

    Raises:
        BundleError: there are entries such as no bundle has, or twice the same.
    """
    sizes: dict[str, int] = {}
    with opened_archive(source) as archive:
        for info in archive.infolist():
            name = info.filename
            odd = name.startswith("/") or ".." in name.split("/") or info.compress_type not in _COMPRESSIONS
            if odd or info.flag_bits & _ENCRYPTED or info.file_size > MAX_FILE_BYTES:
                raise BundleError(f"{source} holds an entry that no bundle has ({name!r}); do not use it")
            if name in sizes:
                raise BundleError(f"{source} holds {name!r} twice; do not use it")
            sizes[name] = info.file_size
    if sum(sizes.values()) > MAX_BUNDLE_BYTES:
        raise BundleError(f"{source} unpacks to more than any bundle; do not use it")
    return sizes


def _check_end(source: Path, file: BinaryIO) -> None:
    """Refuse a directory of more entries than a bundle may have: ``zipfile`` would read all of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END.size - _END64_BYTES))
    tail = file.read()
    end = tail[-_END.size :]
    if len(end) < _END.size or end[:4] != _END_MARK or end[-2:] != b"\0\0":
        raise BundleError(f"{source} is not a whole bundle (its end is missing); install it again")
    _, _, _, _, count, directory, _, _ = _END.unpack(end)
    if count > MAX_FILES + _BESIDE_FILES or directory > _MAX_DIRECTORY_BYTES or tail.startswith(_END64_MARK):
        raise BundleError(f"{source} holds more entries than any bundle; do not use it")
