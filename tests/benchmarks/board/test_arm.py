"""What the emulated board says is compared strictly in labels and with a tolerance in numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.board import arm, arm_probe
from benchmarks.peers import PEERS, _changed, measure_peers
from edge.errors import ConfigError


def parse(**changes: Any) -> dict[str, Any]:
    base = {
        "text": "a",
        "language": "en",
        "intent": "HassTurnOn",
        "slots": [],
        "confidence": 0.9,
        "source": "s",
        "ms": 1.0,
    }
    return base | changes


def test_labels_must_be_equal_and_times_need_not() -> None:
    assert arm._parse_differences([parse()], [parse(ms=50.0, confidence=0.92)]) == []
    assert "HassTurnOff" in arm._parse_differences([parse()], [parse(intent="HassTurnOff")])[0]
    assert "confidence" in arm._parse_differences([parse()], [parse(confidence=0.7)])[0]


def test_a_turn_must_have_the_same_words_action_and_reply() -> None:
    here = {"transcript": "Turn on the light,", "action": "light: off → on", "reply": "Turned on"}
    assert arm._turn_differences(here, here | {"transcript": "turn on the light"}) == []
    other = here | {"transcript": "Turn on the lights"}
    assert "transcript is Turn on the lights" in arm._turn_differences(here, other)[0]
    assert "reply is None" in arm._turn_differences(here, here | {"reply": None})[0]


def test_outputs_may_differ_a_little(capsys: pytest.CaptureFixture[str]) -> None:
    assert arm._output_differences([[[1.0, 2.0]]], [[[1.1, 2.0]]]) == []
    assert "differs by 0.500" in arm._output_differences([[[1.0, 2.0]]], [[[1.5, 2.0]]])[0]
    assert "largest difference" in capsys.readouterr().out


def test_missing_tools_are_a_reason_to_skip(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(arm.os, "geteuid", lambda: 0)
    monkeypatch.setattr(arm.shutil, "which", lambda name: None)
    assert arm.main() == 0
    assert "arm-test skipped: missing qemu-aarch64-static" in capsys.readouterr().out


def test_probe_understands_ten_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert arm_probe.main() == 0
    said = json.loads(capsys.readouterr().out)
    assert len({row["language"] for row in said["parses"]}) == 10
    assert sum(row["intent"] is not None for row in said["parses"]) >= 12
    assert len(said["outputs"]) == 4


def test_peers_get_the_same_sentences() -> None:
    cases = [("turn on the light", "A"), ("stop", "B")]
    assert _changed(cases) == _changed(cases)
    assert [kind for kind, _, _ in _changed(cases)] == [
        "clean",
        "word dropped",
        "letter wrong",
        "clean",
        "letter wrong",
    ]
    with pytest.raises(ConfigError, match="no peer called 'hasil'"):
        measure_peers(arm.ROOT, "home", ("hasil",))


@pytest.mark.slow
def test_every_runtime_of_the_student_is_measured(data_dir: Path) -> None:
    pytest.importorskip("onnx", reason="no onnx: pip install 'edge-assistant[build]'")
    rows = {row["peer"]: row for row in measure_peers(data_dir / "home_assistant_tests", "home", ())}
    assert tuple(rows) == PEERS
    assert {row["result"] for row in rows.values()} == {"measured"}
    clean = {name: row["intent clean"] for name, row in rows.items()}
    assert clean["onnxruntime"] == pytest.approx(clean["student"], abs=0.03)
    assert clean["torch"] == pytest.approx(clean["student"], abs=0.03)
    assert rows["student"]["peak MiB"] < min(rows[name]["peak MiB"] for name in ("onnxruntime", "torch"))
