"""Homes that the assistant was let into: where they are, how to log in, and how they were seen last."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from edge.errors import ConfigError, HomeError
from edge.files import write_file
from edge.types import Entity, Home

HOME_ASSISTANT, MQTT = ("http", "https"), ("mqtt", "mqtts")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class Connection(msgspec.Struct, frozen=True, omit_defaults=True):
    """A home by its address.

    ``token`` is a long-lived one of Home Assistant; ``user`` and ``password`` are a broker's. ``base_topic`` is that
    of zigbee2mqtt, ``discovery`` the prefix of Home Assistant's discovery topics. ``certificate`` is a file of the
    authority that signed the server's, where it is your own. ``rooms`` is a home file that names and places a broker's
    devices.
    """

    name: str
    url: str
    token: str = ""
    user: str = ""
    password: str = ""
    base_topic: str = "zigbee2mqtt"
    discovery: str = "homeassistant"
    certificate: str | None = None
    rooms: str | None = None

    @property
    def is_mqtt(self) -> bool:
        """Whether a broker answers there, not Home Assistant."""
        return urlsplit(self.url).scheme in MQTT


def connections_folder() -> Path:
    """Where connections are kept: ``$XDG_DATA_HOME/edge/homes``."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "edge" / "homes"


def checked_url(url: str) -> str:
    """An address that a connection can be made to.

    Raises:
        ConfigError: it is none.
    """
    parts = urlsplit(url)
    try:
        usable = parts.scheme in (*HOME_ASSISTANT, *MQTT) and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise ConfigError(f"{url!r} is no address of a home: write http://HOST:8123 or mqtt://HOST:1883")
    return url.rstrip("/")


def checked_name(name: str) -> str:
    """A name that a connection may have.

    Raises:
        ConfigError: it is none.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no name for a connection: use small letters, digits and hyphens")
    return name


def save_connection(connection: Connection) -> Path:
    """Keep a connection, readable for its owner alone; the file."""
    path = _file(checked_name(connection.name))
    with contextlib.suppress(FileNotFoundError):
        path.chmod(0o600)
    before = os.umask(0o077)
    try:
        write_file(path, msgspec.json.format(msgspec.json.encode(connection), indent=2), HomeError)
    finally:
        os.umask(before)
    return path


def find_connection(name: str) -> Connection:
    """The connection of this name.

    Raises:
        ConfigError: there is none, or its file is damaged.
    """
    path = _file(name)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Connection)
    except FileNotFoundError:
        there = ", ".join(connection_names())
        known = f"; there are: {there}" if there else ""
        raise ConfigError(f"no home called {name!r}{known}; type: edge home connect URL --name {name}") from None
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); type: edge home connect URL --name {name}") from error


def forget_connection(name: str) -> str:
    """Remove a connection with its token or password; its name."""
    find_connection(name)
    _file(name).unlink()
    _seen(name).unlink(missing_ok=True)
    return name


def connection_names() -> list[str]:
    """Names of all connections."""
    return sorted(path.stem for path in connections_folder().glob("*.json") if _NAME.fullmatch(path.stem))


def is_connection(name: str) -> bool:
    """Whether this is the name of a connection, not the path of a home file."""
    return bool(_NAME.fullmatch(name)) and _file(name).exists()


def remember_home(name: str, home: Home) -> None:
    """Keep the names of a home, so that its commands can be understood without a connection."""
    kept = Home(home.areas, home.floors, tuple(_without_state(entity) for entity in home.entities))
    path, data = _seen(name), msgspec.json.encode(kept)
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return
    write_file(path, data, HomeError)


def remembered_home(name: str) -> Home | None:
    """The home as it was seen last; None where it was never seen."""
    try:
        return msgspec.json.decode(_seen(name).read_bytes(), type=Home)
    except (OSError, msgspec.MsgspecError):
        return None


def _without_state(entity: Entity) -> Entity:
    kind: dict[str, object] = {"device_class": entity.device_class} if entity.device_class is not None else {}
    return Entity(entity.id, entity.name, entity.aliases, entity.area_id, None, kind)


def _file(name: str) -> Path:
    return connections_folder() / f"{name}.json"


def _seen(name: str) -> Path:
    return connections_folder() / f"{name}.seen"
