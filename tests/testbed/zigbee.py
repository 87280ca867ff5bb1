"""Mosquitto and zigbee2mqtt over a pretend radio."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.testbed.build import zigbee2mqtt
from tests.testbed.process import Server

BROKER_PORT, SECURE_PORT, RADIO_PORT = 1883, 8883, 1999
USER, PASSWORD = "assistant", "test-only"
LAMP, PLUG, SENSOR = "0x0017880100000001", "0x0017880100000002", "0x00158d0000000003"
_NAMES = {LAMP: "kitchen/ceiling lamp", PLUG: "office/heater plug", SENSOR: "hall sensor"}
_COORDINATOR = "0x00124b0000000001"


class Broker:
    """Mosquitto with a user and a password, plain and with TLS. As Debian sets it up, it keeps what is retained.

    ``certificate`` is that of the authority that signed its own.
    """

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        if program is None:
            raise FileNotFoundError("mosquitto")
        passwords, settings = folder / "passwords", folder / "mosquitto.conf"
        passwords.touch(0o600)
        subprocess.run(["mosquitto_passwd", "-b", passwords, USER, PASSWORD], check=True, capture_output=True)
        self.certificate, key = folder / "certificate.pem", folder / "key.pem"
        names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
        made = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", self.certificate, "-days", "2"]
        subprocess.run(["openssl", "req", "-x509", *made, *names], check=True, capture_output=True)
        settings.write_text(
            f"listener {BROKER_PORT} 127.0.0.1\nlistener {SECURE_PORT} 127.0.0.1\ncertfile {self.certificate}\n"
            f"keyfile {key}\nallow_anonymous false\npassword_file {passwords}\n"
            f"persistence true\npersistence_location {folder}/\nlog_dest stderr\nuser root\n"
        )
        self._server = Server([program, "-c", settings], folder / "mosquitto.log")
        self.port = BROKER_PORT

    def start(self) -> None:
        """Listen."""
        self._server.start(lambda: listens(BROKER_PORT), within_s=10)

    def stop(self) -> None:
        """Stop."""
        self._server.stop()

    def publish(self, topic: str, payload: object, retain: bool = False) -> None:
        """Publish as another client of the broker would."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        login = ["-h", "127.0.0.1", "-p", str(BROKER_PORT), "-u", USER, "-P", PASSWORD]
        how = [*(["-r"] if retain else []), "-s" if text else "-n"]
        command = ["mosquitto_pub", *login, "-t", topic, *how]
        subprocess.run(command, input=text.encode(), check=True, capture_output=True)


class Zigbee:
    """The real zigbee2mqtt with a colour lamp, a plug and a temperature sensor; ``frames`` is what the radio sent."""

    def __init__(self, folder: Path) -> None:
        built = zigbee2mqtt()
        if built is None:
            raise FileNotFoundError("zigbee2mqtt")
        node, program = built
        _write_house(folder)
        self._log = folder / "zigbee2mqtt.log"
        environment = {
            "ZIGBEE2MQTT_DATA": str(folder),
            "Z2M_ONBOARD_NO_SERVER": "1",
            "PRETEND_RADIO_PORT": str(RADIO_PORT),
            "NODE_PATH": str(program.parents[1]),
        }
        radio = Path(__file__).with_name("radio.cjs")
        self._server = Server([node, "-r", radio, program], self._log, environment)

    def start(self) -> None:
        """Start the bridge and wait until it says that it is online."""
        started = self._log.stat().st_size if self._log.exists() else 0
        self._server.start(lambda: b"Zigbee2MQTT started!" in self._log.read_bytes()[started:], within_s=60)

    def stop(self) -> None:
        """Stop the bridge."""
        self._server.stop()

    def frames(self) -> list[dict[str, Any]]:
        """Every frame that the radio sent to a device."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [json.loads(line[4:]) for line in lines if line.startswith("ZCL {")]

    def tell_radio(self, message: dict[str, object]) -> None:
        """A report of a device, or ``{"mute": ieee}`` to take one out of reach, ``{"hear": ieee}`` to bring it back."""
        with socket.create_connection(("127.0.0.1", RADIO_PORT), 5) as radio:
            radio.sendall(json.dumps(message).encode() + b"\n")
            time.sleep(0.05)


def listens(port: int) -> bool:
    """Whether something accepts connections."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _write_house(folder: Path) -> None:
    settings: dict[str, object] = {
        "version": 5,
        "mqtt": {"base_topic": "zigbee2mqtt", "server": f"mqtt://127.0.0.1:{BROKER_PORT}"}
        | {"user": USER, "password": PASSWORD},
        "serial": {"port": "tcp://127.0.0.1:1", "adapter": "zstack"},
        "frontend": {"enabled": False},
        "homeassistant": {"enabled": True},
        "onboarding": False,
        "advanced": {
            "network_key": [1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13],
            "pan_id": 6754,
            "ext_pan_id": [221] * 8,
            "channel": 11,
            "log_output": ["console"],
        },
        "devices": {ieee: {"friendly_name": name} for ieee, name in _NAMES.items()},
        "groups": {"1": {"friendly_name": "kitchen/all lamps"}},
    }
    (folder / "configuration.yaml").write_text(json.dumps(settings))
    lamp = _device(2, "Router", LAMP, 101, "Philips", "LCT015", 11, 528, [0, 3, 4, 5, 6, 8, 768, 4096])
    plug = _device(3, "Router", PLUG, 102, "Signify Netherlands B.V.", "LOM001", 11, 266, [0, 3, 4, 5, 6])
    sensor = _device(4, "EndDevice", SENSOR, 103, "LUMI", "lumi.weather", 1, 24321, [0, 3, 65535, 1026, 1027, 1029])
    group = {
        "id": 5,
        "type": "Group",
        "groupID": 1,
        "members": [{"deviceIeeeAddr": LAMP, "endpointID": 11}],
        "meta": {},
    }
    rows = [_device(1, "Coordinator", _COORDINATOR, 0, None, None, 1, 5, []), lamp, plug, sensor, group]
    (folder / "database.db").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _device(
    number: int,
    kind: str,
    ieee: str,
    address: int,
    maker: str | None,
    model: str | None,
    endpoint: int,
    device_id: int,
    clusters: list[int],
) -> dict[str, object]:
    """A row of zigbee2mqtt's database for a device that was interviewed and set up."""
    described = {
        "profId": 260,
        "epId": endpoint,
        "devId": device_id,
        "inClusterList": clusters,
        "outClusterList": [],
        "clusters": {},
        "binds": [],
        "configuredReportings": [],
        "meta": {},
    }
    return {
        "id": number,
        "type": kind,
        "ieeeAddr": ieee,
        "nwkAddr": address,
        "manufId": 4447 if kind == "EndDevice" else 4107,
        "manufName": maker,
        "modelId": model,
        "powerSource": "Battery" if kind == "EndDevice" else "Mains (single phase)",
        "epList": [endpoint],
        "endpoints": {str(endpoint): described},
        "interviewCompleted": True,
        "interviewState": "SUCCESSFUL",
        "meta": {"configured": 1},
        "lastSeen": 1700000000000,
    }
