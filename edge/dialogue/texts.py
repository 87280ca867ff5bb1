"""Replies that ``home-assistant-intents`` does not have: one small file a language, in ``edge/data/replies``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge.errors import ConfigError

_FOLDER = Path(__file__).parents[1] / "data" / "replies"


class Texts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Templates of one language.

    ``done`` is said of any command, ``errors`` by reason, ``intents`` by intent and key, ``questions`` before a service
    is called (its name without the domain, or ``other``), ``yes`` and ``no`` are answers to that. ``states`` are words
    for Home Assistant's states, of one domain where the key names it (``lock.locked``).
    """

    done: str | None = None
    errors: dict[str, str] = {}
    intents: dict[str, dict[str, str]] = {}
    questions: dict[str, str] = {}
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    states: dict[str, str] = {}


def texts_of(language: str) -> Texts:
    """The texts of a language or, where it has none, of the one that it is a variety of; empty without either.

    ``neutral`` names those without a word of any language.

    Raises:
        ConfigError: the file is damaged.
    """
    for code in (language, language.partition("-")[0]):
        path = _FOLDER / f"{code}.json"
        if path.is_file():
            try:
                return msgspec.json.decode(path.read_bytes(), type=Texts)
            except (OSError, msgspec.MsgspecError) as error:
                raise ConfigError(f"{path}: damaged reply texts; install the package again: {error}") from error
    return Texts()
