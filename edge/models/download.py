"""Fetches a file over HTTP: resumes after a cut, verifies size and hash, and only then gives it its name."""

from __future__ import annotations

import errno
import hashlib
import http.client
import io
import os
import shutil
import time
import urllib.error
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

from edge.errors import EngineError
from edge.models.http import opened

CHUNK_BYTES = 1 << 16
MAX_BYTES = 4 << 30
Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the bytes so far and the bytes expected, if known."""


class _Cut(Exception):
    """The connection ended early or the server is busy; trying again may help."""


class _Mismatch(Exception):
    """The bytes are not the published ones."""


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    md5: str | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
    attempts: int = 5,
    wait_s: float = 1.0,
    timeout_s: float = 30.0,
    deadline_s: float = 3600.0,
) -> None:
    """Fetch ``url`` into ``target``, continuing ``target.part`` if an earlier run left one (RFC 9110, section 14).

    Each attempt ends after ``deadline_s``, each wait for the server after ``timeout_s``.

    Raises:
        EngineError: no network, no such file, the wrong size or hash, or no space; the message says what to do.
    """
    part = target.with_name(target.name + ".part")
    cuts = 0
    fresh = not part.exists()
    while True:
        try:
            _fetch(url, part, size, progress, timeout_s, deadline_s)
            _verify(part, size, md5, sha256)
            os.replace(part, target)
            return
        except _Cut as cut:
            cuts += 1
            if cuts >= attempts:
                raise EngineError(f"cannot fetch {url}: {cut}; run the command again to go on from here") from cut
            time.sleep(wait_s * 2 ** (cuts - 1))
        except _Mismatch as mismatch:
            part.unlink(missing_ok=True)
            if fresh:
                raise EngineError(f"{url} is not what its publisher states: {mismatch}; nothing was kept") from mismatch
            fresh = True
        except OSError as error:
            raise EngineError(_disk_message(error, part.parent)) from error


def fetch_bytes(url: str, *, most: int = 4 << 20, timeout_s: float = 15.0, deadline_s: float = 60.0) -> bytes:
    """A small file in memory.

    Raises:
        EngineError: it cannot be had in time, or is longer than ``most`` bytes.
    """
    data = bytearray()
    try:
        with opened(url, timeout_s=timeout_s, deadline_s=deadline_s) as answer:
            for chunk in answer.chunks():
                data += chunk
                if len(data) > most:
                    raise EngineError(f"{url} is longer than {most} bytes")
    except (OSError, http.client.HTTPException) as error:
        raise EngineError(f"cannot fetch {url}: {_reason(error)}") from error
    return bytes(data)


def _fetch(
    url: str, part: Path, size: int | None, progress: Progress | None, timeout_s: float, deadline_s: float
) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if size is not None and have == size:
        return
    headers = {"Range": f"bytes={have}-"} if have else {}
    try:
        with opened(url, headers, timeout_s=timeout_s, deadline_s=deadline_s) as answer:
            if answer.status != http.HTTPStatus.PARTIAL_CONTENT:
                have = 0
            elif not answer.header("Content-Range").startswith(f"bytes {have}-"):
                raise _Mismatch("the server sent another part than asked for")
            try:
                length = answer.length()
            except ValueError as error:
                raise _Mismatch(str(error)) from error
            total = have + length if length is not None else size
            _check_total(total, size, have, part.parent)
            _write(answer.chunks(), part, have, total, progress)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if size is None and error.headers.get("Content-Range") == f"bytes */{have}":
                return
            raise _Mismatch("a partial file of another length") from error
        if error.code in (408, 425, 429) or error.code >= 500:
            raise _Cut(f"the server says {error.code} {error.reason}") from error
        raise EngineError(f"cannot fetch {url}: the server says {error.code} {error.reason}") from error
    except _Disk as error:
        raise error.reason from error
    except (OSError, http.client.HTTPException) as error:
        raise _Cut(_reason(error)) from error


class _Disk(Exception):
    """A failure of the disk, not of the connection."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _write(chunks: Iterable[bytes], part: Path, have: int, total: int | None, progress: Progress | None) -> None:
    try:
        stream = part.open("ab" if have else "wb", buffering=0)
    except OSError as error:
        raise _Disk(error) from error
    with stream:
        for chunk in chunks:
            _append(stream, chunk)
            have += len(chunk)
            if have > (total if total is not None else MAX_BYTES):
                raise _Mismatch(f"more than {total if total is not None else MAX_BYTES} bytes")
            if progress is not None:
                progress(have, total)
    if total is not None and have < total:
        raise _Cut(f"the connection ended after {have} of {total} bytes")


def _append(stream: io.FileIO, chunk: bytes) -> None:
    try:
        left = memoryview(chunk)
        while left:
            left = left[stream.write(left) :]
    except OSError as error:
        raise _Disk(error) from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", error)) or type(error).__name__


def _check_total(total: int | None, size: int | None, have: int, folder: Path) -> None:
    if total is None:
        return
    if size is not None and total != size:
        raise _Mismatch(f"{total} bytes, not {size}")
    if total > MAX_BYTES:
        raise _Mismatch(f"{total} bytes, more than {MAX_BYTES}")
    if total - have > shutil.disk_usage(folder).free:
        raise _Disk(OSError(errno.ENOSPC, f"{total - have} bytes needed"))


def _verify(part: Path, size: int | None, md5: str | None, sha256: str | None) -> None:
    if size is not None and part.stat().st_size != size:
        raise _Mismatch(f"{part.stat().st_size} bytes, not {size}")
    for name, wanted in (("SHA-256", sha256), ("MD5", md5)):
        if wanted is None:
            continue
        digest = hashlib.sha256() if name == "SHA-256" else hashlib.md5(usedforsecurity=False)
        with part.open("rb") as stream:
            while chunk := stream.read(CHUNK_BYTES):
                digest.update(chunk)
        if digest.hexdigest() != wanted.lower():
            raise _Mismatch(f"{name} {digest.hexdigest()}, not {wanted.lower()}")


def _disk_message(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left in {folder}: free some, or point XDG_DATA_HOME to a larger disk ({error.strerror})"
    return f"cannot write to {folder}: {error}"
