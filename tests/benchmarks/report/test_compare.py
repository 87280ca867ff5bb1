"""A slowdown is told from noise and put down to its stage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from benchmarks.cli import main
from benchmarks.harness.measure import in_turn
from benchmarks.harness.scenarios import Scenario
from benchmarks.report.compare import compare
from benchmarks.report.intervals import difference, student_t, summarize
from benchmarks.report.report import Report, write_report

Run = Callable[..., Report]
AMOUNTS = {"hear": 300, "understand": 150, "speak": 200}


@pytest.fixture(scope="module")
def real(run_here: Run) -> Report:
    return run_here("turn", "samples:spin", {"repetitions": 12, "amounts": AMOUNTS}, rounds=5)


def drawn(
    report: Report, seed: int, factors: dict[str, float], machine: float = 1.0, process_noise: float = 0.0
) -> Report:
    """The report with samples redrawn.

    Each sample has 3 % of noise, each process ``process_noise`` more that all of its samples share; the machine is
    slower by ``machine``, stages by ``factors``.
    """
    rng = np.random.default_rng(seed)
    rounds = []
    for done in report.results[0].rounds:
        count = len(done.samples["cpu_ms"])
        stages, total, shared = {}, np.zeros(count), rng.normal(1, process_noise)
        for stage, amount in AMOUNTS.items():
            cpu = amount * 0.01 * machine * shared * factors.get(stage, 1.0) * rng.normal(1, 0.03, count)
            total += cpu
            stages[stage] = done.stages[stage] | {"cpu_ms": cpu.tolist()}
        reference = {kind: (2.0 * machine * rng.normal(1, 0.01, 2)).tolist() for kind in done.reference_ms}
        samples = done.samples | {"cpu_ms": total.tolist()}
        used = {key: value for key, value in done.used.items() if key != "cpu_ms"}
        rounds.append(msgspec.structs.replace(done, samples=samples, stages=stages, used=used, reference_ms=reference))
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


@pytest.mark.parametrize("process_noise", [0.0, 0.04])
@pytest.mark.parametrize("seed", range(5))
def test_runs_of_the_same_agree(real: Report, seed: int, process_noise: float) -> None:
    before, after = (drawn(real, start + seed, {}, process_noise=process_noise) for start in (10, 20))
    verdicts = {change.measure: change.verdict for change in compare(before, after)}
    assert set(verdicts.values()) == {"no change"}
    a, b = (summarize([done.samples["cpu_ms"] for done in r.results[0].rounds], "ms") for r in (before, after))
    assert a.median_low <= b.median_high and b.median_low <= a.median_high


def test_a_slower_machine_is_no_slower_program(real: Report) -> None:
    assert time_change(drawn(real, 1, {}), drawn(real, 2, {}, machine=1.25)) == ("no change", None)


def test_more_real_work_is_found_in_its_stage(run_here: Run, tmp_path: Path) -> None:
    """10 % more, or four times as much as the machine's own speed drifts, which hides whatever is less."""
    amounts = {"hear": 600, "understand": 300, "speak": 300}

    def measured(amounts: dict[str, int]) -> Report:
        return run_here("turn", "samples:spin", {"repetitions": 24, "amounts": amounts}, rounds=5)

    before = measured(amounts)
    more = 1 + max(0.1, 4 * before.drift_percent / 100)
    for slowed in ("hear", "speak"):
        after = measured(amounts | {slowed: round(amounts[slowed] * more)})
        found = {change.stage: change.verdict for change in compare(before, after) if change.measure != "turn.cpu_ms"}
        assert [stage for stage in amounts if found[stage] == "slower"] == [slowed]
    write_report(before, tmp_path / "a.json")
    write_report(after, tmp_path / "b.json")
    assert main(["compare", "--force", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 1
    assert main(["compare", "--force", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 0


def test_times_of_a_busy_machine_are_not_judged(
    real: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, factors in (("a", {}), ("b", dict.fromkeys(AMOUNTS, 1.5))):
        busy = {"load": {"others_cores": 2.0, "steal_cores": 0.0}, "forced": True}
        write_report(msgspec.structs.replace(drawn(real, 1, factors), busy=busy), tmp_path / f"{name}.json")
    files = [str(tmp_path / "a.json"), str(tmp_path / "b.json")]
    assert main(["compare", *files]) == 0
    said = capsys.readouterr()
    assert "only memory is judged" in said.err and "slower" not in said.out and "not judged" in said.out
    assert main(["compare", "--force", *files]) == 1


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
    held = single = 0
    for _ in range(200):
        processes = [rng.normal(rng.normal(10, 0.5), 1, 20).tolist() for _ in range(5)]
        summary = summarize(processes, "ms")
        held += summary.median_low <= 10 <= summary.median_high
        summary = summarize([rng.normal(10, 1, 40).tolist()], "ms")
        single += summary.median_low <= 10 <= summary.median_high
    assert 184 <= held <= 197
    assert 176 <= single <= 199


def test_intervals_hold_a_run_on_a_machine_that_drifted() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(200):
        here, there = rng.normal(1, 0.05, 2)  # its speed now and at the other run: 95 % within a tenth
        runs = [[(10 * speed * rng.normal(1, 0.01, 20)).tolist() for _ in range(5)] for speed in (here, there)]
        a, b = (summarize(run, "ms", drift_percent=9.8) for run in runs)
        held += a.median_low <= b.median_high and b.median_low <= a.median_high
    assert held >= 190


@pytest.mark.parametrize(("freedom", "confidence", "quantile"), [(1, 0.95, 12.706), (4, 0.95, 2.776), (8, 0.99, 3.355)])
def test_quantiles_of_students_t(freedom: int, confidence: float, quantile: float) -> None:
    assert student_t(freedom, confidence) == pytest.approx(quantile, rel=0.01)


def test_a_difference_has_welchs_interval() -> None:
    before, after = np.asarray([1.0, 2.0, 3.0]), np.asarray([4.0, 6.0, 8.0, 10.0])
    found, low, high = difference(before, after, 0.95)
    assert (found, low, high) == pytest.approx((5.0, 1.102, 8.898), abs=0.05)


def test_scenarios_take_turns() -> None:
    names = [scenario.name for scenario in in_turn((Scenario("a", "x:y", 4), Scenario("b", "x:y", 2)))]
    assert names == ["a", "b", "a", "a", "b", "a"]
