"""The templates of home commands: those of home-assistant-intents, with ``wordings/`` beside them."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from edge.errors import ConfigError
from quantize.templates.natural import form_rules, meanings_bytes, natural_blocks, shared_lists
from quantize.templates.sampler import Templates

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDINGS = Path(__file__).parents[1] / "wordings"


def package_languages() -> list[str]:
    """Languages of the installed home-assistant-intents."""
    folder = resources.files("home_assistant_intents") / "data"
    return sorted(entry.name.removesuffix(".json") for entry in folder.iterdir() if entry.name.endswith(".json"))


def package_templates(language: str) -> Templates:
    """Templates of ``language`` in the installed home-assistant-intents, and those of ``wordings/`` beside them.

    Raises:
        ConfigError: the package does not have the language.
    """
    return Templates(language, package_data(language))


def package_data(language: str) -> dict[str, Any]:
    """Intents, lists, rules and replies of the installed home-assistant-intents, joined with ``wordings/``.

    What ``wordings/`` has of a language: ``intents`` (blocks by intent), ``lists`` and ``expansion_rules`` under names
    that the package does not use, ``refused`` (sentences in the words of commands that are not commands). ``natural``
    are wordings of the meanings in ``meanings.yaml``, with the ``forms`` that people ask in and what they ``join``
    with.

    Raises:
        ConfigError: the package does not have the language.
    """
    known = package_languages()
    if language not in known:
        near = difflib.get_close_matches(language, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        raise ConfigError(f"home-assistant-intents has no language {language!r}; {hint}")
    package, wordings = _read(language)
    data: dict[str, Any] = json.loads(package)
    if wordings:
        own = yaml.load(wordings, _Loader)
        data["lists"] = {**shared_lists(), **own.get("lists", {}), **data["lists"]}
        rules = {**form_rules(own.get("forms", {})), **own.get("expansion_rules", {})}
        data["expansion_rules"] = {**rules, **data["expansion_rules"]}
        data["natural"] = list(natural_blocks(language, own))
        data["join"] = own.get("join", {})
        for intent, blocks in own.get("intents", {}).items():
            data["intents"].setdefault(intent, {"data": []})["data"] += blocks
        data["refused"] = own.get("refused", [])
    return data


def templates_sha256(languages: Iterable[str]) -> str:
    """Of everything that ``package_data`` reads."""
    digest = hashlib.sha256(meanings_bytes())
    for language in languages:
        for content in _read(language):
            digest.update(content)
    return digest.hexdigest()


def _read(language: str) -> tuple[bytes, bytes]:
    """The package's file and ours, which is empty where there is none."""
    package = resources.files("home_assistant_intents") / "data" / f"{language}.json"
    wordings = _WORDINGS / f"{language}.yaml"
    return package.read_bytes(), wordings.read_bytes() if wordings.is_file() else b""
