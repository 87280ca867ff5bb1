"""From spans to the home's names, numbers and listed values."""

from __future__ import annotations

import pytest

from edge.bundle.manifest import Frame
from edge.nlu.decode import Span
from edge.nlu.lexicon import Lexicon, ListedValue, lexicon_key
from edge.nlu.matching import HomeIndex
from edge.nlu.resolve import Resolver
from edge.types import Area, Entity, Home, Slot

HOME = Home(
    areas=(Area("office", "Office"),),
    entities=(Entity("light.desk", "Desk Lamp"), Entity("cover.desk", "Desk Lamps"), Entity("lock.door", "Front Door")),
)
LEXICON = Lexicon(
    values={
        "color": {"red": (ListedValue("red"),), "dark blue": (ListedValue("navy"),)},
        "state": {"open": (ListedValue("open", ("cover",)), ListedValue("on", ("binary_sensor",)))},
    },
    numbers={"fifty": 50, "twenty five": 25},
)
RESOLVER = Resolver(HOME, LEXICON, ["brightness", "volume_step-"])
INDEX = HomeIndex(HOME)


def slots(text: str, frame: Frame, *spans: Span) -> dict[str, Slot]:
    tokens = INDEX.tokens(text)
    return {slot.name: slot for slot in RESOLVER.slots(text, frame, spans, tokens, INDEX.matches(tokens))}


def test_a_misheard_name_resolves_to_the_homes_own() -> None:
    found = slots("turn on the desk lmap", Frame("f", domains=("light",)), Span("name", 3, 5))
    assert found["name"].value == "Desk Lamp"
    assert found["name"].span == (12, 21)
    assert found["domain"].value == "light"


def test_the_frames_kind_of_device_decides_between_like_names() -> None:
    assert slots("the desk lamps", Frame("f", domains=("cover",)), Span("name", 1, 3))["domain"].value == "cover"


def test_an_unknown_name_stays_as_said() -> None:
    assert slots("the garage", Frame("f"), Span("area", 1, 2))["area"].value == "garage"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("fenster in der küche", "Küchenfenster"),
        ("fernseher in der küche", "Fernseher"),
        ("fenster im flur", "Fernseher"),
    ],
)
def test_the_room_decides_against_a_device_elsewhere_of_a_name_that_is_only_alike(text: str, name: str) -> None:
    home = Home(
        areas=(Area("kitchen", "Küche"), Area("hall", "Flur")),
        entities=(
            Entity("media_player.tv", "Fernseher", area_id="lounge"),
            Entity("binary_sensor.kitchen", "Küchenfenster", area_id="kitchen"),
        ),
    )
    index, resolver = HomeIndex(home), Resolver(home, Lexicon(), ())
    tokens = index.tokens(text)
    spans = (Span("name", 0, 1), Span("area", len(tokens) - 1, len(tokens)))
    found = resolver.slots(text, Frame("f"), spans, tokens, index.matches(tokens))
    assert next(slot for slot in found if slot.name == "name").value == name


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("island light", "Kitchen Island Light", None),
        ("left bedside lamp", "Bedside Lamp Left", None),
        ("bedside lamp", "bedside lamp", None),
        ("front door open", "Front Door", "open"),
        ("front door locked", "Front Door Lock", "locked"),
    ],
)
def test_words_of_a_longer_name_mean_the_one_device_that_fits(text: str, name: str, value: str | None) -> None:
    home = Home(
        entities=(
            Entity("light.island", "Kitchen Island Light"),
            Entity("light.left", "Bedside Lamp Left"),
            Entity("light.right", "Bedside Lamp Right"),
            Entity("lock.front", "Front Door Lock"),
            Entity("binary_sensor.front", "Front Door"),
        ),
    )
    index, resolver = HomeIndex(home), Resolver(home, Lexicon(), ())
    tokens = index.tokens(text)
    words = len(text.split()) - (value is not None)
    spans = (Span("name", 0, words), *([Span("state", words, len(tokens))] if value else []))
    found = resolver.slots(
        text, Frame("f", domains=("light", "lock", "binary_sensor")), spans, tokens, index.matches(tokens)
    )
    assert next(slot for slot in found if slot.name == "name").value == name


@pytest.mark.parametrize(
    ("tag", "said", "value"),
    [
        ("brightness", "50", 50),
        ("brightness", "20,5", 20.5),
        ("brightness", "fifty", 50),
        ("brightness", "twenty-five", 25),
        ("brightness", "fivty", 50),
        ("volume_step-", "10", -10),
        ("color", "Dark Blue", "navy"),
        ("color", "rad", "rad"),
        ("item", "2 apples", "2 apples"),
    ],
)
def test_values(tag: str, said: str, value: object) -> None:
    assert RESOLVER.value(tag, said) == value


@pytest.mark.parametrize(
    ("said", "value"), [("بثانية", 1), ("بالثمانية", 8), ("الثمانية", 8), ("ثمانيه", 8), ("بيت", "بيت")]
)
def test_a_word_written_together_with_what_is_before_it(said: str, value: object) -> None:
    words = {"seconds": {lexicon_key("ثانية"): (ListedValue(1),)}}
    lexicon = Lexicon(words, {lexicon_key("ثمانية"): 8}, ("بال", "ال", "ب"))
    assert Resolver(HOME, lexicon, ["seconds"]).value("seconds", said) == value


def test_a_word_means_what_it_means_for_the_kind_of_device() -> None:
    assert RESOLVER.value("state", "open", "cover") == "open"
    assert RESOLVER.value("state", "open", "binary_sensor") == "on"


def test_implied_slots_have_no_text() -> None:
    found = slots("lights", Frame("f", implied={"domain": "light"}))
    assert found["domain"] == Slot("domain", "light")


def test_pieces_of_a_free_text_are_joined() -> None:
    frame = Frame("f", free=("item",))
    assert slots("add take out the trash", frame, Span("item", 1, 2), Span("item", 3, 5))["item"].value == (
        "take out the trash"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("turn off the lights", True),
        ("kill the lights", True),
        ("kill the lihgts", True),
        ("turn it off", True),
        ("turn off the pool", False),
        ("turn off the office", True),
    ],
)
def test_words_that_commands_do_not_know_need_one_that_tells_the_kind(text: str, told: bool) -> None:
    lexicon = Lexicon(commands=("it", "lights", "off", "the", "turn"), kinds={"light": ("lights",)})
    frame, tokens = Frame("f", implied={"domain": "light"}), INDEX.tokens(text)
    spans = [Span("area", at, at + 1) for at, token in enumerate(tokens) if token.text == "office"]
    assert Resolver(HOME, lexicon, ()).tells_kind(frame, spans, tokens) is told


@pytest.mark.parametrize(("text", "told"), [("unlock the doors", True), ("unlock the pool", False)])
def test_not_all_doors_are_unlocked_for_a_word_that_commands_do_not_know(text: str, told: bool) -> None:
    lexicon = Lexicon(commands=("doors", "the", "unlock"), kinds={"light": ("lights",)})
    frame = Frame("f", implied={"domain": "lock"})
    assert Resolver(HOME, lexicon, ()).tells_kind(frame, (), INDEX.tokens(text)) is told


def test_where_nobody_knows_the_words_of_commands_every_kind_is_told() -> None:
    frame, tokens = Frame("f", implied={"domain": "light"}), INDEX.tokens("turn off the pool")
    assert Resolver(HOME, Lexicon(), ()).tells_kind(frame, (), tokens)
