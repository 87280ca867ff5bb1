"""Text as it is said: units and fractions in words, no emoji. Voices spell "µg/m³" and "km/h" letter by letter."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import msgspec

_UNITS = Path(__file__).parents[1] / "data" / "units"
_NUMBER = r"(?<![\w.,:/])([-−]?\d+(?:[.,]\d+)?)"
_FRACTION = re.compile(r"(?<![\w.,:/])(?:(\d+) ?)?(?:([1-9])/([2-9]|10)|([½¼¾⅐-⅞]))(?![\w/])(?!\.\d)")
_SPELLED = {"en": "½¼¾", "de": "½¼¾", "fr": "½¼¾", "pl": "½¼¾"}
"""Fractions that espeak-ng says in these languages; elsewhere they are said as decimals: "0,5"."""
_EXACT = (2, 4, 5, 8, 10)
_JOINER, _SELECTORS, _KEYCAP = "\u200d", "\ufe0e\ufe0f", "\u20e3"
_SAME = str.maketrans({"μ": "µ", "Ω": "Ω", "㎥": "m³", "㎡": "m²", "℃": "°C", "℉": "°F"})


class _Language(msgspec.Struct):
    """How a language says units; ``whole`` and ``fraction`` give the place in ``plurals`` for 0 to 199, 0.5 to 19.5."""

    decimal: str
    plurals: tuple[str, ...]
    whole: str
    fraction: str
    units: dict[str, dict[str, str]]

    def plural(self, number: str) -> str:
        """The plural that a number takes: CLDR's one, two, few, many, other."""
        digits = number.lstrip("-−")
        if "." in digits or "," in digits:
            return self.plurals[int(self.fraction[min(int(re.split("[.,]", digits)[0]), len(self.fraction) - 1)])]
        count = int(digits)
        return self.plurals[int(self.whole[count if count < len(self.whole) else 100 + count % 100])]


def spoken_form(text: str, language: str) -> str:
    """``text`` for a voice of ``language``; without emoji, with the words of CLDR for units after numbers."""
    text = _without_emoji(text).translate(_SAME)
    words = _language(language)
    text = _FRACTION.sub(lambda found: _fraction(found, language, words), text)
    if words is None or not any(letter.isdigit() for letter in text):
        return text
    return _pattern(language).sub(lambda found: _with_unit(found[1], found[2], words), text)


@lru_cache(maxsize=2)
def _language(language: str) -> _Language | None:
    tag = language.replace("_", "-")
    for name in (tag, tag.split("-")[0]):
        path = _UNITS / f"{name}.json"
        if name.replace("-", "").isalnum() and path.is_file():
            return msgspec.json.decode(path.read_bytes(), type=_Language)
    return None


@lru_cache(maxsize=2)
def _pattern(language: str) -> re.Pattern[str]:
    """A number and one of the language's units, the longest first, that no word or name goes on from."""
    words = _language(language)
    units = sorted(words.units if words is not None else (), key=len, reverse=True)
    return re.compile(f"{_NUMBER}[ \u00a0\u202f]?({'|'.join(map(re.escape, units))})(?![\\w/²³°])")


def _with_unit(number: str, unit: str, words: _Language) -> str:
    forms = words.units[unit]
    return forms.get(words.plural(number), forms.get("other", f"{{}} {unit}")).replace("{}", number)


def _fraction(found: re.Match[str], language: str, words: _Language | None) -> str:
    whole, above, below, sign = found.groups()
    if sign is None:
        share, exact = int(above) / int(below), int(below) in _EXACT and int(above) < int(below)
        sign = {0.5: "½", 0.25: "¼", 0.75: "¾"}.get(share, "")
    else:
        share, exact = unicodedata.numeric(sign), True
    if not exact:
        return found[0]
    if whole is None and sign in _SPELLED.get(language.split("-")[0], "") and sign:
        return sign
    number = f"{int(whole or 0) + share:.3f}".rstrip("0")
    return number.replace(".", words.decimal if words is not None else ".")


def _without_emoji(text: str) -> str:
    """Pictures are not read aloud; text around them stays."""
    if text.isascii():
        return text
    kept = "".join(" " if _is_picture(letter) else letter for letter in text if letter not in _SELECTORS + _KEYCAP)
    return re.sub(f" {_JOINER}+ ?", " ", kept)


def _is_picture(letter: str) -> bool:
    code = ord(letter)
    if code < 0x2190 or letter in "°℃℉":
        return False
    return unicodedata.category(letter) in ("So", "Sk") and not 0x2E80 <= code <= 0x33FF or 0xE0020 <= code <= 0xE007F
