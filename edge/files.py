"""Writes files whole or not at all: the one place that does."""

from __future__ import annotations

import errno
import fcntl
import io
import os
import signal
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

from edge.errors import ConfigError, EdgeError

_SUFFIX = ".part"
_LOCKED_WITHIN_S = 1.0


class WholeFile:
    """A file in the making: `stream` takes its content, `commit` gives it its name, `discard` forgets it.

    A link stays a link; what it points to is replaced. A device or a pipe is written to and never replaced.
    New files get the mode that the umask leaves, replaced ones keep theirs.
    A killed process leaves no file behind: until `commit` the content has no name where the file system allows that.
    """

    def __init__(self, target: Path) -> None:
        """Begin; raises OSError where the target cannot be written."""
        self._given = target
        self._partial: Path | None = None
        self._mode = _mode(target)
        self.stream: BinaryIO
        if self._mode is not None and stat.S_ISDIR(self._mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if self._mode is not None and not (stat.S_ISREG(self._mode) and _is_on_disk(target)):
            self.stream = io.BytesIO()
            return
        self._target = Path(os.path.realpath(target))
        _sweep(self._target)
        handle = self._unnamed()
        fcntl.flock(handle, fcntl.LOCK_EX)
        if self._mode is not None:
            os.fchmod(handle, stat.S_IMODE(self._mode))
        self.stream = os.fdopen(handle, "wb")

    def commit(self) -> None:
        """Put the content in place in one step, and on the disk before that; raises OSError."""
        if isinstance(self.stream, io.BytesIO):
            with open(self._given, "wb", buffering=0) as sink:
                left = memoryview(self.stream.getvalue())
                while left:
                    left = left[sink.write(left) :]
            return
        self.stream.flush()
        os.fsync(self.stream.fileno())
        if self._partial is None:
            self._partial = self._named()
            # Only linkat(2) follows /proc/self/fd, and only with a folder's descriptor does Python call it.
            source = f"/proc/self/fd/{self.stream.fileno()}"
            os.link(source, self._partial, src_dir_fd=self.stream.fileno(), follow_symlinks=True)
        os.replace(self._partial, self._target)
        self._partial = None
        self.stream.close()
        sync_folder(self._target.parent)

    def discard(self) -> None:
        """Forget the content, unless it was put in place."""
        if self._partial is not None:
            with suppress(OSError):
                self._partial.unlink()
            self._partial = None
        with suppress(OSError):
            self.stream.close()

    def _unnamed(self) -> int:
        """A file without a name in the target's folder; with one, where the file system has no such files."""
        with suppress(OSError):
            return os.open(self._target.parent, os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o666)
        self._partial = self._named()
        return os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)

    def _named(self) -> Path:
        return self._target.with_name(f".{self._target.name[:200]}.{os.urandom(4).hex()}{_SUFFIX}")


@contextmanager
def whole_file(target: Path, error: type[EdgeError] = ConfigError) -> Iterator[BinaryIO]:
    """A stream whose content becomes ``target`` when the block ends without an exception; makes its folder.

    Raises:
        EdgeError: of type ``error``, when the disk is full or the target cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = WholeFile(target)
        try:
            yield file.stream
            file.commit()
        finally:
            file.discard()
    except OSError as problem:
        raise error(
            f"cannot write {target}: {problem.strerror or problem}; free some space or name another"
        ) from problem


def write_file(target: Path, data: bytes | str, error: type[EdgeError] = ConfigError) -> None:
    """Write ``data`` (text as UTF-8) to ``target``, whole or not at all.

    Raises:
        EdgeError: of type ``error``, when the disk is full or the target cannot be written.
    """
    with whole_file(target, error) as stream:
        stream.write(data.encode() if isinstance(data, str) else data)


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk; raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def end_tidily() -> None:
    """Let SIGTERM and SIGHUP unwind the stack, so that temporary files and folders are removed on the way."""

    def end(number: int, _: object) -> NoReturn:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def _mode(target: Path) -> int | None:
    try:
        return target.stat().st_mode
    except FileNotFoundError:
        return None


def _is_on_disk(target: Path) -> bool:
    """False for ``/dev/stdout`` and the like, where a regular file may be behind, which others hold open."""
    return not os.path.abspath(target).startswith(("/dev/std", "/dev/fd/", "/proc/"))


def _sweep(target: Path) -> None:
    """Remove what killed writers of ``target`` left: living ones hold a lock."""
    with suppress(OSError):
        names = [name for name in os.listdir(target.parent) if name.endswith(_SUFFIX)]
        for name in names:
            if name.startswith(f".{target.name[:200]}.") and len(name) == len(target.name[:200]) + 15:
                _remove_if_dead(target.with_name(name))


def _remove_if_dead(partial: Path) -> None:
    with suppress(OSError):
        handle = os.open(partial, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(handle).st_mtime > _LOCKED_WITHIN_S:
                partial.unlink()
        finally:
            os.close(handle)
