"""A network with nothing in it but the loopback device, which tests enter, leave and cut."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

_CLONE_NEWNET = 0x40000000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """A network namespace. Threads and processes that are started inside stay in it."""

    def __init__(self) -> None:
        """Make the namespace; raises OSError without the right to."""
        self._outside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _checked(_LIBC.unshare(_CLONE_NEWNET), "unshare")
        self._inside = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        _set_loopback(True)
        _checked(_LIBC.setns(self._outside, _CLONE_NEWNET), "setns")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """The calling thread inside the namespace."""
        _checked(_LIBC.setns(self._inside, _CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            _checked(_LIBC.setns(self._outside, _CLONE_NEWNET), "setns")

    @contextmanager
    def cut(self) -> Iterator[None]:
        """The network down; packets are lost and connections stay as they are. Call it from inside."""
        _set_loopback(False)
        try:
            yield
        finally:
            _set_loopback(True)

    def close(self) -> None:
        """Let go of the namespace; it ends with its last process."""
        os.close(self._inside)
        os.close(self._outside)


def _checked(result: int, call: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{call}: {os.strerror(code)}")


def _set_loopback(up: bool) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP if up else 0))
