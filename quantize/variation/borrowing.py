"""Words of a command said in English inside a sentence of another language, as people do who speak both.

The bilingual lexicon is in the templates: an expansion rule called ``light`` holds a language's words for lights, and a
listed color has its English name as value. Exchanging words so is the code-switching of Qin et al. 2020 (CoSDA-ML).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from quantize.templates.expressions import MAX_EXPANSIONS, expansions, references
from quantize.templates.sampler import Templates

_ENGLISH: dict[str, tuple[str, ...]] = {
    "clean": ("clean", "vacuum"), "close": ("close",), "fan": ("fan",), "fans": ("fans",),
    "light": ("light", "lights", "lamp"), "lights": ("lights",), "lock": ("lock",), "lockable": ("door", "lock"),
    "media": ("music", "movie"), "open": ("open",), "percent": ("percent",), "set": ("set",), "switch": ("switch",),
    "temp": ("temperature",), "timer": ("timer",), "timer_cancel": ("cancel", "stop"), "timer_pause": ("pause",),
    "timer_set": ("start", "set"), "turn_off": ("turn off", "switch off"), "turn_on": ("turn on", "switch on"),
    "unlock": ("unlock",),
}  # fmt: skip
"""By the names that the rules have in most languages."""
_LISTED = ("color", "device_class")
LONGEST = 3
"""Words of a text that is exchanged as a whole."""


def english_words(templates: Templates) -> Mapping[str, Sequence[str]]:
    """What English has for texts of the language, in lower case; nothing for English."""
    if templates.language == "en":
        return {}
    found: dict[str, tuple[str, ...]] = {}
    rules = templates.intents.expansion_rules
    for name, english in _ENGLISH.items():
        if name in rules and not any(references(rules[name].expression, rules)):
            for text in islice(expansions(rules[name].expression, rules), MAX_EXPANSIONS):
                found.setdefault(" ".join(text.lower().split()), english)
    for tag, text, value, _ in templates.listed_values():
        if tag in _LISTED and isinstance(value, str):
            found.setdefault(text.lower(), (value,))
    return {
        text: english
        for text, english in found.items()
        if 0 < len(text.split()) <= LONGEST and text not in english and len(text) > 1
    }
