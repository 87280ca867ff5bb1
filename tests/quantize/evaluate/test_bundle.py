"""What ``edge-quantize evaluate`` and ``evaluate-home`` print about the shipped bundles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.bundle.format import open_bundle
from edge.errors import ConfigError
from quantize.cli import main
from quantize.data.datasets import Utterance, parse_annotation, write_utterances
from quantize.evaluate import home as homes
from quantize.evaluate.bundle import evaluate, table
from quantize.evaluate.home import evaluate_home

SAID = (
    ("alarm_set", "wake me up at [time : nine am] on [date : friday]"),
    ("play_music", "play some music by [artist_name : the beatles]"),
    ("weather_query", "what is the weather like [date : tomorrow]"),
    ("iot_hue_lightoff", "turn off the lights in the [house_place : kitchen]"),
)
UNRELATED = ["The parliament passed the law by a narrow margin.", "My sister adopted two kittens."]


def utterances() -> list[Utterance]:
    rows = [(intent, *parse_annotation(text)) for intent, text in SAID]
    return [Utterance(str(i), "en-US", "test", "s", *row) for i, row in enumerate(rows)]


def test_each_augmentation_and_rejection_are_reported() -> None:
    report = evaluate(open_bundle("massive-en"), utterances(), unrelated=UNRELATED)
    assert report["intent_accuracy"] == 1.0
    always = {"one_word_dropped", "one_letter_wrong", "one_word_repeated", "polite_phrase"}
    assert set(report["robustness"]) == {*always, "one_word_misheard"}
    assert all(report["robustness"][name]["n"] == len(SAID) for name in always)
    assert report["rejection"]["n_out_of_scope"] == 2
    text = table(report, "title")
    assert "intent with polite phrase" in text
    assert "rejection, auroc" in text


def test_marks_count_only_where_there_are_any() -> None:
    german = [Utterance("1", "de-DE", "test", "s", "x", "mach das Licht in der Küche aus")]
    assert evaluate(open_bundle("home"), german)["robustness"]["without_marks"]["n"] == 1


def test_more_flips_than_allowed_exit_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "d.jsonl"
    write_utterances(data, utterances())
    command = ["evaluate", "home", str(data), "--against", "massive-en", "--json", "--max-flips"]
    assert main([*command, "0.5"]) == 1
    assert json.loads(capsys.readouterr().out)["negative_flips"]["share"] > 0.5
    assert main([*command, "1"]) == 0


def test_home_report_has_a_row_per_language(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = tmp_path / "unrelated.txt"
    text.write_text("\n".join(UNRELATED))
    command = ["evaluate-home", "home", "--languages", "de", "ja", "--count", "15", "--unrelated", str(text)]
    assert main([*command, "--against", "home", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report["languages"]) == ["de", "ja"]
    assert report["mean"]["intent"] > 0.9
    assert {"one_word_dropped", "one_letter_wrong", "one_word_repeated"} < set(report["mean"])
    assert report["rejection"]["n_in_scope"] == 40
    assert report["negative_flips"] == {"share": 0.0, "n": 30, "examples": []}
    assert homes.table(report).count("\n|") >= 4


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ConfigError, match="no language 'dee'; did you mean 'de'"):
        evaluate_home(open_bundle("home"), ["dee"], 5)
