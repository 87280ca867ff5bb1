"""The shipped home bundle through the device program: many languages, an unseen home, rejection, hostile text."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import numpy as np
import pytest

from edge.bundle.format import Bundle, open_bundle
from edge.errors import ConfigError
from edge.home.demo import default_home
from edge.nlu.student import StudentParser
from edge.types import Area, Entity, Floor, Home, Parse, Transcript

HOME = Home(
    areas=(Area("a1", "Scullery"), Area("a2", "Werkstatt"), Area("a3", "书房")),
    floors=(Floor("f1", "Attic"),),
    entities=(
        Entity("light.one", "Gooseneck"),
        Entity("lock.two", "Postern"),
        Entity("media_player.three", "Gramophone"),
        Entity("light.four", "Zauberlampe"),
    ),
)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return open_bundle("home")


def parse(bundle: Bundle, language: str | None, text: str) -> Parse:
    return StudentParser(bundle, HOME, language).parse(Transcript(text))


@pytest.mark.parametrize(
    ("language", "text", "intent", "slots"),
    [
        ("en", "turn on the gooseneck", "HassTurnOn", {"name": "Gooseneck"}),
        ("en", "please turn off the lights in the scullery", "HassTurnOff", {"area": "Scullery", "domain": "light"}),
        ("en", "set the gooseneck brightness to 40 percent", "HassLightSet", {"name": "Gooseneck", "brightness": 40}),
        ("en", "set a timer for twenty minutes", "HassStartTimer", {"minutes": 20}),
        ("en", "what time is it", "HassGetCurrentTime", {}),
        ("de", "schalte die Zauberlampe ein", "HassTurnOn", {"name": "Zauberlampe"}),
        ("de", "mach das licht in der Werkstatt aus", "HassTurnOff", {"area": "Werkstatt", "domain": "light"}),
        ("es", "qué hora es", "HassGetCurrentTime", {}),
        ("fr", "quelle heure est-il", "HassGetCurrentTime", {}),
        ("zh-CN", "打开书房的灯", "HassTurnOn", {"area": "书房", "domain": "light"}),
    ],
)
def test_commands_about_an_unseen_home(
    bundle: Bundle, language: str, text: str, intent: str, slots: dict[str, object]
) -> None:
    found = parse(bundle, language, text)
    assert found.intent == intent
    assert slots.items() <= {slot.name: slot.value for slot in found.slots}.items()


@pytest.mark.parametrize("text", ["", "   ", "?!", "\x00\x07", "\ud800", "🎷🎷"])
def test_text_without_words_is_rejected(bundle: Bundle, text: str) -> None:
    assert parse(bundle, "en", text).intent is None


UNRELATED = (
    "the parliament voted on the budget yesterday evening",
    "my sister lives in a small village near the sea",
    "who won the world cup in nineteen ninety",
    "please send an email to my boss about the meeting",
    "book a table for two at the italian restaurant",
    "the stock market fell three percent this morning",
    "how do i cook rice without burning it",
    "i think we should repaint the fence next summer",
    "what is the capital of australia",
    "tell me a joke about penguins",
)


def test_other_talk_is_rejected(bundle: Bundle) -> None:
    accepted = [text for text in UNRELATED if parse(bundle, "en", text).intent is not None]
    assert len(accepted) <= 2, accepted


def test_a_very_long_text_is_answered(bundle: Bundle) -> None:
    assert parse(bundle, "en", "turn on the light " * 2000).text.startswith("turn on")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "please turn off the lights in the scullery"),
        ("es", "¿qué hora es?"),
        ("fr", "allume la lumière"),
        ("zh-CN", "打开书房的灯"),
    ],
)
def test_the_student_hears_the_language(bundle: Bundle, language: str, text: str) -> None:
    assert parse(bundle, None, text).language == language


@pytest.mark.parametrize(
    ("text", "language"), [("kitchen lights", "en"), ("good night", "en"), ("thanks", "en"), ("Licht an", "de")]
)
def test_the_usual_language_is_heard_where_no_other_is_much_likelier(bundle: Bundle, text: str, language: str) -> None:
    assert StudentParser(bundle, default_home(), usual="en").parse(Transcript(text)).language == language


def test_a_question_about_what_the_home_does_not_have_is_rejected(bundle: Bundle) -> None:
    assert parse(bundle, "en", "is the gooseneck on").intent == "HassGetState"
    assert parse(bundle, "en", "is the zeppelin on").intent is None


def test_a_delayed_command_must_be_a_command(bundle: Bundle) -> None:
    assert parse(bundle, "en", "turn off the gooseneck in five minutes").intent == "HassStartTimer"
    assert parse(bundle, "en", "in five minutes my sister lives near the sea").intent is None


@pytest.mark.parametrize(
    ("language", "text", "command"),
    [
        ("de", "schalte die zauberlampe in zehn minuten aus", "schalte die zauberlampe aus"),
        ("de", "mach das licht in der werkstatt in 5 minuten an", "mach das licht in der werkstatt an"),
        ("de", "schalte die zauberlampe aus in zehn minuten", "schalte die zauberlampe aus"),
        ("nl", "doe het licht over tien minuten uit", "doe het licht uit"),
        ("en", "turn off the gooseneck in ten minutes", "turn off the gooseneck"),
        ("en", "in ten minutes turn off the gooseneck", "turn off the gooseneck"),
    ],
)
def test_a_delayed_command_has_its_words_after_the_time_too(
    bundle: Bundle, language: str, text: str, command: str
) -> None:
    found = parse(bundle, language, text)
    assert [slot.value for slot in found.slots if slot.name == "conversation_command"] == [command]


def test_confidence_is_a_probability(bundle: Bundle) -> None:
    assert 0.0 <= parse(bundle, "en", "turn on the gooseneck").confidence <= 1.0


def test_a_command_that_lost_its_verb_is_surely_a_command_but_unsure_which(bundle: Bundle) -> None:
    found = parse(bundle, "en", "scullery lights")
    assert found.intent in ("HassTurnOn", "HassTurnOff")
    assert found.confidence < 0.8 < found.in_scope


def test_what_may_be_no_command_is_rejected_however_sure_its_intent(bundle: Bundle) -> None:
    assert bundle.manifest.student is not None
    spec = msgspec.structs.replace(bundle.manifest.student, threshold=0.8)
    strict = Bundle(bundle.source, msgspec.structs.replace(bundle.manifest, student=spec))
    logits = np.full(len(spec.frames), -50.0, np.float32)
    intents = [frame.intent for frame in spec.frames]
    tags = np.zeros((1, 4, 1 + 2 * len(spec.slots)), np.float32)
    tags[:, :, 0] = 50.0
    doubt = spec.temperature * np.log(1 / spec.threshold - 1)
    logits[intents.index("HassGetCurrentTime")] = 0.0
    found = []
    for more in (-0.1, 0.1):
        logits[intents.index(None)] = doubt + more
        answer = [logits[None].copy(), tags, np.zeros((1, len(spec.languages)), np.float32)]
        parser = StudentParser(strict, HOME, "en", run=lambda ids, features, answer=answer: answer)
        found.append(parser.parse(Transcript("what time now")).intent)
    assert found == ["HassGetCurrentTime", None]


def test_an_unknown_language_names_the_known_ones(bundle: Bundle) -> None:
    with pytest.raises(ConfigError, match="65 languages"):
        StudentParser(bundle, HOME, "tlh")


def test_parsing_loads_no_training_library() -> None:
    code = (
        "from edge.bundle.format import open_bundle; from edge.nlu.student import StudentParser\n"
        "from edge.types import Home, Transcript; import sys\n"
        "StudentParser(open_bundle('home'), Home(), 'en').parse(Transcript('turn on the light'))\n"
        "print([m for m in ('torch', 'onnxruntime', 'transformers', 'executorch') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_an_alternative_of_the_recognizer_is_tried(bundle: Bundle) -> None:
    parser = StudentParser(bundle, HOME, "en")
    heard = Transcript("torn parliament budget", alternatives=("turn on the gooseneck",))
    assert parser.parse(heard).intent == "HassTurnOn"
    assert parser.parse(heard).text == "turn on the gooseneck"


def test_the_runtime_with_the_student_stays_below_42_mib() -> None:
    program = (
        "from edge.bundle.format import open_bundle\n"
        "from edge.home.demo import default_home\n"
        "from edge.board.memory import peak_rss_mib\n"
        "from edge.nlu.student import StudentParser\n"
        "from edge.types import Transcript\n"
        "parser = StudentParser(open_bundle('home'), default_home(), 'en')\n"
        "assert parser.parse(Transcript('turn on the kitchen light')).intent == 'HassTurnOn'\n"
        "print(peak_rss_mib())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert float(done.stdout) <= 42


@pytest.mark.parametrize("said", ["cancel the pizza timer", "cancel my tea timer", "how long is left on the egg timer"])
def test_a_timer_is_in_no_room_that_the_home_lacks(bundle: Bundle, said: str) -> None:
    found = parse(bundle, "en", said)
    assert [slot.name for slot in found.slots if slot.text is not None] == ["name"]
