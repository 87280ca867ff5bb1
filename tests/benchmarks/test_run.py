"""The harness measures the assistant and not itself; budgets, caps and leaks are enforced."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.cli import main
from benchmarks.harness import machine
from benchmarks.report.report import Report, Result, Row, read_report, write_report
from edge.board.memory import make_group
from edge.bundle.format import open_bundle
from edge.config import Rates, load_profile, profile_names
from edge.errors import EdgeError

Run = Callable[..., Report]
TURNS = {"turns": 100, "settled": 30}


def only(report: Report) -> Result:
    (result,) = report.results
    return result


def failures(report: Report) -> list[Row]:
    return [row for row in report.gate if row.verdict == "FAIL"]


@pytest.fixture(scope="module")
def can_cap() -> None:
    group = make_group(64)
    if group is None:
        pytest.skip("no memory cgroup can be made here: run as root")
    group.rmdir()


def test_memory_of_the_harness_is_not_counted(run_here: Run) -> None:
    small = only(run_here("a", "samples:allocate", {"mib": 1})).measures["peak_rss_mib"].median
    large = only(run_here("a", "samples:allocate", {"mib": 201})).measures["peak_rss_mib"].median
    assert large - small == pytest.approx(200, rel=0.02)
    # The same work without any harness: what is left over is less than 2 % of the block.
    code = (
        "import sys; sys.argv=['x']; import json, mmap, edge.board.trace; from edge.board.memory import peak_rss_mib\n"
        "block = bytearray(b'x') * (201 << 20); print(peak_rss_mib())"
    )
    bare = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert large == pytest.approx(float(bare.stdout), rel=0.02)


def test_memory_of_a_program_that_the_work_starts_is_counted(run_here: Run) -> None:
    started = only(run_here("a", "samples:start_program", {"mib": 60})).measures
    alone = only(run_here("a", "samples:allocate", {"mib": 1})).measures
    assert alone["programs_mib"].median == 0
    assert started["programs_mib"].median == pytest.approx(60, abs=5)
    assert started["peak_rss_mib"].median - alone["peak_rss_mib"].median == pytest.approx(60, abs=5)


def test_samples_are_kept_and_reports_read_back(run_here: Run, tmp_path: Path) -> None:
    report = run_here("a", "samples:spin", {"repetitions": 8, "amounts": {"hear": 20, "speak": 10}}, rounds=2)
    result = only(report)
    assert [len(done.samples["cpu_ms"]) for done in result.rounds] == [8, 8]
    assert result.measures["cpu_ms"].n == 16
    summary = result.measures["cpu_ms"]
    assert summary.median_low <= summary.median <= min(summary.median_high, summary.max)
    assert result.stages["hear"].median > result.stages["speak"].median
    write_report(report, tmp_path / "a.json")
    assert read_report(tmp_path / "a.json") == report
    assert report.machine["versions"]["numpy"]
    assert report.machine["python"] == sys.version.split()[0]


def test_what_does_not_fit_is_killed_and_the_stage_is_named(run_here: Run, can_cap: None) -> None:
    report = run_here("turn", "samples:allocate", {"mib": 300}, cap=100)
    result = only(report)
    assert (result.status, result.stage) == ("killed", "allocate")
    (row,) = failures(report)
    assert (row.metric, row.stage) == ("turn.killed", "allocate")
    assert "did not fit into 100 MiB" in row.why
    assert not report.passed


def test_an_engine_made_too_big_fails_its_row(run_here: Run) -> None:
    report = run_here("turn", "samples:allocate", {"mib": 300}, {"turn.peak_rss_mib": 260, "turn.pss_mib": 900})
    (row,) = failures(report)
    assert (row.metric, row.stage) == ("turn.peak_rss_mib", "allocate")
    assert row.over is not None
    assert 40 < row.over < 100


def test_a_bundle_made_too_big_fails_its_row(run_here: Run, tmp_path: Path) -> None:
    opened = open_bundle("home")
    megabytes = sum(entry.bytes for entry in opened.manifest.files.values()) / 2**20
    budgets = {"cold-start.bundle_mib": megabytes + 0.5, "cold-start.peak_rss_mib": 400}
    parameters = {"text": "turn on the kitchen light"}
    assert run_here("cold-start", "benchmarks.harness.workloads:cold_start", parameters, budgets).passed
    bundle = padded(tmp_path, 1 << 20)
    report = run_here("cold-start", "benchmarks.harness.workloads:cold_start", parameters, budgets, bundle=bundle)
    (row,) = failures(report)
    assert row.metric == "cold-start.bundle_mib"
    assert row.over == pytest.approx(0.5, abs=0.1)


def padded(folder: Path, size: int) -> str:
    """A copy of the shipped bundle with a file more."""
    import hashlib

    import msgspec

    from edge.bundle.format import copy_bundle
    from edge.bundle.manifest import FileEntry

    opened = open_bundle("home")
    target = folder / "big"
    copy_bundle(opened, target)
    data = bytes(size)
    (target / "padding.bin").write_bytes(data)
    entry = FileEntry(hashlib.sha256(data).hexdigest(), size)
    manifest = msgspec.structs.replace(opened.manifest, files=opened.manifest.files | {"padding.bin": entry})
    (target / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    return str(target)


def test_a_leak_is_caught_by_a_hundred_turns(run_here: Run) -> None:
    budget = {"turns-100.leak_kib_per_turn": 8}
    assert run_here("turns-100", "samples:leak", TURNS | {"leak_kib": 0}, budget).passed
    report = run_here("turns-100", "samples:leak", TURNS | {"leak_kib": 64}, budget)
    (row,) = failures(report)
    assert row.metric == "turns-100.leak_kib_per_turn"
    assert row.low == pytest.approx(64, rel=0.15)


def test_an_error_in_the_work_is_a_failure(run_here: Run) -> None:
    report = run_here("turn", "samples:nothing", {})
    assert only(report).status == "failed"
    assert "nothing" in (only(report).reason or "")
    assert not report.passed


def test_every_profile_has_budgets_that_are_measured() -> None:
    from benchmarks.board.gate import check_budgets

    for name in profile_names():
        profile = load_profile(name)
        check_budgets(profile)
        assert profile.budgets
        assert name == "desktop" or (profile.board.rates.sources and profile.board.source), name


def test_wrong_use_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--profile", "raspberry-pi-zero-2v"]) == 2
    assert "did you mean raspberry-pi-zero-2w?" in capsys.readouterr().err
    assert main(["run", "--profile", "desktop", "--only", "pares"]) == 2
    assert "did you mean parse?" in capsys.readouterr().err
    (tmp_path / "x.json").write_text("{}")
    assert main(["compare", str(tmp_path / "x.json"), str(tmp_path / "x.json")]) == 2
    assert "is no report" in capsys.readouterr().err
    assert main(["boards"]) == 0
    assert "raspberry-pi-zero-2w" in capsys.readouterr().out


def test_open_budgets_fail_only_when_strict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rates = Rates(seven_zip_mips=83.8, dgemm_gflops=2400)  # a tenth of the board's to a thousand times
    monkeypatch.setattr("benchmarks.run.calibrate", lambda: rates)
    run = ["run", "--profile", "raspberry-pi-zero-2w", "--only", "parse", "--force"]
    assert main(run) == 0
    said = capsys.readouterr().err
    assert "open: parse.cpu_ms" in said and "passes, 1 of 2 budgets open" in said
    assert main([*run, "--strict"]) == 1


def test_seven_zip_is_estimated_where_it_is_missing() -> None:
    from benchmarks.board.projection import project

    here = Rates(lzma_mb_s=2.0, memcpy_mb_s=13000)
    found = project(here, load_profile("raspberry-pi-zero-2w"))
    assert found["estimated"] == ["seven_zip_mips"]
    assert set(found["ratios"]) == {"seven_zip_mips", "memcpy_mb_s"}
    assert found["low"] < found["high"]


def test_unknown_measure_names_the_nearest(run_here: Run) -> None:
    with pytest.raises(EdgeError, match="did you mean 'turn.first_audio_ms'"):
        run_here("a", "samples:allocate", {"mib": 1}, {"turn.first_audio": 1})


def test_a_busy_machine_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    readings = iter([(0.0, 0.0), (1e6, 0.0)])
    monkeypatch.setattr(machine, "_jiffies", lambda: next(readings))
    assert main(["run", "--profile", "desktop", "--only", "parse"]) == 2
    assert "too busy to measure" in capsys.readouterr().err


def test_calibrate_writes_a_profile_with_measured_rates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.board import projection
    from benchmarks.board.projection import project
    from benchmarks.board.rates import with_rates

    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(projection, "_SIZE", 128)
    here = projection.calibrate()
    assert here.seven_zip_mips is None
    assert here.sgemm_gflops is not None and here.sgemm_gflops > 0
    (tmp_path / "mine.toml").write_text(with_rates("raspberry-pi-zero-2w", here))
    mine, shipped = load_profile(str(tmp_path / "mine.toml")), load_profile("raspberry-pi-zero-2w")
    assert mine.board.rates.machine == here.machine
    assert mine.budgets == shipped.budgets
    found = project(here, mine)
    assert found["low"] == pytest.approx(1.0) and found["high"] == pytest.approx(1.0)
    projected = project(here, shipped)
    assert projected["label"] == "projected"
    assert projected["low"] < projected["high"]
