"""Home Assistant as the assistant's home: kept current over one WebSocket, with service calls that never come late."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import msgspec

from edge.board.memory import return_freed_memory
from edge.errors import EdgeError, HomeError
from edge.home.home_assistant.calls import carry_out
from edge.home.home_assistant.registries import Naming, Registries, read_exposure, read_registries
from edge.home.home_assistant.socket import HomeSocket, TokenRefusedError
from edge.home.live import LiveHome, settled
from edge.links.thread import LinkThread
from edge.types import Entity, Home, HomeState, Outcome, OutcomeStatus, ServiceCall, StateChange

_LOG = logging.getLogger(__name__)
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 3.0
_REFUSED_WAIT_S, _LOOK_EVERY_S = 60.0, 1.0
"""Between attempts with a token that was refused: Home Assistant may ban an address that tries often."""
_SETTLE_S = 0.2
_EXPOSURE_EVERY_S = 60.0
_REGISTRY_EVENTS = (
    *("area_registry_updated", "floor_registry_updated", "label_registry_updated", "device_registry_updated"),
    *("entity_registry_updated", "core_config_updated", "homeassistant_started"),
)


class _Added(msgspec.Struct):
    s: str = "unknown"
    a: dict[str, Any] = {}
    c: Any = None


class _Set(msgspec.Struct):
    s: str | None = None
    a: dict[str, Any] = {}
    c: Any = None


class _Removed(msgspec.Struct):
    a: list[str] = []


class _Changed(msgspec.Struct):
    plus: _Set = msgspec.field(name="+", default_factory=_Set)
    minus: _Removed = msgspec.field(name="-", default_factory=_Removed)


class _States(msgspec.Struct):
    a: dict[str, _Added] = {}
    c: dict[str, _Changed] = {}
    r: list[str] = []


class HomeAssistant:
    """A ``HomePort``. It connects in the background, and again whenever the connection is lost."""

    def __init__(
        self,
        thread: LinkThread,
        url: str,
        token: Callable[[], str],
        known: Home | None = None,
        keep: Callable[[HomeState], None] | None = None,
        certificate: str | None = None,
    ) -> None:
        """Begin to connect.

        Args:
            thread: Where the connection lives.
            url: ``http://homeassistant.local:8123``.
            token: Asked at each attempt, so that a new token is used without a restart.
            known: The home as it was seen last, until the connection stands.
            keep: Takes the home each time that its names were read.
            certificate: File of the authority that signed the server's, where it is your own.
        """
        self._thread, self._url, self._token, self._keep = thread, url, token, keep
        self._certificate = certificate
        self._live = LiveHome(known)
        self._shown_names: dict[str, str] = {}
        self._registries = Registries()
        self._socket: HomeSocket | None = None
        self._subscription: tuple[int, frozenset[str]] | None = None
        self._stale: asyncio.Event | None = None
        self._staying = thread.stay(self._stay_connected(), "the connection to Home Assistant")

    def snapshot(self) -> HomeState:
        """The home as it is known now."""
        return self._live.snapshot()

    def call(self, call: ServiceCall) -> Future[Outcome]:
        """Begin a service call; it is sent at most once, and not after its deadline."""
        return self._thread.begin(settled(self._call(call, time.monotonic() + call.deadline_s)))

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

    async def _call(self, call: ServiceCall, end_s: float) -> Outcome:
        outcome = await carry_out(call, self._live, lambda: self._socket, end_s)
        if outcome.status is OutcomeStatus.UNREACHABLE and self._live.trouble:
            return replace(outcome, reason=f"{outcome.reason}: {self._live.trouble}")
        return outcome

    async def _stay_connected(self) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                await self._session()
            except TokenRefusedError as error:
                self._live.lost(str(error))
                await self._new_token()
            except Exception as error:
                if not isinstance(error, (EdgeError, msgspec.MsgspecError, asyncio.TimeoutError)):
                    _LOG.exception("the connection to Home Assistant failed in a way that is a mistake of ours")
                wait_s = _FIRST_WAIT_S if self._live.snapshot().connected else wait_s
                self._live.lost(str(error) or "Home Assistant answers too slowly")
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    async def _new_token(self) -> None:
        """Wait for another token, or long enough to try the refused one again."""
        refused, end_s = self._token(), time.monotonic() + _REFUSED_WAIT_S
        while time.monotonic() < end_s and self._token() == refused:
            await asyncio.sleep(_LOOK_EVERY_S)

    async def _session(self) -> None:
        """One connection from beginning to end."""
        home = await HomeSocket.open(self._url, self._token(), self._certificate)
        self._stale, self._subscription = asyncio.Event(), None
        listening = asyncio.ensure_future(home.listen())
        following = asyncio.ensure_future(self._follow(home, self._stale))
        try:
            done, _ = await asyncio.wait((listening, following), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._socket = None
            for task in (listening, following):
                task.cancel()
            home.abort()
            await asyncio.gather(listening, following, return_exceptions=True)

    async def _follow(self, home: HomeSocket, stale: asyncio.Event) -> None:
        """Read the registries, then again whenever they change."""
        for event in _REGISTRY_EVENTS:
            await home.subscribe("subscribe_events", lambda _: stale.set(), event_type=event)
        while True:
            stale.clear()
            self._registries = await read_registries(home)
            await self._take(home)
            if self._socket is None:
                self._socket = home
                self._live.found()
                _LOG.info("connected to Home Assistant %s at %s", home.version, self._url)
            if self._keep is not None:
                self._keep(self._live.snapshot())
            return_freed_memory()
            await self._until_stale(home, stale)

    async def _until_stale(self, home: HomeSocket, stale: asyncio.Event) -> None:
        """Wait for an event of a registry; what is exposed without being registered tells none, so it is asked for."""
        while True:
            try:
                await asyncio.wait_for(stale.wait(), _EXPOSURE_EVERY_S)
                await asyncio.sleep(_SETTLE_S)
                return
            except asyncio.TimeoutError:
                if hash(await read_exposure(home)) != self._registries.exposure:
                    return

    async def _take(self, home: HomeSocket) -> None:
        """Make the live home fit the registries, and follow the states of exactly their entities."""
        naming = self._registries.naming
        self._live.set_places(self._registries.areas, self._registries.floors, self._registries.temperature_unit)
        ids = frozenset(naming)
        if self._subscription is None or self._subscription[1] != ids:
            before, self._subscription = self._subscription, None
            if ids:
                came = asyncio.Event()
                number = await home.subscribe(
                    "subscribe_entities", lambda event: self._on_states(event, came), entity_ids=sorted(ids)
                )
                self._subscription = number, ids
                await asyncio.wait_for(came.wait(), 20)
            if before is not None:
                await home.unsubscribe(before[0])
        for entity_id in self._shown_names:
            entity = self._live.entity(entity_id)
            if entity is not None and entity_id in ids:
                self._put(entity_id, entity.state, entity.attributes)
        self._shown_names = {key: value for key, value in self._shown_names.items() if key in ids}
        self._live.keep_only(self._shown_names)

    def _on_states(self, event: msgspec.Raw, came: asyncio.Event) -> None:
        states = msgspec.json.decode(event, type=_States)
        for entity_id, added in states.a.items():
            self._shown_names[entity_id] = str(added.a.get("friendly_name") or "")
            self._put(entity_id, added.s, added.a, added.c)
        for entity_id, changed in states.c.items():
            if (before := self._live.entity(entity_id)) is not None:
                self._change(before, changed)
        for entity_id in states.r:
            self._shown_names.pop(entity_id, None)
        if states.r:
            self._live.keep_only(self._shown_names)
        came.set()

    def _change(self, before: Entity, changed: _Changed) -> None:
        attributes, gone = before.attributes, set(changed.minus.a)
        if changed.plus.a or gone:
            attributes = {key: value for key, value in attributes.items() if key not in gone} | changed.plus.a
        if "friendly_name" in changed.plus.a or "friendly_name" in gone:
            self._shown_names[before.id] = str(changed.plus.a.get("friendly_name") or "")
        self._put(before.id, changed.plus.s if changed.plus.s is not None else before.state, attributes, changed.plus.c)

    def _put(self, entity_id: str, state: str | None, attributes: dict[str, Any], context: object = None) -> None:
        naming = self._registries.naming.get(entity_id, _UNNAMED)
        entity = naming.entity(entity_id, self._shown_names[entity_id], state or "unknown", attributes)
        cause = context.get("id") if isinstance(context, dict) else context
        self._live.put(entity, cause if isinstance(cause, str) else None)


_UNNAMED = Naming()
