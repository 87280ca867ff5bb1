"""Tells systemd that the loop runs, so that a loop that hangs is started again (sd_notify(3))."""

from __future__ import annotations

import os
import socket
import time

_EVERY_S = 5.0
_last_s = float("-inf")


def tell_alive() -> None:
    """Report readiness and life to the service manager, if there is one, every few seconds."""
    global _last_s
    address = os.environ.get("NOTIFY_SOCKET")
    if address is None or time.monotonic() - _last_s < _EVERY_S:
        return
    _last_s = time.monotonic()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
        manager.connect("\0" + address[1:] if address.startswith("@") else address)
        manager.send(b"READY=1\nWATCHDOG=1")
