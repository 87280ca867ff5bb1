"""The device path: microphone → frames → wake word → end of speech → transcript → parse → action → reply → speaker.

One synchronous loop over frames. Typed text joins it as a ready transcript, so that every kind of input takes the
same path from there on.
"""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from edge.errors import EdgeError
from edge.protocols import Endpointer, Parser, Recognizer, Skill, Speaker, Speech, Voice, WakeDetector
from edge.trace import Trace, cpu_time_ns
from edge.types import Action, AudioFrame, Parse, Reply, StageSpan, Transcript

_LOG = logging.getLogger(__name__)
_PRE_ROLL_MS = 320
_PATIENCE_MS = 8_000
_LONGEST_UTTERANCE_MS = 20_000


@dataclass(frozen=True)
class Ears:
    """From frames to a transcript; ``wake`` is None where every utterance is meant for the assistant."""

    endpointer: Endpointer
    recognizer: Recognizer
    wake: WakeDetector | None = None


@dataclass(frozen=True)
class Mind:
    """From a transcript to a reply; ``ringing`` gives the replies that are due without being asked for."""

    parser: Parser
    skill: Skill
    is_complete: Callable[[Parse], bool]
    apology: Callable[[], Reply]
    ringing: Callable[[], Iterable[Reply]]


@dataclass(frozen=True)
class Mouth:
    """From a reply to sound; ``voice`` chooses by language."""

    voice: Callable[[str], Voice]
    speaker: Speaker


@dataclass(frozen=True)
class Turn:
    """What happened from one utterance to its reply; without a transcript the assistant spoke of its own accord.

    ``waited_ms`` is the audio time from the end of speech to the decision that it had ended; ``first_audio_ms`` adds
    the CPU time of all stages from the end of speech to the first frame of the reply; ``saved_ms`` is how much of the
    hangover was spared because the command was already complete.
    """

    transcript: Transcript | None = None
    parse: Parse | None = None
    action: Action | None = None
    reply: Reply | None = None
    spans: tuple[StageSpan, ...] = ()
    waited_ms: float = 0.0
    saved_ms: float = 0.0
    first_audio_ms: float | None = None
    drops: int = 0
    error: str | None = None


class Assistant:
    """Runs the stages in order; its only state is the turn under way."""

    def __init__(
        self, mind: Mind, ears: Ears | None = None, mouth: Mouth | None = None, drops: Callable[[], int] = int
    ) -> None:
        """Put the stages together.

        Args:
            mind: understands and acts.
            ears: needed for a source of audio frames.
            mouth: speaks the replies; None for an assistant that only writes.
            drops: number of frames that the microphone lost so far.
        """
        self._mind, self._ears, self._mouth, self._drops = mind, ears, mouth, drops
        self._now_ms = 0.0
        self._before_speech: deque[AudioFrame] = deque()
        self._start_over(awake=False)

    def turns(self, source: Iterable[AudioFrame | Transcript | None]) -> Iterator[Turn]:
        """A turn per utterance of ``source``; None in it only lets time pass, so that timers can ring."""
        for item in source:
            yield from self._guarded(lambda item=item: self._step(item))  # type: ignore[misc]
        if self._speech_start_ms is not None:
            yield from self._guarded(lambda: self._answer(self._finish()))

    def _guarded(self, step: Callable[[], bool]) -> Iterator[Turn]:
        """The one place where errors end: they cost the turn, never the loop."""
        try:
            if not step():
                return
        except Exception as error:
            _LOG.error("%s", error, exc_info=not isinstance(error, EdgeError))
            self._turn = replace(self._turn, error=" ".join(str(error).split()) or type(error).__name__)
            if self._turn.reply is None:
                self._turn = replace(self._turn, reply=self._mind.apology())
                with contextlib.suppress(Exception):
                    self._speak()
        reply = self._turn.reply
        yield replace(self._turn, spans=self._trace.merged(), drops=self._drops() - self._drops_before)
        self._start_over(awake=reply is not None and reply.expects_answer)

    def _step(self, item: AudioFrame | Transcript | None) -> bool:
        """Whether a turn is complete after ``item``."""
        if self._speech_start_ms is None and self._ring():
            return True
        transcript = self._hear(item) if isinstance(item, AudioFrame) else item
        return transcript is not None and self._answer(transcript)

    def _hear(self, frame: AudioFrame) -> Transcript | None:
        if self._ears is None:
            raise EdgeError("this assistant has no ears: compose it with a recognizer")
        self._now_ms = frame.start_ms + frame.duration_ms
        if not self._awake:
            if self._ears.wake is not None and not self._ears.wake.accept(frame):
                return None
            self._start_over(awake=True)
            if self._ears.wake is not None:
                return None
        with self._trace.stage("end-point"):
            speech = self._ears.endpointer.accept(frame)
        if speech is Speech.WAITING:
            self._wait(frame)
            return None
        if self._speech_start_ms is None:
            self._speech_start_ms = frame.start_ms
        with self._trace.stage("recognize"):
            while self._before_speech:
                self._ears.recognizer.accept(self._before_speech.popleft())
            self._ears.recognizer.accept(frame)
        self._cpu_marks.append((self._now_ms, cpu_time_ns()))
        if speech is Speech.PAUSED:
            self._hurry_if_complete(self._ears)
        too_long = self._now_ms - self._speech_start_ms > _LONGEST_UTTERANCE_MS
        return self._finish() if speech is Speech.ENDED or too_long else None

    def _wait(self, frame: AudioFrame) -> None:
        """Keep the frames just before speech, whose first sound the end-pointer notices late."""
        self._trace = Trace()
        self._before_speech.append(frame)
        while self._now_ms - self._before_speech[0].start_ms > _PRE_ROLL_MS:
            self._before_speech.popleft()
        if self._now_ms - self._awake_since_ms > _PATIENCE_MS:
            self._start_over(awake=False)

    def _hurry_if_complete(self, ears: Ears) -> None:
        with self._trace.stage("recognize"):
            so_far = ears.recognizer.partial()
        with self._trace.stage("parse"):
            complete = self._mind.is_complete(self._mind.parser.parse(so_far))
        self._hurried = complete
        ears.endpointer.hurry(complete)

    def _finish(self) -> Transcript:
        if self._ears is None:
            raise EdgeError("this assistant has no ears: compose it with a recognizer")
        with self._trace.stage("recognize"):
            transcript = self._ears.recognizer.finish()
        speech_end_ms = self._ears.endpointer.speech_end_ms
        waited_ms = max(0.0, self._now_ms - speech_end_ms)
        saved_ms = max(0.0, self._ears.endpointer.hangover_ms - waited_ms) if self._hurried else 0.0
        self._cpu_start_ns = next((cpu for at_ms, cpu in self._cpu_marks if at_ms >= speech_end_ms), cpu_time_ns())
        self._turn = replace(self._turn, waited_ms=waited_ms, saved_ms=saved_ms)
        return transcript

    def _answer(self, transcript: Transcript) -> bool:
        self._turn = replace(self._turn, transcript=transcript)
        if not self._cpu_marks:
            self._cpu_start_ns = cpu_time_ns()
        with self._trace.stage("parse"):
            parse = self._mind.parser.parse(transcript)
        self._turn = replace(self._turn, parse=parse)
        with self._trace.stage("act"):
            action, reply = self._mind.skill.handle(parse)
        self._turn = replace(self._turn, action=action, reply=reply)
        self._speak()
        return True

    def _ring(self) -> bool:
        for reply in self._mind.ringing():
            self._cpu_start_ns = cpu_time_ns()
            self._turn = replace(self._turn, reply=reply)
            self._speak()
        return self._turn.reply is not None

    def _speak(self) -> None:
        if self._mouth is None or self._turn.reply is None or not self._turn.reply.text:
            return
        frames = self._mouth.voice(self._turn.reply.language).synthesize(self._turn.reply.text)
        with self._trace.stage("voice"):
            first = next(frames, None)
        if first is None:
            return
        cpu_ms = (cpu_time_ns() - self._cpu_start_ns) / 1e6
        self._turn = replace(self._turn, first_audio_ms=self._turn.waited_ms + cpu_ms)
        with self._trace.stage("play"):
            self._mouth.speaker.play(chain((first,), frames))

    def _start_over(self, awake: bool) -> None:
        """Be ready for the next utterance: asleep until the wake word, or awake and listening at once."""
        self._turn, self._trace = Turn(), Trace()
        self._awake = awake
        self._awake_since_ms = self._now_ms
        self._speech_start_ms: float | None = None
        self._hurried = False
        self._cpu_marks: list[tuple[float, int]] = []
        self._cpu_start_ns = cpu_time_ns()
        self._drops_before = self._drops()
        self._before_speech.clear()
        if self._ears is not None:
            self._ears.endpointer.reset()
            if self._ears.wake is not None:
                self._ears.wake.reset()
