"""The commands ``edge-bench people`` and ``edge-bench free``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def add_people(commands: Any) -> None:
    """Add the commands to those of ``edge-bench`` (the object of ``argparse.ArgumentParser.add_subparsers``)."""
    people = commands.add_parser(
        "people",
        help="what people say in their own words: what changed in the home",
        description="Run cases, judge what changed in the home, and write a result for each case.",
    )
    people.add_argument("cases", type=Path, nargs="+", metavar="CASES.jsonl", help="homes and what is said in them")
    people.add_argument("--out", type=Path, required=True, metavar="RESULTS.jsonl", help="where the results go")
    people.add_argument("--bundle", metavar="B", help="bundle (default: home)")
    people.add_argument("--peer", choices=("hassil", "gazetteer"), help="what understands, instead of the bundle")
    people.add_argument("--limit", type=int, metavar="N", help="only the first N cases of each file")
    people.add_argument("--by", choices=("kind", "language"), default="kind", help="rows of the table")
    people.add_argument("--failures", type=int, default=0, metavar="N", help="show N cases that are not right")
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
    from benchmarks.people.verdicts import Judged, failures, summary, table
    from edge import compose

    cases = [case for file in arguments.cases for case in read_cases(file, arguments.limit)]
    bundle = compose.bundle(arguments.bundle, allow_unsigned=True)
    results = list(run_device(cases, bundle) if arguments.peer is None else run_peer(arguments.peer, cases, bundle))
    write_results(results, arguments.out)
    judged = [Judged(case, result) for case, result in zip(cases, results, strict=True)]
    for line in failures(judged)[: arguments.failures]:
        sys.stderr.write(f"{line}\n")
    tallies = summary(judged, arguments.by)
    sys.stdout.write((json.dumps(tallies) if arguments.json else table(tallies)) + "\n")
    return 1 if any(result.error is not None for result in results) else 0


def _free(arguments: argparse.Namespace) -> int:
    from benchmarks.people.device import known_language
    from benchmarks.people.free import failures, free_summary, read_utterances, try_utterances
    from edge import compose

    utterances, bundle = read_utterances(arguments.file), compose.bundle(arguments.bundle, allow_unsigned=True)
    language = arguments.lang or next((utterance.locale for utterance in utterances if utterance.locale), "en")
    parser = compose.parser(bundle, compose.home(None), known_language(language, bundle))
    home, other = try_utterances(utterances, parser)
    for line in failures(home, other)[: arguments.failures]:
        sys.stderr.write(f"{line}\n")
    summary = free_summary(home, other)
    told = ", ".join(f"{name} {value}" for name, value in summary.items())
    sys.stdout.write((json.dumps(summary) if arguments.json else told) + "\n")
    return 0


PEOPLE: dict[str, Callable[[argparse.Namespace], int]] = {"people": _people, "free": _free}
