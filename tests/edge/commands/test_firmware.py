"""Files of a board's image, checked by the programs that read them."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement

from edge.board import watchdog
from edge.commands.cli import main
from edge.commands.firmware import render
from edge.config import Dwelling, Profile, load_profile, profile_names
from edge.errors import ConfigError
from tests.command import CHECKOUT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@pytest.fixture(scope="module")
def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd-analyze: apt-get install systemd")
    return program


@pytest.mark.parametrize("name", profile_names())
def test_unit_is_valid_and_hardened(name: str, analyze: str, tmp_path: Path) -> None:
    unit = tmp_path / "edge-assistant.service"
    text = render(load_profile(name))[unit.name]
    unit.write_text(text.replace("/opt/edge-assistant/bin/edge", sys.executable), encoding="utf-8")
    checked = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    rated = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=20", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
    )
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", rated.stdout)
    assert exposure is not None, rated.stdout + rated.stderr
    assert float(exposure[1]) <= 2.0
    assert rated.returncode == 0


def with_home(*allow: str) -> Profile:
    return msgspec.structs.replace(
        load_profile("raspberry-pi-5-4gb"), home=Dwelling(connection="home-assistant", allow=allow)
    )


def test_a_connected_home_opens_its_addresses_and_nothing_else(analyze: str, tmp_path: Path) -> None:
    files = render(with_home("192.168.1.10", "192.168.4.0/24"))
    text = files["edge-assistant.service"]
    opened = [line for line in text.splitlines() if line.startswith(("IPAddress", "Restrict", "PrivateNetwork"))]
    assert opened[:4] == [
        "IPAddressDeny=any",
        "IPAddressAllow=192.168.1.10/32",
        "IPAddressAllow=192.168.4.0/24",
        "RestrictAddressFamilies=AF_UNIX AF_INET",
    ]
    assert "PrivateNetwork" not in text
    assert "After=sound.target network-online.target\n" in text
    unit = tmp_path / "edge-assistant.service"
    unit.write_text(text.replace("/opt/edge-assistant/bin/edge", sys.executable), encoding="utf-8")
    checked = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "aiomqtt" in files["user-data"]
    assert "AF_INET6" in render(with_home("fd00::10"))["edge-assistant.service"]


@pytest.mark.parametrize("allow", [(), ("homeassistant.local",), ("192.168.1.10\nPrivateNetwork=no",), ("0.0.0.0/33",)])
def test_a_connected_home_without_its_addresses_makes_no_unit(allow: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="allow"):
        render(with_home(*allow))


@pytest.mark.parametrize("name", profile_names())
def test_without_a_connected_home_the_unit_has_no_network(name: str) -> None:
    text = render(load_profile(name))["edge-assistant.service"]
    assert "PrivateNetwork=yes\nIPAddressDeny=any\nRestrictAddressFamilies=AF_UNIX\n" in text
    assert "IPAddressAllow" not in text
    assert "network-online" not in text


def test_unit_has_the_boards_cap_and_cores() -> None:
    unit = render(load_profile("raspberry-pi-zero-2w"))["edge-assistant.service"]
    assert "MemoryMax=400M\n" in unit and "MemorySwapMax=0\n" in unit and "AllowedCPUs=0-3\n" in unit
    assert "ExecStart=/opt/edge-assistant/bin/edge run --profile raspberry-pi-zero-2w\n" in unit
    assert "MemoryMax" not in render(load_profile("desktop"))["edge-assistant.service"]


@pytest.mark.parametrize("name", profile_names())
def test_first_boot_writes_what_was_rendered(name: str) -> None:
    files = render(load_profile(name))
    text = files["user-data"]
    assert text.startswith("#cloud-config\n")
    data = yaml.safe_load(text)
    written = {item["path"]: item["content"] for item in data["write_files"]}
    assert written["/etc/systemd/system/edge-assistant.service"] == files["edge-assistant.service"]
    assert written["/etc/asound.conf"] == files["asound.conf"]
    installs = [word for command in data["runcmd"] if "--require-hashes" in command for word in command]
    assert ("piper-gpl" in " ".join(installs)) == (load_profile(name).tts.engine != "espeak")
    assert all(path in written for path in installs if path.endswith(".txt"))


def test_nothing_is_installed_that_has_no_known_hash() -> None:
    """What the package index serves on the day of the first boot may be anything; root runs it."""
    for command in yaml.safe_load(render(load_profile("desktop"))["user-data"])["runcmd"]:
        words = " ".join(command).split()
        if "install" in words and any(word.endswith("/pip") for word in words):
            assert "--require-hashes" in words or {"--no-index", "--no-deps"} <= set(words), words
            # A package that comes as source alone fetches its build tools, without hashes, unless told not to.
            assert (
                "--no-build-isolation" in words or any("build.txt" in word for word in words) or "--no-index" in words
            )


def test_the_locked_packages_are_those_that_the_device_needs() -> None:
    """`.ci/lock` writes them again after a dependency changed."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    folder = CHECKOUT / "edge" / "data" / "requirements"
    for extras in (["speech"], ["speech", "piper-gpl"], ["speech", "home"]):
        text = "".join((folder / f"{name}.txt").read_text() for name in extras)
        pinned = [Requirement(line.rstrip(" \\")) for line in text.splitlines() if not line.startswith(" ")]
        assert all(
            len(line.strip(" \\").removeprefix("--hash=sha256:")) == 64 for line in text.splitlines() if line[0] == " "
        )
        lines = [
            *project["dependencies"],
            *(line for name in extras for line in project["optional-dependencies"][name]),
        ]
        for python in ("3.11", "3.13"):
            wanted = [Requirement(line) for line in lines]
            for need in (need for need in wanted if _fits(need.marker, python)):
                (pin,) = [pin for pin in pinned if pin.name == need.name and _fits(pin.marker, python)]
                assert str(pin.specifier).removeprefix("==") in need.specifier, f"{need}: run .ci/lock"


def _fits(marker: Marker | None, python: str) -> bool:
    return marker is None or marker.evaluate({"python_version": python, "python_full_version": f"{python}.2"})


def test_sound_is_a_file_that_alsa_reads(tmp_path: Path) -> None:
    sounddevice = pytest.importorskip(
        "sounddevice", reason="no PortAudio: apt-get install libportaudio2", exc_type=OSError
    )
    configuration = tmp_path / "asound.conf"
    configuration.write_text(render(load_profile("raspberry-pi-5-4gb"))["asound.conf"])
    code = "import sounddevice; print([d['name'] for d in sounddevice.query_devices()])"
    environment = {"ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{configuration}", "PATH": "/usr/bin"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert sounddevice is not None
    assert "Unexpected char" not in done.stderr and "asound.conf may be old or corrupted" not in done.stderr


@pytest.mark.parametrize(
    "name", ["x\nExecStart=/bin/sh", "x --home /etc/shadow", "$(reboot)", "%h", "-x", "x\\", "", "ä"]
)
def test_a_name_is_one_word_of_the_command(name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        render(msgspec.structs.replace(load_profile("desktop"), name=name))


@pytest.mark.parametrize("title", ["a\nExecStart=/bin/sh", "a\\", "a\x00"])
def test_a_title_cannot_add_lines(title: str) -> None:
    profile = load_profile("desktop")
    with pytest.raises(ConfigError, match="title"):
        render(msgspec.structs.replace(profile, board=msgspec.structs.replace(profile.board, title=title)))


@pytest.mark.parametrize("card", ['x"', "x }\npcm.y {", "x}", "$HOME", "x;y", "@func"])
def test_a_sound_card_cannot_add_configuration(card: str) -> None:
    profile = load_profile("desktop")
    for what in ("microphone", "speaker"):
        audio = msgspec.structs.replace(profile.audio, **{what: card})
        with pytest.raises(ConfigError, match=what):
            render(msgspec.structs.replace(profile, audio=audio))


def test_a_name_with_capitals_and_dots_gives_a_host_name() -> None:
    files = render(msgspec.structs.replace(load_profile("desktop"), name="Kitchen_Board.2"))
    assert yaml.safe_load(files["user-data"])["hostname"] == "kitchen-board-2"


def test_command_writes_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["firmware", "render", "--profile", "raspberry-pi-zero-2w", "--out", str(tmp_path / "image")]) == 0
    assert sorted(path.name for path in (tmp_path / "image").iterdir()) == [
        "asound.conf",
        "edge-assistant.service",
        "user-data",
    ]
    assert "user-data" in capsys.readouterr().out
    assert main(["firmware", "render", "--profile", "raspberry-pi-zero", "--out", str(tmp_path)]) == 2


def test_service_manager_hears_that_the_loop_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = tmp_path / "notify"
    monkeypatch.setattr(watchdog, "_last_s", float("-inf"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        watchdog.tell_alive()
        watchdog.tell_alive()
        assert manager.recv(100) == b"READY=1\nWATCHDOG=1"
        manager.setblocking(False)
        with pytest.raises(BlockingIOError):
            manager.recv(100)
