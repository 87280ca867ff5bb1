"""``edge home`` with a real Home Assistant and a real broker, as a user types it."""

from __future__ import annotations

import asyncio
import json
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from edge.home.connections import Connection, remember_home, save_connection
from edge.links.thread import LinkThread
from edge.types import Entity, Home
from tests.command import CHECKOUT, edge, one_line, rows
from tests.testbed import zigbee as bed
from tests.testbed.home_assistant import PASSWORD, USER, HomeAssistantServer
from tests.testbed.zigbee import Broker, Zigbee


@pytest.fixture
def data(tmp_path: Path) -> dict[str, str]:
    """A user without anything."""
    return {"XDG_DATA_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def secret(data: dict[str, str], name: str) -> Path:
    return Path(data["XDG_DATA_HOME"]) / "edge" / "homes" / f"{name}.json"


def test_a_token_lets_the_assistant_in(home_assistant: HomeAssistantServer, data: dict[str, str]) -> None:
    done = edge("home", "connect", home_assistant.url + "/", text=home_assistant.token + "\n", env=data)
    assert done.returncode == 0, done.stderr
    assert "light.kitchen_lights" in done.stdout
    assert home_assistant.token not in done.stdout
    kept = secret(data, "home-assistant")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text())["token"] == home_assistant.token
    (shown,) = json.loads(edge("home", "show", "--json", env=data).stdout)
    assert shown["name"] == "home-assistant"
    assert "Kitchen Lights" in [entity["name"] for entity in shown["entities"]]


def test_a_password_makes_a_token_of_its_own(home_assistant: HomeAssistantServer, data: dict[str, str]) -> None:
    done = edge("home", "connect", home_assistant.url, "--user", USER, "--name", "flat", text=PASSWORD + "\n", env=data)
    assert done.returncode == 0, done.stderr
    token = json.loads(secret(data, "flat").read_text())["token"]
    assert token not in ("", home_assistant.token)
    assert PASSWORD not in secret(data, "flat").read_text()
    assert edge("home", "show", "flat", env=data).returncode == 0
    assert edge("home", "forget", "flat", env=data).returncode == 0
    assert not secret(data, "flat").exists()


@pytest.mark.parametrize(
    ("arguments", "text", "says"),
    [
        (("--user", USER), "wrong\n", "invalid_auth"),
        ((), "wrong\n", "refused the token"),
        ((), "\n", "nothing was given"),
        (("--name", "no name"), "x\n", "is no name"),
    ],
)
def test_who_may_not_enter_is_told_so(
    home_assistant: HomeAssistantServer, data: dict[str, str], arguments: tuple[str, ...], text: str, says: str
) -> None:
    done = edge("home", "connect", home_assistant.url, *arguments, text=text, env=data)
    assert done.returncode == 2
    assert says in one_line(done)
    assert not list(Path(data["XDG_DATA_HOME"]).rglob("*.json"))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("homeassistant.local", "is no address of a home"),
        ("http://127.0.0.1:9", "no Home Assistant answers"),
        ("mqtt://127.0.0.1:9", "no broker lets us in"),
        ("http://127.0.0.1:1883", "no Home Assistant answers"),
    ],
)
def test_what_is_no_home_is_told_so(broker: Broker, data: dict[str, str], url: str, says: str) -> None:
    done = edge("home", "connect", url, text="x\n", env=data)
    assert done.returncode == 2
    assert says in one_line(done)


def test_a_broker_lets_the_assistant_in(zigbee: Zigbee, data: dict[str, str]) -> None:
    url = f"mqtt://127.0.0.1:{bed.BROKER_PORT}"
    done = edge("home", "connect", url, "--user", bed.USER, text=bed.PASSWORD + "\n", env=data)
    assert done.returncode == 0, done.stderr
    assert "light.kitchen_ceiling_lamp" in done.stdout
    refused = edge("home", "connect", url, "--user", bed.USER, text="wrong\n", env=data)
    assert refused.returncode == 2
    assert "Not authorized" in one_line(refused)


def test_parsing_for_a_connected_home_needs_no_network(
    home_assistant: HomeAssistantServer, data: dict[str, str]
) -> None:
    assert edge("home", "connect", home_assistant.url, text=home_assistant.token + "\n", env=data).returncode == 0
    file = secret(data, "home-assistant")
    file.write_text(file.read_text().replace(home_assistant.url, "http://127.0.0.1:9"))
    (parsed,) = rows(edge("parse", "--home", "home-assistant", "turn on the office rgbw lights", env=data).stdout)
    assert parsed["intent"] == "HassTurnOn"
    assert "light.office_rgbw_lights" in json.dumps(parsed) or "Office RGBW Lights" in json.dumps(parsed)


def test_a_typed_command_switches_a_lamp(home_assistant: HomeAssistantServer, data: dict[str, str]) -> None:
    assert edge("home", "connect", home_assistant.url, text=home_assistant.token + "\n", env=data).returncode == 0
    with home_assistant.administrator() as administrator:
        administrator.call("light", "turn_off", "light.bed_light")
        done = edge("simulate", "--text", "turn on the bed light", "--home", "home-assistant", "--json", env=data)
        assert done.returncode == 0, done.stderr
        assert administrator.state("light.bed_light")["state"] == "on"
    (turn,) = rows(done.stdout)
    assert turn["action"]["targets"] == ["light.bed_light"]
    assert {"entity": "light.bed_light", "attribute": "state", "before": "off", "after": "on"} in turn["action"][
        "changes"
    ]


@pytest.fixture
def secure(home_assistant: HomeAssistantServer, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Home Assistant behind TLS with a certificate of its own authority: its address, and the authority's file."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2"]
    subprocess.run(["openssl", "req", "-x509", *made, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    address = urlsplit(home_assistant.url)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(address.hostname, address.port)
        ways = [pass_on(reader, inner_writer), pass_on(inner_reader, writer)]
        tasks = [asyncio.ensure_future(way) for way in ways]
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task, end in zip(tasks, (inner_writer, writer), strict=True):
            task.cancel()
            end.transport.abort()

    thread = LinkThread()
    server = thread.begin(asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)).result(5)
    yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", certificate
    server.close()
    thread.close()


def test_tls_with_the_servers_own_authority(secure: tuple[str, Path], data: dict[str, str]) -> None:
    url, certificate = secure
    connect = ("home", "connect", url, "--user", USER)
    done = edge(*connect, "--certificate", certificate, text=PASSWORD + "\n", env=data)
    assert done.returncode == 0, done.stderr
    assert edge("home", "show", env=data).returncode == 0
    refused = edge(*connect, text=PASSWORD + "\n", env=data)
    assert refused.returncode == 2
    assert "CERTIFICATE_VERIFY_FAILED" in one_line(refused)


def test_check_says_whether_the_connected_home_answers(
    home_assistant: HomeAssistantServer, data: dict[str, str], tmp_path: Path
) -> None:
    assert edge("home", "connect", home_assistant.url, text=home_assistant.token + "\n", env=data).returncode == 0
    profile = tmp_path / "mine.toml"
    desktop = (CHECKOUT / "firmware_configs" / "desktop.toml").read_text(encoding="utf-8")
    profile.write_text(f'{desktop}\n[home]\nconnection = "home-assistant"\n')

    def part() -> dict[str, object]:
        (report,) = rows(edge("check", "--profile", profile, "--json", env=data).stdout)
        return next(dict(part) for part in report["parts"] if part["part"] == "home")

    assert part()["found"]
    assert str(part()["detail"]).startswith("home-assistant: ")
    file = secret(data, "home-assistant")
    file.write_text(file.read_text().replace(home_assistant.url, "http://127.0.0.1:9"))
    missing = part()
    assert not missing["found"]
    assert "out of reach" in str(missing["detail"])
    assert missing["fix"] == "edge home connect URL --name home-assistant"


def test_parsing_for_a_connected_home_stays_lean(data: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", data["XDG_DATA_HOME"])
    save_connection(Connection("flat", "http://127.0.0.1:9", token="none"))
    remember_home("flat", Home((), (), (Entity("light.chandelier", "Chandelier"),)))
    command = [sys.executable, "-X", "importtime", "-m", "edge", "parse", "--home", "flat", "turn on the chandelier"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=CHECKOUT, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "msgspec" in imported
    assert not imported & {"asyncio", "websockets", "aiomqtt", "paho", "ssl"}
    assert json.loads(done.stdout)["intent"] == "HassTurnOn"
