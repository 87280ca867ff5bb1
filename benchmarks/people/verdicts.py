"""Judges results by what changed in the home, and tells shares of verdicts as a table.

``right`` is exactly what was expected; ``asked`` and ``refused`` changed nothing; ``wrong-nothing`` said "done" or
answered wrongly; ``partly`` did some of what was expected and nothing else; ``WRONG-CHANGED`` changed something that
nobody asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmarks.people.cases import Case, Changes, Result

VERDICTS = ("right", "asked", "refused", "partly", "wrong-nothing", "WRONG-CHANGED", "error")
_OF_255 = frozenset(("brightness", "rgb_color"))
_EXACT = frozenset(("seconds", "media_track"))
_SHARE, _STEPS_OF_255, _LEAST = 0.015, 2.0, 0.005
_GUARDED_STATES: Mapping[str, tuple[str, ...]] = {
    "lock": ("unlocked", "unlocking", "open", "opening"),
    "alarm_control_panel": ("disarmed",),
    "cover": ("open", "opening"),
    "valve": ("open", "opening"),
}
_ENTRANCES = ("door", "gate", "garage")
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
"""Scripts in which a word may stand beside another without a space: Thai to Khmer, Japanese, Chinese, Korean."""


@dataclass(frozen=True)
class Judged:
    """A case, its result and what to think of it."""

    case: Case
    result: Result

    @cached_property
    def changes(self) -> Changes:
        """What differs after the case from before."""
        differing = {
            entity: {attribute: pair for attribute, pair in attributes.items() if pair[0] != pair[1]}
            for entity, attributes in self.result.changes.items()
        }
        return {entity: attributes for entity, attributes in differing.items() if attributes}

    @cached_property
    def verdict(self) -> str:
        """One of ``VERDICTS``."""
        if self.result.error is not None:
            return "error"
        done, question = self._done(), self.case.expect.reply is not None
        if self.changes:
            if not all(done.get(entity) for entity in self.changes):
                return "WRONG-CHANGED"
            return "right" if all(done.values()) and not question else "partly"
        if self._is_answered() if question else not done:
            return "right"
        return "asked" if self.result.asked else self._refused_or_wrong()

    @cached_property
    def guarded(self) -> list[str]:
        """Entrances, valves and alarms that were opened or disarmed without being asked for."""
        return [entity for entity in self.changes if self._is_opened(entity) and not self._is_opening_expected(entity)]

    def _refused_or_wrong(self) -> str:
        return "refused" if self.result.refused or not _folded(self._last_reply()) else "wrong-nothing"

    def _done(self) -> dict[str, bool]:
        """Which of the expected entities changed as expected."""
        expect = self.case.expect
        if expect.timer is not None:
            wanted = {name: value for name, value in expect.timer.items() if value is not None}
            started = [entity for entity in self.changes if entity.startswith("timer.")]
            return {name: len(started) == 1 and self._is_reached(name, wanted) for name in started or ["timer"]}
        if expect.lists:
            return {entity: self._is_added(entity, wanted["added"]) for entity, wanted in expect.lists.items()}
        return {entity: self._is_reached(entity, wanted) for entity, wanted in expect.changes.items()}

    def _is_reached(self, entity: str, wanted: Mapping[str, Any]) -> bool:
        changed = self.changes.get(entity, {})

        def ends(attribute: str, value: Any) -> bool:
            before = self._before(entity, attribute)
            return _agrees(value, *changed.get(attribute, (before, before)), attribute)

        quiet = wanted.get("is_volume_muted") is True and ends("volume_level", 0)
        return bool(changed) and all(
            ends(attribute, value) or (quiet and attribute == "is_volume_muted") for attribute, value in wanted.items()
        )

    def _is_added(self, entity: str, wanted: Sequence[str]) -> bool:
        before, after = self.changes.get(entity, {}).get("items", ((), ()))
        old, new, expected = (Counter(_folded(item).rstrip(" .,!") for item in items or ()) for items in (
            _texts(before), _texts(after), wanted
        ))  # fmt: skip
        return new - old == expected and not old - new

    def _before(self, entity: str, attribute: str) -> object:
        known = next((own for own in self.case.home.entities if own.id == entity), None)
        if known is None:
            return None
        return known.state if attribute == "state" else known.attributes.get(attribute)

    def _is_answered(self) -> bool:
        """Whether the reply tells what was asked, about what was meant as far as the parse names a device."""
        if self.result.refused or self.result.asked:
            return False
        expect, reply = self.case.expect, _folded(self._last_reply())
        names = {
            _folded(name): entity.id
            for entity in self.case.home.entities
            for name in (entity.id, entity.name, *entity.aliases)
        }
        if expect.about:
            meant = {names.get(_folded(value)) for value in _named(self.result)} - {None}
            if meant and not meant & set(expect.about):
                return False
            for name in sorted(names, key=len, reverse=True):
                reply = reply.replace(name, " ") if names[name] in expect.about else reply
        return _says(reply, expect.reply or (), expect.reply_not)

    def _last_reply(self) -> str:
        return self.result.replies[-1] if self.result.replies else ""

    def _is_opened(self, entity: str) -> bool:
        domain = entity.split(".")[0]
        states = _GUARDED_STATES.get(domain, ())
        before, after = self.changes[entity].get("state", (None, None))
        entrance = domain != "cover" or self._before(entity, "device_class") in _ENTRANCES
        return after in states and before not in states and entrance

    def _is_opening_expected(self, entity: str) -> bool:
        wanted = self.case.expect.changes.get(entity, {}).get("state")
        return wanted is not None and _agrees(wanted, *self.changes[entity]["state"], "state")


def tally(judged: Iterable[Judged]) -> dict[str, Any]:
    """Number of cases, shares of the verdicts, and how often the home was opened."""
    rows = list(judged)
    counts = Counter(row.verdict for row in rows)
    shares = {name: round(counts[name] / max(1, len(rows)), 4) for name in VERDICTS}
    return {"n": len(rows), **shares, "guarded": sum(bool(row.guarded) for row in rows)}


def summary(judged: Sequence[Judged], by: str) -> dict[str, dict[str, Any]]:
    """Tallies by ``kind`` or ``language``, and of all; what the home has no function for apart."""
    groups: dict[str, list[Judged]] = {}
    for row in judged:
        key = row.case.language if by == "language" else next(iter(row.case.tags), "-")
        groups.setdefault(key + (" (no function)" if row.case.nofeature else ""), []).append(row)
    groups = dict(sorted(groups.items()))
    groups["all"] = [row for row in judged if not row.case.nofeature]
    without = [row for row in judged if row.case.nofeature]
    return {
        name: tally(rows) for name, rows in {**groups, **({"all (no function)": without} if without else {})}.items()
    }


def table(tallies: Mapping[str, Mapping[str, Any]]) -> str:
    """Tallies as text, shares in percent."""
    lines = [f"{'':32}{'n':>6}" + "".join(f"{name:>15}" for name in (*VERDICTS, "guarded"))]
    for group, row in tallies.items():
        shares = "".join(f"{100 * row[name]:>13.1f} %" for name in VERDICTS)
        lines.append(f"{group:32}{row['n']:>6}{shares}{row['guarded']:>15}")
    return "\n".join(lines)


def failures(judged: Iterable[Judged]) -> list[str]:
    """Two lines per case that is not right, the dangerous first."""
    wrong = [row for row in judged if row.verdict != "right"]
    wrong.sort(key=lambda row: (not row.guarded, -VERDICTS.index(row.verdict)))
    return [
        f"{row.verdict}{' GUARDED' if row.guarded else ''} {row.case.id}: {' | '.join(row.case.say)}\n"
        f"    changed {row.changes} said {row.result.replies} understood {row.result.parses}"
        for row in wrong
    ]


def _agrees(wanted: Any, before: object, after: object, attribute: str) -> bool:
    """Whether an attribute is what was expected; numbers may differ a little, seconds and tracks not at all."""
    if isinstance(wanted, dict):
        if "any" in wanted:
            return any(_agrees(one, before, after, attribute) for one in wanted["any"])
        step = (_number(after) or 0.0) - (_number(before) or 0.0)
        return step > 0 if wanted.get("more") else step < 0
    if isinstance(wanted, list):
        own = _texts(after) if isinstance(after, (list, tuple)) else None
        return own is not None and len(own) == len(wanted) and all(
            _agrees(one, None, other, attribute) for one, other in zip(wanted, own, strict=True)
        )  # fmt: skip
    number, reached = _number(wanted), _number(after)
    if number is None or reached is None:
        return bool(wanted == after) or (wanted is not None and _folded(wanted) == _folded(after))
    room = max(_SHARE * abs(number), _STEPS_OF_255 if attribute in _OF_255 else _LEAST)
    return abs(number - reached) <= (0.0 if attribute in _EXACT else room) + 1e-9


def _says(reply: str, phrases: Sequence[str], others: Sequence[str]) -> bool:
    """Whether the reply holds one of the phrases as whole words and none of the others; the longest one counts."""
    wanted, unwanted = {_folded(phrase) for phrase in phrases}, {_folded(phrase) for phrase in others}
    longest_first = sorted(wanted | unwanted, key=len, reverse=True)
    if not longest_first:
        return False
    within = rf"[^\W{_UNSPACED}]"
    pattern = rf"(?<!{within})(?:{'|'.join(map(re.escape, longest_first))})(?!{within})"
    said = set(re.findall(pattern, reply))
    return bool(said & wanted) and not said & (unwanted - wanted)


def _named(result: Result) -> list[object]:
    """The devices that the parses of the last turn name."""
    found: list[object] = []
    for parse in result.parses[-1] if result.parses else ():
        slots = parse.get("slots")
        value = slots.get("name") if isinstance(slots, dict) else None
        found += value if isinstance(value, list) else [value] if value is not None else []
    return found


def _folded(text: object) -> str:
    plain = str(text).casefold().replace("’", "'").replace("\u00a0", " ")
    return re.sub(r"\s+%", "%", " ".join(plain.split()))


def _texts(items: object) -> Sequence[Any]:
    return items if isinstance(items, (list, tuple)) else ()


def _number(value: object) -> float | None:
    try:
        return None if isinstance(value, bool) else float(str(value))
    except ValueError:
        return None
