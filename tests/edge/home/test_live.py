"""What the loop's thread sees of a home that another thread keeps current."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

from edge.home.live import LiveHome
from edge.links.thread import LinkThread
from edge.types import Area, Entity, Home, StateChange

LAMP = Entity("light.lamp", "Lamp", (), None, "off", {"brightness": None})


def test_it_starts_as_it_was_seen_last_and_out_of_reach() -> None:
    live = LiveHome(Home((Area("den", "Den"),), (), (LAMP,)))
    state = live.snapshot()
    assert (state.areas, state.entities, state.connected) == ((Area("den", "Den"),), (LAMP,), False)
    live.found()
    assert live.snapshot().connected
    live.lost("gone")
    assert (live.snapshot().connected, live.trouble) == (False, "gone")


def test_changes_are_told_once_and_bounded() -> None:
    live = LiveHome(Home(entities=(LAMP,)))
    live.put(replace(LAMP, state="on", attributes={"brightness": 5}))
    assert live.take_changes() == (
        StateChange("light.lamp", "state", "off", "on"),
        StateChange("light.lamp", "brightness", None, 5),
    )
    assert live.take_changes() == ()
    for number in range(3000):
        live.put(replace(LAMP, state="on", attributes={"brightness": number}))
    assert len(live.take_changes()) == 1000


def test_the_version_of_names_follows_names_alone() -> None:
    live = LiveHome(Home(entities=(LAMP,)))

    def moves(change: Entity) -> bool:
        before = live.snapshot().names_version
        live.put(change)
        return live.snapshot().names_version != before

    assert not moves(replace(LAMP, state="on"))
    assert moves(replace(LAMP, aliases=("light",)))
    assert moves(replace(LAMP, area_id="den"))
    assert moves(Entity("light.other", "Other"))
    before = live.snapshot().names_version
    live.keep_only(["light.lamp"])
    assert live.snapshot().names_version > before
    assert live.snapshot().entity("light.other") is None


def test_a_snapshot_stays_what_it_was() -> None:
    live = LiveHome(Home(entities=(LAMP,)))
    before = live.snapshot()
    assert live.snapshot() is before, "asking again costs nothing"
    live.put(replace(LAMP, state="on"))
    assert [entity.state for entity in before.entities] == ["off"]
    assert [entity.state for entity in live.snapshot().entities] == ["on"]


def test_snapshots_are_whole_while_another_thread_writes() -> None:
    live, over = LiveHome(), threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            live.put(Entity(f"light.n{number % 500}", f"n{number}"))
            if number % 700 == 0:
                live.keep_only([])

    thread = threading.Thread(target=write)
    thread.start()
    end_s = time.monotonic() + 0.5
    while time.monotonic() < end_s:
        ids = [entity.id for entity in live.snapshot().entities]
        assert len(ids) == len(set(ids))
    over.set()
    thread.join()


def test_waiting_ends_with_what_is_waited_for_or_with_its_time() -> None:
    async def story() -> tuple[bool, bool, float]:
        live, loop = LiveHome(Home(entities=(LAMP,))), asyncio.get_running_loop()
        loop.call_later(0.05, live.put, replace(LAMP, state="on"))

        def is_on() -> bool:
            entity = live.entity("light.lamp")
            return entity is not None and entity.state == "on"

        came = await live.until(is_on, loop.time() + 2)
        begun_s = loop.time()
        never = await live.until(lambda: False, loop.time() + 0.1)
        return came, never, loop.time() - begun_s

    came, never, took_s = asyncio.run(story())
    assert came
    assert not never
    assert 0.09 < took_s < 0.5


def test_the_thread_ends_with_what_still_runs_in_it() -> None:
    ended = []

    async def endless() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            ended.append(True)

    thread = LinkThread()
    future = thread.begin(endless())
    assert thread.begin(asyncio.sleep(0, "here")).result(1) == "here"
    thread.close()
    assert ended == [True]
    assert future.cancelled()
    assert not any(other.name == "links" for other in threading.enumerate())
