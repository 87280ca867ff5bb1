"""Days of turns in one process of an English household: memory, files, threads and store do not grow.

CI takes 1,000 turns; ``make soak`` takes 10,000, with a week of simulated time. Three and more languages in turn
load their replies anew each time: that fragments the heap, by 3 MiB in 10,000 turns, and is not asserted.
"""

from __future__ import annotations

import gc
import os
import random
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from edge import compose
from edge.assistant import Assistant
from edge.board.memory import return_freed_memory, rss_mib
from edge.dialogue.dialogue import open_dialogue
from edge.grammar.completeness import completeness
from edge.home.clock import FakeClock
from edge.home.demo import default_home
from edge.parts import Mind
from edge.types import Reply, Transcript

TURNS = int(os.environ.get("EDGE_SOAK_TURNS", "1000"))
WARM_UP = 3000
GROWTH_MIB = 1.0
SECONDS_A_TURN = 60.0
SENTENCES = (
    *(
        "turn on the kitchen light",
        "turn off all the lights",
        "set the living room light to 40 percent",
        "what time is it",
    ),
    *("set a timer for five minutes", "set a pizza timer for one hour", "cancel all timers", "how long is left"),
    *("turn off the light in ten minutes", "add milk to the shopping list", "remove milk from the shopping list"),
    *(
        "open the bedroom blinds",
        "lock the back door",
        "unlock the back door",
        "yes",
        "no",
        "never mind",
        "the first one",
    ),
    *("set the bedroom thermostat to 21 degrees", "start the vacuum", "pause the music", "is the front door locked"),
    *("what is the weather like", "blorp the frobnicator {}", "", "{} {} {}", "the light", "turn on the lamp"),
)


def spoken(clock: FakeClock, draw: random.Random, count: int) -> Iterator[Transcript | None]:
    """Turns of which many have names and words of their own; time passes between them, so that timers ring."""
    for _ in range(count):
        clock.advance(SECONDS_A_TURN)
        yield None
        text = draw.choice(SENTENCES)
        yield Transcript(text.format(*strange_words(draw, text.count("{}"))))


def strange_words(draw: random.Random, count: int) -> list[str]:
    """Words that were not said before."""
    return ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=8)) for _ in range(count)]


@pytest.mark.timeout(1800)
def test_nothing_grows(tmp_path: Path) -> None:
    return_freed_memory()
    clock = FakeClock(datetime(2026, 3, 14, 15, 9, 26, tzinfo=timezone.utc))
    dialogue = open_dialogue(default_home(), clock=clock, store_path=tmp_path / "home.json")
    parser = compose.parser(compose.bundle("home"), default_home(), "en")
    mind = Mind(parser, dialogue, completeness, lambda: Reply("sorry"), dialogue.due)
    assistant, draw = Assistant(mind), random.Random(1)
    for word in strange_words(draw, 64 * 40):  # what is remembered of words has its full size from now on
        parser.parse(Transcript(word))
    turns = sum(1 for _ in assistant.turns(spoken(clock, draw, WARM_UP)))
    gc.collect()
    before_mib, files, threads = rss_mib(), len(os.listdir("/proc/self/fd")), threading.active_count()
    failed = 0
    for turn in assistant.turns(spoken(clock, draw, TURNS)):
        turns += 1
        failed += turn.error is not None
    gc.collect()
    grown_mib = rss_mib() - before_mib
    assert turns > (WARM_UP + TURNS) * 0.9
    assert failed == 0
    assert grown_mib <= GROWTH_MIB * max(1.0, TURNS / 10_000), f"{grown_mib:.2f} MiB in {TURNS} turns"
    assert len(os.listdir("/proc/self/fd")) == files
    assert threading.active_count() == threads
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1_000_000
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
