"""Devices on a broker as the assistant's home, without Home Assistant."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future

from aiomqtt import Client, MqttError, ProtocolVersion

from edge.board.memory import return_freed_memory
from edge.errors import HomeError
from edge.home.connections import Connection
from edge.home.live import LiveHome, settled
from edge.home.mqtt.board import Board
from edge.home.mqtt.broker import broker, publish
from edge.home.mqtt.calls import MARGIN_S, carry_out
from edge.home.mqtt.catalog import Catalog
from edge.home.mqtt.things import Message, Rooms
from edge.links.thread import LinkThread
from edge.types import Home, HomeState, Outcome, ServiceCall, StateChange

_LOG = logging.getLogger(__name__)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 3.0
_CONNECTED_WITHIN_S = _ACKNOWLEDGED_WITHIN_S = 1.0
_RETAINED_WITHIN_S = 0.5
"""How long after its subscriptions a broker may send what it retained, before the home counts as known."""
_SETTLE_S = 0.3
_ASK_EVERY_S = 0.05
_BATCH = 200


class MqttHome:
    """A ``HomePort``. It connects in the background, and again whenever the connection is lost."""

    def __init__(
        self,
        thread: LinkThread,
        connection: Connection,
        known: Home | None = None,
        keep: Callable[[HomeState], None] | None = None,
    ) -> None:
        """Begin to connect; ``known`` is the home as it was seen last, ``keep`` takes it whenever names change."""
        self._thread, self._connection, self._keep = thread, connection, keep
        self._live = LiveHome(known)
        self._catalog = Catalog(connection.base_topic, connection.discovery, Rooms.from_file(connection.rooms))
        self._board = Board(self._live)
        self._subscribed: set[str] = set()
        self._stale = self._dead = asyncio.Event()
        self._client: Client | None = None
        self._staying = thread.stay(self._stay_connected(), "the connection to the broker")

    def snapshot(self) -> HomeState:
        """The home as it is known now."""
        return self._live.snapshot()

    def call(self, call: ServiceCall) -> Future[Outcome]:
        """Begin a service call; it is published at most once, and not after its deadline."""
        return self._thread.begin(
            settled(carry_out(call, self._board, self._live, self._publish, time.monotonic() + call.deadline_s))
        )

    def changes(self) -> Iterable[StateChange]:
        """What changed since the last time this was asked."""
        return self._live.take_changes()

    def wait(self, within_s: float, patient: bool = True) -> HomeState:
        """The home once it is connected; one that is not ``patient`` waits for one attempt alone.

        Raises:
            HomeError: it is not, in that time.
        """
        if not self._thread.begin(self._live.connected(within_s, patient)).result():
            raise HomeError(self._live.trouble)
        return self._live.snapshot()

    def close(self) -> None:
        """Disconnect."""
        self._staying.cancel()

    async def _stay_connected(self) -> None:
        wait_s, protocol = _FIRST_WAIT_S, ProtocolVersion.V5
        while True:
            try:
                async with broker(self._connection, protocol) as client:
                    await self._session(client)
            except Exception as error:
                if not isinstance(error, (MqttError, OSError, HomeError)):
                    _LOG.exception("the connection to the broker failed in a way that is a mistake of ours")
                if "protocol version" in str(error).lower():
                    protocol = ProtocolVersion.V311
                self._client = None
                wait_s = _FIRST_WAIT_S if self._live.snapshot().connected else wait_s
                self._live.lost(f"no broker lets us in at {self._connection.url}: {' '.join(str(error).split())}")
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _session(self, client: Client) -> None:
        """One connection from beginning to end."""
        self._stale, self._dead = asyncio.Event(), asyncio.Event()
        self._subscribed.clear()
        self._board.unasked |= self._board.things.keys()
        await client.subscribe([(topic, 0) for topic in self._catalog.topics()])
        tasks = [asyncio.ensure_future(work) for work in (self._read(client), self._follow(client), self._dead.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                if task.done():
                    task.result()
            raise HomeError("it does not answer")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, client: Client) -> None:
        async for message in client.messages:
            payload = message.payload if isinstance(message.payload, bytes) else b""
            topic = str(message.topic)
            if self._catalog.accept(topic, payload):
                self._stale.set()
            elif topic == self._catalog.log_topic:
                self._board.note_failure(payload)
            else:
                self._board.take(topic, payload)
                if self._board.unasked:
                    self._stale.set()

    async def _follow(self, client: Client) -> None:
        """Make the home fit the device lists whenever they change, all that the broker retained in one go."""
        await asyncio.sleep(_RETAINED_WITHIN_S)
        while True:
            self._stale.clear()
            await self._renew(client)
            await asyncio.sleep(_SETTLE_S)
            if self._client is None:
                self._client = client
                self._live.found()
                _LOG.info("connected to the broker at %s", self._connection.url)
            if self._keep is not None:
                self._keep(self._live.snapshot())
            return_freed_memory()
            await self._ask_for_states(client)
            await self._stale.wait()
            await asyncio.sleep(_SETTLE_S)

    async def _renew(self, client: Client) -> None:
        """Take over what the catalog lists, and subscribe to the topics of exactly that."""
        self._board.replace(self._catalog.things())
        self._live.set_places(self._catalog.areas(), self._catalog.floors)
        wanted = self._board.topics()
        added, gone = sorted(wanted - self._subscribed), sorted(self._subscribed - wanted)
        for start in range(0, len(added), _BATCH):
            await client.subscribe([(topic, 0) for topic in added[start : start + _BATCH]])
        if gone:
            await client.unsubscribe(gone)
        self._subscribed = wanted

    async def _ask_for_states(self, client: Client) -> None:
        """Ask new devices and those that came back; one after the other, for the radio's sake."""
        while self._board.unasked:
            thing = self._board.things.get(self._board.unasked.pop())
            if thing is not None and thing.asks is not None:
                await client.publish(thing.asks.topic, thing.asks.payload)
                await asyncio.sleep(_ASK_EVERY_S)

    async def _publish(self, messages: list[Message], end_s: float) -> str | None:
        """Publish, each acknowledged by the broker; what went wrong, or None.

        The broker drops a message that it could not deliver in time. Without its acknowledgement the network is dead:
        the connection is reset, with what it has not taken, so that nothing arrives late.
        """
        now = asyncio.get_running_loop().time
        await self._live.until(lambda: self._client is not None, min(end_s - MARGIN_S, now() + _CONNECTED_WITHIN_S))
        if self._client is None:
            return f"not connected to the broker: {self._live.trouble}"
        within_s = max(0.01, min(_ACKNOWLEDGED_WITHIN_S, end_s - MARGIN_S - now()))
        sends = [publish(self._client, message, end_s - now(), within_s) for message in messages]
        done = await asyncio.gather(*sends, return_exceptions=True)
        if any(isinstance(error, (MqttError, OSError)) for error in done):
            self._client = None
            self._dead.set()
            return "the broker does not answer; the command was taken back"
        return None
