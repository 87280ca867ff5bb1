"""A user's own commands alone: the file's wordings by grammar, others by a student, answered in the user's words."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from edge import compose
from edge.bundle.format import Bundle
from edge.config import load_profile
from edge.dialogue.dialogue import open_dialogue
from edge.errors import ConfigError
from edge.nlu.student import Features, Ids, StudentParser
from edge.types import Entity, Home, Parse, Slot, Transcript
from quantize.own_commands.bundle import build_domain
from quantize.own_commands.student import Course
from quantize.templates.command_file import parse_domain

PETS = """\
language: en
intents:
  FeedPet:
    data:
      - sentences: ["feed [the] {pet} [{amount} (spoon|spoons)]"]
  PlayWithPet:
    data:
      - sentences: ["play with [the] {pet}"]
        response: playing
lists:
  pet:
    values: [cat, dog, {in: (goldfish|fish), out: fish}]
  amount:
    range: {from: 1, to: 5}
responses:
  intents:
    PlayWithPet:
      default: "Playing."
      playing: "The {{ slots.pet }} is happy."
"""


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("pets")
    (folder / "pets.yaml").write_text(PETS)
    return build_domain(folder / "pets.yaml", folder / "pets.edge", Course(epochs=2, steps=40, batch=48))


def test_other_wordings_reach_the_student_and_other_speech_is_rejected(pets: Bundle) -> None:
    parser = compose.parser(pets, Home(), "en")
    spelled = parser.parse(Transcript("feed the goldfish two spoons"))
    near = parser.parse(Transcript("feed also the fish please"))
    assert (spelled.source, spelled.intent, spelled.value("pet"), spelled.value("amount")) == (
        "grammar", "FeedPet", "fish", 2,
    )  # fmt: skip
    assert (near.source, near.intent, near.value("pet")) == ("student", "FeedPet", "fish")
    assert parser.parse(Transcript("what is the weather in london like today")).intent is None


@pytest.mark.parametrize(("pet", "value"), [("goldfish", "fish"), ("goldfisch", "fish"), ("hamster", None)])
def test_words_that_no_list_has_are_no_value(pets: Bundle, pet: str, value: str | None) -> None:
    spec = pets.manifest.student
    assert spec is not None
    feed = [frame.intent for frame in spec.frames].index("FeedPet")
    pet_tag = 1 + 2 * spec.slots.index("pet")

    def last_word_is_a_pet(ids: Ids, features: Features) -> list[Features]:
        frames, tags = np.zeros((1, len(spec.frames))), np.zeros((1, ids.shape[1], 1 + 2 * len(spec.slots)))
        frames[0, feed], tags[0, -1, pet_tag] = 9.0, 9.0
        return [part.astype(np.float32) for part in (frames, tags, np.zeros((1, 1)))]

    parse = StudentParser(pets, Home(), "en", run=last_word_is_a_pet).parse(Transcript(f"feed my {pet}"))
    assert (parse.intent, parse.value("pet")) == ("FeedPet" if value else None, value)


def test_a_small_board_hears_the_wordings_of_the_file_alone(pets: Bundle) -> None:
    heard = Transcript("feed also the fish please", heard=True)
    found = {}
    for board in ("raspberry-pi-zero-2w", "raspberry-pi-4b-2gb"):
        profile = msgspec.structs.replace(load_profile(board), bundle=str(pets.source))
        found[board] = compose.spoken_parser(profile, pets, Home(), "en").parse(heard)
    assert found["raspberry-pi-zero-2w"].intent is None
    assert found["raspberry-pi-4b-2gb"].source == "student"


def test_own_commands_are_answered_in_the_words_of_the_file(pets: Bundle) -> None:
    parser = compose.parser(pets, Home(), "en")
    dialogue = open_dialogue(Home(), own_replies=pets.manifest.replies)
    action, reply = dialogue.handle(parser.parse(Transcript("play with the goldfish")))
    assert action is not None
    assert (action.intent, reply.text) == ("PlayWithPet", "The fish is happy.")
    assert dialogue.handle(parser.parse(Transcript("feed the cat")))[1].text == "OK"


def test_home_assistant_intents_of_a_file_are_carried_out() -> None:
    home = Home(entities=(Entity("light.desk", "Desk Lamp"),))
    dialogue = open_dialogue(home, own_replies={"HassTurnOn": {"default": "Fine."}})
    action, _ = dialogue.handle(Parse("HassTurnOn", (Slot("name", "Desk Lamp", "desk lamp"),), 1.0))
    assert action is not None and action.changes


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "    PlayWithPet:\n      default",
            "    PlayWihPet:\n      default",
            r":17: .*'PlayWihPet'; did you mean 'PlayW",
        ),
        ("slots.pet }}", "slots.pet", r"d.yaml:19: not a reply template: "),
        ('"Playing."', "[Playing]", r"d.yaml:18: expected a text"),
    ],
)
def test_mistakes_in_replies_are_reported_with_their_line(old: str, new: str, message: str) -> None:
    assert old in PETS
    with pytest.raises(ConfigError, match=message):
        parse_domain(PETS.replace(old, new), "d.yaml")
