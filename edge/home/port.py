"""The home as the assistant sees it: its state, its services, and what happens in it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Protocol

from edge.types import HomeState, Outcome, ServiceCall, StateChange


class HomePort(Protocol):
    """A home, wherever it is. No method blocks; all may be called from the loop's thread alone."""

    def snapshot(self) -> HomeState:
        """The home as it is known now: frozen, and cheap to ask for."""

    def call(self, call: ServiceCall) -> Future[Outcome]:
        """Begin a service call.

        The future always gets an outcome, never an exception, and no later than the call's deadline.
        States and attributes that the call changed are in ``snapshot`` when it is done.
        """

    def changes(self) -> Iterable[StateChange]:
        """What changed since the last time this was asked, whoever changed it."""

    def close(self) -> None:
        """Disconnect, and give up calls that have no outcome yet."""
