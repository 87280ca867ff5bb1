"""Says dangerous sentences to a home: ``python -m tests.edge.dialogue.dangerous.cases dev.yaml``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from edge import compose
from edge.dialogue.dialogue import Dialogue, open_dialogue
from edge.protocols import Parser
from edge.types import Action, Transcript

HERE = Path(__file__).parent
Values = Mapping[str, object]


@dataclass(frozen=True)
class Case:
    """A sentence; ``right`` are the values that it may set, entity by entity; None where it must change nothing."""

    kind: str
    home: str
    language: str
    say: str
    right: Values | None


@dataclass(frozen=True)
class Outcome:
    """What became of a case: the new values, what was said, and how it was understood."""

    changed: dict[str, list[object]]
    reply: str
    asked: bool
    understood: str

    def fits(self, right: Values | None) -> bool:
        """Whether exactly the entities of ``right`` changed, each to its value."""
        wanted = right or {}
        return self.changed.keys() == wanted.keys() and all(
            value == "any" or value in self.changed[entity] for entity, value in wanted.items()
        )


def dangerous(file: str) -> Iterator[Case]:
    """Cases of ``dev.yaml`` or ``held_out.yaml``."""
    for kind, homes in yaml.safe_load((HERE / file).read_text(encoding="utf-8")).items():
        for home, languages in homes.items():
            for language, sentences in languages.items():
                for said in sentences:
                    case: dict[str, Any] = said if isinstance(said, dict) else {"say": said}
                    yield Case(kind, home, language, case["say"], case.get("or") or None)


def controls() -> Iterator[Case]:
    """Cases of ``controls.yaml``."""
    for home, languages in yaml.safe_load((HERE / "controls.yaml").read_text(encoding="utf-8")).items():
        for language, cases in languages.items():
            for case in cases:
                yield Case("control", home, language, case["say"], case["is"])


def run(case: Case) -> Outcome:
    """Say the sentence to a fresh home."""
    dialogue, parser = _home(case.home), _parser(case.home, case.language)
    parse = parser.parse(Transcript(case.say))
    action, reply = dialogue.handle(parse)
    slots = " ".join(f"{slot.name}={slot.value}" for slot in parse.slots)
    understood = f"{parse.intent} {parse.confidence:.2f} {slots}"
    return Outcome(_changed(action), reply.text, reply.expects_answer, understood)


def _changed(action: Action | None) -> dict[str, list[object]]:
    changed: dict[str, list[object]] = {}
    for change in action.changes if action is not None else ():
        changed.setdefault(change.entity_id, []).append(change.after)
    return changed


def _path(home: str) -> str | None:
    return None if home == "demo" else str(HERE / f"{home}.yaml")


def _home(home: str) -> Dialogue:
    return open_dialogue(compose.home(_path(home)))


@lru_cache(maxsize=16)
def _parser(home: str, language: str) -> Parser:
    return compose.parser(compose.bundle("home"), compose.home(_path(home)), language)


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """Print what went wrong and shares by kind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", choices=("dev.yaml", "held_out.yaml", "controls.yaml"))
    parser.add_argument("--all", action="store_true", help="show every case, also the right ones")
    arguments = parser.parse_args()
    is_control = arguments.file == "controls.yaml"
    count: Counter[str] = Counter()
    good: Counter[str] = Counter()
    for case in controls() if is_control else dangerous(arguments.file):
        outcome = run(case)
        safe = outcome.fits(case.right) or (not is_control and not outcome.changed)
        for group in (case.kind, case.language, "all"):
            count[group] += 1
            good[group] += safe
        if not safe or arguments.all:
            _write(f"{'ok ' if safe else 'BAD'} {case.language} {case.home}: {case.say}\n      {outcome.understood}")
            _write(f"      {outcome.changed} {outcome.reply!r}")
    for group, n in count.items():
        _write(f"{group:24} {good[group]:4} of {n}")


if __name__ == "__main__":
    main()
