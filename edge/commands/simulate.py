"""``edge simulate``, ``edge run`` and ``edge say``: the whole path, from text, a recording or the microphone."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress

from edge import compose
from edge.assistant import Assistant
from edge.board.memory import peak_rss_mib, run_on_board
from edge.commands.guarded import guarded
from edge.commands.output import clean, write_json, write_line
from edge.commands.parse import typed_lines
from edge.commands.starts import started
from edge.commands.turns import turn_json, turn_lines, turn_summary
from edge.config import Profile
from edge.home.port import HomePort
from edge.parts import Turn
from edge.protocols import LiveMicrophone, Speaker
from edge.types import AudioFrame, Transcript

_POLL_S = 0.1


class _Unheard:
    """A speaker for a turn whose reply nobody asked to keep: the audio is made, so that it can be timed."""

    def play(self, frames: Iterable[AudioFrame], interrupted: Callable[[], bool] | None = None) -> float:
        """Take all frames."""
        for _ in frames:
            pass
        return 0.0

    def close(self) -> None:
        """There is nothing to release."""


def simulate(arguments: argparse.Namespace) -> int:
    """Run turns in the simulated home; with ``--profile`` under that board's memory cap and cores."""
    profile = compose.profile(arguments)
    if arguments.profile is None:
        return _simulate(arguments, profile, "not capped")
    cap = profile.board.memory_cap_mib

    def work(capped: bool) -> int:
        if cap is not None and not capped:
            sys.stderr.write("edge: memory is not capped: no memory cgroup can be made here; run as root to cap it\n")
        state = f"capped at {cap} MiB" if capped else "not capped"
        return guarded(lambda: _simulate(arguments, profile, state), arguments.verbose)

    return run_on_board(work, cap, profile.board.cores)


def run(arguments: argparse.Namespace) -> int:
    """Be the assistant on a device until stopped; its log has no words of what was said unless they are asked for."""
    profile = compose.profile(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    write = _in_full if arguments.transcripts else _in_short
    with suppress(KeyboardInterrupt):
        _live(arguments, profile, "not capped", write)
    return 0


def say(arguments: argparse.Namespace) -> int:
    """Speak into a WAV file."""
    profile = compose.profile(arguments)
    voice = compose.voices(profile)(arguments.lang)
    with closing(compose.wav_speaker(arguments.out)) as speaker:
        speaker.play(voice.synthesize(clean(arguments.text)))
    return 0


def _simulate(arguments: argparse.Namespace, profile: Profile, cap: str) -> int:
    if arguments.mic:
        return _live(arguments, profile, cap, _in_full)
    with compose.home_port(profile) as port:
        return _finite(arguments, profile, cap, port)


def _finite(arguments: argparse.Namespace, profile: Profile, cap: str, port: HomePort | None) -> int:
    """Turns from text or a recording."""
    with started(profile.bundle):
        mind = compose.mind(profile, arguments.lang, typed=arguments.wav is None, port=port)
    speaker: Speaker = compose.wav_speaker(arguments.out) if arguments.out else _Unheard()
    with closing(speaker):
        if arguments.wav is None:
            mouth = compose.mouth(profile, speaker) if arguments.out else None
            turns = Assistant(mind, None, mouth).turns(_typed(arguments.text))
        else:
            microphone = compose.wav_microphone(arguments.wav)
            ears, mouth = compose.ears(profile, wake="none", port=port), compose.mouth(profile, speaker)
            turns = Assistant(mind, ears, mouth).turns(microphone.frames())
        done = _report(turns, arguments.json, cap)
    if not done:
        sys.stderr.write(f"edge: no speech was heard in {arguments.wav}\n")
        return 1
    return 2 if any(turn.error for turn in done) else 0


def _live(arguments: argparse.Namespace, profile: Profile, cap: str, write: Callable[[Turn, str], None]) -> int:
    wake = profile.wake.engine
    microphone, speaker = compose.sound_card(profile)
    with closing(microphone), closing(speaker), compose.home_port(profile) as port:
        with started(profile.bundle):
            mind = compose.mind(profile, arguments.lang, port=port)
            ears = compose.ears(profile, wake, live=microphone, port=port)
            mouth = compose.mouth(profile, speaker)
            microphone.open()
        sys.stderr.write(f"edge: listening ({_how_to_call(profile, wake)}); Ctrl-C ends\n")
        _report(Assistant(mind, ears, mouth).turns(_polled(microphone)), arguments.json, cap, write)
    return 0


def _how_to_call(profile: Profile, wake: str) -> str:
    if wake == "micro":
        return f'say "{profile.wake.word.replace("_", " ")}" and then the command'
    return "press Enter and then say the command" if wake == "push-to-talk" else "just say the command"


def _polled(microphone: LiveMicrophone) -> Iterator[AudioFrame | None]:
    from edge.board.watchdog import tell_alive

    while True:
        tell_alive()
        yield microphone.poll(_POLL_S)


def _typed(texts: list[str]) -> Iterator[Transcript]:
    for text in texts:
        if text == "-":
            yield from map(Transcript, typed_lines())
        else:
            yield Transcript(clean(text))


def _report(
    turns: Iterator[Turn], as_json: bool, cap: str, write: Callable[[Turn, str], None] | None = None
) -> list[Turn]:
    done: list[Turn] = []
    for turn in turns:
        done = [*done[-99:], turn]
        if as_json:
            write_json(turn_json(turn, cap))
        else:
            (write or _in_full)(turn, cap)
    return done


def _in_full(turn: Turn, cap: str) -> None:
    for line in turn_lines(turn):
        write_line(line)
    write_line(f"memory    peak {peak_rss_mib():.0f} MiB of this process, {cap}\n")


def _in_short(turn: Turn, _: str) -> None:
    write_line(turn_summary(turn))
