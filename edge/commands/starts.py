"""Starts of an assistant with its bundle, which are counted until one succeeds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def started(bundle: str | None) -> Iterator[None]:
    """A start with a bundle, by name or path: the block loads it, and ends where the assistant is ready.

    Tells on standard error where the version in use failed and the one before is used instead.
    """
    from edge.bundle.slots import is_managed

    name = bundle or "home"
    if not is_managed(name):  # what only an installed bundle needs takes memory and time from the shipped one
        yield
        return
    from edge.bundle.install import start

    with start(name) as told:
        if told:
            sys.stderr.write(f"edge: {told}\n")
        yield
