"""Unpacks archives that came from elsewhere."""

from __future__ import annotations

import errno
import stat
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from edge.errors import EngineError

MAX_FILES = 10000
MAX_BYTES = 8 << 30
MAX_RATIO = 50
RATIO_FROM_BYTES = 1 << 20
CHUNK_BYTES = 1 << 16


def unpack_zip(archive: Path, folder: Path) -> None:
    """Unpack regular files and folders of a zip into the existing, empty ``folder``.

    Raises:
        EngineError: the archive is damaged, or holds absolute paths, ``..``, links, doubles, too many files,
            compression other than deflate, or more than 50 times its own size.
        OSError: the disk is full or not writable.
    """
    most = min(MAX_BYTES, max(RATIO_FROM_BYTES, MAX_RATIO * archive.stat().st_size))
    try:
        with zipfile.ZipFile(archive) as source:
            entries = source.infolist()
            if len(entries) > MAX_FILES:
                raise EngineError(f"{archive.name} is refused: {len(entries)} files, more than {MAX_FILES}")
            for entry in entries:
                _check(archive, entry)
            if sum(entry.file_size for entry in entries) > most:
                raise EngineError(f"{archive.name} is refused: it would unpack to more than {most} bytes")
            for entry in entries:
                most -= _extract(archive, source, entry, folder, most)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise EngineError(f"{archive.name} is damaged: {error}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the beginning of the file
            raise
        raise EngineError(f"{archive.name} is damaged: {error.strerror}") from error


def _check(archive: Path, entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not name.isprintable():
        raise EngineError(f"{archive.name} is refused: it holds the path {name!r}")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise EngineError(f"{archive.name} is refused: {name!r} is compressed as no model is")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise EngineError(f"{archive.name} is refused: {name!r} is a link or device")


def _extract(archive: Path, source: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path, most: int) -> int:
    target = folder / entry.filename
    try:
        if entry.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            return 0
        target.parent.mkdir(parents=True, exist_ok=True)
        sink = target.open("xb")
    except (FileExistsError, NotADirectoryError) as error:
        raise EngineError(f"{archive.name} is refused: {entry.filename!r} comes twice") from error
    written = 0
    with sink, source.open(entry) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            written += len(chunk)
            if written > most:
                raise EngineError(f"{archive.name} is refused: it unpacks to more than it states")
            sink.write(chunk)
    return written
