"""A slowdown is told from noise and put down to its stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks.cli import main
from benchmarks.compare import compare
from benchmarks.report import Report, write_report
from benchmarks.statistics import summarize

Run = Callable[..., Report]
AMOUNTS = {"hear": 300, "understand": 150, "speak": 200}


@pytest.fixture(scope="module")
def real(run_here: Run) -> Report:
    return run_here("turn", "samples:spin", {"repetitions": 24, "amounts": AMOUNTS}, rounds=2)


def drawn(report: Report, seed: int, factors: dict[str, float], machine: float = 1.0) -> Report:
    """The report with samples redrawn: 3 % noise of each, a machine that is slower by ``machine``, slower stages."""
    rng = np.random.default_rng(seed)
    rounds = []
    for done in report.results[0].rounds:
        count = len(done.samples["cpu_ms"])
        stages, total = {}, np.zeros(count)
        for stage, amount in AMOUNTS.items():
            cpu = amount * 0.01 * machine * factors.get(stage, 1.0) * rng.normal(1, 0.03, count)
            total += cpu
            stages[stage] = done.stages[stage] | {"cpu_ms": cpu.tolist()}
        yardsticks = (0.3 * machine * rng.normal(1, 0.05, len(done.samples["yardstick_ms"]))).tolist()
        samples = done.samples | {"cpu_ms": total.tolist(), "yardstick_ms": yardsticks}
        used = {key: value for key, value in done.used.items() if key != "cpu_ms"}
        rounds.append(msgspec.structs.replace(done, samples=samples, stages=stages, used=used))
    stage_sums = {s: summarize([done.stages[s]["cpu_ms"] for done in rounds], "ms") for s in AMOUNTS}
    result = msgspec.structs.replace(report.results[0], rounds=rounds, stages=stage_sums)
    return msgspec.structs.replace(report, results=[result])


def time_change(before: Report, after: Report) -> tuple[str, str | None]:
    change = next(change for change in compare(before, after) if change.measure == "turn.cpu_ms")
    return change.verdict, change.stage


@pytest.mark.parametrize("stage", AMOUNTS)
def test_ten_percent_more_in_one_stage_is_found_there(real: Report, stage: str) -> None:
    before, after = drawn(real, 1, {}), drawn(real, 2, {stage: 1.10})
    expected = {f"turn.{name}.cpu_ms": "slower" if name == stage else "no change" for name in AMOUNTS}
    found = {change.measure: change.verdict for change in compare(before, after)}
    assert {name: found[name] for name in expected} == expected
    if stage == "hear":  # nearly half of the turn: the whole turn shows it too
        assert time_change(before, after) == ("slower", stage)


@pytest.mark.parametrize("seed", range(5))
def test_runs_of_the_same_agree(real: Report, seed: int) -> None:
    before, after = drawn(real, 10 + seed, {}), drawn(real, 20 + seed, {})
    verdicts = {change.measure: change.verdict for change in compare(before, after)}
    assert set(verdicts.values()) == {"no change"}
    a, b = (summarize([done.samples["cpu_ms"] for done in r.results[0].rounds], "ms") for r in (before, after))
    assert a.median_low <= b.median_high and b.median_low <= a.median_high


def test_a_slower_machine_is_no_slower_program(real: Report) -> None:
    assert time_change(drawn(real, 1, {}), drawn(real, 2, {}, machine=1.25)) == ("no change", None)


def test_ten_percent_more_real_work_is_found_in_its_stage(run_here: Run, tmp_path: Path) -> None:
    amounts = {"hear": 600, "understand": 300, "speak": 300}

    def measured(amounts: dict[str, int]) -> Report:
        return run_here("turn", "samples:spin", {"repetitions": 40, "amounts": amounts}, rounds=3)

    before = measured(amounts)
    for slowed in ("hear", "speak"):
        after = measured(amounts | {slowed: amounts[slowed] * 11 // 10})
        found = {change.stage: change.verdict for change in compare(before, after) if change.measure != "turn.cpu_ms"}
        assert {stage: found[stage] for stage in amounts} == dict.fromkeys(amounts, "no change") | {slowed: "slower"}
    write_report(before, tmp_path / "a.json")
    write_report(after, tmp_path / "b.json")
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 1
    assert main(["compare", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 0


def test_one_process_does_not_tell_times(real: Report) -> None:
    result = msgspec.structs.replace(real.results[0], rounds=real.results[0].rounds[:1])
    single = msgspec.structs.replace(real, results=[result])
    assert {change.measure for change in compare(single, single)} == {"turn.peak_rss_mib"}


def test_more_memory_is_found(run_here: Run) -> None:
    before = run_here("turn", "samples:allocate", {"mib": 40})
    after = run_here("turn", "samples:allocate", {"mib": 60})
    assert {c.measure: c.verdict for c in compare(before, after)}["turn.peak_rss_mib"] == "bigger"
    assert {c.measure: c.verdict for c in compare(after, before)}["turn.peak_rss_mib"] == "smaller"


def test_intervals_hold_the_median_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(100):
        summary = summarize([rng.normal(10, 1, 40).tolist()], "ms")
        held += summary.median_low <= 10 <= summary.median_high
    assert 88 <= held <= 100
