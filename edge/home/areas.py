"""Finds an area of the home by what people call it."""

from __future__ import annotations

import difflib

from edge.errors import ConfigError
from edge.types import Home


def find_area(home: Home, name: str) -> str:
    """Id of the area with this id, name or alias.

    Raises:
        ConfigError: the home has no such area.
    """
    names = {known: area.id for area in home.areas for known in (area.id, area.name, *area.aliases)}
    found = next((area_id for known, area_id in names.items() if known.casefold() == name.casefold()), None)
    if found is None:
        near = difflib.get_close_matches(name, names, n=1)
        areas = ", ".join(area.name for area in home.areas) or "none"
        hint = f"did you mean {near[0]!r}?" if near else f"its areas: {areas}"
        raise ConfigError(f"the home has no area {name!r}; {hint}")
    return found
