"""A device's name without its room."""

from __future__ import annotations

import pytest

from edge import compose
from edge.bundle.format import open_bundle
from edge.grammar.automaton import Automaton
from edge.nlu.short_names import with_short_names
from edge.nlu.student import StudentParser
from edge.types import Area, Entity, Home, Transcript

COMMON = {"turn", "the", "light", "fan", "on", "lampe", "window"}
HOME = Home(
    areas=(Area("kitchen", "Kitchen", aliases=("Galley",)), Area("bedroom", "Bedroom"), Area("salon", "Salon")),
    entities=(
        Entity("switch.kettle", "Kitchen Kettle", area_id="kitchen"),
        Entity("light.kitchen", "Kitchen Light", area_id="kitchen"),
        Entity("light.main", "Kitchen Main Light", area_id="kitchen"),
        Entity("fan.galley", "Galley Extractor Fan", area_id="kitchen"),
        Entity("switch.heater", "Bedroom Heater", area_id="bedroom"),
        Entity("switch.other_heater", "Salon Heater", area_id="salon"),
        Entity("light.two", "Bedroom 2", area_id="bedroom"),
        Entity("media_player.sonos", "Sonos Bedroom", area_id="bedroom"),
        Entity("light.floor", "Lampe de Salon", area_id="salon"),
        Entity("sensor.radio", "Bedroom Radio", area_id="bedroom"),
        Entity("media_player.radio", "Radio", area_id="salon"),
        Entity("switch.elsewhere", "Kitchen Toaster", area_id="bedroom"),
    ),
)


def test_what_is_left_without_the_room_is_a_name_where_it_has_a_word_of_its_own_and_means_one_device() -> None:
    found = {entity.id: entity.aliases for entity in with_short_names(HOME, COMMON).entities if entity.aliases}
    assert found == {
        "switch.kettle": ("kettle",),
        "light.main": ("main", "main light"),
        "fan.galley": ("extractor", "extractor fan"),
        "media_player.sonos": ("sonos",),
    }


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("turn off the kettle", {"name": "Kitchen Kettle", "domain": "switch"}),
        ("turn off the light", {"domain": "light"}),
        ("turn on the main light", {"name": "Kitchen Main Light", "domain": "light"}),
    ],
)
def test_the_shipped_student_knows_them(text: str, slots: dict[str, str]) -> None:
    parse = StudentParser(open_bundle("home"), HOME, "en").parse(Transcript(text))
    assert {slot.name: slot.value for slot in parse.slots} == slots


def test_spoken_sentences_have_them_too() -> None:
    bundle = open_bundle("home")
    heard = Automaton(compose.grammar(bundle, bundle.manifest.hearing["en"], HOME))
    assert heard.accepts("turn off the kettle")
    assert not heard.accepts("turn off the toaster")
