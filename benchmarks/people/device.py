"""Runs cases on the device's own path from typed text to reply, in a simulated home per case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby

from benchmarks.people.cases import Case, Result
from benchmarks.people.conversation import Answer, Conversation
from edge import compose
from edge.assistant import Assistant
from edge.bundle.format import Bundle
from edge.grammar.completeness import completeness
from edge.parts import Mind, Turn
from edge.protocols import Parser
from edge.types import Home, Reply, Transcript


def run_device(cases: Iterable[Case], bundle: Bundle) -> Iterator[Result]:
    """A result per case; a parser is made once for all consecutive cases of a home and language."""
    for (_, language), group in groupby(cases, key=lambda case: (case.home_id, case.language)):
        alike = list(group)
        parser = compose.parser(bundle, _without_states(alike[0].home), known_language(language, bundle))
        for case in alike:
            yield _run(case, parser, bundle)


def _run(case: Case, parser: Parser, bundle: Bundle) -> Result:
    conversation = Conversation(case, bundle)
    dialogue = conversation.dialogue
    mind = Mind(parser, dialogue, completeness, lambda: Reply("", case.language), dialogue.due)
    turns = Assistant(mind).turns(Transcript(text) for text in case.say)
    return conversation.result([_answer(turn) for turn in turns])


def _answer(turn: Turn) -> Answer:
    parses = (turn.parse, *turn.parse.further) if turn.parse is not None else ()
    actions = (turn.action,) if turn.action is not None else ()
    return Answer(parses, actions, turn.reply or Reply(""), turn.error)


def known_language(language: str, bundle: Bundle) -> str | None:
    """The bundle's code for the language, or None, which lets the student find it."""
    primary = language.split("-")[0]
    known = [name for name in bundle.manifest.languages if name.split("-")[0] == primary]
    return language if language in known else min(known, key=len, default=None)


def _without_states(home: Home) -> Home:
    """The home as the parser sees it, which is the same for all its cases."""
    return replace(home, entities=tuple(replace(entity, state=None) for entity in home.entities))
