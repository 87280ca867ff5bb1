from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cli import main
from benchmarks.hearing.wake import measure_wake, poisson_upper
from edge.audio.wav import write_wav
from edge.errors import ConfigError
from tests.speech import spoken

pytest.importorskip("pymicro_wakeword")
QUIET = np.zeros(16000, np.int16)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for folder, texts in {"said": ["Alexa!", "Good morning."], "other": ["Alexa!", "Hello there."]}.items():
        (tmp_path / folder).mkdir()
        for number, text in enumerate(texts):
            write_wav(tmp_path / folder / f"{number}.wav", np.concatenate([QUIET, spoken(text), QUIET]))
    return tmp_path


def test_counts_misses_and_false_alarms_with_the_hours(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["wake", "--word", "alexa", "--said", str(clips / "said"), "--other", str(clips / "other"), "--json"]
    assert main(arguments) == 0
    (result,) = json.loads(capsys.readouterr().out)["words"]
    assert (result["misses"], result["said"], result["false_alarms"]) == (1, 2, 1)
    assert 4 / 3600 < result["hours"] < 12 / 3600
    assert result["per_hour"] == pytest.approx(1 / result["hours"])
    assert result["per_hour_at_most"] > result["per_hour"]


def test_hears_through_the_gain_and_with_the_threshold_of_the_profile(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    quiet = (spoken("Alexa!") / 400).astype(np.int16)
    write_wav(tmp_path / "quiet.wav", np.concatenate([*[QUIET] * 6, quiet, QUIET]))

    def misses(profile: str) -> int:
        path = tmp_path / "board.toml"
        path.write_text(profile)
        assert main(["wake", "--word", "alexa", "--said", str(tmp_path), "--profile", str(path), "--json"]) == 0
        return int(json.loads(capsys.readouterr().out)["words"][0]["misses"])

    profile = (Path(__file__).parents[3] / "firmware_configs" / "desktop.toml").read_text()
    assert misses(profile) == 0
    assert misses(profile + "\n[audio]\nautomatic_gain = false\n") == 1
    assert misses(profile.replace("[wake]", "[wake]\nthreshold = 0.999")) == 1


def test_what_was_not_measured_says_so(clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["wake", "--word", "okay_nabu", "--other", str(clips / "other")]) == 0
    assert "| okay_nabu | the model's | 0 |" in (table := capsys.readouterr().out)
    assert "not measured" in table


def test_bounds_a_rate_by_the_hours_measured() -> None:
    assert poisson_upper(0) == pytest.approx(2.996, abs=0.001)
    assert poisson_upper(3) == pytest.approx(7.754, abs=0.001)


def test_nothing_to_measure_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--other"):
        measure_wake("alexa", None, [], [])
    with pytest.raises(ConfigError, match="no .wav"):
        measure_wake("alexa", None, [tmp_path], [])
