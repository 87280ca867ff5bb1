"""Recorded commands through ``edge listen``, clean and in noise: whole commands right, and what each cost."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.hearing.mixing import mix, noise_source
from benchmarks.hearing.rejection import Judged, curve_json, curve_svg, rejection_curve
from edge.audio.wav import read_wav, write_wav
from edge.errors import ConfigError, EngineError

_CONTEXT = {"domain", "device_class", "state"}
"""Slots that a sentence of the home only implies; a label that leaves them out does not deny them."""


@dataclass(frozen=True)
class Label:
    """What a recording means: the values that each slot may have; ``intent`` is None if it is not a command."""

    intent: str | None
    slots: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Miss:
    """A recording that was not understood: what was heard and how that was parsed."""

    file: str
    wanted: str
    heard: str
    parsed: str


@dataclass
class Level:
    """Results at one noise level; ``snr_db`` is None for the recordings as they are.

    ``accepted_wrong`` counts commands taken for another and other speech taken for one, ``rejected_right`` commands
    that were not accepted; ``judged`` has each recording. CPU is of ``edge listen`` per recording and stage, the memory
    its peak.
    """

    snr_db: float | None
    right: int = 0
    accepted_wrong: int = 0
    rejected_right: int = 0
    cpu_ms: dict[str, list[float]] = field(default_factory=dict)
    peak_rss_mib: float = 0.0
    judged: list[Judged] = field(default_factory=list)
    misses: list[Miss] = field(default_factory=list)

    @property
    def count(self) -> int:
        """Number of recordings."""
        return len(next(iter(self.cpu_ms.values()), []))


def measure(
    folder: Path,
    labels: Path | None,
    noise: str | None,
    snrs_db: list[float],
    options: list[str],
) -> list[Level]:
    """Every recording of ``folder``, clean and at each ratio, through ``edge listen`` with ``options``.

    Args:
        folder: WAV files.
        labels: JSON ``{file: {"intent": …, "slots": {…}}}``; without it nothing in the folder is a command.
        noise: WAV file, or ``babble``.
        snrs_db: mean power of each recording over that of the noise.
        options: of ``edge listen``, such as ``["--bundle", "coffee.edge"]``.

    Raises:
        ConfigError: no recordings, a label without its recording, or ratios without noise.
        EngineError: ``edge listen`` failed.
    """
    known = read_labels(folder, labels)
    if snrs_db and noise is None:
        raise ConfigError("--snr needs --noise: a WAV file, or babble")
    paths = [folder / name for name in known]
    levels = [_level(None, paths, known, options)]
    if noise is None:
        return levels
    source = noise_source(noise, paths)
    for snr_db in snrs_db:
        with tempfile.TemporaryDirectory() as scratch:
            mixed = [Path(scratch) / path.name for path in paths]
            for path, target in zip(paths, mixed, strict=True):
                write_wav(target, mix(read_wav(path), source, snr_db, f"{path.name} {snr_db:g}"))
            levels.append(_level(snr_db, mixed, known, options))
    return levels


def read_labels(folder: Path, labels: Path | None) -> dict[str, Label]:
    """Label of each recording, by file name.

    Raises:
        ConfigError: no recordings, a label of the wrong form, or one without its recording.
    """
    if labels is None:
        known = {path.name: Label(None, {}) for path in sorted(folder.glob("*.wav"))}
    else:
        try:
            page = json.loads(labels.read_text(encoding="utf-8"))
            known = {name: _label(row) for name, row in sorted(page.items())}
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise ConfigError(f'{labels}: expected {{"a.wav": {{"intent": …, "slots": {{…}}}}}}') from error
    if not known:
        raise ConfigError(f"{labels or folder} holds no recordings: give a folder of .wav files")
    absent = [name for name in known if not (folder / name).is_file()]
    if absent:
        raise ConfigError(f"{folder} lacks {absent[0]}, which {labels} names")
    return known


def _label(row: dict[str, Any]) -> Label:
    slots = (row.get("slots") or {}).items()
    return Label(row["intent"], {k: tuple(map(_plain, v if isinstance(v, list) else [v])) for k, v in slots})


def _plain(value: object) -> str:
    """A slot's value as it is compared."""
    return str(value).strip().lower()


def is_right(label: Label, parse: dict[str, Any]) -> bool:
    """Whether intent and every slot of a parse are those of the label; implied slots only where it names them."""
    got = {slot["name"]: _plain(slot["value"]) for slot in parse["slots"]}
    extra = set(got) - set(label.slots)
    wanted = all(got.get(name) in values for name, values in label.slots.items())
    return bool(parse["intent"] == label.intent and (label.intent is None or (wanted and extra <= _CONTEXT)))


def _level(snr_db: float | None, paths: list[Path], known: dict[str, Label], options: list[str]) -> Level:
    rows, peak_rss_mib = _listen(paths, options)
    level = Level(snr_db, peak_rss_mib=peak_rss_mib)
    for path, row in zip(paths, rows, strict=True):
        label, parse = known[path.name], row["parse"]
        for span in row["spans"]:
            level.cpu_ms.setdefault(span["stage"], []).append(span["cpu_ms"])
        right, confidence = is_right(label, parse), parse["confidence"] if parse["intent"] is not None else None
        level.judged.append(Judged(confidence, right, label.intent is not None))
        if right:
            level.right += 1
            continue
        if parse["intent"] is None:
            level.rejected_right += 1
        else:
            level.accepted_wrong += 1
        level.misses.append(Miss(path.name, _shown(label), row["transcript"], _parsed(parse)))
    return level


def _parsed(parse: dict[str, Any]) -> str:
    return _shown(Label(parse["intent"], {slot["name"]: (str(slot["value"]),) for slot in parse["slots"]}))


def _shown(label: Label) -> str:
    slots = ", ".join(f"{name}={'|'.join(values)}" for name, values in label.slots.items())
    return f"{label.intent}({slots})" if label.intent else "no command"


def _listen(paths: list[Path], options: list[str]) -> tuple[list[dict[str, Any]], float]:
    """Answers of one ``edge listen`` over all recordings, and its peak memory in MiB."""
    command = [sys.executable, "-m", "edge", "listen", "--json", *options, *map(str, paths)]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        rows = [json.loads(line) for line in out.read().splitlines()]
        failed = next((row["error"] for row in rows if row["parse"] is None), None)
        if process.returncode != 0 or len(rows) != len(paths):
            reason = failed or err.read().decode("utf-8", "replace").strip().splitlines()[-1:]
            raise EngineError(f"edge listen failed: {reason if isinstance(reason, str) else ' '.join(reason)}")
    return rows, usage.ru_maxrss / 1024


def as_json(levels: list[Level]) -> dict[str, Any]:
    """The results for programs."""
    return {"levels": [_level_json(level) for level in levels]}


def _level_json(level: Level) -> dict[str, Any]:
    return {
        "snr_db": level.snr_db,
        "n": level.count,
        "accuracy": round(level.right / level.count, 4),
        "accepted_wrong": round(level.accepted_wrong / level.count, 4),
        "rejected_right": round(level.rejected_right / level.count, 4),
        "rejection_curve": curve_json(rejection_curve(level.judged)),
        "cpu_ms": {stage: _spread(values) for stage, values in level.cpu_ms.items()},
        "peak_rss_mib": round(level.peak_rss_mib, 1),
        "misses": [vars(miss) for miss in level.misses],
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 1), "worst": round(max(values), 1)}


def as_text(levels: list[Level]) -> str:
    """The results as a Markdown table, and the misses below it."""
    lines = [
        "| noise | n | right | accepted wrong | rejected right | CPU ms of a command, median / worst | peak MiB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for level in levels:
        heard = [sum(stages) for stages in zip(*_after_reading(level), strict=True)]
        cpu = _spread(heard)
        rates = [level.right, level.accepted_wrong, level.rejected_right]
        cells = [_name(level), str(level.count), *(f"{rate / level.count:.3f}" for rate in rates)]
        cells += [f"{cpu['median']:.0f} / {cpu['worst']:.0f}", f"{level.peak_rss_mib:.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    noisy = [level.right / level.count for level in levels if level.snr_db is not None]
    if noisy:
        lines.append(f"\nmean in noise {statistics.mean(noisy):.4f}")
    for level in levels:
        for miss in level.misses:
            lines += [f"\n{_name(level)}  {miss.file}", f"  wanted  {miss.wanted}", f"  heard   {miss.heard}"]
            lines.append(f"  parsed  {miss.parsed}")
    return "\n".join(lines)


def as_svg(levels: list[Level]) -> str:
    """The rejection curve of every level."""
    return curve_svg({_name(level): rejection_curve(level.judged) for level in levels})


def _after_reading(level: Level) -> list[list[float]]:
    return [values for stage, values in level.cpu_ms.items() if stage != "read"]


def _name(level: Level) -> str:
    return "clean" if level.snr_db is None else f"{level.snr_db:g} dB"
