"""The natural test set: every language has its 60 cases, of every kind, in a home of its own."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.people.cases import read_cases
from edge.bundle.format import open_bundle

FILES = sorted(Path(__file__).parent.glob("*.jsonl"))
KINDS = {"command": 27, "question": 15, "several": 6, "refused": 12}


def lines(file: Path) -> list[dict[str, Any]]:
    """The home and the cases as written."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_language_has_cases_of_every_kind(file: Path) -> None:
    home, *cases = lines(file)
    kinds = Counter(case["tags"][0] for case in cases)
    assert all(kinds[kind] >= least for kind, least in KINDS.items()), kinds
    assert len({case["say"][0].casefold() for case in cases}) == len(cases) == len(read_cases(file))
    assert len({case["id"] for case in cases}) == len(cases)
    assert {(case["language"], case["home"]) for case in cases} == {(file.stem, home["home"])}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_expectations_are_about_the_home(file: Path) -> None:
    home, *cases = lines(file)
    states = {entity["id"]: entity for entity in home["entities"]}
    assert len({entity["name"] for entity in home["entities"]}) == len(states)
    for case in cases:
        expected = case["expect"]
        about = {*expected.get("changes", {}), *(expected.get("about") or ()), *expected.get("list", {})}
        assert about <= {*states, "timer.1"}, case["id"]
        for entity, wanted in expected.get("changes", {}).items():
            before = {**states.get(entity, {}), **case["states"].get(entity, {})}
            own = {"state": before.get("state"), **(before.get("attributes") or {})}
            assert not wanted or any(own.get(name) != value for name, value in wanted.items()), case["id"]
        if case["tags"] == ["question"]:
            assert expected["reply"] and not set(expected["reply"]) & set(expected["reply_not"]), case["id"]


def test_every_language_of_the_home_is_there() -> None:
    assert {file.stem for file in FILES} == set(open_bundle("home").manifest.languages)
