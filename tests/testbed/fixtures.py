"""Fixtures of the test bed. Each server starts once per session, when the first test asks for it.

``EDGE_TESTBED_REQUIRED=1`` makes a missing test bed an error where tests would be skipped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.testbed import build
from tests.testbed.home_assistant import HomeAssistantServer
from tests.testbed.namespace import Namespace
from tests.testbed.zigbee import BROKER_PORT, PASSWORD, USER, Broker, Zigbee


@pytest.fixture(scope="session")
def namespace() -> Iterator[Namespace]:
    """The network in which every server of the bed runs."""
    try:
        made = Namespace()
    except OSError as error:
        _missing(f"no network namespace can be made here ({error}); run the tests as root")
    yield made
    made.close()


@pytest.fixture
def network(namespace: Namespace) -> Iterator[Namespace]:
    """The test itself inside the network of the bed."""
    with namespace.entered():
        yield namespace


@pytest.fixture(scope="session")
def running_broker(namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Mosquitto."""
    try:
        broker = Broker(tmp_path_factory.mktemp("mosquitto"))
    except FileNotFoundError:
        _missing("Mosquitto is not installed; type: sudo apt-get install mosquitto mosquitto-clients")
    with namespace.entered():
        broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def running_zigbee(
    namespace: Namespace, running_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Zigbee]:
    """Zigbee2mqtt over a pretend radio."""
    try:
        zigbee = Zigbee(tmp_path_factory.mktemp("zigbee2mqtt"))
    except FileNotFoundError:
        _missing(build.reason())
    with namespace.entered():
        zigbee.start()
    yield zigbee
    zigbee.stop()


@pytest.fixture(scope="session")
def running_home_assistant(
    namespace: Namespace, running_broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[HomeAssistantServer]:
    """Home Assistant with the demo house and the broker."""
    try:
        server = HomeAssistantServer(tmp_path_factory.mktemp("home-assistant"))
    except FileNotFoundError:
        _missing(build.reason())
    try:
        with namespace.entered():
            server.start()
            _furnish(server)
            server.stop()  # writes all that to the disk, so that a test may kill the server
            server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def broker(network: Namespace, running_broker: Broker) -> Broker:
    """Mosquitto, with the test in its network."""
    return running_broker


@pytest.fixture
def zigbee(network: Namespace, running_zigbee: Zigbee) -> Zigbee:
    """Zigbee2mqtt, with the test in its network."""
    return running_zigbee


@pytest.fixture
def home_assistant(network: Namespace, running_home_assistant: HomeAssistantServer) -> HomeAssistantServer:
    """Home Assistant, with the test in its network."""
    return running_home_assistant


def _furnish(server: HomeAssistantServer) -> None:
    broker: dict[str, object] = {"broker": "127.0.0.1", "port": BROKER_PORT, "username": USER, "password": PASSWORD}
    if server.version == build.NEW:
        broker["other_settings"] = {"set_client_cert": False, "set_ca_cert": "off"}
    server.set_up("mqtt", broker)
    server.set_up("local_todo", {"todo_list_name": "Chores"})
    server.set_up("shopping_list", {})


def config_folder(parent: Path) -> Path:
    """An empty folder for another Home Assistant."""
    folder = parent / "config"
    folder.mkdir()
    return folder


def _missing(why: str) -> None:
    if os.environ.get("EDGE_TESTBED_REQUIRED") == "1":
        pytest.fail(why)
    pytest.skip(f"no test bed: {why}")
