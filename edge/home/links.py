"""Opens the home behind a connection."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from edge.errors import HomeError
from edge.home.connections import Connection, find_connection, remember_home
from edge.home.port import HomePort
from edge.links.thread import LinkThread
from edge.types import Home, HomeState

_CONNECT_WITHIN_S = 5.0
_LOG = logging.getLogger(__name__)


class LinkedHome(HomePort, Protocol):
    """A home over a network."""

    def wait(self, within_s: float, patient: bool = True) -> HomeState:
        """The home once it is connected; raises HomeError with the reason where it is not in time."""


def link(
    thread: LinkThread, connection: Connection, known: Home | None = None, token: Callable[[], str] | None = None
) -> LinkedHome:
    """The home of a connection, beginning to connect.

    Args:
        thread: Where it talks to the network.
        connection: Where the home is.
        known: How it was seen last.
        token: Gives Home Assistant's token; without it, the connection's file is read at each attempt.

    Raises:
        HomeError: the extra is not installed.
    """

    def keep(home: HomeState) -> None:
        remember_home(connection.name, home)

    try:
        if connection.is_mqtt:
            from edge.home.mqtt.home import MqttHome

            return MqttHome(thread, connection, known, keep)
        from edge.home.home_assistant.home import HomeAssistant
    except ImportError as error:
        raise HomeError(f"{error}; type: pip install 'edge-assistant[home]'") from error
    kept = token or (lambda: find_connection(connection.name).token)
    return HomeAssistant(thread, connection.url, kept, known, keep, connection.certificate)


@contextmanager
def open_home(connection: Connection, known: Home | None) -> Iterator[HomePort]:
    """The home of a connection; one that was seen before may be out of reach at first.

    Raises:
        HomeError: it does not answer, and was never seen.
    """
    thread, is_known = LinkThread(), known is not None
    try:
        home = link(thread, connection, known)
        del known
        try:
            home.wait(_CONNECT_WITHIN_S, patient=False)
        except HomeError as error:
            if not is_known:
                raise
            _LOG.warning("%s; trying again in the background", error)
        yield home
        home.close()
    finally:
        thread.close()
