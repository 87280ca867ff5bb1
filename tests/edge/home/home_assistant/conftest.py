"""A real Home Assistant, its administrator, and the home that is connected to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from edge.home.home_assistant.home import HomeAssistant
from edge.links.thread import LinkThread
from tests.testbed.home_assistant import Administrator, HomeAssistantServer

KITCHEN, DESK = "light.kitchen_lights", "light.office_rgbw_lights"


@contextmanager
def connected(url: str, token: Callable[[], str]) -> Iterator[HomeAssistant]:
    """The home of a Home Assistant, once it is connected."""
    thread = LinkThread()
    home = HomeAssistant(thread, url, token)
    try:
        home.wait(10)
        yield home
    finally:
        home.close()
        thread.close()


@pytest.fixture
def administrator(home_assistant: HomeAssistantServer) -> Iterator[Administrator]:
    """Someone else who uses the same Home Assistant."""
    with home_assistant.administrator() as someone:
        yield someone


@pytest.fixture
def home(home_assistant: HomeAssistantServer) -> Iterator[HomeAssistant]:
    """The home, connected, with the kitchen lights off."""
    with home_assistant.administrator() as someone:
        someone.call("light", "turn_off", KITCHEN)
    with connected(home_assistant.url, lambda: home_assistant.token) as linked:
        yield linked
