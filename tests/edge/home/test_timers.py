"""Timers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge.dialogue.chime import chime
from edge.home.timers import rounded, split_seconds

if TYPE_CHECKING:
    from conftest import Talker


def test_timer_rings_once_when_its_time_is_up(say: Talker) -> None:
    assert say("HassStartTimer", minutes=5, name="pizza") == "Timer set for 5 minutes named pizza"
    assert say.changed == {("timer.1", "seconds"): 300, ("timer.1", "name"): "pizza"}
    say.clock.advance(299)
    assert say.dialogue.due() == ()
    say.clock.advance(1)
    (ring,) = say.dialogue.due()
    assert (ring.timer.name, ring.reply.text, ring.command) == ("pizza", "pizza", None)
    assert ring.sound.duration_ms > 500
    assert say.dialogue.due() == ()


def test_timers_ring_in_the_order_in_which_they_end(say: Talker) -> None:
    say("HassStartTimer", minutes=2, name="eggs")
    say("HassStartTimer", seconds=90, name="tea")
    say("HassStartTimer", hours=1)
    say.clock.advance(600)
    assert [ring.timer.name for ring in say.dialogue.due()] == ["tea", "eggs"]
    assert len(say.dialogue.timers.all()) == 1


def test_one_and_a_half_hours(say: Talker) -> None:
    say("HassStartTimer", hours=1, minutes=30)
    assert say.dialogue.timers.all()[0].length_s == 5400


def test_delayed_command_comes_back_when_due(say: Talker) -> None:
    reply = say("HassStartTimer", seconds=10, conversation_command="open the garage door", language="en")
    assert reply == "Command will be executed in 10 seconds"
    say.clock.advance(10)
    (ring,) = say.dialogue.due()
    assert (ring.command, ring.timer.language) == ("open the garage door", "en")


def test_pause_resume_and_change(say: Talker) -> None:
    say("HassStartTimer", minutes=10)
    say.clock.advance(60)
    assert say("HassPauseTimer") == "Timer paused"
    say.clock.advance(3600)
    assert say.dialogue.due() == ()
    assert say("HassUnpauseTimer") == "Timer resumed"
    assert say("HassIncreaseTimer", minutes=2) == "2 minutes added to timer"
    assert say("HassDecreaseTimer", minutes=1) == "1 minute removed from timer"
    (timer,) = say.dialogue.timers.all()
    assert say.dialogue.timers.remaining_s(timer) == 600
    say("HassDecreaseTimer", hours=1)
    assert len(say.dialogue.due()) == 1


def test_more_or_less_time_needs_an_amount(say: Talker) -> None:
    say("HassStartTimer", minutes=10)
    assert say("HassIncreaseTimer").startswith("Sorry")
    assert say("HassDecreaseTimer").startswith("Sorry")
    assert say.changed == {}


def test_several_timers_are_told_apart(say: Talker) -> None:
    say("HassStartTimer", minutes=10, name="pasta")
    say("HassStartTimer", minutes=20)
    assert say("HassCancelTimer") == "Sorry, I am unable to target multiple timers"
    assert say("HassCancelTimer", start_minutes=20) == "Timer cancelled"
    assert say("HassCancelTimer", name="soup") == "Sorry, I couldn't find that timer"
    assert say("HassCancelTimer", name="Pasta") == "Timer cancelled"
    assert say.dialogue.timers.all() == ()


def test_named_timers_are_asked_about(say: Talker) -> None:
    say("HassStartTimer", minutes=10, name="pasta")
    say("HassStartTimer", minutes=20, name="bread")
    assert say("HassPauseTimer", "pause the timer") == "Sorry, I am unable to target multiple timers. pasta, bread?"
    assert say.reply.expects_answer
    assert say(None, "the bread") == "Timer paused"
    assert [timer.active for timer in say.dialogue.timers.all()] == [True, False]


def test_cancel_all(talker: Callable[..., Talker]) -> None:
    say = talker("Kitchen")
    assert say("HassCancelAllTimers") == "No timers were canceled."
    say("HassStartTimer", minutes=1)
    say("HassStartTimer", minutes=2)
    assert say("HassCancelAllTimers", area="Office") == "No timers were canceled in Office."
    assert say("HassCancelAllTimers", area="Kitchen") == "Canceled 2 timers in Kitchen."


def test_status(say: Talker) -> None:
    assert say("HassTimerStatus") == "No timers."
    say("HassStartTimer", minutes=30, name="pizza")
    say.clock.advance(295)
    assert say("HassTimerStatus") == "25 minutes left."
    say("HassStartTimer", hours=1)
    assert say("HassTimerStatus").startswith("2 running timers. 25 minutes left on 30 minute pizza timer")
    assert say("HassTimerStatus", language="de", name="pizza") == "25 Minuten verbleiben."


def test_timer_without_a_duration(say: Talker) -> None:
    assert say("HassStartTimer") == "Sorry, I couldn't understand that"
    assert say.dialogue.timers.all() == ()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3600, (1, 0, 0)),
        (3600 + 50 * 60, (2, 0, 0)),
        (3600 + 20 * 60, (1, 30, 0)),
        (100, (0, 1, 30)),
        (110, (0, 2, 0)),
        (125, (0, 2, 0)),
        (59, (0, 0, 59)),
    ],
)
def test_rounding(seconds: float, said: tuple[int, int, int]) -> None:
    assert rounded(*split_seconds(seconds)) == said


def test_chime_is_heard_and_does_not_clip() -> None:
    frame = chime(16_000)
    assert frame.rate_hz == 16_000
    assert frame.pcm.dtype == np.int16
    assert 8_000 < np.abs(frame.pcm.astype(int)).max() < 32_000
    assert abs(int(frame.pcm[0])) < 100
