"""``edge demo``: speaks commands, adds noise, hears them through the whole path, acts and answers."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge import compose
from edge.assistant import Assistant
from edge.audio.wav import read_wav, write_wav
from edge.board.memory import peak_rss_mib
from edge.commands.output import write_line
from edge.commands.turns import turn_lines
from edge.config import Profile
from edge.errors import ConfigError, DeviceError, EngineError
from edge.parts import Mouth, Turn
from edge.types import Transcript

_ENOUGH = 0.75


@dataclass(frozen=True)
class Command:
    """What is said, and what must come of it: one of ``intents``, on ``target`` where that is given."""

    text: str
    intents: tuple[str, ...]
    target: str | None = None
    language: str = "en"


SPOKEN = (
    Command("Turn on the kitchen light.", ("HassTurnOn",), "light.kitchen"),
    Command("Set the living room light to fifty percent.", ("HassLightSet",), "light.living_room"),
    Command("Set a timer for five minutes.", ("HassStartTimer",)),
    Command("Open the bedroom blinds.", ("HassTurnOn",), "cover.bedroom"),
    Command("Lock the back door.", ("HassTurnOn",), "lock.back_door"),
    Command("Set the bedroom thermostat to twenty one degrees.", ("HassClimateSetTemperature",), "climate.bedroom"),
    Command("Add milk to the shopping list.", ("HassListAddItem", "HassShoppingListAddItem")),
    Command("Start the vacuum.", ("HassVacuumStart",), "vacuum.rover"),
    Command("Turn off the floor lamp.", ("HassTurnOff",), "light.floor_lamp"),
    Command("What is the weather like?", ("HassGetWeather",)),
)
TYPED = (
    Command("Stelle einen Timer auf zehn Minuten", ("HassStartTimer",), language="de"),
    Command("Éteins toutes les lumières", ("HassTurnOff",), language="fr"),
    Command("Apaga todas las luces", ("HassTurnOff",), language="es"),
    Command("Che ore sono?", ("HassGetCurrentTime",), language="it"),
    Command("Zet een timer voor vijf minuten", ("HassStartTimer",), language="nl"),
    Command("Która jest godzina", ("HassGetCurrentTime",), language="pl"),
    Command("지금 몇 시야", ("HassGetCurrentTime",), language="ko"),
    Command("今何時", ("HassGetCurrentTime",), language="ja"),
)


def demo(arguments: argparse.Namespace) -> int:
    """Run the demonstration; 0 when enough was understood."""
    folder = Path(arguments.out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DeviceError(f"cannot make the folder {folder}: {error.strerror}; name another with --out") from error
    if not np.isfinite(arguments.snr):
        raise ConfigError("--snr needs a number of dB, such as 20")
    arguments.profile = None
    profile = compose.profile(arguments)
    write_line(f"Spoken commands, with noise {arguments.snr:g} dB below the speech, heard through the whole path:\n")
    heard = _spoken(profile, folder, arguments.snr)
    write_line("Typed commands in other languages:\n")
    typed = _typed(profile, folder)
    write_line(f"understood {_count(heard)} spoken and {_count(typed)} typed commands")
    write_line(
        f"peak memory {peak_rss_mib():.0f} MiB; torch in this process: {'yes' if 'torch' in sys.modules else 'no'}"
    )
    write_line(f"commands and spoken replies are in {folder.resolve()}")
    return 0 if all(sum(results) >= _ENOUGH * len(results) for results in (heard, typed)) else 1


def _spoken(profile: Profile, folder: Path, snr_db: float) -> list[bool]:
    """Speak each command into a file, add noise, and let the assistant hear it."""
    mind, ears, voices = compose.mind(profile, "en"), compose.ears(profile, wake="none"), compose.voices(profile)
    results = []
    for number, command in enumerate(SPOKEN, 1):
        name = folder / f"{number:02d}-command.wav"
        with closing(compose.wav_speaker(str(name))) as speaker:
            speaker.play(voices("en").synthesize(command.text))
        add_noise(name, snr_db, seed=number)
        with closing(compose.wav_speaker(str(folder / f"{number:02d}-reply.wav"))) as speaker:
            assistant = Assistant(mind, ears, Mouth(voices, speaker))
            turns = list(assistant.turns(compose.wav_microphone(str(name)).frames()))
        results.append(_told(command, turns))
    return results


def _typed(profile: Profile, folder: Path) -> list[bool]:
    """Type each command; speak the reply where espeak-ng or a voice of the language is installed."""
    results = []
    voices = compose.voices(profile)
    for command in TYPED:
        mind = compose.mind(profile, command.language)
        with closing(compose.wav_speaker(str(folder / f"typed-{command.language}-reply.wav"))) as speaker:
            try:
                voices(command.language)
                mouth: Mouth | None = Mouth(voices, speaker)
            except EngineError as error:
                write_line(f"(no spoken reply in {command.language}: {error})")
                mouth = None
            turns = list(Assistant(mind, None, mouth).turns([Transcript(command.text)]))
        results.append(_told(command, turns))
    return results


def add_noise(path: Path, snr_db: float, seed: int) -> None:
    """Mix pink-like noise into a recording, ``snr_db`` below the mean power of its speech, with 0.5 s around it."""
    speech = read_wav(path).astype(np.float64)
    rng = np.random.default_rng(seed)
    padded = np.concatenate([np.zeros(8_000), speech, np.zeros(8_000)])
    spectrum = np.fft.rfft(rng.standard_normal(len(padded)))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20))
    noise = np.fft.irfft(spectrum, len(padded))
    noise *= np.sqrt(np.mean(speech**2) / 10 ** (snr_db / 10) / np.mean(noise**2))
    write_wav(path, np.clip(np.rint(padded + noise), -32768, 32767).astype(np.int16))


def _told(command: Command, turns: list[Turn]) -> bool:
    """Print the turns of one command and whether it was understood."""
    understood = len(turns) == 1 and _fits(command, turns[0])
    write_line(f"said      {command.text}  [{command.language}]")
    for turn in turns:
        for line in turn_lines(turn):
            write_line(line)
    write_line(f"result    {'understood' if understood else 'NOT understood'}\n")
    return understood


def _fits(command: Command, turn: Turn) -> bool:
    if turn.error is not None or turn.action is None or turn.action.intent not in command.intents:
        return False
    return command.target is None or command.target in turn.action.targets


def _count(results: Iterable[bool]) -> str:
    results = list(results)
    return f"{sum(results)} of {len(results)}"
