"""A service call to devices of a broker, from its publishing to the states that show that it was carried out."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

from edge.home.effects import ServiceRefusedError
from edge.home.expected import numbers_follow, state_follows
from edge.home.live import LiveHome
from edge.home.mqtt.board import Board
from edge.home.mqtt.things import Message, NotSupportedError, Thing
from edge.home.services import service_of
from edge.types import Outcome, OutcomeStatus, ServiceCall

_LENIENT_S, _SETTLE_S, MARGIN_S = 1.0, 0.3, 0.05
"""A device that was in the asked state already may stay silent for so long; attributes may follow the state."""


async def carry_out(
    call: ServiceCall,
    board: Board,
    live: LiveHome,
    publish: Callable[[list[Message], float], Awaitable[str | None]],
    end_s: float,
) -> Outcome:
    """Publish the call and wait for its effect until ``end_s``; ``publish`` says why it could not."""
    known = [thing for target in call.targets if (thing := board.things.get(target)) is not None]
    reached = [thing for thing in known if board.entity(thing).reachable]
    left_out = tuple(target for target in call.targets if target not in {thing.entity.id for thing in reached})
    if not reached:
        return Outcome(OutcomeStatus.UNREACHABLE, f"not there or unavailable: {', '.join(call.targets)}")
    try:
        messages = [message for thing in reached for message in _messages(call, thing, board)]
    except (NotSupportedError, ValueError, KeyError) as error:
        return Outcome(OutcomeStatus.REFUSED, str(error))
    told, failed, recorder = board.told.copy(), board.failed.copy(), live.record()
    try:
        problem = await publish(messages, end_s)
        if problem is not None:
            return Outcome(OutcomeStatus.UNREACHABLE, problem)
        for thing in reached:
            _assume(call, thing, board, live)
        late, lost = await _effect(call, reached, board, live, (told, failed), end_s)
        changes = tuple(caused.change for caused in recorder if caused.change.entity_id in call.targets)
    finally:
        live.stop_recording(recorder)
    if len(late) == len(reached):
        status = OutcomeStatus.UNREACHABLE if lost else OutcomeStatus.TIMED_OUT
        return Outcome(status, f"no answer from {', '.join(late)}", left_out, changes)
    return Outcome(OutcomeStatus.DONE, "", (*left_out, *late), changes)


async def _effect(
    call: ServiceCall,
    reached: list[Thing],
    board: Board,
    live: LiveHome,
    before: tuple[Counter[str], Counter[str]],
    end_s: float,
) -> tuple[tuple[str, ...], bool]:
    """The devices that do not follow the call, and whether the radio could not reach them."""
    begun_s, (told, failed) = _now(), before

    def lost(thing: Thing) -> bool:
        return board.failed[thing.source] > failed[thing.source]

    def waits_for(thing: Thing) -> bool:
        entity, id_ = board.entity(thing), thing.entity.id
        follows = state_follows(call, entity)
        if follows is None:
            return thing.confirms and board.told[id_] == told[id_]
        silent = board.told[id_] == told[id_] and (thing.confirms or _now() < begun_s + _LENIENT_S)
        return not follows or silent

    def over() -> bool:
        return all(lost(thing) or not waits_for(thing) for thing in reached)

    lenient_s = min(end_s - MARGIN_S, begun_s + _LENIENT_S + MARGIN_S)
    if not await live.until(over, lenient_s):
        await live.until(over, end_s - MARGIN_S)
    settled_s = min(end_s - MARGIN_S, _now() + _SETTLE_S)
    await live.until(lambda: all(numbers_follow(call, board.entity(thing)) for thing in reached), settled_s)
    late = tuple(thing.entity.id for thing in reached if lost(thing) or waits_for(thing))
    return late, any(lost(thing) for thing in reached)


def _messages(call: ServiceCall, thing: Thing, board: Board) -> tuple[Message, ...]:
    if thing.writes is None or thing.entity.domain != call.domain:
        raise NotSupportedError(f"{call.domain}.{call.service} is not for {thing.entity.id}")
    return thing.writes(call, board.entity(thing))


def _assume(call: ServiceCall, thing: Thing, board: Board, live: LiveHome) -> None:
    """Put a device that never tells its state into the one that it was told."""
    entity, service = board.entity(thing), service_of(call.domain, call.service)
    if entity.attributes.get("assumed_state") and service is not None:
        with suppress(ServiceRefusedError):
            live.put(service(entity, call.data))


def _now() -> float:
    return asyncio.get_running_loop().time()
