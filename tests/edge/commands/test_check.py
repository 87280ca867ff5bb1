from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge.commands.check import look
from edge.commands.cli import main
from edge.config import load_profile
from tests.command import edge, rows


def test_every_part_is_looked_at_and_what_is_missing_has_a_fix(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "--json"])
    (report,) = rows(capsys.readouterr().out)
    parts = {part["part"]: part for part in report["parts"]}
    assert {"python", "bundle", "student", "home", "replies", "recognizer", "espeak-ng", "microphone"} <= set(parts)
    assert parts["student"]["found"]
    assert all(part["fix"] for part in report["parts"] if not part["found"])
    assert report["ok"] == all(part["found"] for part in report["parts"] if part["needed"])
    assert code == (0 if report["ok"] else 1)


def test_a_missing_part_that_is_needed_fails_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    profile = tmp_path / "mine.toml"
    profile.write_text(
        'name = "mine"\nbundle = "absent"\n[board]\ntitle = "T"\nsoc = "S"\ncore = "c"\ncores = 1\n'
        'clock_mhz = 1\nram_mib = 1\n[wake]\nengine = "none"\n[asr]\nengine = "vosk"\nmodel = "./absent"\n'
    )
    assert main(["check", "--profile", str(profile)]) == 1
    output = capsys.readouterr().out
    assert "MISSING  bundle" in output
    assert "MISSING  recognizer" in output
    assert "fix: edge bundle install" in output
    assert "mine: something needed is missing" in output


def test_a_device_needs_its_sound_card_and_a_desktop_does_not() -> None:
    needed = {
        name: {finding.part for finding in look(load_profile(name)) if finding.needed}
        for name in ("desktop", "raspberry-pi-zero-2w")
    }
    assert {"microphone", "speaker"} & needed["desktop"] == set()
    assert {"microphone", "speaker"} <= needed["raspberry-pi-zero-2w"]


def test_a_language_without_a_recognizer_is_told() -> None:
    profile = msgspec.structs.replace(load_profile("desktop"), language="is")
    (recognizer,) = (finding for finding in look(profile) if finding.part == "recognizer")
    assert not recognizer.found
    assert "edge models" in recognizer.fix


def test_the_command_needs_no_torch() -> None:
    done = edge("check")
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)
