"""A small flat, and how to run cases in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.cli import main

HOME = {
    "home": "flat",
    "floors": [],
    "areas": [
        {"id": "kitchen", "name": "Kitchen", "aliases": [], "floor": None},
        {"id": "bedroom", "name": "Bedroom", "aliases": [], "floor": None},
    ],
    "entities": [
        {"id": "light.k", "name": "Kitchen Lamp", "aliases": [], "area": "kitchen", "state": "off", "attributes": {}},
        {
            "id": "light.b",
            "name": "Bedroom Lamp",
            "aliases": ["reading light"],
            "area": "bedroom",
            "state": "on",
            "attributes": {"brightness": 51},
            "device": "Hue 3",
        },
        {
            "id": "cover.b",
            "name": "Bedroom Blind",
            "aliases": [],
            "area": "bedroom",
            "state": "open",
            "attributes": {"device_class": "blind", "current_position": 100},
        },
        {
            "id": "media_player.r",
            "name": "Radio",
            "aliases": [],
            "area": "kitchen",
            "state": "playing",
            "attributes": {"volume_level": 0.4},
        },
        {
            "id": "todo.s",
            "name": "Errands",
            "aliases": [],
            "area": None,
            "state": "0",
            "attributes": {"items": ["post"]},
        },
    ],
}


def run(folder: Path, *cases: dict[str, Any], options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The results of cases in the small flat."""
    file, out = folder / "cases.jsonl", folder / "results.jsonl"
    common = {
        "language": "en",
        "home": "flat",
        "area": None,
        "states": {},
        "expect": {},
        "tags": [],
        "nofeature": False,
    }
    lines = [HOME, *({"id": str(number), **common, **case} for number, case in enumerate(cases))]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert main(["people", str(file), "--out", str(out), *options]) == 0
    return [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
