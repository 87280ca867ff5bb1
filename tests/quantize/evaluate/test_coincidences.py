"""Training sentences that a data set also holds are found, whatever their case and punctuation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.errors import ConfigError
from quantize.cli import main
from quantize.evaluate.coincidences import drawn_sentences, note_coincidences, read_measured, report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Every kind of file that is read, and one that is not."""
    (tmp_path / "people").mkdir()
    (tmp_path / "people/en.jsonl").write_text(
        '{"home": "flat", "areas": []}\n{"id": "1", "say": ["Dim the lamp, please!", "And now off."]}\n'
    )
    (tmp_path / "slurp.jsonl").write_text('{"utt": "what is the weather like", "intent": "weather_query"}\n')
    (tmp_path / "tests.yaml").write_text("tests:\n  - sentences: [Öffne das Garagentor]\n")
    (tmp_path / "lines.txt").write_text("dim the lamp please\n\n")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    return tmp_path


def test_finds_what_was_drawn_in_every_kind_of_file(folder: Path) -> None:
    measured = read_measured(folder)
    note_coincidences(measured, ["DIM the lamp please", "öffne das garagentor.", "dim the other lamp please"])
    found = {row["file"]: (row["sentences"], row["which"]) for row in report(measured)}
    assert found == {
        "lines.txt": (1, ["DIM the lamp please"]),
        "people/en.jsonl": (2, ["DIM the lamp please"]),
        "slurp.jsonl": (1, []),
        "tests.yaml": (1, ["öffne das garagentor."]),
    }


def test_draws_what_the_student_is_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = list(drawn_sentences(["en"], 40, seed=3))
    assert len(drawn) == 40
    (tmp_path / "measured.txt").write_text(f"{drawn[7].upper()}\na sentence that no template has\n", encoding="utf-8")
    command = ["data", "coincidences", "--data-dir", str(tmp_path), "--languages", "en", "--count", "40", "--seed", "3"]
    assert main([*command, "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["sentences"], row["drawn"], row["share"]) == (2, 1, 0.5)


def test_a_folder_without_sentences_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no sentences"):
        read_measured(tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{nonsense\n")
    with pytest.raises(ConfigError, match=r"bad\.jsonl"):
        read_measured(tmp_path)
