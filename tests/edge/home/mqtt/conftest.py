"""The home of a real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from edge.home.connections import Connection
from edge.home.mqtt.home import MqttHome
from edge.links.thread import LinkThread
from tests.testbed.zigbee import BROKER_PORT, PASSWORD, USER, Broker

Connect = Callable[..., AbstractContextManager[MqttHome]]


@pytest.fixture
def connect(broker: Broker) -> Connect:
    """Connects to the broker, with other settings where they are given."""

    @contextmanager
    def open_home(**other: str) -> Iterator[MqttHome]:
        usual = fields_of(Connection("house", f"mqtt://127.0.0.1:{BROKER_PORT}", user=USER, password=PASSWORD))
        thread = LinkThread()
        home = MqttHome(thread, Connection(**{**usual, **other}))
        try:
            home.wait(10, patient=False)
            yield home
        finally:
            home.close()
            thread.close()

    return open_home


def fields_of(connection: Connection) -> dict[str, str]:
    return {field: getattr(connection, field) for field in connection.__struct_fields__}
