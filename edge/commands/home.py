"""``edge home``: let the assistant into a real home, and show what it may control there."""

from __future__ import annotations

import argparse
import getpass
import socket
import sys
from dataclasses import asdict
from datetime import datetime
from urllib.parse import urlsplit

from edge.commands.output import write_json, write_line
from edge.errors import HomeError
from edge.home.connections import (
    Connection,
    checked_name,
    checked_url,
    connection_names,
    find_connection,
    forget_connection,
    save_connection,
)
from edge.home.links import link
from edge.links.thread import LinkThread
from edge.types import HomeState

_WITHIN_S = 15.0


def home(arguments: argparse.Namespace) -> int:
    """Carry out ``edge home``."""
    if arguments.action == "connect":
        return _connect(arguments)
    if arguments.action == "forget":
        write_line(f"forgot {forget_connection(arguments.name)}")
        return 0
    names = [arguments.name] if arguments.name else connection_names()
    if not names:
        raise HomeError("no home is connected; type: edge home connect http://HOST:8123 or mqtt://HOST:1883")
    if arguments.json:
        write_json([_json(name, _look(find_connection(name))) for name in names])
        return 0
    for name in names:
        _show(find_connection(name), _look(find_connection(name)))
    return 0


def _connect(arguments: argparse.Namespace) -> int:
    url = checked_url(arguments.url)
    is_mqtt = urlsplit(url).scheme.startswith("mqtt")
    name = checked_name(arguments.name or ("mqtt" if is_mqtt else "home-assistant"))
    connection = Connection(
        name,
        url,
        token="" if is_mqtt else _token(url, arguments.user, arguments.certificate),
        user=(arguments.user or "") if is_mqtt else "",
        password=_secret(f"Password of {arguments.user}: ") if is_mqtt and arguments.user else "",
        base_topic=arguments.base_topic,
        certificate=arguments.certificate,
        rooms=arguments.rooms,
    )
    state = _look(connection)
    path = save_connection(connection)
    _show(connection, state)
    write_line(f"saved in {path}; use it with --home {connection.name}")
    return 0


def _token(url: str, user: str | None, certificate: str | None) -> str:
    """A long-lived token: the one that is given, or a new one for the user."""
    if user is None:
        return _secret("Long-lived access token (your profile in Home Assistant, Security): ")
    from edge.home.home_assistant.login import log_in

    client = f"edge-assistant on {socket.gethostname()}, {datetime.now():%Y-%m-%d %H:%M:%S}"
    password = _secret(f"Password of {user}: ")
    return log_in(url, user, password, lambda: _secret("Code of the second factor: "), client, certificate)


def _secret(prompt: str) -> str:
    """A line that is not shown, from the keyboard or from standard input."""
    text = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline()
    if not text.strip():
        raise HomeError(f"nothing was given for: {prompt.rstrip(': ')}")
    return text.strip()


def _look(connection: Connection) -> HomeState:
    thread = LinkThread()
    try:
        linked = link(thread, connection, token=lambda: connection.token)
        state = linked.wait(_WITHIN_S, patient=False)
        linked.close()
        return state
    finally:
        thread.close()


def _show(connection: Connection, state: HomeState) -> None:
    write_line(f"{connection.name}: {connection.url}, {len(state.areas)} areas, {len(state.entities)} devices")
    rooms = {area.id: area.name for area in state.areas}
    for entity in sorted(state.entities, key=lambda entity: (rooms.get(entity.area_id or "", "~"), entity.id)):
        room = rooms.get(entity.area_id or "", "-")
        names = ", ".join((entity.name, *entity.aliases))
        write_line(f"  {room:<20} {entity.id:<40} {entity.state or 'unknown':<12} {names}")


def _json(name: str, state: HomeState) -> dict[str, object]:
    return {
        "name": name,
        "areas": [asdict(area) for area in state.areas],
        "floors": [asdict(floor) for floor in state.floors],
        "entities": [asdict(entity) for entity in state.entities],
        "temperature_unit": state.temperature_unit,
    }
