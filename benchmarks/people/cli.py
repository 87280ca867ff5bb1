"""The command ``edge-bench people``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def add_people(commands: Any) -> None:
    """Add the command to those of ``edge-bench`` (the object of ``argparse.ArgumentParser.add_subparsers``)."""
    people = commands.add_parser(
        "people",
        help="what people say in their own words: what changed in the home",
        description="Run cases and write a result for each: what changed in the home, what was said and understood.",
    )
    people.add_argument("cases", type=Path, metavar="CASES.jsonl", help="homes and what is said in them")
    people.add_argument("--out", type=Path, required=True, metavar="RESULTS.jsonl", help="where the results go")
    people.add_argument("--bundle", metavar="B", help="bundle (default: home)")
    people.add_argument("--peer", choices=("hassil", "gazetteer"), help="what understands, instead of the bundle")
    people.add_argument("--limit", type=int, metavar="N", help="only the first N cases")
    people.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _people(arguments: argparse.Namespace) -> int:
    from benchmarks.people.cases import read_cases, write_results
    from benchmarks.people.device import run_device
    from benchmarks.people.peers import run_peer
    from edge import compose

    cases = read_cases(arguments.cases, arguments.limit)
    start_s = time.perf_counter()
    bundle = compose.bundle(arguments.bundle)
    results = list(run_device(cases, bundle) if arguments.peer is None else run_peer(arguments.peer, cases, bundle))
    write_results(results, arguments.out)
    summary = {
        "n": len(results),
        "changed": sum(bool(result.changes) for result in results),
        "asked": sum(result.asked for result in results),
        "refused": sum(result.refused for result in results),
        "error": sum(result.error is not None for result in results),
        "seconds": round(time.perf_counter() - start_s, 2),
    }
    told = ", ".join(f"{name} {value}" for name, value in summary.items())
    sys.stdout.write((json.dumps(summary) if arguments.json else told) + "\n")
    return 1 if summary["error"] else 0


PEOPLE: dict[str, Callable[[argparse.Namespace], int]] = {"people": _people}
