"""Builds the ExecuTorch shim and puts it with the runtime's libraries into the package; the rest is pyproject.toml.

``EDGE_TARGET=aarch64`` builds a wheel for that processor on another one; it needs ``aarch64-linux-gnu-g++``.
Only headers and libraries are taken from the executorch wheel, so that no build ever installs torch.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.errors import ExecError, PlatformError

EXECUTORCH = "1.5.1"
LIBRARIES = (
    "executorch",
    "executorch_kernels_optimized",
    "executorch_kernels_quantized",
    "executorch_backend_xnnpack",
    "executorch_threadpool",
    "executorch_etdump",
)
DEFINES = ("C10_USING_CUSTOM_GENERATED_MACROS", "ET_EVENT_TRACER_ENABLED", "ET_USE_THREADPOOL")
ROOT = Path(__file__).parent
HOST = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())
TARGET = os.environ.get("EDGE_TARGET", HOST)


def executorch() -> Path:
    """Folder with headers, libraries and licence of the executorch wheel for ``TARGET``, downloaded once."""
    folder = ROOT / "build" / f"executorch-{EXECUTORCH}-{TARGET}"
    if not folder.exists():
        download = folder.with_suffix(f".{os.getpid()}")
        # The libraries do not depend on the version of Python.
        pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--python-version=3.11"]
        run([*pip, f"--platform=manylinux_2_28_{TARGET}", f"--dest={download}", f"executorch=={EXECUTORCH}"])
        (wheel,) = download.glob("*.whl")
        wanted = ("executorch/include/", "executorch/lib/lib", f"executorch-{EXECUTORCH}.dist-info/licenses/")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(download, [name for name in archive.namelist() if name.startswith(wanted)])
        wheel.unlink()
        download.rename(folder)
    return folder


def build_native(folder: Path) -> None:
    """Compile the shim into ``folder`` and copy the libraries that it loads."""
    if sys.platform != "linux" or TARGET not in ("x86_64", "aarch64"):
        raise PlatformError(f"edge-assistant runs on 64-bit Linux, x86_64 or aarch64, not on {sys.platform} {TARGET}")
    compiler = os.environ.get("CXX", "g++") if TARGET == HOST else f"{TARGET}-linux-gnu-g++"
    if shutil.which(compiler) is None:
        package = "g++" if TARGET == HOST else f"g++-{TARGET.replace('_', '-')}-linux-gnu"
        raise PlatformError(f"the C++ compiler {compiler} is missing: sudo apt-get install {package}")
    source = executorch()
    include = source / "executorch/include"
    folder.mkdir(parents=True, exist_ok=True)
    for name in LIBRARIES:
        put(source / f"executorch/lib/lib{name}.so", folder / f"lib{name}.so")
    put(source / f"executorch-{EXECUTORCH}.dist-info/licenses/LICENSE", folder / "LICENSE.executorch")
    shim = source / "libedge_program.so"
    command = [compiler, "-std=c++17", "-O3", "-fopenmp-simd", "-Wall", "-fPIC", "-shared", "-fvisibility=hidden"]
    command += [f"-D{name}" for name in DEFINES]
    command += ["-isystem", str(include), "-isystem", str(include / "executorch/runtime/core/portable_type/c10")]
    command += [*map(str, sorted((ROOT / "edge/nlu/native").glob("*.cpp"))), f"-L{folder}", "-Wl,-rpath,$ORIGIN"]
    # Most of the libraries only register kernels: nothing in the shim refers to them.
    command += ["-Wl,--no-as-needed", *(f"-l{name}" for name in LIBRARIES)]
    run([*command, "-o", str(shim)])
    put(shim, folder / shim.name)


def put(source: Path, path: Path) -> None:
    """Copy a file to ``path`` in one step: processes that use the old one keep it."""
    new = path.with_suffix(".new")
    shutil.copy(source, new)
    new.replace(path)


def run(command: list[str]) -> None:
    """Run a command that has to succeed."""
    try:
        subprocess.run(command, check=True)
    except subprocess.CalledProcessError as error:
        raise ExecError(f"failed: {' '.join(command)}") from error


def oldest_glibc(library: Path) -> int:
    """Minor version of the oldest glibc 2 on which the shim and the wheel's libraries (2.28) load."""
    found = subprocess.run(["readelf", "--version-info", str(library)], check=True, capture_output=True, text=True)
    return max(28, *(int(minor) for minor in re.findall(r"GLIBC_2\.(\d+)", found.stdout)))


class BuildPackages(build_py):
    """Adds what is not Python: the native libraries and the board profiles."""

    def run(self) -> None:
        """Build in place for an editable install, else into the build folder."""
        if self.editable_mode:
            build_native(ROOT / "edge/nlu/_native")
            super().run()
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)
        super().run()
        package = Path(self.build_lib) / "edge"
        build_native(package / "nlu/_native")
        shutil.copytree(ROOT / "firmware_configs", package / "firmware_configs")


class PlatformWheel(bdist_wheel):
    """Tags the wheel: any Python 3, one processor."""

    def get_tag(self) -> tuple[str, str, str]:
        """Tag with the oldest glibc on which the wheel works."""
        library = Path(self.get_finalized_command("build_py").build_lib) / "edge/nlu/_native/libedge_program.so"
        if not library.exists():  # an editable wheel, tagged before it is built; it stays on this machine
            return "py3", "none", f"linux_{TARGET}"
        return "py3", "none", f"manylinux_2_{oldest_glibc(library)}_{TARGET}"


class NativeDistribution(Distribution):
    """A distribution that belongs into ``platlib``."""

    def has_ext_modules(self) -> bool:
        """The shim is no Python extension, but it is native."""
        return True


setup(
    cmdclass={"build_py": BuildPackages, "bdist_wheel": PlatformWheel},
    distclass=NativeDistribution,
)
