"""Labelled utterances, typed to the shipped bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.cli import main

LINES = [
    {"utt": "turn off the lights in the kitchen", "intent": "iot_hue_lightoff", "locale": "en-US"},
    {"utt": "what time is it", "intent": "iot_hue_lighton"},
    {"utt": "purple monkey dishwasher of the seventh kind", "intent": "iot_hue_lightdim"},
    {"utt": "did my sister write me an email last week", "intent": "email_query", "scenario": "email"},
    {"utt": "turn on the kitchen lights", "intent": "news_query"},
    {"utt": "turn on the lights", "intent": "iot_hue_lighton", "extra": True},
    {"utt": "wake me at seven", "intent": "alarm_set"},
]


def test_utterances_are_right_refused_or_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "utterances.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in LINES), encoding="utf-8")
    assert main(["free", str(file), "--json", "--failures", "9"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out) == {
        "n": 3,
        "right": 0.3333,
        "refused": 0.3333,
        "wrong": 0.3333,
        "other_n": 2,
        "other_refused": 0.5,
    }
    shown = told.err.splitlines()
    assert len(shown) == 3 and shown[0].endswith("HassGetCurrentTime") and shown[-1].endswith("rejected")
