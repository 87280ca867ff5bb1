"""What the words around the slots do: forbid, except, join, ask, and name what the home does not have."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache

import pytest

from edge.bundle.format import open_bundle
from edge.home.demo import default_home
from edge.nlu.alike import misspelt
from edge.nlu.durations import Durations
from edge.nlu.lexicon import read_lexicon
from edge.nlu.matching import folded_words
from edge.nlu.student import StudentParser
from edge.nlu.words import Words, is_harmless, read_words
from edge.types import Area, Entity, Home, Parse, Scope, Transcript
from quantize.templates.package import package_templates
from quantize.templates.sampler import Block

BUNDLE = open_bundle("home")
LANGUAGES = BUNDLE.manifest.languages
CAREFUL = ("negated", "excepted", "several", "question")
NAMES = {domain: f"Xylo {i}q" for i, domain in enumerate(("light", "fan", "cover", "lock", "switch", "climate"))}


@lru_cache(maxsize=8)
def parser(language: str) -> StudentParser:
    return StudentParser(BUNDLE, default_home(), language)


def parse(text: str, language: str = "en") -> Parse:
    return parser(language).parse(Transcript(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_knows_what_turns_a_command_around(language: str) -> None:
    words = read_words(language)
    assert words.negation and words.exception and words.joiner and words.question


@pytest.mark.parametrize("language", LANGUAGES)
def test_commands_of_the_package_are_not_taken_for_refusals(language: str) -> None:
    templates, rng = package_templates(language), random.Random(11)
    home = Home(
        areas=(Area("a", "Zorbia"),),
        entities=tuple(Entity(f"{domain}.x", name, area_id="a") for domain, name in NAMES.items()),
    )
    student = StudentParser(BUNDLE, home, language)
    sentences = [
        sample.text
        for block in templates.blocks
        if not (is_harmless(block.intent) or block.meaning or block.intent.startswith("Edge"))
        for sentence in block.sentences[:2]
        if (sample := templates.sample(block, sentence, rng, _fill)) is not None
    ]
    refused = [text for text in sentences if student.parse(Transcript(text)).refusal in CAREFUL]
    assert len(refused) <= max(1, len(sentences) // 50), refused


def _fill(name: str, block: Block, rng: random.Random) -> tuple[str, str]:
    said = {"area": "Zorbia", "name": next((NAMES[d] for d in block.domains if d in NAMES), NAMES["light"])}
    return (said.get(name, "milk"),) * 2


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("turn off the lights without the floor lamp", "negated"),
        ("turn off all the lights except the floor lamp", "excepted"),
        ("should i open the bedroom blinds", "question"),
    ],
)
def test_a_refusal_says_why(text: str, refusal: str) -> None:
    understood = parse(text)
    assert understood.intent is None and understood.refusal in (refusal, None)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("ja", "Garage Doorを開けないで"),
        ("zh-CN", "不要打开Garage Door"),
        ("ko", "Garage Door 열지 마"),
        ("th", "อย่าเปิด Garage Door"),
        ("ar", "لا تفتح Garage Door"),
        ("tr", "Garage Door açma"),
        ("cs", "neotvírej Garage Door"),
        ("fi", "älä avaa Garage Door"),
        ("hi", "Garage Door मत खोलो"),
    ],
)
def test_negations_of_other_languages_open_nothing(language: str, text: str) -> None:
    assert is_harmless(parse(text, language).intent)


@pytest.mark.parametrize(
    ("text", "slot", "said"),
    [
        ("turn on the sun room lights", "area", "sun"),
        ("turn off the lights in my room", "area", "room"),
        ("turn on the guest bedroom light", "area", "guest bedroom"),
        ("turn off the light by the window", "area", "window"),
    ],
)
def test_what_the_home_lacks_is_an_unresolved_slot(text: str, slot: str, said: str) -> None:
    assert said in str(parse(text).value(slot))


def test_a_misspelt_command_is_still_one() -> None:
    understood = parse("tunr off the ligths in the kitchen")
    assert understood.intent == "HassTurnOff" and understood.value("area") == "Kitchen"


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("turn off the light", Scope.ONE),
        ("turn off the lights", Scope.SEVERAL),
        ("turn off all the lights", Scope.ALL),
        ("turn off the lights in here", Scope.HERE),
        ("turn off the lights in the room", Scope.HERE),
    ],
)
def test_how_many_devices_are_meant(text: str, scope: Scope) -> None:
    assert parse(text).scope is scope


@pytest.mark.parametrize(
    ("word", "spelling", "same"),
    [
        ("kichen", "kitchen", True),
        ("lamps", "lamp", True),
        ("kuchni", "kuchnia", True),
        ("front", "rear", False),
        ("left", "right", False),
        ("bedroom", "bathroom", False),
        ("gartentor", "garagentor", False),
        ("12", "13", False),
        ("fan", "van", False),
    ],
)
def test_a_misspelt_word_is_no_other_word(word: str, spelling: str, same: bool) -> None:
    assert misspelt(word, spelling) is same


@pytest.mark.parametrize(
    ("language", "text", "seconds"),
    [
        ("en", "an hour and a half", [5400]),
        ("en", "two and a half minutes", [150]),
        ("en", "a quarter of an hour", [900]),
        ("en", "1 hour 15 minutes and 10 seconds", [4510]),
        ("en", "2 days", [172800]),
        ("en", "3 weeks", []),
        ("de", "anderthalb stunden", [5400]),
        ("de", "eine halbe stunde", [1800]),
        ("fr", "une heure et demie", [5400]),
        ("es", "una hora y media", [5400]),
        ("it", "un'ora e mezza", [5400]),
        ("nl", "anderhalf uur", [5400]),
        ("pl", "półtorej godziny", [5400]),
        ("pt", "duas horas e meia", [9000]),
    ],
)
def test_durations(language: str, text: str, seconds: list[int]) -> None:
    durations = Durations(read_lexicon(BUNDLE, language), read_words(language))
    assert [found.seconds for found in durations.all(folded_words(text))] == seconds


VALUES: list[tuple[str, str, Callable[[Parse], bool]]] = [
    ("en", "set the thermostat to 20 and a half degrees", lambda p: p.value("temperature") == 20.5),
    ("en", "set the thermostat to twenty point five degrees", lambda p: p.value("temperature") == 20.5),
    ("en", "set the thermostat to 68 degrees fahrenheit", lambda p: p.value("temperature") == 20),
    ("en", "set the floor lamp to 150 percent", lambda p: p.refusal == "value"),
    ("en", "set the floor lamp to -20 %", lambda p: p.refusal == "value"),
    ("en", "set a timer for 3 weeks", lambda p: p.refusal == "value"),
    ("en", "set a timer for 1 hour 30", lambda p: p.refusal == "value"),
    ("de", "stell das Thermostat auf 21 Komma 5 Grad", lambda p: p.value("temperature") == 21.5),
]


@pytest.mark.parametrize(("language", "text", "holds"), VALUES)
def test_values_are_exact_or_none(language: str, text: str, holds: Callable[[Parse], bool]) -> None:
    understood = parse(text, language)
    assert holds(understood), understood


def test_a_language_without_a_file_has_no_words() -> None:
    assert read_words("xx") == Words()
