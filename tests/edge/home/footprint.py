"""Prints what a typed turn costs with a home: ``python -m tests.edge.home.footprint [CONNECTION]``."""

from __future__ import annotations

import json
import sys
import time

import msgspec

from edge import compose
from edge.board.memory import peak_rss_mib, rss_mib
from edge.config import load_profile
from edge.types import Transcript


def main(connection: str | None) -> None:
    profile = load_profile("desktop")
    dwelling = msgspec.structs.replace(profile.home, connection=connection, store=None)
    profile = msgspec.structs.replace(profile, home=dwelling)
    with compose.home_port(profile) as port:
        mind = compose.mind(profile, "en", typed=True, port=port)
        texts = ("turn on the kitchen light", "turn off the bed light", "is the garage door open")
        mind.skill.handle(mind.parser.parse(Transcript(texts[0])))
        times = []
        for number in range(60):
            begun_s = time.perf_counter()
            mind.parser.parse(Transcript(texts[number % 3]))
            times.append(1000 * (time.perf_counter() - begun_s))
        times.sort()
        entities = len(port.snapshot().entities) if port is not None else 0
        found = {"rss_mib": rss_mib(), "peak_mib": peak_rss_mib(), "parse_ms": times[30], "entities": entities}
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
