"""The ``edge-bench`` command."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NoReturn

from benchmarks.hearing.cli import HEARING, add_hearing
from benchmarks.people.cli import PEOPLE, add_people
from edge.errors import EdgeError
from edge.files import end_tidily, write_file

_EXAMPLES = """examples:
  edge-bench run --profile raspberry-pi-zero-2w --html report.html
  edge-bench run --profile desktop --only parse --json now.json
  edge-bench compare before.json now.json
  edge-bench calibrate --profile raspberry-pi-5-4gb --out my-board.toml
  edge-bench peers ../home_assistant_tests
  edge-bench boards
  edge-bench people cases.jsonl --out results.jsonl
  edge-bench free utterances.jsonl --lang de
  edge-bench speech clips --labels labels.json --noise kitchen.wav --snr 6 12 24 --bundle coffee.edge
  edge-bench endpoint clips --pause 0 300 600 --noise kitchen.wav --snr 12
  edge-bench speak sentences.txt --out talk --minutes 60
  edge-bench wake --other talk --said alexa-clips --word alexa
"""


class _Parser(argparse.ArgumentParser):
    """Argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns 0 when done, 1 when a budget is exceeded or something slowed down, 2 for wrong use."""
    arguments = _arguments().parse_args(argv)
    end_tidily()
    try:
        return _COMMANDS[arguments.command](arguments)
    except EdgeError as error:
        sys.stderr.write(f"edge-bench: {' '.join(str(error).split())}\n")
        return 2
    except ModuleNotFoundError as error:
        sys.stderr.write(f"edge-bench: {error.name} is missing: pip install 'edge-assistant[speech,build]'\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"edge-bench: {error.filename}: {error.strerror}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace) -> int:
    import msgspec

    from benchmarks.peers import measure_peers
    from benchmarks.report.html import page
    from benchmarks.report.markdown import document, table
    from benchmarks.report.report import open_rows, verdict, write_report
    from benchmarks.run import run

    report = run(
        arguments.profile,
        Path(arguments.scenarios) if arguments.scenarios else None,
        tuple(arguments.only or ()),
        arguments.force,
        arguments.bundle,
    )
    if arguments.peers:
        peers = measure_peers(Path(arguments.peers), report.profile.bundle, (), report.profile.language)
        report = msgspec.structs.replace(report, peers=peers)
    if arguments.json == "-":
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    elif arguments.json:
        write_report(report, Path(arguments.json))
    if arguments.html:
        write_file(Path(arguments.html), page(report))
    if arguments.markdown:
        write_file(Path(arguments.markdown), document(report))
    if arguments.json != "-":
        sys.stdout.write(table(report.gate) + "\n")
    for row in report.gate:
        if row.verdict == "FAIL":
            excess = f"over by {row.over} {row.unit}" if row.over is not None else row.why
            where = f"; stage {row.stage}" if row.stage else ""
            sys.stderr.write(f"edge-bench: {row.metric}: {excess}{where}\n")
    undecided = open_rows(report.gate)
    if undecided:
        names = ", ".join(dict.fromkeys(row.metric for row in undecided))
        sys.stderr.write(f"edge-bench: open: {names}; edge-bench calibrate on the board narrows projections\n")
    sys.stderr.write(f"edge-bench: {report.profile.name} {verdict(report)}\n")
    return 0 if report.passed and not (undecided and arguments.strict) else 1


def _compare(arguments: argparse.Namespace) -> int:
    from benchmarks.report.compare import compare, without_times
    from benchmarks.report.report import read_report

    reports = read_report(Path(arguments.before)), read_report(Path(arguments.after))
    changes = compare(*reports)
    if any(report.busy["forced"] for report in reports) and not arguments.force:
        sys.stderr.write(
            "edge-bench: measured on a busy machine, so that times may differ for that alone: only memory is judged; "
            "--force judges times too\n"
        )
        changes = without_times(changes)
    if arguments.json:
        sys.stdout.write(json.dumps([change.__dict__ for change in changes]) + "\n")
    else:
        for change in changes:
            sys.stdout.write(change.line() + "\n")
    return 1 if any(change.verdict == "slower" or change.verdict == "bigger" for change in changes) else 0


def _boards(arguments: argparse.Namespace) -> int:
    from edge.config import load_profile, profile_names

    boards = [load_profile(name) for name in profile_names()]
    if arguments.json:
        import msgspec

        sys.stdout.buffer.write(msgspec.json.encode(boards) + b"\n")
        return 0
    for profile in boards:
        board = profile.board
        cap = f"{board.memory_cap_mib} of {board.ram_mib} MiB" if board.memory_cap_mib else "not capped"
        sys.stdout.write(f"{profile.name:<24} {board.title}: {board.soc}; {cap}; {len(profile.budgets)} budgets\n")
    return 0


def _calibrate(arguments: argparse.Namespace) -> int:
    import msgspec

    from benchmarks.board.projection import calibrate
    from benchmarks.board.rates import with_rates

    rates = calibrate()
    if arguments.out:
        write_file(Path(arguments.out), with_rates(arguments.profile, rates))
        sys.stderr.write(f"edge-bench: wrote {arguments.out}; use it with --profile {arguments.out}\n")
    sys.stdout.buffer.write(msgspec.json.encode(rates) + b"\n")
    return 0


def _peers(arguments: argparse.Namespace) -> int:
    from benchmarks.peers import measure_peers
    from benchmarks.report.markdown import peers_table

    peers = measure_peers(Path(arguments.data), arguments.bundle, tuple(arguments.only or ()), arguments.lang)
    sys.stdout.write((json.dumps(peers) if arguments.json else peers_table(peers)) + "\n")
    return 0


_COMMANDS = {
    "run": _run,
    "compare": _compare,
    "boards": _boards,
    "calibrate": _calibrate,
    "peers": _peers,
    **HEARING,
    **PEOPLE,
}


def _arguments() -> argparse.ArgumentParser:
    root = _Parser(
        prog="edge-bench",
        description="Measure every stage against the budget of a board.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)
    run = commands.add_parser(
        "run",
        help="every scenario against the board's budgets; exit 1 when over",
        description="Measure and judge. Exit 1 when a budget is exceeded: a measured value, or a projected interval "
        "that lies beyond its limit as a whole. An interval that holds the limit leaves the budget open.",
    )
    run.add_argument("--profile", required=True, metavar="NAME", help="board, by name or path")
    run.add_argument("--only", action="append", metavar="SCENARIO", help="this scenario (repeatable)")
    run.add_argument("--scenarios", metavar="FILE", help="scenarios instead of the project's own")
    run.add_argument("--bundle", metavar="B", help="bundle instead of the profile's")
    run.add_argument("--peers", metavar="FOLDER", help="also the table of edge-bench peers FOLDER")
    run.add_argument("--json", metavar="FILE", help="write the report as JSON; - for standard output")
    run.add_argument("--markdown", metavar="FILE", help="write the report as Markdown")
    run.add_argument("--html", metavar="FILE", help="write the report as one HTML page")
    run.add_argument("--force", action="store_true", help="measure on a busy machine; the report says so")
    run.add_argument("--strict", action="store_true", help="exit 1 also when a budget is open")
    compare = commands.add_parser("compare", help="what became slower or bigger between two reports; exit 1 if any did")
    compare.add_argument("before", metavar="A.json")
    compare.add_argument("after", metavar="B.json")
    compare.add_argument("--force", action="store_true", help="judge times although a machine was busy")
    compare.add_argument("--json", action="store_true")
    boards = commands.add_parser("boards", help="the boards that have a profile")
    boards.add_argument("--json", action="store_true")
    calibrate = commands.add_parser("calibrate", help="measure this machine's rates; on a board, write its profile")
    calibrate.add_argument("--profile", default="desktop", metavar="NAME", help="profile to start from")
    calibrate.add_argument("--out", metavar="FILE.toml", help="write the profile with the measured rates")
    peers = commands.add_parser("peers", help="the student beside hassil, a linear classifier and other runtimes")
    peers.add_argument("data", metavar="FOLDER", help="Home Assistant's tests, a folder per language")
    peers.add_argument("--bundle", default="home", metavar="B")
    peers.add_argument("--lang", default="en", metavar="xx")
    peers.add_argument("--only", action="append", metavar="PEER", help="this peer (repeatable)")
    peers.add_argument("--json", action="store_true")
    add_hearing(commands)
    add_people(commands)
    return root
