"""A service call to Home Assistant, from its sending to the state that shows that it was carried out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from edge.home.expected import numbers_follow, state_follows
from edge.home.home_assistant.socket import CommandError, HomeSocket, LostError
from edge.home.live import LiveHome
from edge.types import Entity, Outcome, OutcomeStatus, ServiceCall, StateChange

_REFUSALS = frozenset(("service_validation_error", "invalid_format", "not_found", "unauthorized", "not_supported"))
_RETURNING = frozenset(("search_media", "browse_media"))
_PONG_WITHIN_S = 1.0
_SETTLE_S = 0.3
"""How long attributes may follow a call whose state was reached already."""
_MARGIN_S = 0.05


class _Context(msgspec.Struct):
    id: str = ""


class _Result(msgspec.Struct):
    context: _Context = msgspec.field(default_factory=_Context)
    response: dict[str, Any] | None = None


async def carry_out(
    call: ServiceCall, live: LiveHome, connection: Callable[[], HomeSocket | None], end_s: float
) -> Outcome:
    """Send the call once a connection stands, and wait for its result and its effect until ``end_s``."""
    known = [entity for target in call.targets if (entity := live.entity(target)) is not None]
    reached = tuple(entity.id for entity in known if entity.reachable)
    left_out = tuple(target for target in call.targets if target not in reached)
    if call.targets and not reached:
        return Outcome(OutcomeStatus.UNREACHABLE, f"not there or unavailable: {', '.join(call.targets)}")
    await live.until(lambda: connection() is not None, min(end_s - _MARGIN_S, _now() + _PONG_WITHIN_S))
    home = connection()
    if home is None:
        return Outcome(OutcomeStatus.UNREACHABLE, "not connected to Home Assistant")
    recorder = live.record()
    try:
        outcome, cause = await _send(call, reached, home, end_s)
        if outcome.done:
            outcome = await _effect(call, reached, live, outcome, end_s)
        changes = tuple(c.change for c in recorder if c.change.entity_id in reached or (cause and c.cause == cause))
        return _with(outcome, left_out, changes)
    finally:
        live.stop_recording(recorder)


async def _send(call: ServiceCall, reached: tuple[str, ...], home: HomeSocket, end_s: float) -> tuple[Outcome, str]:
    """Home Assistant's answer and the id that its changes carry.

    The call is only sent to a server that answered a ping just before. A second ping goes out behind it: without its
    answer the network is dead, and the connection is reset, so that the call cannot arrive later than its deadline.
    """
    try:
        await home.ask("ping", within_s=max(0.0, min(_PONG_WITHIN_S, end_s - _MARGIN_S - _now())))
    except LostError as error:
        home.abort()
        return Outcome(OutcomeStatus.UNREACHABLE, f"{error}; nothing was sent"), ""
    fields: dict[str, object] = {"domain": call.domain, "service": call.service, "service_data": dict(call.data)}
    if reached:
        fields["target"] = {"entity_id": list(reached)}
    if call.service.startswith("get_") or call.service in _RETURNING:
        fields["return_response"] = True
    answer, pong = home.send("call_service", **fields), home.send("ping")
    left_s = max(0.0, min(_PONG_WITHIN_S, end_s - _MARGIN_S - _now()))
    await asyncio.wait((answer, pong), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
    if not answer.done() and not pong.done():
        home.abort()
        answer.cancel()
        return Outcome(OutcomeStatus.TIMED_OUT, "Home Assistant does not answer any more; the call was taken back"), ""
    try:
        raw = await asyncio.wait_for(answer, max(0.0, end_s - _MARGIN_S - _now()))
    except asyncio.TimeoutError:
        return Outcome(OutcomeStatus.TIMED_OUT, "Home Assistant took the call and did not finish it in time"), ""
    except CommandError as error:
        status = OutcomeStatus.REFUSED if error.code in _REFUSALS else OutcomeStatus.FAILED
        return Outcome(status, str(error)), ""
    except LostError as error:
        return Outcome(OutcomeStatus.TIMED_OUT, f"{error}; whether it was carried out is not known"), ""
    result = msgspec.json.decode(raw, type=_Result)
    return Outcome(OutcomeStatus.DONE, response=result.response or {}), result.context.id


async def _effect(
    call: ServiceCall, reached: tuple[str, ...], live: LiveHome, outcome: Outcome, end_s: float
) -> Outcome:
    """The outcome once the states show it; a device that took the command and does not follow timed out."""

    def entities() -> list[Entity]:
        return [entity for target in reached if (entity := live.entity(target)) is not None]

    def late() -> tuple[str, ...]:
        return tuple(entity.id for entity in entities() if state_follows(call, entity) is False)

    await live.until(lambda: not late(), end_s - _MARGIN_S)
    if late():
        missing = late()
        if len(missing) == len(reached):
            return Outcome(OutcomeStatus.TIMED_OUT, f"{', '.join(missing)} did not follow in time")
        return Outcome(outcome.status, outcome.reason, missing, response=outcome.response)
    settled = min(end_s - _MARGIN_S, _now() + _SETTLE_S)
    await live.until(lambda: all(numbers_follow(call, entity) for entity in entities()), settled)
    return outcome


def _with(outcome: Outcome, left_out: tuple[str, ...], changes: tuple[StateChange, ...]) -> Outcome:
    response: Mapping[str, object] = outcome.response
    return Outcome(outcome.status, outcome.reason, (*left_out, *outcome.left_out), changes, response)


def _now() -> float:
    return asyncio.get_running_loop().time()
