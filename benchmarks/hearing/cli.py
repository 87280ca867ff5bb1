"""The commands of ``edge-bench`` that measure hearing: speech, endpoint, wake and speak."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from edge.files import write_file


def add_hearing(commands: Any) -> None:
    """Add the commands to those of ``edge-bench`` (the object of ``argparse.ArgumentParser.add_subparsers``)."""
    speech = commands.add_parser("speech", help="recorded commands, clean and in noise: what is understood")
    speech.add_argument("folder", type=Path, metavar="DIR", help="recordings (.wav)")
    speech.add_argument("--labels", type=Path, metavar="FILE.json", help="what each means; without: none is a command")
    speech.add_argument("--noise", metavar="FILE.wav", help="noise to mix in, or babble: the recordings themselves")
    speech.add_argument("--snr", nargs="*", type=float, default=[], metavar="dB", help="levels of speech above noise")
    speech.add_argument("--bundle", metavar="B", help="bundle instead of the profile's")
    speech.add_argument("--home", metavar="FILE", help="home file")
    speech.add_argument("--profile", metavar="NAME", help="board whose engines are used")
    speech.add_argument("--svg", type=Path, metavar="FILE", help="draw what is rejected against what is accepted")
    speech.add_argument("--json", action="store_true", help="one JSON object on standard output")
    endpoint = commands.add_parser("endpoint", help="how often speakers are cut off, and how long they wait at the end")
    endpoint.add_argument("places", type=Path, nargs="+", metavar="PLACE", help="recordings of a sentence each")
    endpoint.add_argument("--pause", nargs="*", type=float, default=[0, 200, 400, 600], metavar="ms", help="put in")
    endpoint.add_argument("--noise", metavar="FILE.wav", help="noise to mix in, or babble: the recordings themselves")
    endpoint.add_argument("--snr", type=float, metavar="dB", help="level of speech above noise")
    endpoint.add_argument("--bundle", metavar="B", help="bundle instead of the profile's")
    endpoint.add_argument("--home", metavar="FILE", help="home file")
    endpoint.add_argument("--profile", metavar="NAME", help="board whose engines and timing are used")
    endpoint.add_argument("--json", action="store_true", help="one JSON object on standard output")
    wake = commands.add_parser("wake", help="false alarms per hour and misses of the wake words")
    wake.add_argument("--other", type=Path, nargs="*", default=[], metavar="PLACE", help="recordings without the word")
    wake.add_argument("--said", type=Path, nargs="*", default=[], metavar="PLACE", help="recordings of the word")
    wake.add_argument("--word", action="append", metavar="WORD", help="this wake word (repeatable; default: all)")
    wake.add_argument("--threshold", type=float, metavar="P", help="probability that counts (default: the profile's)")
    wake.add_argument("--profile", metavar="NAME", help="board whose gain, noise suppression and threshold are used")
    wake.add_argument("--json", action="store_true", help="one JSON object on standard output")
    speak = commands.add_parser("speak", help="speak sentences into recordings, for edge-bench speech and wake")
    speak.add_argument("source", type=Path, metavar="FILE", help=".txt, a sentence a line, or .jsonl with labels")
    speak.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the recordings")
    speak.add_argument("--voice", default="piper", metavar="V", help="piper, espeak, or a dialect like espeak:en-gb")
    speak.add_argument("--minutes", type=float, default=60.0, help="stop after so much speech (default: 60)")
    speak.add_argument("--seed", type=int, default=1, help="order of the sentences (default: 1)")


def _speech(arguments: argparse.Namespace) -> int:
    from benchmarks.hearing.speech import as_json, as_svg, as_text, measure

    options: list[str] = []
    for name in ("bundle", "home", "profile"):
        value = getattr(arguments, name)
        options += [f"--{name}", value] if value is not None else []
    levels = measure(arguments.folder, arguments.labels, arguments.noise, arguments.snr, options)
    if arguments.svg is not None:
        write_file(arguments.svg, as_svg(levels))
    sys.stdout.write((json.dumps(as_json(levels)) if arguments.json else as_text(levels)) + "\n")
    return 0


def _endpoint(arguments: argparse.Namespace) -> int:
    from benchmarks.hearing.endpoint import endpoint_json, endpoint_table, measure_endpoint
    from edge import compose

    profile = compose.profile(arguments)
    ears, mind = compose.ears(profile, "none"), compose.mind(profile, profile.language)
    levels = measure_endpoint(ears, mind, arguments.places, arguments.pause, arguments.noise, arguments.snr)
    sys.stdout.write((json.dumps(endpoint_json(levels)) if arguments.json else endpoint_table(levels)) + "\n")
    return 0


def _wake(arguments: argparse.Namespace) -> int:
    from benchmarks.hearing.wake import measure_wake, wake_json, wake_table
    from edge import compose
    from edge.wake.microwakeword import WAKE_WORDS

    profile = compose.profile(arguments)
    words = arguments.word or WAKE_WORDS
    threshold = profile.wake.threshold if arguments.threshold is None else arguments.threshold
    front = partial(compose.front, profile)
    results = [measure_wake(word, threshold, arguments.other, arguments.said, front) for word in words]
    sys.stdout.write((json.dumps(wake_json(results)) if arguments.json else wake_table(results)) + "\n")
    return 0


def _speak(arguments: argparse.Namespace) -> int:
    from benchmarks.hearing.speak import speak

    spoken = speak(arguments.source, arguments.out, arguments.voice, arguments.minutes, arguments.seed)
    sys.stderr.write(f"edge-bench: {spoken:.1f} minutes of speech and labels.json are in {arguments.out}\n")
    return 0


HEARING: dict[str, Callable[[argparse.Namespace], int]] = {
    "speech": _speech,
    "endpoint": _endpoint,
    "wake": _wake,
    "speak": _speak,
}
