"""Which reply belongs to which words, measured on sentences drawn from every language's templates."""

from __future__ import annotations

import random

import pytest

from edge.dialogue.choice import ReplyChooser
from edge.dialogue.language import installed_languages, load_language
from edge.grammar.templates import AnyOrder, Choice, Group, Node, Rule, read_template
from edge.types import Parse, Slot


def drawn(node: Node, rules: dict[str, str], rng: random.Random) -> str:
    """One sentence of a template, its lists left out."""
    if isinstance(node, str):
        return node
    if isinstance(node, Rule):
        return drawn(read_template(rules[node.name]), rules, rng)
    if isinstance(node, Choice):
        if node.optional and rng.random() < 0.5:
            return ""
        return drawn(rng.choice(node.options), rules, rng)
    parts = list(node.parts)
    if isinstance(node, AnyOrder):
        rng.shuffle(parts)
    return (" " if isinstance(node, AnyOrder) else "").join(drawn(part, rules, rng) for part in parts)


def test_reply_is_found_in_every_language() -> None:
    rng = random.Random(5)
    right: dict[str, list[bool]] = {}
    for language in installed_languages():
        pack = load_language(language)
        chooser = ReplyChooser(pack)
        for intent, blocks in pack.blocks.items():
            for block in rng.sample(blocks, min(len(blocks), 8)):
                if block.reply_key not in pack.replies.get(intent, {}):
                    continue
                text = " ".join(drawn(read_template(rng.choice(block.sentences)), pack.rules, rng).split())
                constants = [Slot(name, value) for name, value in block.constants.items()]
                slots = (*constants, *(Slot(name, "x") for name in block.slots - block.constants.keys()))
                domains = {block.constants["domain"]} if "domain" in block.constants else set(sorted(block.domains)[:1])
                choice = chooser.choose(Parse(intent, slots, 1.0, language, text=text), domains)
                right.setdefault(language, []).append(choice is not None and choice.key == block.reply_key)
    shares = {language: sum(hits) / len(hits) for language, hits in right.items()}
    assert len(shares) > 60
    assert sum(shares.values()) / len(shares) > 0.98
    assert min(shares.values()) > 0.9, sorted(shares.items(), key=lambda item: item[1])[:5]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("is any light on", "any"),
        ("are all the lights on", "all"),
        ("what lights are on", "which"),
        ("how many of the lights are on", "how_many"),
        ("is the light on", "any"),
        ("is there a light on upstairs", "any"),
    ],
)
def test_questions_in_english(text: str, key: str) -> None:
    chooser = ReplyChooser(load_language("en"))
    choice = chooser.choose(Parse("HassGetState", (Slot("domain", "light"), Slot("state", "on")), text=text), {"light"})
    assert choice is not None
    assert choice.key == key


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("welche lichter sind an", "which"),
        ("wie viele lichter sind an", "how_many"),
        ("sind alle lichter an", "all"),
        ("sind irgendwelche lichter an", "any"),
        ("ist noch ein licht an", "any"),
    ],
)
def test_questions_in_german(text: str, key: str) -> None:
    chooser = ReplyChooser(load_language("de"))
    slots = (Slot("domain", "light"), Slot("state", "on", "an", (len(text) - 2, len(text))))
    choice = chooser.choose(Parse("HassGetState", slots, 1.0, "de", text=text), {"light"})
    assert choice is not None
    assert choice.key == key


def test_every_word_of_a_template_is_known() -> None:
    kind = (Slot("domain", "cover"), Slot("device_class", "window", "fenster", (10, 17)))
    slots = (*kind, Slot("state", "closed", "zu", (18, 20)))
    parse = Parse("HassGetState", slots, 1.0, "de", text="sind alle fenster zu")
    choice = ReplyChooser(load_language("de")).choose(parse, {"cover"})
    assert choice is not None
    assert choice.key == "all"


def test_words_inside_slots_do_not_count() -> None:
    chooser = ReplyChooser(load_language("en"))
    slots = (Slot("domain", "light"), Slot("state", "on"), Slot("area", "Hall", "all rooms hall", (14, 28)))
    choice = chooser.choose(Parse("HassGetState", slots, text="which lights, all rooms hall, are on"), {"light"})
    assert choice is not None
    assert choice.key == "which"


def test_reply_never_names_another_kind_of_device() -> None:
    chooser = ReplyChooser(load_language("en"))
    parse = Parse("HassTurnOn", (Slot("domain", "switch"), Slot("area", "Kitchen")), text="turn on the switches")
    choice = chooser.choose(parse, {"switch"})
    assert choice is None or choice.key == "default"


def test_groups_are_templates() -> None:
    assert read_template("a") == Group(("a",))


def test_of_a_question_that_the_package_has_no_sentence_for_the_parse_decides() -> None:
    slots = (Slot("domain", "light"), Slot("state", "on"))
    for response in ("how_many", "which"):
        choice = ReplyChooser(load_language("lv")).choose(
            Parse("HassGetState", slots, language="lv", response=response)
        )
        assert choice is not None and choice.key == response


@pytest.mark.parametrize(
    ("slots", "key"),
    [
        ({"name": "x", "state": "on"}, "one_yesno"),
        ({"name": "x"}, "one"),
        ({"domain": "light", "state": "on"}, "any"),
    ],
)
def test_yes_and_no_only_answer_a_state_of_one_device(slots: dict[str, str], key: str) -> None:
    said = tuple(Slot(name, value) for name, value in slots.items())
    choice = ReplyChooser(load_language("lv")).choose(Parse("HassGetState", said, language="lv", text="vai"), {"light"})
    assert choice is not None and choice.key == key
