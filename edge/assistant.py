"""The device path: microphone → frames → wake word → end of speech → transcript → parse → action → reply → speaker.

One synchronous loop over frames. Typed text joins it as a ready transcript, so that every kind of input takes the
same path from there on.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from edge.board.trace import Trace, cpu_time_ns
from edge.errors import EdgeError, EngineError
from edge.parts import Ears, Mind, Mouth, Turn
from edge.protocols import Completeness, Speech
from edge.types import AudioFrame, Transcript

if TYPE_CHECKING:
    from edge.dialogue.dialogue import Ring

__all__ = ["Assistant", "Ears", "Mind", "Mouth", "Turn"]

_LOG = logging.getLogger(__name__)
_PATIENCE_MS = 8_000
_BARGE_IN_MS = 250
_OVERHEARD_MS = 800
_ECHO_MS = 300
_MOST_FAILURES = 10


class _Underway:
    """The turn under way: what is known of it, and where in its utterance the loop is."""

    def __init__(self, awake: bool, now_ms: float, dropped: int) -> None:
        self.turn, self.trace = Turn(), Trace()
        self.awake, self.since_ms, self.dropped_before = awake, now_ms, dropped
        self.in_speech = self.hurried = self.asked_in_pause = False
        self.cpu_marks: list[tuple[float, int]] = []
        self.cpu_start_ns = cpu_time_ns()

    def learn(self, **facts: Any) -> None:
        """Add to what is known of the turn."""
        self.turn = replace(self.turn, **facts)


class Assistant:
    """Runs the stages in order; its only state is the turn under way."""

    def __init__(self, mind: Mind, ears: Ears | None = None, mouth: Mouth | None = None) -> None:
        """Put the stages together; ears are needed for a source of frames, a mouth for spoken replies."""
        self._mind, self._ears, self._mouth = mind, ears, mouth
        self._time_ms = self._deaf_ms = 0.0
        self._failures = 0
        self._rings: deque[Ring] = deque()
        self._overheard: deque[AudioFrame] = deque()
        self._now = _Underway(awake=False, now_ms=0.0, dropped=self._dropped())

    def turns(self, source: Iterable[AudioFrame | Transcript | None]) -> Iterator[Turn]:
        """A turn per utterance of ``source``; None in it only lets time pass, so that timers can ring."""
        for item in self._with_overheard(source):
            if not self._now.in_speech:
                yield from self._guarded(self._collect_rings)
                if self._rings:  # one at a time: between two the source is asked, which keeps the watchdog calm
                    yield from self._guarded(partial(self._ring, self._rings.popleft()))
            yield from self._guarded(partial(self._step, item))
        if self._now.in_speech:
            yield from self._guarded(lambda: self._answer(self._finish()))

    def _with_overheard(
        self, source: Iterable[AudioFrame | Transcript | None]
    ) -> Iterator[AudioFrame | Transcript | None]:
        for item in source:
            yield item
            while self._overheard:
                yield self._overheard.popleft()

    def _guarded(self, step: Callable[[], bool]) -> Iterator[Turn]:
        """The one place where errors end: they cost the turn, never the loop."""
        try:
            if not step():
                return
        except Exception as error:
            self._failures = 0 if self._now.turn.transcript is not None else self._failures + 1
            if self._failures == _MOST_FAILURES:
                raise EngineError(f"hearing failed {_MOST_FAILURES} times in a row: {error}") from error
            _LOG.error("%s", error, exc_info=not isinstance(error, EdgeError))
            self._now.learn(error=" ".join(str(error).split()) or type(error).__name__)
            with contextlib.suppress(Exception):
                self._apologize()
        turn = self._now.turn
        yield replace(turn, spans=self._now.trace.merged(), drops=self._dropped() - self._now.dropped_before)
        asked = turn.reply is not None and turn.reply.expects_answer
        self._start_over(awake=asked or turn.interrupted or (turn.transcript is None and self._now.awake))

    def _step(self, item: AudioFrame | Transcript | None) -> bool:
        """Whether a turn is complete after ``item``."""
        transcript = self._hear(item) if isinstance(item, AudioFrame) else item
        return transcript is not None and self._answer(transcript)

    def _hear(self, frame: AudioFrame) -> Transcript | None:
        if self._ears is None:
            raise EdgeError("this assistant has no ears: compose it with a recognizer")
        self._time_ms = frame.start_ms + frame.duration_ms
        if self._deaf_ms > 0:
            self._deaf_ms -= frame.duration_ms
            return None
        for improve in self._ears.front:
            frame = improve.accept(frame)
        if not self._now.awake:
            if self._ears.wake is not None and not self._ears.wake.accept(frame):
                return None
            self._start_over(awake=True)
            if self._ears.wake is not None:
                return None
        with self._now.trace.stage("end-point"):
            speech, frames = self._ears.segmenter.accept(frame)
        if frames:
            return self._recognize(self._ears, speech, frames)
        self._now.trace = Trace()
        if self._ears.wake is not None and self._time_ms - self._now.since_ms > _PATIENCE_MS:
            self._start_over(awake=False)
        return None

    def _recognize(self, ears: Ears, speech: Speech, frames: Iterable[AudioFrame]) -> Transcript | None:
        self._now.in_speech = True
        with self._now.trace.stage("recognize"):
            for frame in frames:
                ears.recognizer.accept(frame)
        self._now.cpu_marks.append((self._time_ms, cpu_time_ns()))
        if speech is Speech.ENDED:
            return self._finish()
        if ears.endpointer.silence_ms < ears.pause_ms:
            self._now.asked_in_pause = False
        elif not self._now.asked_in_pause:
            self._now.asked_in_pause = True
            self._choose_hangover(ears)
        return None

    def _choose_hangover(self, ears: Ears) -> None:
        with self._now.trace.stage("recognize"):
            so_far = ears.recognizer.partial()
        with self._now.trace.stage("parse"):
            completeness = self._mind.completeness(self._mind.parser.parse(so_far))
        self._now.hurried = completeness is not Completeness.UNSURE
        ears.endpointer.wait(ears.hangovers_ms[completeness])

    def _finish(self) -> Transcript:
        if self._ears is None:
            raise EdgeError("this assistant has no ears: compose it with a recognizer")
        with self._now.trace.stage("recognize"):
            transcript = self._ears.recognizer.finish()
        waited_ms = self._ears.endpointer.silence_ms
        longest_ms = self._ears.hangovers_ms[Completeness.UNSURE]
        saved_ms = max(0.0, longest_ms - waited_ms) if self._now.hurried else 0.0
        speech_end_ms = self._time_ms - waited_ms
        cpu_after = (cpu for at_ms, cpu in self._now.cpu_marks if at_ms >= speech_end_ms)
        self._now.cpu_start_ns = next(cpu_after, cpu_time_ns())
        self._now.learn(waited_ms=waited_ms, saved_ms=saved_ms)
        return transcript

    def _answer(self, transcript: Transcript) -> bool:
        if self._now.in_speech and not transcript.text:
            self._start_over(awake=False)
            return False
        if not self._now.in_speech:
            self._now.cpu_start_ns = cpu_time_ns()
        self._now.learn(transcript=transcript)
        with self._now.trace.stage("parse"):
            parse = self._mind.parser.parse(transcript)
        self._now.learn(parse=parse)
        with self._now.trace.stage("act"):
            action, reply = self._mind.skill.handle(parse)
        self._now.learn(action=action, reply=reply)
        self._failures = 0
        self._speak()
        return True

    def _collect_rings(self) -> bool:
        self._rings.extend(self._mind.due())
        return False

    def _ring(self, ring: Ring) -> bool:
        """Sound a timer, then say its name or carry out its command as if that had just been said."""
        self._now.cpu_start_ns = cpu_time_ns()
        if self._mouth is not None:
            with self._now.trace.stage("play"):
                self._mouth.speaker.play((ring.sound,))
        if ring.command is not None:
            return self._answer(Transcript(ring.command))
        self._now.learn(reply=ring.reply)
        self._speak()
        return True

    def _speak(self) -> None:
        if self._mouth is None or self._now.turn.reply is None or not self._now.turn.reply.text:
            return
        frames = self._mouth.voice(self._now.turn.reply.language).synthesize(self._now.turn.reply.text)
        with self._now.trace.stage("voice"):
            first = next(frames, None)
        if first is None:
            return
        cpu_ms = (cpu_time_ns() - self._now.cpu_start_ns) / 1e6
        self._now.learn(first_audio_ms=self._now.turn.waited_ms + cpu_ms)
        with self._now.trace.stage("play"):
            self._mouth.speaker.play(chain((first,), frames), self._interruption())
        if self._ears is not None and self._ears.live is not None and not self._now.turn.interrupted:
            self._overheard.clear()
            self._ears.live.flush()
            self._deaf_ms = _ECHO_MS

    def _apologize(self) -> None:
        """Say that something went wrong, unless the reply was ready and only its sound failed; forget the utterance."""
        if self._now.turn.reply is None:
            self._now.learn(reply=self._mind.apology())
            self._speak()
        if self._ears is not None and self._now.turn.transcript is None:
            self._ears.recognizer.finish()

    def _interruption(self) -> Callable[[], bool] | None:
        """What the speaker asks while it plays: whether someone speaks; None where nobody could be told from us."""
        if self._ears is None or self._ears.live is None or not self._ears.barge_in:
            return None
        endpointer, live, spoken_ms = self._ears.endpointer, self._ears.live, 0.0
        endpointer.reset()
        self._overheard.clear()

        def interrupted() -> bool:
            nonlocal spoken_ms
            while (frame := live.poll()) is not None:
                self._overheard.append(frame)
                speaking = endpointer.accept(frame) is Speech.SPEAKING
                spoken_ms = spoken_ms + frame.duration_ms if speaking else 0.0
                if spoken_ms >= _BARGE_IN_MS:
                    self._now.learn(interrupted=True)
                    return True
                while not speaking and len(self._overheard) * frame.duration_ms > _OVERHEARD_MS:
                    self._overheard.popleft()
            return False

        return interrupted

    def _dropped(self) -> int:
        live = self._ears.live if self._ears is not None else None
        return live.dropped if live is not None else 0

    def _start_over(self, awake: bool) -> None:
        """Be ready for the next utterance: asleep until the wake word, or awake and listening at once."""
        self._now = _Underway(awake, self._time_ms, self._dropped())
        if self._ears is not None:
            self._ears.segmenter.reset()
            if self._ears.wake is not None:
                self._ears.wake.reset()
