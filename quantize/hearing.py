"""The sentences that a home bundle's recognizer expects, compiled beside its student."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import msgspec

from edge.asr.grammar import Grammar, pack_grammar
from edge.bundle import Bundle, write_bundle
from edge.errors import ConfigError
from quantize.domain import Line, ListValue, SlotList, parse_domain
from quantize.grammar import compile_grammar

HEARD_LANGUAGES = ("en",)
"""Languages of the recognizers that can follow a grammar."""
PLACES = ("home", "work", "school")
"""Where people are asked for: homes do not list their zones, and any words there would take most questions for one."""

POLITE = {
    "en": (
        "be so kind and", "be so kind as to", "be so good as to", "be kind enough to", "go ahead and",
        "i would like you to", "i'd like you to", "i want you to", "i need you to", "if you don't mind",
    ),
}  # fmt: skip
"""What people say around a command beside the package's ``skip_words``, and which means nothing.

Only phrases of several words: short ones ("thank you") fit any mumbling and make commands of it.
"""


def home_grammar(language: str) -> Grammar:
    """The sentences of a home in one language; the device fills in its home's names.

    Raises:
        ConfigError: ``home-assistant-intents`` has no such language.
    """
    source = resources.files("home_assistant_intents") / "data" / f"{language}.json"
    if not source.is_file():
        raise ConfigError(f"home-assistant-intents has no sentences in {language!r}")
    domain = parse_domain(source.read_text("utf-8"), f"{language}.json")
    polite = tuple(Line(phrase, 1) for phrase in POLITE.get(language, ()))
    places = SlotList("zone", 1, tuple(ListValue(Line(place, 1)) for place in PLACES))
    lists = {**domain.lists, "zone": places}
    return compile_grammar(replace(domain, skip_words=(*domain.skip_words, *polite), lists=lists))


def hearing_files(languages: tuple[str, ...]) -> dict[str, tuple[str, bytes]]:
    """Name and content of the grammar file of each language in which commands are heard."""
    heard = [language for language in HEARD_LANGUAGES if language in languages]
    return {language: (f"hearing/{language}.bin", pack_grammar(home_grammar(language))) for language in heard}


def renew_hearing(bundle: Bundle, out: Path) -> Bundle:
    """Write ``bundle`` to ``out`` with its hearing grammars compiled anew; the student stays as it is.

    Raises:
        ConfigError: the bundle has no student of a home's commands.
    """
    student = bundle.manifest.student
    if student is None or not any(frame.intent == "HassTurnOn" for frame in student.frames):
        raise ConfigError(f"{bundle.source} does not understand a home's commands: give a home bundle")
    files = hearing_files(student.languages)
    contents = {name: bundle.read(name) for name in bundle.manifest.files if not name.startswith("hearing/")}
    contents.update(dict(files.values()))
    hearing = {language: name for language, (name, _) in files.items()}
    return write_bundle(out, msgspec.structs.replace(bundle.manifest, hearing=hearing), contents)
