from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cli import main
from benchmarks.hearing.endpoint import AFTER_MS, BEFORE_MS, EndpointLevel, endpoint_json, endpoint_table, with_pause
from edge.audio.wav import write_wav
from edge.errors import ConfigError
from tests.speech import spoken

RATE_HZ = 16000


def tone(duration_ms: int) -> np.ndarray:
    return np.full(duration_ms * RATE_HZ // 1000, 5000, np.int16)


def quiet(duration_ms: int) -> np.ndarray:
    return np.zeros(duration_ms * RATE_HZ // 1000, np.int16)


def test_the_pause_goes_into_the_quietest_place_of_the_middle() -> None:
    speech = np.concatenate([quiet(100), tone(400), quiet(40), tone(560), quiet(300)])
    audio, end_ms = with_pause(speech, 500)
    assert end_ms == BEFORE_MS + 500 + 1100
    assert len(audio) * 1000 / RATE_HZ == BEFORE_MS + 1400 + 500 + AFTER_MS
    middle = audio[(BEFORE_MS + 500) * RATE_HZ // 1000 :][: 540 * RATE_HZ // 1000]
    assert not middle.any()
    assert with_pause(speech, 0)[1] == BEFORE_MS + 1100


def test_silence_is_an_error() -> None:
    with pytest.raises(ConfigError, match="silent"):
        with_pause(quiet(1000), 0)


def test_gives_both_errors_together() -> None:
    level = EndpointLevel(400, None, cut=1, waited_ms=[200.0, 300.0, 400.0], cut_files=["a.wav"])
    (row,) = endpoint_json([level])["levels"]
    assert (row["n"], row["cut_off"], row["unheard"], row["waited_ms"]["p50"]) == (4, 0.25, 0.0, 300.0)
    assert "| 400 ms | none | 4 | 0.250 | 0.000 | 300 / 390 ms |" in endpoint_table([level])


def test_a_long_pause_cuts_off_and_a_short_one_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("moonshine_voice")
    write_wav(tmp_path / "a.wav", spoken("Turn on the kitchen light."))
    assert main(["endpoint", str(tmp_path), "--pause", "0", "1500", "--json"]) == 0
    whole, broken = json.loads(capsys.readouterr().out)["levels"]
    assert (whole["n"], whole["cut_off"], whole["unheard"]) == (1, 0.0, 0.0)
    assert 100 < whole["waited_ms"]["p50"] < 1000
    assert (broken["cut_off"], broken["cut_files"], broken["waited_ms"]["p50"]) == (1.0, ["a.wav"], None)


def test_noise_needs_its_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("moonshine_voice")
    assert main(["endpoint", str(tmp_path), "--noise", "babble"]) == 2
    assert "--snr" in capsys.readouterr().err
