"""The commands ``edge-bench people`` and ``edge-bench free``."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def add_people(commands: Any) -> None:
    """Add the commands to those of ``edge-bench`` (the object of ``argparse.ArgumentParser.add_subparsers``)."""
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
    free = commands.add_parser("free", help="labelled utterances (MASSIVE, SLURP), typed to the home")
    free.add_argument("file", type=Path, metavar="FILE.jsonl", help="utterances with MASSIVE's labels")
    free.add_argument("--lang", metavar="xx", help="their language (default: that of their locale)")
    free.add_argument("--bundle", metavar="B", help="bundle (default: home)")
    free.add_argument("--failures", type=int, default=0, metavar="N", help="show N utterances that are not right")
    free.add_argument("--json", action="store_true", help="one JSON object on standard output")


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
    _tell(summary, arguments.json)
    return 1 if summary["error"] else 0


def _free(arguments: argparse.Namespace) -> int:
    from benchmarks.people.device import known_language
    from benchmarks.people.free import failures, free_summary, read_utterances, try_utterances
    from edge import compose

    utterances, bundle = read_utterances(arguments.file), compose.bundle(arguments.bundle)
    language = arguments.lang or next((utterance.locale for utterance in utterances if utterance.locale), "en")
    parser = compose.parser(bundle, compose.home(None), known_language(language, bundle))
    home, other = try_utterances(utterances, parser)
    for line in failures(home, other)[: arguments.failures]:
        sys.stderr.write(f"{line}\n")
    _tell(free_summary(home, other), arguments.json)
    return 0


def _tell(summary: dict[str, float], as_json: bool) -> None:
    told = ", ".join(f"{name} {value}" for name, value in summary.items())
    sys.stdout.write((json.dumps(summary) if as_json else told) + "\n")


PEOPLE: dict[str, Callable[[argparse.Namespace], int]] = {"people": _people, "free": _free}
