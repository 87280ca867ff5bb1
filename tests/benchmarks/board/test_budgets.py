"""A budget is raised only for a reason, which stands in the file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
import pytest

from edge.config import Budget, load_profile, profile_names

CHECKOUT = Path(__file__).parents[3]
Key = tuple[str, int]


class Past(msgspec.Struct):
    """What is read of a profile as it once was."""

    budgets: list[dict[str, object]] = []


def lowest_limits(texts: list[str]) -> dict[Key, float]:
    """The lowest limit that each budget ever had."""
    lowest: dict[Key, float] = {}
    for text in texts:
        for row in msgspec.toml.decode(text, type=Past).budgets:
            key, limit = (str(row["metric"]), int(str(row["percentile"]))), float(str(row["limit"]))
            lowest[key] = min(limit, lowest.get(key, limit))
    return lowest


def raised_without_reason(budgets: tuple[Budget, ...], lowest: dict[Key, float]) -> list[str]:
    return [
        f"{row.metric} p{row.percentile}: {lowest[row.metric, row.percentile]} → {row.limit}"
        for row in budgets
        if row.limit > lowest.get((row.metric, row.percentile), row.limit) and not row.raised
    ]


def git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", CHECKOUT, *arguments], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", profile_names())
def test_no_limit_was_raised_without_a_reason(name: str) -> None:
    file = f"firmware_configs/{name}.toml"
    try:
        commits = git("log", "--format=%H", "--", file).split()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git history: this is no clone")
    lowest = lowest_limits([git("show", f"{commit}:{file}") for commit in commits])
    assert raised_without_reason(load_profile(name).budgets, lowest) == []


def test_a_raised_limit_needs_its_reason() -> None:
    row = '[[budgets]]\nmetric = "turn.peak_rss_mib"\npercentile = 100\nlimit = {}\nunit = "MiB"\nwhy = "x"\n'
    lowest = lowest_limits([row.format(260), row.format(250), row.format(300)])
    assert lowest == {("turn.peak_rss_mib", 100): 250}
    budget = Budget("turn.peak_rss_mib", 100, 260, "MiB", "x")
    assert raised_without_reason((budget,), lowest) == ["turn.peak_rss_mib p100: 250.0 → 260"]
    assert raised_without_reason((msgspec.structs.replace(budget, raised="two languages"),), lowest) == []
    assert raised_without_reason((msgspec.structs.replace(budget, limit=240),), lowest) == []
