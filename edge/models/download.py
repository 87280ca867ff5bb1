"""Fetches a file over HTTP: resumes after a cut, verifies size and hash, and only then gives it its name."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from edge.errors import EngineError

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
    progress: Progress | None = None,
    attempts: int = 5,
    wait_s: float = 1.0,
    timeout_s: float = 30.0,
) -> None:
    """Fetch ``url`` into ``target``, continuing ``target.part`` if an earlier run left one (RFC 9110, section 14).

    Raises:
        EngineError: no network, no such file, the wrong size or hash, or no space; the message says what to do.
    """
    part = target.with_name(target.name + ".part")
    cuts = 0
    fresh = not part.exists()
    while True:
        try:
            _fetch(url, part, size, progress, timeout_s)
            _verify(part, size, md5)
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


def fetch_bytes(url: str, *, most: int = 4 << 20, timeout_s: float = 15.0) -> bytes:
    """A small file in memory.

    Raises:
        EngineError: it cannot be had, or is longer than ``most`` bytes.
    """
    try:
        with urllib.request.urlopen(url, timeout=timeout_s) as response:
            data: bytes = response.read(most + 1)
    except (OSError, http.client.HTTPException) as error:
        raise EngineError(f"cannot fetch {url}: {error}") from error
    if len(data) > most:
        raise EngineError(f"{url} is longer than {most} bytes")
    return data


def _fetch(url: str, part: Path, size: int | None, progress: Progress | None, timeout_s: float) -> None:
    have = part.stat().st_size if part.is_file() else 0
    if size is not None and have == size:
        return
    headers = {"Accept-Encoding": "identity", "User-Agent": "edge-assistant"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout_s)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            if size is None and error.headers.get("Content-Range") == f"bytes */{have}":
                return
            raise _Mismatch("a partial file of another length") from error
        if error.code in (408, 425, 429) or error.code >= 500:
            raise _Cut(f"the server says {error.code} {error.reason}") from error
        raise EngineError(f"cannot fetch {url}: the server says {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _Cut(str(getattr(error, "reason", error)) or type(error).__name__) from error
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            have = 0
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            raise _Mismatch("the server sent another part than asked for")
        length = response.headers.get("Content-Length")
        total = have + int(length) if length is not None else size
        _check_total(total, size, have, part.parent)
        _write(response, part, have, total, progress)


def _write(
    response: http.client.HTTPResponse, part: Path, have: int, total: int | None, progress: Progress | None
) -> None:
    with part.open("ab" if have else "wb") as stream:
        while True:
            try:
                chunk = response.read(CHUNK_BYTES)
            except (OSError, http.client.HTTPException) as error:
                raise _Cut(str(error) or type(error).__name__) from error
            if not chunk:
                break
            stream.write(chunk)
            have += len(chunk)
            if have > (total if total is not None else MAX_BYTES):
                raise _Mismatch(f"more than {total or MAX_BYTES} bytes")
            if progress is not None:
                progress(have, total)
    if total is not None and have < total:
        raise _Cut(f"the connection ended after {have} of {total} bytes")


def _check_total(total: int | None, size: int | None, have: int, folder: Path) -> None:
    if total is None:
        return
    if size is not None and total != size:
        raise _Mismatch(f"{total} bytes, not {size}")
    if total > MAX_BYTES:
        raise _Mismatch(f"{total} bytes, more than {MAX_BYTES}")
    if total - have > shutil.disk_usage(folder).free:
        raise OSError(errno.ENOSPC, f"{total - have} bytes needed")


def _verify(part: Path, size: int | None, md5: str | None) -> None:
    if size is not None and part.stat().st_size != size:
        raise _Mismatch(f"{part.stat().st_size} bytes, not {size}")
    if md5 is None:
        return
    digest = hashlib.md5(usedforsecurity=False)
    with part.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    if digest.hexdigest() != md5.lower():
        raise _Mismatch(f"MD5 {digest.hexdigest()}, not {md5.lower()}")


def _disk_message(error: OSError, folder: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left in {folder}: free some, or point XDG_DATA_HOME to a larger disk ({error.strerror})"
    return f"cannot write to {folder}: {error}"
