"""The steps of the how-tos, run as they are written."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import CHECKOUT, edge
from tests.testbed import zigbee as bed
from tests.testbed.home_assistant import HomeAssistantServer
from tests.testbed.zigbee import Broker, Zigbee

_NOT_HERE = ("pip install ", "sudo ", "edge run ")
"""Needs a package index, a board or a microphone."""
_STEP = re.compile(r"^\d+\. ", re.M)
_BLOCK = re.compile(r"^ *```(?P<kind>\w+)\n(?P<text>.*?)^ *```", re.M | re.S)


def steps(name: str) -> str:
    text = (CHECKOUT / "docs" / name).read_text(encoding="utf-8")
    assert len(_STEP.findall(text)) <= 10
    return text.partition("\n## ")[0]


def blocks(name: str, kind: str) -> Iterator[str]:
    for block in _BLOCK.finditer(steps(name)):
        if block["kind"] == kind:
            yield "\n".join(line.removeprefix("   ") for line in block["text"].splitlines())


def run(command: str, folder: Path, secret: str, **here: str) -> str:
    """Type a command in ``folder``; ``here`` are the addresses of the document and those of the test bed."""
    for written, real in here.items():
        command = command.replace(written, real)
    words = shlex.split(command)
    assert words[0] == "edge", command
    arguments = [str(folder / word) if (folder / word).is_file() else word for word in words[1:]]
    done = edge(*arguments, text=secret + "\n", env={"XDG_DATA_HOME": str(folder)})
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return str(done.stdout)


def test_the_steps_for_home_assistant(home_assistant: HomeAssistantServer, tmp_path: Path) -> None:
    board = (CHECKOUT / "firmware_configs" / "desktop.toml").read_text(encoding="utf-8")
    (home,) = blocks("home-assistant.md", "toml")
    (tmp_path / "my-room.toml").write_text(f"{board}\n{home}\n")
    with home_assistant.administrator() as administrator:
        administrator.put("light.kitchen_lights", "kitchen")
        administrator.call("light", "turn_off", "light.kitchen_lights")
        shown = ""
        for command in blocks("home-assistant.md", "sh"):
            if not command.startswith(_NOT_HERE):
                command = command.replace("--out image", f"--out {tmp_path / 'image'}")
                here = {"http://homeassistant.local:8123": home_assistant.url}
                shown += run(command, tmp_path, home_assistant.token, **here)
        assert "light.kitchen_lights" in shown
        assert administrator.state("light.kitchen_lights")["state"] == "on"
        administrator.put("light.kitchen_lights", None)
    assert "IPAddressAllow=192.168.1.10/32" in (tmp_path / "image" / "edge-assistant.service").read_text()


def test_the_steps_for_a_broker(broker: Broker, zigbee: Zigbee, tmp_path: Path) -> None:
    (rooms,) = blocks("mqtt.md", "yaml")
    (tmp_path / "rooms.yaml").write_text(rooms)
    before, shown = len(zigbee.frames()), ""
    for command in blocks("mqtt.md", "sh"):
        if not command.startswith(_NOT_HERE):
            shown += run(command, tmp_path, bed.PASSWORD, **{"192.168.1.10:1883": f"127.0.0.1:{broker.port}"})
    assert "radiator, heater" in shown
    assert [frame["command"] for frame in zigbee.frames()[before:] if frame["ieee"] == bed.LAMP][-1] == "on"


@pytest.mark.parametrize("name", ["home-assistant.md", "mqtt.md"])
def test_every_command_that_is_not_run_here_is_known(name: str) -> None:
    assert all(command.startswith(("edge ", *_NOT_HERE)) for command in blocks(name, "sh"))
