"""Devices on a broker as the assistant's home, without Home Assistant."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace

from aiomqtt import Client, MqttError, ProtocolVersion

from edge.errors import HomeError
from edge.home.connections import Connection
from edge.home.effects import ServiceRefusedError
from edge.home.expected import numbers_follow, state_follows
from edge.home.live import LiveHome, settled
from edge.home.mqtt.broker import broker, publish
from edge.home.mqtt.catalog import Catalog
from edge.home.mqtt.things import Message, NotSupportedError, Rooms, Thing
from edge.home.services import service_of
from edge.links.thread import LinkThread
from edge.types import Entity, Home, HomeState, Outcome, OutcomeStatus, ServiceCall, StateChange

_LOG = logging.getLogger(__name__)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 3.0
_ACKNOWLEDGED_WITHIN_S = 1.0
_RETAINED_WITHIN_S = 0.5
"""How long after its subscriptions a broker may send what it retained, before the home counts as known."""
_LENIENT_S, _SETTLE_S, _MARGIN_S = 1.0, 0.3, 0.05
_ASK_EVERY_S = 0.05
_BATCH = 200
_FAILED = re.compile(r"Publish '\w+' '[^']*' to '(?P<device>.+)' failed")


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
        self._things: dict[str, Thing] = {}
        self._topics: dict[str, list[Thing]] = {}
        self._subscribed: set[str] = set()
        self._away: dict[str, set[str]] = {}
        self._unasked: set[str] = set()
        self._stale = self._dead = asyncio.Event()
        self._told: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._client: Client | None = None
        self._staying = thread.stay(self._stay_connected(), "the connection to the broker")

    def snapshot(self) -> HomeState:
        """The home as it is known now."""
        return self._live.snapshot()

    def call(self, call: ServiceCall) -> Future[Outcome]:
        """Begin a service call; it is published at most once, and not after its deadline."""
        return self._thread.begin(settled(self._carry_out(call, time.monotonic() + call.deadline_s)))

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
        self._unasked |= self._things.keys()
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
                self._note_failure(payload)
            else:
                self._take(topic, payload)

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
            await self._ask_for_states(client)
            await self._stale.wait()
            await asyncio.sleep(_SETTLE_S)

    async def _renew(self, client: Client) -> None:
        """Take over what the catalog lists, and subscribe to the topics of exactly that."""
        before, self._things = self._things, {thing.entity.id: thing for thing in self._catalog.things()}
        self._unasked |= self._things.keys() - before.keys()
        topics: dict[str, list[Thing]] = defaultdict(list)
        for thing in self._things.values():
            for topic in dict.fromkeys(topic for topic, _ in (*thing.reads, *thing.lives)):
                topics[topic].append(thing)
        self._topics = dict(topics)
        self._away = {id_: away & self._topics.keys() for id_, away in self._away.items() if id_ in self._things}
        self._live.keep_only(self._things)
        for thing in self._things.values():
            self._live.put(_in_state_of(thing.entity, self._live.entity(thing.entity.id)))
        self._live.set_places(self._catalog.areas(), self._catalog.floors)
        wanted = set(self._topics)
        added, gone = sorted(wanted - self._subscribed), sorted(self._subscribed - wanted)
        for start in range(0, len(added), _BATCH):
            await client.subscribe([(topic, 0) for topic in added[start : start + _BATCH]])
        if gone:
            await client.unsubscribe(gone)
        self._subscribed = wanted

    async def _ask_for_states(self, client: Client) -> None:
        """Ask new devices and those that came back; one after the other, for the radio's sake."""
        while self._unasked:
            thing = self._things.get(self._unasked.pop())
            if thing is not None and thing.asks is not None:
                await client.publish(thing.asks.topic, thing.asks.payload)
                await asyncio.sleep(_ASK_EVERY_S)

    def _take(self, topic: str, payload: bytes) -> None:
        for thing in self._topics.get(topic, ()):
            try:
                self._take_for(thing, topic, payload)
            except (ValueError, KeyError, TypeError, OverflowError) as error:
                _LOG.debug("%s says nothing of %s: %s", topic, thing.entity.id, error)

    def _take_for(self, thing: Thing, topic: str, payload: bytes) -> None:
        """What a message says of one entity: its state, or that it came or went."""
        id_, entity = thing.entity.id, self._entity(thing)
        away = self._away.setdefault(id_, set())
        for own, is_there in thing.lives:
            if own == topic and is_there(payload):
                away.discard(topic)
                self._unasked.add(id_)
                self._stale.set()
            elif own == topic:
                away.add(topic)
        told = [read for own, read in thing.reads if own == topic]
        now = replace(entity, state="unknown") if not (entity.reachable or away) else entity
        for read in told:
            now = read(payload, now)
        self._told[id_] += bool(told)
        self._live.put(replace(now, state="unavailable") if away else now)

    def _note_failure(self, payload: bytes) -> None:
        found = _FAILED.search(payload.decode("utf-8", "replace"))
        if found is not None and b'"error"' in payload:
            self._failed[found["device"]] += 1
            self._live.wake()

    async def _carry_out(self, call: ServiceCall, end_s: float) -> Outcome:
        known = [thing for target in call.targets if (thing := self._things.get(target)) is not None]
        reached = [thing for thing in known if self._entity(thing).reachable]
        left_out = tuple(target for target in call.targets if target not in {thing.entity.id for thing in reached})
        if not reached:
            return Outcome(OutcomeStatus.UNREACHABLE, f"not there or unavailable: {', '.join(call.targets)}")
        try:
            messages = [message for thing in reached for message in self._messages(call, thing)]
        except (NotSupportedError, ValueError, KeyError) as error:
            return Outcome(OutcomeStatus.REFUSED, str(error))
        await self._live.until(lambda: self._client is not None, min(end_s - _MARGIN_S, _now() + 1.0))
        client = self._client
        if client is None:
            return Outcome(OutcomeStatus.UNREACHABLE, "not connected to the broker")
        told, failed, recorder = self._told.copy(), self._failed.copy(), self._live.record()
        try:
            problem = await self._publish(client, messages, end_s)
            if problem is not None:
                return problem
            for thing in reached:
                self._assume(call, thing)
            late, lost = await self._effect(call, reached, told, failed, end_s)
            changes = tuple(caused.change for caused in recorder if caused.change.entity_id in call.targets)
        finally:
            self._live.stop_recording(recorder)
        if len(late) == len(reached):
            status = OutcomeStatus.UNREACHABLE if lost else OutcomeStatus.TIMED_OUT
            return Outcome(status, f"no answer from {', '.join(late)}", left_out, changes)
        return Outcome(OutcomeStatus.DONE, "", (*left_out, *late), changes)

    async def _publish(self, client: Client, messages: Iterable[Message], end_s: float) -> Outcome | None:
        """Publish, each acknowledged by the broker; what went wrong, or None.

        The broker drops a message that it could not deliver in time. Without its acknowledgement the network is dead:
        the connection is reset, with what it has not taken, so that nothing arrives late.
        """
        within_s = max(0.01, min(_ACKNOWLEDGED_WITHIN_S, end_s - _MARGIN_S - _now()))
        sends = [publish(client, message, end_s - _now(), within_s) for message in messages]
        done = await asyncio.gather(*sends, return_exceptions=True)
        if any(isinstance(error, (MqttError, OSError)) for error in done):
            self._client = None
            self._dead.set()
            return Outcome(OutcomeStatus.UNREACHABLE, "the broker does not answer; the command was taken back")
        return None

    async def _effect(
        self, call: ServiceCall, reached: list[Thing], told: Counter[str], failed: Counter[str], end_s: float
    ) -> tuple[tuple[str, ...], bool]:
        """The devices that do not follow the call, and whether the radio could not reach them."""
        begun_s = _now()

        def lost(thing: Thing) -> bool:
            return self._failed[thing.source] > failed[thing.source]

        def waits_for(thing: Thing) -> bool:
            entity, id_ = self._entity(thing), thing.entity.id
            follows = state_follows(call, entity)
            if follows is None:
                return thing.confirms and self._told[id_] == told[id_]
            silent = self._told[id_] == told[id_] and (thing.confirms or _now() < begun_s + _LENIENT_S)
            return not follows or silent

        def over() -> bool:
            return all(lost(thing) or not waits_for(thing) for thing in reached)

        lenient_s = min(end_s - _MARGIN_S, begun_s + _LENIENT_S + _MARGIN_S)
        if not await self._live.until(over, lenient_s):
            await self._live.until(over, end_s - _MARGIN_S)
        settled_s = min(end_s - _MARGIN_S, _now() + _SETTLE_S)
        await self._live.until(lambda: all(numbers_follow(call, self._entity(thing)) for thing in reached), settled_s)
        late = tuple(thing.entity.id for thing in reached if lost(thing) or waits_for(thing))
        return late, any(lost(thing) for thing in reached)

    def _messages(self, call: ServiceCall, thing: Thing) -> tuple[Message, ...]:
        if thing.writes is None or thing.entity.domain != call.domain:
            raise NotSupportedError(f"{call.domain}.{call.service} is not for {thing.entity.id}")
        return thing.writes(call, self._entity(thing))

    def _assume(self, call: ServiceCall, thing: Thing) -> None:
        """Put a device that never tells its state into the one that it was told."""
        entity, service = self._entity(thing), service_of(call.domain, call.service)
        if entity.attributes.get("assumed_state") and service is not None:
            with suppress(ServiceRefusedError):
                self._live.put(service(entity, call.data))

    def _entity(self, thing: Thing) -> Entity:
        return self._live.entity(thing.entity.id) or thing.entity


def _in_state_of(entity: Entity, before: Entity | None) -> Entity:
    """The entity as it is announced, in the state in which it was."""
    if before is None or before.state in (None, "unknown"):
        return entity
    attributes = {**before.attributes, **entity.attributes}
    return Entity(entity.id, entity.name, entity.aliases, entity.area_id, before.state, attributes)


def _now() -> float:
    return asyncio.get_running_loop().time()
