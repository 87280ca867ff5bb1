"""Commands with an exception, which no home can carry out: *turn off all lights except the kitchen*."""

from __future__ import annotations

import random

from edge.types import Area, Entity, Home
from quantize.templates.sampler import Sample

EXCEPT = {
    "bg": ("освен",), "ca": ("excepte", "menys"), "cs": ("kromě", "až na"), "da": ("undtagen", "bortset fra"),
    "de": ("außer", "bis auf", "aber nicht"), "el": ("εκτός από",),
    "en": ("except", "but not", "apart from", "except for"), "es": ("excepto", "menos", "salvo"), "fi": ("paitsi",),
    "fr": ("sauf", "excepté", "mais pas"), "hr": ("osim",),
    "hu": ("kivéve",), "it": ("tranne", "eccetto", "ma non"), "nb": ("unntatt", "bortsett fra"),
    "nl": ("behalve", "maar niet"), "pl": ("oprócz", "poza"), "pt": ("exceto", "menos"), "pt-BR": ("exceto", "menos"),
    "ro": ("cu excepția",), "ru": ("кроме",), "sk": ("okrem", "až na"), "sl": ("razen",), "sr": ("осим",),
    "sr-Latn": ("osim",), "sv": ("utom", "förutom"), "uk": ("крім", "окрім"),
}  # fmt: skip


def with_exception(sample: Sample, home: Home, rng: random.Random) -> str | None:
    """The sample's text with something of the home excepted; None in languages whose word for that is not known."""
    if sample.language not in EXCEPT:
        return None
    parts: tuple[Area | Entity, ...] = (*home.areas, *home.entities)
    excepted = rng.choice(parts).name
    before = "the " if sample.language == "en" and rng.random() < 0.5 else ""
    return f"{sample.text} {rng.choice(EXCEPT[sample.language])} {before}{excepted}"
