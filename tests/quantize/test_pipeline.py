"""From raw data to a verified bundle with a small recipe, resumed after a kill, refused when it is not good enough."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from edge.bundle.format import Bundle, open_bundle
from edge.errors import ConfigError
from edge.nlu.student import StudentParser
from edge.types import Area, Home, Transcript
from quantize.pipeline import BuildError, build
from quantize.templates import package as home_templates
from tests.quantize.tiny_home import TINY


def test_the_bundle_is_verified_and_parses(tiny_home: Bundle) -> None:
    parser = StudentParser(open_bundle(tiny_home.source), Home(areas=(Area("k", "Kitchen"),)), "en")
    assert parser.parse(Transcript("turn on the lights in the kitchen")).language == "en"
    assert tiny_home.manifest.recipe_sha256 == TINY.sha256


def test_the_programs_agree(tiny_home: Bundle) -> None:
    metrics = tiny_home.manifest.metrics
    assert metrics["frames_that_differ"] <= TINY.release.parity
    assert metrics["frame_accuracy_int8"] > 0.3
    assert abs(metrics["frame_accuracy_int8"] - metrics["frame_accuracy_float"]) <= 0.03


def test_a_finished_build_is_not_done_again(tiny_home: Bundle) -> None:
    before = (tiny_home.source.parent / "work" / "checkpoint.pt").stat().st_mtime_ns
    again = build(TINY, tiny_home.source.parent, Path())
    assert (tiny_home.source.parent / "work" / "checkpoint.pt").stat().st_mtime_ns == before
    assert again.manifest == tiny_home.manifest


def test_the_work_of_another_recipe_is_refused(tiny_home: Bundle) -> None:
    other = msgspec.structs.replace(TINY, seed=2)
    with pytest.raises(ConfigError, match="another recipe"):
        build(other, tiny_home.source.parent, Path())


def test_the_work_of_other_templates_is_refused(
    tiny_home: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "en.yaml").write_text("refused: [never mind]\n", "utf-8")
    monkeypatch.setattr(home_templates, "_WORDINGS", tmp_path)
    with pytest.raises(ConfigError, match="other templates"):
        build(TINY, tiny_home.source.parent, Path())


def again_with(tiny_home: Bundle, out: Path, **release: object) -> Bundle:
    """Build with another [release] table on the work that is already done."""
    recipe = msgspec.structs.replace(TINY, release=msgspec.structs.replace(TINY.release, **release))
    (out / "work").mkdir()
    for name in ("checkpoint.pt", "student.pte"):
        (out / "work" / name).write_bytes((tiny_home.source.parent / "work" / name).read_bytes())
    return build(recipe, out, Path())


def test_a_student_that_is_not_good_enough_leaves_no_bundle(tiny_home: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="no bundle was written"):
        again_with(tiny_home, tmp_path, min_intent_accuracy=1.01)
    assert not list(tmp_path.glob("*.edge"))


def test_too_many_negative_flips_leave_no_bundle(tiny_home: Bundle, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"that home parsed right are wrong now, over 0\.0%.*no bundle was written"):
        again_with(tiny_home, tmp_path, against="home", max_negative_flips=0.0)
    assert not list(tmp_path.glob("*.edge"))


def test_few_enough_negative_flips_are_recorded(tiny_home: Bundle, tmp_path: Path) -> None:
    released = again_with(tiny_home, tmp_path, against=str(tiny_home.source), max_negative_flips=0.0)
    assert released.manifest.metrics["negative_flips"] == 0.0


def test_a_killed_build_goes_on(tmp_path: Path) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(
        'name = "tiny"\n[data]\nsource = "home"\nlanguages = ["en"]\nsentences = 300\n'
        "[student]\nbuckets = 1024\nembed = 16\nhidden = 32\nlayers = 1\nheads = 2\nfeed_forward = 64\n"
        "[training]\nepochs = 4\nbatch = 32\n[release]\nparity = 0.05\n"
    )
    command = [sys.executable, "-m", "quantize", "build", str(recipe), "--out", str(tmp_path / "out")]
    checkpoint = tmp_path / "out" / "work" / "checkpoint.pt"
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        while not checkpoint.exists():
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    assert not list((tmp_path / "out").glob("*.edge"))
    resumed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "student: continued at step" in resumed.stderr
    assert open_bundle(tmp_path / "out" / "tiny.edge").manifest.name == "tiny"
