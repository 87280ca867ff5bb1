"""Writes a profile with the rates that were measured on its board."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from edge.config import Rates, find_profile


def with_rates(profile: str, rates: Rates) -> str:
    """TOML text of a profile whose rates are replaced by measured ones; everything else stays as it was written."""
    text = Path(find_profile(profile)).read_text(encoding="utf-8")
    text = re.sub(r"^\[board\.rates\].*?(?=^\[)", "", text, flags=re.MULTILINE | re.DOTALL)
    values = {key: value for key, value in msgspec.to_builtins(rates).items() if value}
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in values.items()]
    table = "\n".join(["[board.rates]    # measured by edge-bench calibrate, one core", *lines]) + "\n\n"
    at = re.search(r"^\[(?!board\])", text, re.MULTILINE)
    place = at.start() if at else len(text)
    return text[:place] + table + text[place:]
