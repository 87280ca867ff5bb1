"""The ``edge-quantize`` command: build, evaluate, domain, data."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from edge.errors import EdgeError
from edge.files import end_tidily
from quantize.errors import BuildError

if TYPE_CHECKING:
    from edge.bundle.format import Signer

_EXAMPLES = """examples:
  edge-quantize build home --out runs/home
  edge-quantize build massive-en --out runs/massive-en --data-dir data
  edge-quantize evaluate massive-en data/slurp/en-US.dev.jsonl --json
  edge-quantize evaluate runs/new/home.edge test.jsonl --against home
  edge-quantize ablate massive-en --out runs/ablations --data-dir data
  edge-quantize retrieval home --picture clusters.png
  edge-quantize zero-shot --out runs/zero-shot
  edge-quantize data fetch slurp --out data
  edge-quantize data coincidences --data-dir data --languages en fr --count 20000
  edge-quantize domain coffee.yaml --out build/coffee
  edge-quantize domain --add home coffee.yaml --out build/home-coffee.edge
  edge-quantize hearing home --out home.edge
"""

_DOMAIN_EXAMPLES = """examples:
  edge-quantize domain coffee.yaml --out build/coffee                       these commands alone, in a minute
  edge-quantize domain coffee.yaml --sentences-only --out build/coffee      only as the file words them, in a second
  edge-quantize domain --add home coffee.yaml --out build/home-coffee.edge  beside those of the home, in minutes
  edge parse --bundle build/home-coffee.edge "could you make me a large latte"
"""

_KEY = "secret key that signs the bundle (default: this machine's, which is made when it is first needed)"


class _Parser(argparse.ArgumentParser):
    """Argument parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Run the command; 0 done, 1 a check failed, 2 wrong use or a broken environment."""
    arguments = _arguments().parse_args(argv)
    end_tidily()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s", force=True)
    try:
        return int(arguments.run(arguments))
    except BuildError as error:
        print(f"edge-quantize: {error}", file=sys.stderr)  # noqa: T201
        return 1
    except EdgeError as error:
        print(f"edge-quantize: {error}", file=sys.stderr)  # noqa: T201
        return 2
    except ModuleNotFoundError as error:
        print(  # noqa: T201
            f"edge-quantize: {error.name} is missing: pip install 'edge-assistant[build]'", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        print("edge-quantize: stopped; the same command goes on from here", file=sys.stderr)  # noqa: T201
        return 130


def _arguments() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="edge-quantize",
        description="Teacher to student to a verified bundle for a small board.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    build = commands.add_parser("build", help="build a bundle from a recipe; goes on where a killed build stopped")
    build.add_argument("recipe", help="name of a shipped recipe, or a .toml file")
    build.add_argument("--out", type=Path, required=True, help="folder for the bundle and the work")
    build.add_argument("--data-dir", type=Path, default=_data_dir(), help="where the recipe's data files are")
    build.add_argument("--key", type=Path, help=_KEY)
    build.set_defaults(run=_build)
    evaluate = commands.add_parser("evaluate", help="measure a bundle on labelled utterances, in the device runtime")
    evaluate.add_argument("bundle", help="name, folder or .edge file")
    evaluate.add_argument("data", type=Path, help="JSON lines in MASSIVE's format")
    evaluate.add_argument("--partition", help="only this partition, such as test")
    evaluate.add_argument("--home", help="home file whose names the utterances use")
    evaluate.add_argument(
        "--unrelated", type=Path, help="text file, a sentence a line: measure how well it is rejected"
    )
    evaluate.add_argument("--against", help="older bundle: count what it parsed right and the new one does not")
    evaluate.add_argument("--max-flips", type=float, default=1.0, help="largest share of such flips; more exits with 1")
    evaluate.add_argument("--json", action="store_true", help="one JSON object on standard output")
    evaluate.set_defaults(run=_evaluate)
    home = commands.add_parser("evaluate-home", help="measure a home bundle on sampled sentences in unseen homes")
    home.add_argument("bundle", help="name, folder or .edge file")
    home.add_argument("--languages", nargs="*", help="language codes; default all of the bundle")
    home.add_argument("--count", type=int, default=100, help="sentences per language")
    home.add_argument("--unrelated", type=Path, help="text file, a sentence a line: measure how well it is rejected")
    home.add_argument("--against", help="older bundle: count what it parsed right and the new one does not")
    home.add_argument("--max-flips", type=float, default=1.0, help="largest share of such flips; more exits with 1")
    home.add_argument("--json", action="store_true", help="one JSON object on standard output")
    home.set_defaults(run=_evaluate_home)
    ablations = commands.add_parser("ablate", help="build a recipe with one part left out at a time, and compare")
    ablations.add_argument("recipe", help="name of a shipped recipe, or a .toml file")
    ablations.add_argument("--out", type=Path, required=True, help="folder for the rows; goes on where it stopped")
    ablations.add_argument("--data-dir", type=Path, default=_data_dir(), help="where the recipe's data files are")
    ablations.add_argument("--only", nargs="+", default=(), metavar="ROW", help="such as 'without teacher'")
    ablations.add_argument("--json", action="store_true", help="one JSON object on standard output")
    ablations.set_defaults(run=_ablate)
    nearest = commands.add_parser(
        "retrieval", help="measure whether sentences of one meaning lie together in all languages"
    )
    nearest.add_argument("bundle", help="name, folder or .edge file")
    nearest.add_argument("--languages", nargs="*", help="language codes; default all of the bundle")
    nearest.add_argument("--picture", type=Path, help="PNG file to draw the clusters in")
    nearest.add_argument("--json", action="store_true", help="one JSON object on standard output")
    nearest.set_defaults(run=_retrieval)
    transfer = commands.add_parser("zero-shot", help="teach in English alone, measure all other languages")
    transfer.add_argument("recipe", nargs="?", default="zero-shot", help="name of a shipped recipe, or a .toml file")
    transfer.add_argument("--out", type=Path, required=True, help="folder for bundle, test sentences and work")
    transfer.add_argument("--json", action="store_true", help="one JSON object on standard output")
    transfer.set_defaults(run=_zero_shot)
    domain = commands.add_parser(
        "domain",
        help="turn a file of your own commands into a bundle",
        epilog=_DOMAIN_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    domain.add_argument("domain", type=Path, help="sentence templates in Home Assistant's YAML")
    domain.add_argument("--add", metavar="BUNDLE", help="add the commands to this home bundle, such as home")
    domain.add_argument(
        "--sentences-only", action="store_true", help="no student: what is not worded as in the file is rejected"
    )
    domain.add_argument("--out", type=Path, required=True, help="the bundle: a folder, or an .edge file")
    domain.add_argument(
        "--max-flips",
        type=float,
        default=0.01,
        help="with --add: largest share of home commands that may go wrong; more exits with 1 and writes nothing",
    )
    domain.add_argument("--key", type=Path, help=_KEY)
    domain.set_defaults(run=_domain)
    hearing = commands.add_parser("hearing", help="compile the sentences that a home bundle's recognizer expects anew")
    hearing.add_argument("bundle", help="name, folder or .edge file of a home bundle")
    hearing.add_argument("--out", type=Path, required=True, help="the .edge file to write; may be the same")
    hearing.add_argument("--key", type=Path, help=_KEY)
    hearing.set_defaults(run=_hearing)
    data = commands.add_parser("data", help="fetch published data sets").add_subparsers(required=True, metavar="VERB")
    fetch = data.add_parser("fetch", help="download a data set, verify it and write MASSIVE's JSON lines")
    fetch.add_argument("dataset", choices=("massive", "slurp"))
    fetch.add_argument("--out", type=Path, default=_data_dir(), help="folder for the files")
    fetch.set_defaults(run=_fetch)
    same = data.add_parser("coincidences", help="drawn training sentences that a data set also holds")
    same.add_argument("--data-dir", type=Path, default=_data_dir(), help="folder with the data sets")
    same.add_argument("--languages", nargs="*", help="language codes; default all of the package")
    same.add_argument("--count", type=int, default=2000, help="sentences to draw per language (default: 2000)")
    same.add_argument("--seed", type=int, default=1)
    same.add_argument("--show", type=int, default=5, metavar="N", help="show N of each file (default: 5)")
    same.add_argument("--json", action="store_true", help="one JSON object on standard output")
    same.set_defaults(run=_coincidences)
    return parser


def _build(arguments: argparse.Namespace) -> int:
    from quantize.pipeline import build
    from quantize.recipe import load_recipe

    bundle = build(load_recipe(arguments.recipe), arguments.out, arguments.data_dir, _signer(arguments))
    print(bundle.source)  # noqa: T201
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from edge.bundle.format import open_bundle
    from edge.home.home_file import load_home
    from quantize.data.datasets import read_sentences, read_utterances
    from quantize.evaluate.bundle import evaluate, table

    report = evaluate(
        open_bundle(arguments.bundle),
        read_utterances(arguments.data, [arguments.partition] if arguments.partition else None),
        load_home(arguments.home) if arguments.home else None,
        read_sentences(arguments.unrelated) if arguments.unrelated else (),
        open_bundle(arguments.against) if arguments.against else None,
    )
    print(json.dumps(report) if arguments.json else table(report, f"{arguments.bundle} on {arguments.data}"))  # noqa: T201
    return _verdict(report, arguments)


def _evaluate_home(arguments: argparse.Namespace) -> int:
    from edge.bundle.format import open_bundle
    from quantize.data.datasets import read_sentences
    from quantize.evaluate.home import evaluate_home, table

    bundle = open_bundle(arguments.bundle)
    report = evaluate_home(
        bundle,
        arguments.languages or bundle.manifest.languages,
        arguments.count,
        read_sentences(arguments.unrelated) if arguments.unrelated else (),
        open_bundle(arguments.against) if arguments.against else None,
    )
    print(json.dumps(report) if arguments.json else table(report))  # noqa: T201
    return _verdict(report, arguments)


def _verdict(report: dict[str, Any], arguments: argparse.Namespace) -> int:
    flips = report.get("negative_flips", {}).get("share", 0.0)
    return 1 if flips > arguments.max_flips else 0


def _ablate(arguments: argparse.Namespace) -> int:
    from quantize.experiments.ablate import ablate, table
    from quantize.recipe import load_recipe

    report = ablate(load_recipe(arguments.recipe), arguments.out, arguments.data_dir, arguments.only)
    print(json.dumps(report) if arguments.json else table(report))  # noqa: T201
    return 0


def _retrieval(arguments: argparse.Namespace) -> int:
    from edge.bundle.format import open_bundle
    from quantize.evaluate.retrieval import aligned_cases, draw_clusters, frame_scores, retrieval, table

    bundle = open_bundle(arguments.bundle)
    cases = aligned_cases(arguments.languages or bundle.manifest.languages)
    scores = frame_scores(bundle, cases)
    report = {bundle.manifest.name: retrieval(cases, scores)}
    if arguments.picture:
        draw_clusters(arguments.picture, cases, {bundle.manifest.name: scores})
    print(json.dumps(report) if arguments.json else table(report))  # noqa: T201
    return 0


def _zero_shot(arguments: argparse.Namespace) -> int:
    from quantize.evaluate.retrieval import table as retrieval_table
    from quantize.experiments.zero_shot import table, zero_shot
    from quantize.recipe import load_recipe

    report = zero_shot(load_recipe(arguments.recipe), arguments.out)
    text = f"{table(report)}\n\n{retrieval_table(report['retrieval'])}"
    print(json.dumps(report) if arguments.json else text)  # noqa: T201
    return 0


def _domain(arguments: argparse.Namespace) -> int:
    if arguments.add is None:
        from quantize.own_commands.bundle import build_domain

        course = None
        if not arguments.sentences_only:
            from quantize.own_commands.student import Course

            course = Course()
        print(build_domain(arguments.domain, arguments.out, course, _signer(arguments)).source)  # noqa: T201
        return 0
    from edge.bundle.format import open_bundle
    from quantize.own_commands.extend import Extension, extend_bundle

    plan = Extension(max_flips=arguments.max_flips)
    bundle = extend_bundle(open_bundle(arguments.add), arguments.domain, arguments.out, plan, _signer(arguments))
    print(bundle.source)  # noqa: T201
    return 0


def _hearing(arguments: argparse.Namespace) -> int:
    from edge.bundle.format import open_bundle
    from quantize.grammar.home_sentences import renew_hearing

    print(renew_hearing(open_bundle(arguments.bundle), arguments.out, _signer(arguments)).source)  # noqa: T201
    return 0


def _signer(arguments: argparse.Namespace) -> Signer:
    """What signs the bundle: the key that was named, or this machine's."""
    from edge.bundle.signing import machine_key, read_secret_key

    return (read_secret_key(arguments.key) if arguments.key is not None else machine_key()).sign


def _fetch(arguments: argparse.Namespace) -> int:
    from quantize.data.fetch import fetch_massive, fetch_slurp

    fetched = (fetch_massive if arguments.dataset == "massive" else fetch_slurp)(arguments.out)
    print("\n".join(str(path) for path in fetched))  # noqa: T201
    return 0


def _coincidences(arguments: argparse.Namespace) -> int:
    from quantize.evaluate.coincidences import drawn_sentences, note_coincidences, read_measured, report, table
    from quantize.templates.package import package_languages

    measured = read_measured(arguments.data_dir)
    languages = arguments.languages or package_languages()
    note_coincidences(measured, drawn_sentences(languages, arguments.count, arguments.seed))
    rows = report(measured)
    print(json.dumps(rows) if arguments.json else table(rows, arguments.show))  # noqa: T201
    return 0


def _data_dir() -> Path:
    return Path(os.environ.get("EDGE_DATA_DIR", "../shared/data"))
