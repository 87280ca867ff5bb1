"""What the process uses, and the memory and cores of a board imposed on it (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

_V2_ROOTS = (Path("/sys/fs/cgroup"), Path("/sys/fs/cgroup/unified"))
_V1_ROOT = Path("/sys/fs/cgroup/memory")
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3


def rss_mib() -> float:
    """Resident memory of this process now."""
    pages = int(Path("/proc/self/statm").read_bytes().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak_rss_mib(process: str = "self") -> float:
    """Highest resident memory of this or another process so far (VmHWM)."""
    return _kib(f"/proc/{process}/status", "VmHWM:") / 1024


def pss_mib() -> float:
    """Resident memory of this process, each shared page divided among the processes that use it."""
    return _kib("/proc/self/smaps_rollup", "Pss:") / 1024


def return_freed_memory() -> None:
    """Let glibc return large freed blocks to the system at once; the next engine can use one engine's scratch space.

    Sets M_MMAP_THRESHOLD and M_TRIM_THRESHOLD (mallopt(3)); with another C library nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((_M_MMAP_THRESHOLD, 4 * 2**20), (_M_TRIM_THRESHOLD, 2**20)):
            mallopt(parameter, value)


def _kib(path: str, key: str) -> float:
    for line in Path(path).read_text().splitlines():
        if line.startswith(key):
            return float(line.split()[1])
    return 0.0


def run_on_board(work: Callable[[bool], int], cap_mib: int | None, cores: int) -> int:
    """Run ``work`` in a child process under the board's memory cap and cores.

    Args:
        work: called in the child with whether the cap is enforced; returns the exit code.
        cap_mib: memory the child may use, without swap; None for no cap.
        cores: number of cores the child may use; 0 for all.

    Returns:
        The exit code of ``work``, or 1 when the kernel killed it at the cap.
    """
    group = make_group(cap_mib) if cap_mib else None
    child = os.fork()
    if child == 0:
        code = 2
        try:
            code = _child(work, group, cores)
        finally:
            os._exit(code)
    # The terminal sends Ctrl-C to the child as well: this process only waits for what the child makes of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(child, number))
    status = os.waitpid(child, 0)[1]
    if group is not None:
        group.rmdir()
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) == signal.SIGKILL and group is not None:
            sys.stderr.write(f"killed: the work did not fit into {cap_mib} MiB\n")
            return 1
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def _child(work: Callable[[bool], int], group: Path | None, cores: int) -> int:
    if group is not None:
        (group / "cgroup.procs").write_text(str(os.getpid()))
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    code = work(group is not None)
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def make_group(cap_mib: int) -> Path | None:
    """A new cgroup with the limit, next to or below our own; None where the system does not let us."""
    limit = str(cap_mib * 2**20)
    for parent, limits in _candidates():
        group = parent / f"edge-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            for name, required in limits.items():
                if required or (group / name).exists():
                    (group / name).write_text("0" if name == "memory.swap.max" else limit)
            if os.access(group / "cgroup.procs", os.W_OK):
                return group
        except OSError:
            pass
        group.rmdir()
    return None


def _candidates() -> list[tuple[Path, dict[str, bool]]]:
    """Folders where a limited cgroup may be made, nearest first, with its limit files and whether each must exist."""
    found: list[tuple[Path, dict[str, bool]]] = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, place = line.split(":", 2)
        relative = place.lstrip("/")
        if controllers == "":
            v2 = {"memory.max": True, "memory.swap.max": False}
            for root in _V2_ROOTS:
                own = root / relative
                found += [(folder, v2) for folder in (own, *own.parents) if folder.is_relative_to(root)]
        elif "memory" in controllers.split(","):
            v1 = {"memory.limit_in_bytes": True, "memory.memsw.limit_in_bytes": False}
            found += [(folder, v1) for folder in (_V1_ROOT / relative, _V1_ROOT)]
    return found
