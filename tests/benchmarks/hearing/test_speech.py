from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cli import main
from benchmarks.hearing.mixing import mix, noise_source
from benchmarks.hearing.rejection import Judged, rejection_curve
from benchmarks.hearing.speak import read_sentences
from benchmarks.hearing.speech import Label, is_right, measure, read_labels
from edge.audio.wav import read_wav, write_wav
from edge.errors import ConfigError
from tests.speech import spoken

RATE_HZ = 16000


def noise(seconds: float = 5.0) -> np.ndarray:
    return (np.random.default_rng(1).standard_normal(int(seconds * RATE_HZ)) * 500).astype(np.int16)


@pytest.mark.parametrize("snr_db", [6.0, 24.0])
def test_mixes_at_the_wanted_ratio_and_the_same_way_every_time(snr_db: float) -> None:
    speech = spoken("Turn on the kitchen light.")
    mixed = mix(speech, noise().astype(np.float32), snr_db, "a.wav")
    added = mixed.astype(np.float64) - speech
    ratio = np.mean(np.square(speech.astype(np.float64))) / np.mean(np.square(added))
    assert 10 * np.log10(ratio) == pytest.approx(snr_db, abs=0.2)
    assert np.array_equal(mixed, mix(speech, noise().astype(np.float32), snr_db, "a.wav"))
    assert not np.array_equal(mixed, mix(speech, noise().astype(np.float32), snr_db, "b.wav"))


def test_babble_is_made_of_the_recordings(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        write_wav(tmp_path / name, noise(1.0))
    assert len(noise_source("babble", sorted(tmp_path.glob("*.wav")))) == 60 * RATE_HZ


def test_silent_noise_is_an_error() -> None:
    with pytest.raises(ConfigError, match="silent"):
        mix(noise(1.0), np.zeros(100, np.float32), 6.0, "a")


def parse(intent: str | None, **slots: object) -> dict[str, object]:
    return {"intent": intent, "slots": [{"name": name, "value": value} for name, value in slots.items()]}


def test_a_command_is_right_with_its_intent_and_every_slot() -> None:
    label = Label("HassTurnOn", {"name": ("lamp", "desk lamp")})
    assert is_right(label, parse("HassTurnOn", name="Desk Lamp"))
    assert is_right(label, parse("HassTurnOn", name="lamp", domain="light"))
    assert not is_right(label, parse("HassTurnOn", name="lamp", area="kitchen"))
    assert not is_right(label, parse("HassTurnOff", name="lamp"))
    assert is_right(Label(None, {}), parse(None))
    assert not is_right(Label(None, {}), parse("HassTurnOn", name="lamp"))


def test_rejects_more_and_accepts_less_as_the_confidence_rises() -> None:
    judged = [
        Judged(0.9, right=True, commanded=True),
        Judged(0.6, right=False, commanded=True),
        Judged(0.7, right=False, commanded=False),
        Judged(None, right=True, commanded=False),
    ]
    points = [(p.confidence, p.rejected_right, p.accepted_wrong) for p in rejection_curve(judged)]
    assert points == [(0.0, 0.0, 0.5), (0.6, 0.0, 0.5), (0.7, 0.5, 0.25), (0.9, 0.5, 0.0), (1.0, 1.0, 0.0)]
    assert [p.rejected_right for p in rejection_curve([])] == [0.0, 0.0]


def test_measures_recordings_clean_and_in_noise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("moonshine_voice")
    said = {"a.wav": ("Turn on the kitchen light.", "HassTurnOn"), "b.wav": ("The mayor wrote a long letter.", None)}
    labels = {}
    for name, (text, intent) in said.items():
        write_wav(tmp_path / name, spoken(text))
        labels[name] = {"intent": intent, "slots": {"name": "Kitchen Light"} if intent else {}}
    write_wav(tmp_path / "noise.wav", noise())
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    options = ["--labels", str(tmp_path / "labels.json"), "--noise", str(tmp_path / "noise.wav"), "--snr", "30"]
    options += ["--svg", str(tmp_path / "curve.svg")]
    assert main(["speech", str(tmp_path), *options, "--json"]) == 0
    levels = json.loads(capsys.readouterr().out)["levels"]
    assert [level["snr_db"] for level in levels] == [None, 30]
    assert (tmp_path / "curve.svg").read_text().count("<polyline") == 2
    for level in levels:
        assert level["rejection_curve"][0]["rejected_right"] == 0.0
        assert (level["n"], level["accuracy"]) == (2, 1.0), level["misses"]
        assert level["cpu_ms"]["recognize"]["worst"] > 0 and level["peak_rss_mib"] > 50


def test_without_labels_nothing_is_a_command(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(0.2))
    assert read_labels(tmp_path, None) == {"a.wav": Label(None, {})}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "expected"),
        ('{"a.wav": 1}', "expected"),
        ('{"b.wav": {"intent": "A"}}', r"lacks b\.wav"),
        ("{}", "no recordings"),
    ],
)
def test_mistakes_in_labels_are_one_line(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "labels.json").write_text(content)
    with pytest.raises(ConfigError, match=message):
        read_labels(tmp_path, tmp_path / "labels.json")


def test_levels_need_noise(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", noise(0.2))
    with pytest.raises(ConfigError, match="--noise"):
        measure(tmp_path, None, None, [6.0], [])


def test_speaks_sentences_into_recordings_with_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoken("x")  # skips without espeak-ng
    (tmp_path / "said.txt").write_text("One fine day.\n\nTwo fine days.\n```\n")
    arguments = ["speak", str(tmp_path / "said.txt"), "--out", str(tmp_path / "out"), "--voice", "espeak:en-gb"]
    assert main(arguments) == 0
    labels = json.loads((tmp_path / "out" / "labels.json").read_text())
    assert sorted(labels) == sorted(path.name for path in (tmp_path / "out").glob("*.wav"))
    assert "'```'" in capsys.readouterr().err
    assert {row["text"] for row in labels.values()} == {"One fine day.", "Two fine days."}
    assert len(read_wav(tmp_path / "out" / "0001.wav")) > 0.5 * RATE_HZ


def test_labelled_sentences_keep_their_labels(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "hi", "intent": "Greet", "slots": {"who": "you"}}\n')
    assert read_sentences(tmp_path / "a.jsonl") == [{"text": "hi", "intent": "Greet", "slots": {"who": "you"}}]
    (tmp_path / "b.jsonl").write_text('{"text": "hi"}\n')
    with pytest.raises(ConfigError, match="b.jsonl:1"):
        read_sentences(tmp_path / "b.jsonl")
