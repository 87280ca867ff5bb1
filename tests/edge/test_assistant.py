"""The order of the stages and what the loop survives, with stages that follow a script."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edge.dialogue.dialogue import Ring
from edge.errors import DeviceError, EngineError
from edge.home.timers import Timer
from edge.protocols import Completeness
from edge.types import Action, AudioFrame, Reply, Transcript
from tests.edge.scripted import FRAME_MS, LOUD, QUIET, SENTENCE, Bench, CountWake, LiveFrames, frames


def test_a_sentence_passes_every_stage_in_order() -> None:
    bench = Bench("lights on")
    (turn,) = bench.hear(*SENTENCE)
    assert turn.transcript is not None
    assert turn.parse is not None
    assert (turn.transcript.text, turn.parse.intent, turn.action, turn.reply) == (
        "lights on",
        "lights on",
        Action("lights on"),
        Reply("did lights on"),
    )
    assert [span.stage for span in turn.spans] == ["end-point", "recognize", "parse", "act", "voice", "play"]
    assert bench.speaker.played == [3]
    assert turn.error is None


def test_the_recognizer_gets_the_sound_before_speech_was_noticed() -> None:
    bench = Bench("lights on")
    bench.hear(*SENTENCE)
    heard_ms = bench.recognizer.lengths[0] * FRAME_MS
    assert heard_ms >= 20 * FRAME_MS + 600 + 200


class Halve:
    """A filter that halves the loudness."""

    def accept(self, frame: AudioFrame) -> AudioFrame:
        return AudioFrame(frame.pcm // 2, frame.rate_hz, frame.start_ms)


def test_frames_pass_the_filters_before_anything_listens() -> None:
    bench = Bench("lights on", wake=CountWake(), front=(Halve(), Halve()))
    (turn,) = bench.hear((5, 4), (20, 1), *SENTENCE)
    assert turn.action == Action("lights on")
    assert bench.hear((5, 1), *SENTENCE) == []


def test_the_latency_is_the_waited_audio_and_the_work_after_the_end_of_speech() -> None:
    (turn,) = Bench("lights on").hear(*SENTENCE)
    assert turn.waited_ms == 608
    assert turn.saved_ms == 0
    assert turn.first_audio_ms is not None
    assert 608 < turn.first_audio_ms < 658


def test_a_complete_command_is_not_waited_for() -> None:
    bench = Bench("lights on", completeness=Completeness.COMPLETE)
    (turn,) = bench.hear(*SENTENCE)
    assert bench.endpointer.waits_ms == [224]
    assert turn.waited_ms == 224
    assert turn.saved_ms == 376


def test_a_command_that_could_go_on_is_waited_for_a_little_longer() -> None:
    (turn,) = Bench("lights on", completeness=Completeness.OPEN).hear(*SENTENCE)
    assert turn.waited_ms == 416
    assert turn.saved_ms == 184


def test_speech_that_goes_on_after_a_pause_is_asked_again() -> None:
    bench = Bench("lights on")
    (turn,) = bench.hear((QUIET, 10), (LOUD, 20), (QUIET, 8), (LOUD, 10), (QUIET, 30))
    assert bench.endpointer.waits_ms == [600, 600]
    assert turn.waited_ms == 608


def test_a_source_that_ends_in_mid_speech_is_answered() -> None:
    (turn,) = Bench("lights on").hear((QUIET, 10), (LOUD, 20))
    assert turn.action == Action("lights on")


def test_silence_and_unintelligible_sound_are_no_turns() -> None:
    assert Bench().hear((QUIET, 500)) == []
    bench = Bench("", "lights on")
    assert [turn.action for turn in bench.hear(*SENTENCE, *SENTENCE)] == [Action("lights on")]


def test_typed_text_takes_the_same_path_without_ears() -> None:
    bench = Bench()
    turns = list(bench.assistant.turns([Transcript("one"), None, Transcript("?")]))
    assert [turn.reply.text for turn in turns if turn.reply] == ["did one", "did None"]
    assert [span.stage for span in turns[0].spans] == ["parse", "act", "voice", "play"]
    assert turns[1].action is None


def test_only_the_wake_word_opens_the_ears() -> None:
    bench = Bench("lights on", wake=CountWake())
    assert bench.hear(*SENTENCE) == []
    assert [turn.action for turn in bench.hear((5, 1), *SENTENCE, *SENTENCE)] == [Action("lights on")]


def test_after_the_wake_word_patience_ends() -> None:
    bench = Bench("lights on", wake=CountWake())
    assert bench.hear((5, 1), (QUIET, 260), *SENTENCE) == []


def test_a_question_is_answered_without_the_wake_word() -> None:
    bench = Bench("ask", "kitchen", "unheard", wake=CountWake())
    turns = bench.hear((5, 1), *SENTENCE, *SENTENCE, *SENTENCE)
    assert [turn.parse.intent for turn in turns if turn.parse] == ["ask", "kitchen"]


@pytest.mark.parametrize("failure", [EngineError("the model is damaged"), RuntimeError("a bug"), ValueError("")])
def test_a_failing_recognizer_costs_one_turn(failure: Exception) -> None:
    bench = Bench(failure, "", "lights on")
    first, second = bench.hear(*SENTENCE, *SENTENCE)
    assert first.error == (str(failure) or "ValueError")
    assert first.reply == Reply("sorry")
    assert bench.speaker.played == [1, 3]
    assert second.action == Action("lights on")
    assert second.error is None


def test_a_failing_parser_or_skill_costs_one_turn_and_one_line() -> None:
    bench = Bench()
    texts = [Transcript(text) for text in ("broken parser", "broken skill", "lights on")]
    parser, skill, good = bench.assistant.turns(texts)
    assert (parser.error, parser.reply) == ("the parser broke", Reply("sorry"))
    assert (skill.error, skill.reply) == ("a bug in the skill", Reply("sorry"))
    assert good.reply == Reply("did lights on")


def test_a_failing_speaker_keeps_what_was_done() -> None:
    bench = Bench(speaker_failure=DeviceError("the card is gone"))
    (turn,) = bench.assistant.turns([Transcript("lights on")])
    assert turn.action == Action("lights on")
    assert turn.reply == Reply("did lights on")
    assert turn.error == "the card is gone"


def test_ears_that_always_fail_end_the_loop_with_the_reason() -> None:
    bench = Bench(*[EngineError("no ears")] * 30)
    with pytest.raises(EngineError, match="hearing failed 10 times in a row: no ears"):
        bench.hear(*SENTENCE * 15)


def ring(name: str, command: str | None = None) -> Ring:
    sound = AudioFrame(np.full(160, 9, np.int16), 16000)
    return Ring(Timer("timer.1", 60, 0.0, 0.0), sound, Reply(name), command)


def test_a_timer_rings_between_turns_and_nothing_typed_is_lost() -> None:
    bench = Bench()
    bench.skill.rings.append(ring("pizza timer"))
    rung, typed = bench.assistant.turns([Transcript("lights on")])
    assert (rung.transcript, rung.reply) == (None, Reply("pizza timer"))
    assert bench.speaker.played == [1, 2, 3]
    assert typed.action == Action("lights on")


def test_a_timer_rings_while_nobody_speaks_and_carries_out_its_command() -> None:
    bench = Bench()
    bench.skill.rings.append(ring("", command="lights off"))
    (rung,) = bench.assistant.turns([None])
    assert rung.action == Action("lights off")
    assert bench.speaker.played == [1, 3]


def test_many_timers_at_once_leave_time_for_the_watchdog_and_for_people() -> None:
    """Eighty rang one after the other before the loop asked for sound again: longer than the watchdog waits."""
    bench = Bench()
    bench.skill.rings.extend(ring(f"timer {number}") for number in range(80))
    asked = 0

    def source() -> Iterator[Transcript | None]:
        nonlocal asked
        for number in range(100):
            asked += 1
            yield Transcript("lights on") if number == 5 else None

    at: list[tuple[int, str]] = []
    for turn in bench.assistant.turns(source()):
        assert turn.reply is not None
        at.append((asked, turn.reply.text))
    rung = [place for place, text in at if text.startswith("timer")]
    assert len(rung) == 80
    assert len(set(rung)) == 80
    assert next(place for place, text in at if not text.startswith("timer")) == 6


def test_what_was_heard_while_speaking_is_forgotten() -> None:
    live = LiveFrames()
    live.waiting.extend(frames((LOUD, 30)))
    bench = Bench("lights on", "own voice", live=live)
    (turn,) = bench.assistant.turns(frames(*SENTENCE))
    assert turn.action == Action("lights on")
    assert live.flushed == 1
    assert bench.speaker.played == [3]


def test_speech_during_the_reply_stops_it_and_is_the_next_command() -> None:
    live = LiveFrames()
    live.waiting.extend(frames((QUIET, 12), (LOUD, 20), (QUIET, 30)))
    bench = Bench("one two three four five six", "stop", live=live, barge_in=True, wake=CountWake())
    heard = list(frames((5, 1), *SENTENCE))
    source = [*heard, *(None for _ in range(1))]

    def with_the_rest() -> Iterator[AudioFrame | None]:
        yield from source
        while live.waiting:
            yield live.poll()

    first, second = bench.assistant.turns(with_the_rest())
    assert first.interrupted
    assert bench.speaker.played[0] < 7
    assert live.flushed == 1
    assert second.action == Action("stop")


def test_lost_frames_are_counted_per_turn() -> None:
    live = LiveFrames()
    bench = Bench("one", "two", live=live)

    def losing() -> Iterator[AudioFrame]:
        yield from frames((QUIET, 10), (LOUD, 10))
        live.dropped += 3
        yield from frames((LOUD, 10), (QUIET, 30), *SENTENCE)

    first, second = bench.assistant.turns(losing())
    assert (first.drops, second.drops) == (3, 0)
