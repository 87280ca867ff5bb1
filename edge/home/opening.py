"""Opens the home that a profile or a command line names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.errors import ConfigError

if TYPE_CHECKING:
    from edge.config import Dwelling, Profile
    from edge.home.port import HomePort
    from edge.types import Home


def named_dwelling(given: str | None, profile: Dwelling) -> Dwelling:
    """The home that the command line names, a connection or a home file, or that of the profile."""
    if given is None:
        return profile
    import msgspec

    from edge.home.connections import is_connection

    connection, file = (given, None) if is_connection(given) else (None, given)
    return msgspec.structs.replace(profile, connection=connection, file=file)


def home(named: str | None) -> Home:
    """The connected home of this name as it was seen last, that of the home file, or without either the demo home."""
    if named is None:
        from edge.home.demo import default_home

        return default_home()
    from edge.home.connections import is_connection, remembered_home

    if is_connection(named):
        seen = remembered_home(named)
        if seen is None:
            raise ConfigError(f"the home {named!r} was never seen; type: edge home show {named}")
        return seen
    from edge.home.home_file import load_home

    return load_home(named)


@contextmanager
def home_port(chosen: Profile) -> Iterator[HomePort | None]:
    """The connected home of the profile, which may still be out of reach; None for a simulated one."""
    if chosen.home.connection is None:
        yield None
        return
    from edge.home.connections import find_connection, remembered_home
    from edge.home.links import open_home

    name = chosen.home.connection
    with open_home(find_connection(name), remembered_home(name)) as port:
        yield port
