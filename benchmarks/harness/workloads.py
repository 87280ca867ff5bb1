"""What the scenarios do in the measured process, with the device's own code."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from benchmarks.harness.child import Probe

if TYPE_CHECKING:
    from edge.assistant import Assistant, Mind, Turn
    from edge.config import Profile
    from edge.types import AudioFrame

RATE_HZ = 16000
FRAME = 512
SENTENCES = (
    "turn on the kitchen light",
    "turn off the floor lamp",
    "set the living room light to fifty percent",
    "set a timer for five minutes",
    "open the bedroom blinds",
    "lock the back door",
    "what time is it",
    "add milk to the shopping list",
)
REPLIES = ("Turned on the light.", "Timer set for 5 minutes.", "The weather is sunny, with 21 degrees.")
# What is spoken, and what must come of it: intents that are right.
COMMANDS = {
    "light": ("Turn on the kitchen light.", ("HassTurnOn",)),
    "brightness": ("Set the living room light to fifty percent.", ("HassLightSet",)),
    "timer": ("Set a timer for five minutes.", ("HassStartTimer",)),
    "lock": ("Lock the back door.", ("HassTurnOn",)),
    "time": ("What time is it?", ("HassGetCurrentTime",)),
}


def cold_start(probe: Probe) -> None:
    """``edge parse`` of one sentence, from nothing."""
    import io
    import sys

    from edge.commands.cli import main

    probe.mark("parse")
    sys.stdout = io.TextIOWrapper(io.BytesIO())
    code = main(["parse", "--bundle", probe.bundle, "--allow-unsigned", "--json", probe.parameters["text"]])
    if code != 0:
        raise RuntimeError(f"edge parse ended with {code}")


def parse(probe: Probe) -> None:
    """Sentences in one language."""
    from edge import compose
    from edge.types import Transcript

    with probe.stage("load"):
        bundle = compose.bundle(probe.profile.bundle, probe.profile.allow_unsigned)
        parser = compose.parser(bundle, compose.home(probe.profile.home.named), probe.parameters["language"])
    for sentence in itertools.islice(itertools.cycle(SENTENCES), probe.parameters["warmups"]):
        parser.parse(Transcript(sentence))
    for _ in range(probe.parameters["repetitions"]):
        for sentence in SENTENCES:
            probe.timed(lambda text=sentence: parser.parse(Transcript(text)), sentence, stage="parse")  # type: ignore[misc]


def operators(probe: Probe) -> None:
    """The student's planned memory and the times of its operators, whose tracing costs memory and time itself."""
    import numpy as np

    from edge import compose
    from edge.nlu.program import Program

    bundle = compose.bundle(probe.profile.bundle, probe.profile.allow_unsigned)
    spec = bundle.manifest.student
    if spec is None:
        return
    program = Program(bundle.path(spec.program), trace_operators=True, id_limits=(spec.buckets, None))
    probe.fact("arena_bytes", program.arena_bytes)
    shapes = [(1, 8, *item.shape[2:]) for item in program.inputs]
    for _ in range(probe.parameters["repetitions"]):
        program.run(*(np.zeros(shape, item.dtype) for shape, item in zip(shapes, program.inputs, strict=True)))
    times = {name: [item.calls, round(item.total_ms, 4)] for name, item in program.operator_times().items()}
    probe.fact("operators", times)


def wake(probe: Probe) -> None:
    """Noise through the wake word's detector."""
    from edge.wake.microwakeword import MicroWakeWordDetector

    with probe.stage("load"):
        detector = MicroWakeWordDetector(probe.profile.wake.word)
    seconds = probe.parameters["seconds"]
    for repetition in range(probe.parameters["repetitions"] + probe.parameters["warmups"]):
        frames = list(noise(seconds, seed=repetition))
        if repetition < probe.parameters["warmups"]:
            any(detector.accept(frame) for frame in frames)
            continue
        item = f"noise {repetition}"
        ms = probe.timed(lambda f=frames: [detector.accept(x) for x in f], item, stage="wake")  # type: ignore[misc]
        probe.sample("cpu_share", ms / seconds / 10, "%", item)


def recognize(probe: Probe) -> None:
    """Recordings through the recognizer."""
    from edge import compose

    with probe.stage("load"):
        recognizer = compose.recognizer(probe.profile)
    for repetition in range(probe.parameters["warmups"] + probe.parameters["repetitions"]):
        for name, path in probe.clips.items():
            frames = list(compose.wav_microphone(path, trailing_silence_ms=0).frames())

            def hear(frames: list[AudioFrame] = frames) -> str:
                for frame in frames:
                    recognizer.accept(frame)
                return recognizer.finish().text

            if repetition < probe.parameters["warmups"]:
                probe.fact(f"heard {name}", hear())
                continue
            ms = probe.timed(hear, name, stage="recognize")
            probe.sample("rtf", ms / sum(frame.duration_ms for frame in frames), "1", name)


def voice(probe: Probe) -> None:
    """Replies through the voice, to the first audio and to the end."""
    from edge import compose

    with probe.stage("load"):
        speaking = compose.voices(probe.profile)(probe.profile.language)
    for repetition in range(probe.parameters["warmups"] + probe.parameters["repetitions"]):
        for text in REPLIES:
            frames = speaking.synthesize(text)
            if repetition < probe.parameters["warmups"]:
                any(False for _ in frames)
                continue
            first: list[AudioFrame] = []
            ms = probe.timed(lambda f=frames, a=first: a.append(next(f)), text, "first_audio_cpu_ms", "voice")  # type: ignore[misc]
            whole = probe.timed(lambda f=frames, a=first: a.extend(f), text, "rest_cpu_ms")  # type: ignore[misc]
            probe.sample("rtf", (ms + whole) / sum(frame.duration_ms for frame in first), "1", text)


def turn(probe: Probe) -> None:
    """Whole turns: recording → transcript → parse → action → reply → sound; accuracy with the same code and files."""
    probe.mark("load")
    assistant = _assistant(probe, probe.profile)
    right = heard = 0
    for repetition in range(probe.parameters["warmups"] + probe.parameters["repetitions"]):
        for name, path in probe.clips.items():
            turns = _hear(assistant, path)
            if repetition < probe.parameters["warmups"]:
                continue
            heard += 1
            right += len(turns) == 1 and turns[0].parse is not None and turns[0].parse.intent in COMMANDS[name][1]
            for done in turns:
                _report(probe, done, name)
    probe.fact("understood", [right, heard])


def turns(probe: Probe) -> None:
    """Turn after turn in one process; what its memory grows by when caches are full is a leak."""
    probe.mark("load")
    assistant = _assistant(probe, probe.profile)
    _watch_growth(probe, lambda number: _hear(assistant, list(probe.clips.values())[number % len(probe.clips)]))


def typed_turns(probe: Probe, mind: Mind) -> None:
    """Typed turns in one process with ``mind``, watched for leaks."""
    from edge.assistant import Assistant
    from edge.types import Transcript

    assistant = Assistant(mind)
    _watch_growth(probe, lambda number: list(assistant.turns([Transcript(SENTENCES[number % len(SENTENCES)])])))


def _watch_growth(probe: Probe, one: Any) -> None:
    from benchmarks.harness.child import live_mib
    from edge.board.memory import rss_mib

    settled: list[tuple[int, float]] = []
    for number in range(probe.parameters["turns"]):
        for done in one(number):
            for span in done.spans:
                probe.span(span.stage, span.cpu_ns / 1e6, span.ms, span.rss_mib, str(number))
        probe.sample("rss_mib", rss_mib(), "MiB", str(number))
        if number >= probe.parameters["settled"]:
            settled.append((number, live_mib()))
    probe.sample("leak_kib_per_turn", 1024 * _slope(settled), "KiB")


def _slope(points: list[tuple[int, float]]) -> float:
    """Theil-Sen slope: the median of the slopes between all pairs, which a few jumps do not move (Sen, 1968)."""
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.combinations(points, 2))
    return slopes[len(slopes) // 2] if slopes else 0.0


def idle(probe: Probe) -> None:
    """Nobody speaks: noise through the loop with the profile's wake word."""
    from edge import compose
    from edge.assistant import Assistant

    profile = probe.profile
    probe.mark("load")
    ears = compose.ears(profile, wake="micro")
    assistant = Assistant(compose.mind(profile, None), ears)
    seconds = probe.parameters["seconds"]
    for repetition in range(probe.parameters["repetitions"]):
        frames = noise(seconds, seed=repetition)
        ms = probe.timed(lambda f=frames: list(assistant.turns(f)), str(repetition), stage="listen")  # type: ignore[misc]
        probe.sample("cpu_share", ms / seconds / 10, "%", str(repetition))


def languages(probe: Probe) -> None:
    """A sentence in every language of the bundle."""
    from edge import compose
    from edge.types import Transcript

    with probe.stage("load"):
        bundle = compose.bundle(probe.profile.bundle, probe.profile.allow_unsigned)
        home = compose.home(probe.profile.home.named)
    right = 0
    for language, (text, intent) in probe.sentences.items():
        parser = compose.parser(bundle, home, language)
        for _ in range(probe.parameters["warmups"]):
            right += parser.parse(Transcript(text)).intent == intent
        for _ in range(probe.parameters["repetitions"]):
            probe.timed(lambda p=parser, t=text: p.parse(Transcript(t)), language, stage="parse")  # type: ignore[misc]
    probe.fact("understood", [right, len(probe.sentences) * probe.parameters["warmups"]])


def noise(seconds: float, seed: int, level: float = 60.0) -> Iterator[AudioFrame]:
    """Quiet Gaussian noise at 16 kHz."""
    import numpy as np

    from edge.types import AudioFrame

    rng = np.random.default_rng(seed)
    for number in range(int(seconds * RATE_HZ / FRAME)):
        pcm = (rng.standard_normal(FRAME) * level).astype(np.int16)
        yield AudioFrame(pcm, RATE_HZ, 1000.0 * number * FRAME / RATE_HZ)


class _Marked:
    """A stage that says when it runs, so that a kill can be put down to it."""

    def __init__(self, part: object, stage: str, probe: Probe) -> None:
        self._part, self._stage, self._probe = part, stage, probe

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._part, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            self._probe.mark(self._stage)
            return value(*arguments, **options)

        return call


class _Sink:
    """A speaker that takes every frame and keeps none."""

    def play(self, frames: Iterable[AudioFrame], interrupted: Callable[[], bool] | None = None) -> float:
        """Take all frames."""
        for _ in frames:
            pass
        return 0.0

    def close(self) -> None:
        """There is nothing to release."""


def _assistant(probe: Probe, profile: Profile) -> Assistant:
    """The profile's assistant for recordings."""
    from dataclasses import replace

    from edge import compose
    from edge.assistant import Assistant, Mouth

    mind, ears = compose.mind(profile, profile.language), compose.ears(profile, wake="none")
    mouth = compose.mouth(profile, _Sink())
    ears = replace(ears, recognizer=_Marked(ears.recognizer, "recognize", probe))
    mind = replace(mind, parser=_Marked(mind.parser, "parse", probe), skill=_Marked(mind.skill, "act", probe))
    return Assistant(mind, ears, Mouth(lambda language: _Marked(mouth.voice(language), "voice", probe), mouth.speaker))


def _hear(assistant: Assistant, path: str) -> list[Turn]:
    from edge import compose

    return list(assistant.turns(compose.wav_microphone(path).frames()))


def _report(probe: Probe, done: Turn, item: str) -> None:
    for span in done.spans:
        probe.span(span.stage, span.cpu_ns / 1e6, span.ms, span.rss_mib, item)
    probe.sample("cpu_ms", sum(span.cpu_ns for span in done.spans) / 1e6, "ms", item)
    if done.first_audio_ms is not None:
        probe.sample("waited_ms", done.waited_ms, "ms", item)
        probe.sample("first_audio_ms", done.first_audio_ms, "ms", item)
        probe.sample("first_audio_cpu_ms", done.first_audio_ms - done.waited_ms, "ms", item)
    if done.error is not None:
        probe.fact("error in a turn", done.error)
