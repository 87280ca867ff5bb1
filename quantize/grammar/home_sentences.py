"""The sentences that a home bundle's recognizer expects, compiled beside its student."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from edge.bundle.format import Bundle, Signer, write_bundle
from edge.bundle.manifest import StudentSpec
from edge.bundle.signing import machine_key
from edge.errors import ConfigError
from edge.grammar.grammar import Grammar, Kind, Net, pack_grammar, unpack_grammar
from quantize.grammar.compiler import compile_grammar
from quantize.templates.command_file import parse_domain
from quantize.templates.commands import Line, ListValue, SlotList
from quantize.templates.package import package_data

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


def student_of_home(bundle: Bundle) -> StudentSpec:
    """The student of a home bundle.

    Raises:
        ConfigError: the bundle is none.
    """
    student = bundle.manifest.student
    if student is None or not any(frame.intent == "HassTurnOn" for frame in student.frames):
        raise ConfigError(f"{bundle.source} does not understand a home's commands: give a home bundle")
    return student


def home_grammar(language: str) -> Grammar:
    """The sentences of a home in one language; the device fills in its home's names.

    Raises:
        ConfigError: ``home-assistant-intents`` has no such language.
    """
    package = package_data(language)
    del package["responses"]  # the dialogue's
    for part in ("refused", "natural", "join"):  # the student's
        package.pop(part, None)
    domain = parse_domain(json.dumps(package), f"{language}.json")
    polite = tuple(Line(phrase, 1) for phrase in POLITE.get(language, ()))
    places = SlotList("zone", 1, tuple(ListValue(Line(place, 1)) for place in PLACES))
    lists = {**domain.lists, "zone": places}
    return compile_grammar(replace(domain, skip_words=(*domain.skip_words, *polite), lists=lists))


def hearing_files(languages: tuple[str, ...]) -> dict[str, tuple[str, bytes]]:
    """Name and content of the grammar file of each language that is heard."""
    heard = [language for language in HEARD_LANGUAGES if language in languages]
    return {language: (f"hearing/{language}.bin", pack_grammar(home_grammar(language))) for language in heard}


def renew_hearing(bundle: Bundle, out: Path, sign: Signer | None = None) -> Bundle:
    """Write ``bundle`` to ``out`` with its hearing grammars compiled anew; student and added commands stay as they are.

    Raises:
        ConfigError: the bundle has no student of a home's commands.
    """
    files = hearing_files(student_of_home(bundle).languages)
    if bundle.manifest.grammar is not None:
        own = unpack_grammar(bundle.read(bundle.manifest.grammar))
        name, home = files.get(own.language, ("", b""))
        if name:
            files[own.language] = (name, pack_grammar(join_grammars(unpack_grammar(home), own)))
    contents = {name: bundle.read(name) for name in bundle.manifest.files if not name.startswith("hearing/")}
    contents.update(dict(files.values()))
    hearing = {language: name for language, (name, _) in files.items()}
    manifest = msgspec.structs.replace(bundle.manifest, hearing=hearing, built=int(time.time()))
    return write_bundle(out, manifest, contents, sign or machine_key().sign)


def join_grammars(first: Grammar, second: Grammar) -> Grammar:
    """The sentences of both; what is a sentence of both means what it means in ``first``."""
    nets, begin = len(first.nets), 3
    joined = [
        np.array(
            [(0, Kind.CALL, 1, 1), (0, Kind.CALL, 1 + nets, 2), (1, Kind.END, 0, 1), (2, Kind.END, 0, 2)], np.int32
        )
    ]
    parts: list[tuple[Grammar, dict[int, int]]] = [
        (first, {Kind.CALL: 1}),
        (
            second,
            {
                Kind.CALL: 1 + nets,
                Kind.SLOT: len(first.slots),
                Kind.VALUE: len(first.values),
                Kind.BLOCK: len(first.meanings),
            },
        ),
    ]
    all_nets, all_slots = [Net(0)], []
    for grammar, moved in parts:
        arcs = grammar.arcs + np.array([begin, 0, 0, begin], np.int32)
        for kind, shift in moved.items():
            arcs[arcs[:, 1] == kind, 2] += shift
        joined.append(arcs)
        all_nets += [replace(net, start=net.start + begin) for net in grammar.nets]
        all_slots += [replace(slot, net=slot.net + moved[Kind.CALL]) for slot in grammar.slots]
        begin += grammar.states
    return Grammar(
        *(first.language, tuple(all_nets), tuple(all_slots)),
        *((*first.values, *second.values), (*first.meanings, *second.meanings)),
        np.concatenate(joined),
    )
