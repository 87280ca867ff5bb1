"""Units, fractions and emoji as they are said."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge.bundle.format import open_bundle
from edge.tts.spoken_form import spoken_form
from tests.command import CHECKOUT


@pytest.mark.parametrize(
    ("language", "text", "said"),
    [
        ("en", "It is 21 °C.", "It is 21 degrees Celsius."),
        ("en", "1 °C", "1 degree Celsius"),
        ("en", "-5°C outside", "-5 degrees Celsius outside"),
        ("en", "Wind 12 km/h, dust 8.5 µg/m³.", "Wind 12 kilometers per hour, dust 8.5 micrograms per cubic meter."),
        ("en", "8 μg/m³", "8 micrograms per cubic meter"),
        ("en", "1.5 kWh at 230 V", "1.5 kilowatt-hours at 230 volts"),
        ("en-GB", "3 km", "3 kilometers"),
        ("de", "Es sind 21,5 °C.", "Es sind 21,5 Grad Celsius."),
        ("de", "1 kWh, 2 kWh", "1 Kilowattstunde, 2 Kilowattstunden"),
        ("de_CH", "30 km/h", "30 Kilometer pro Stunde"),
        ("fr", "1,5 m³", "1,5 mètre cube"),
        ("pl", "1 km, 3 km, 5 km, 1,5 km", "1 kilometr, 3 kilometry, 5 kilometrów, 1,5 kilometra"),
        ("pl", "122 km, 112 km", "122 kilometry, 112 kilometrów"),
        ("ru", "21 °C, 22 °C, 25 °C", "21 градус Цельсия, 22 градуса Цельсия, 25 градусов Цельсия"),
        ("ja", "20°C", "摂氏 20 度"),
        ("ko", "30 km/h", "시속 30킬로미터"),
        ("en", "1/2 cup", "½ cup"),
        ("es", "1/2 taza", "0,5 taza"),
        ("en", "1 1/2 hours", "1.5 hours"),
        ("ko", "½ 컵", "0.5 컵"),
        ("en", "on 1/2/2026, 24/7, 3/7, route 66/2a", "on 1/2/2026, 24/7, 3/7, route 66/2a"),
        ("en", "Lamp 3 Kitchen, 5 more, 10 Meter, 2 games", "Lamp 3 Kitchen, 5 more, 10 Meter, 2 games"),
        ("en", "v1.2.3 m, 10:30 h", "v1.2.3 m, 10:30 h"),
        ("en", "Done 👍🏽 great 🏳️‍🌈!", "Done   great  !"),
        ("ja", "電気をつけました 💡", "電気をつけました  "),
        ("hi", "क्षमा ₹५० करें", "क्षमा ₹५० करें"),
        ("xx", "5 km/h", "5 km/h"),
        ("../../etc", "5 km/h", "5 km/h"),
        ("en", "", ""),
    ],
)
def test_what_is_said(language: str, text: str, said: str) -> None:
    assert " ".join(spoken_form(text, language).split()) == " ".join(said.split())


@pytest.mark.parametrize("language", open_bundle("home").manifest.languages)
def test_every_language_says_its_units_without_symbols(language: str) -> None:
    for number in ("0", "1", "2", "5", "11", "21", "200", "1.5", "99999"):
        said = spoken_form(f"{number} °C", language)
        assert number in said
        if language not in ("cy", "kw"):  # CLDR has no words for some plurals there
            assert "°" not in said, said


def test_it_takes_little_memory() -> None:
    code = (
        "import msgspec, re, unicodedata\n"
        "from edge.board.memory import rss_mib\n"
        "before = rss_mib()\n"
        "from edge.tts.spoken_form import spoken_form\n"
        "spoken_form('21 °C and 1/2 of 5 µg/m³', 'en'), spoken_form('5 km/h', 'pl')\n"
        "print(rss_mib() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 1.0
