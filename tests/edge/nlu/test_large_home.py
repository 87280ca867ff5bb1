"""A home of 2,000 devices is understood as fast as a small one, in whatever language."""

from __future__ import annotations

import statistics
import time

from edge.bundle.format import open_bundle
from edge.nlu.student import StudentParser
from edge.types import Area, Entity, Home, Transcript

ROOMS = ("Kitchen", "Living Room", "Bedroom", "Hall", "Office", "Küche", "Salon", "Keuken")
KINDS = (
    ("light", "Ceiling Light"),
    ("light", "Floor Lamp"),
    ("cover", "Left Blind"),
    ("fan", "Fan"),
    ("switch", "Plug"),
)
SENTENCES = (
    "turn on the kitchen 3 ceiling light 2",
    "schalte das Licht in der Küche 2 ein",
    "allume la lampe dans le salon 4",
    "apri la tenda",
    "zet de lamp in de keuken 1 aan",
    "enciende todas las luces",
    "blorp the kitchn celing lihgt in the rom",
)


def large_home() -> Home:
    areas = [Area(f"a{room}.{floor}", f"{name} {floor}") for room, name in enumerate(ROOMS) for floor in range(10)]
    devices = [
        Entity(f"{domain}.e{number}.{area.id}.{copy}", f"{area.name} {name} {copy}", area_id=area.id)
        for area in areas
        for number, (domain, name) in enumerate(KINDS)
        for copy in range(1, 6)
    ]
    assert len(devices) == 2000
    return Home(tuple(areas), (), tuple(devices))


def test_a_parse_takes_at_most_20_ms_without_a_told_language() -> None:
    parser = StudentParser(open_bundle("home"), large_home())
    taken_ms = []
    for _ in range(4):
        for text in SENTENCES:
            start = time.process_time()
            parser.parse(Transcript(text))
            taken_ms.append((time.process_time() - start) * 1000)
    again = taken_ms[len(SENTENCES) :]
    assert statistics.mean(again) < 20, taken_ms
    assert statistics.median(again) < 20
