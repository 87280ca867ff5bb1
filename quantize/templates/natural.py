"""Natural wordings: what people say for each meaning of ``meanings.yaml``, from ``wordings/LANGUAGE.yaml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from edge.errors import ConfigError

PLAIN = "plain"
"""The form of wordings that stand alone."""
_MEANINGS = Path(__file__).with_name("meanings.yaml")


@cache
def meanings() -> dict[str, dict[str, Any]]:
    """Each meaning by its name."""
    return dict(_catalogue()["meanings"])


def shared_lists() -> dict[str, Any]:
    """Lists that the wordings of every language can use."""
    return dict(_catalogue()["lists"])


def meanings_bytes() -> bytes:
    """The file of meanings, for whoever has to notice that it changed."""
    return _MEANINGS.read_bytes()


def form_rules(forms: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Expansion rules of the ways to ask: ``NAME_before`` and ``NAME_after`` for each form."""
    sides = ("before", "after")
    return {f"{name}_{side}": form.get(side) or "[]" for name, form in forms.items() for side in sides}


def natural_blocks(language: str, own: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Sentence blocks of a language's natural wordings, each with its ``intent``, ``meaning`` and ``weight``.

    Raises:
        ConfigError: a meaning or a form that there is not.
    """
    forms = own.get("forms", {})
    for name, wordings in own.get("natural", {}).items():
        meaning = meanings().get(name)
        if meaning is None:
            raise ConfigError(f"wordings/{language}.yaml: {_MEANINGS.name} has no meaning {name!r}")
        unknown = wordings.keys() - {PLAIN, *forms}
        if unknown:
            known = ", ".join((PLAIN, *forms))
            raise ConfigError(f"wordings/{language}.yaml: {name}: no form {min(unknown)!r}; known are {known}")
        yield {
            "intent": meaning["intent"],
            "meaning": name,
            "weight": meaning.get("weight", 1),
            "slots": meaning.get("slots", {}),
            "requires_context": {"domain": meaning.get("domains", [])},
            "response": meaning.get("response", "default"),
            "sentences": [
                sentence if form == PLAIN else f"<{form}_before> {sentence} <{form}_after>"
                for form, sentences in wordings.items()
                for sentence in sentences
            ],
        }


@cache
def _catalogue() -> dict[str, Any]:
    return dict(yaml.safe_load(_MEANINGS.read_text(encoding="utf-8")))
