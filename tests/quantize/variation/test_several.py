"""Training sentences of several commands, several things, and things that are not there."""

from __future__ import annotations

import random
from itertools import pairwise

from edge.nlu.matching import HomeIndex
from edge.nlu.several import AND, NEXT, SEVERAL
from edge.nlu.tokens import tokenize
from edge.types import Area, Entity, Home
from quantize.templates.homes import NameMaker
from quantize.templates.sampler import Sample, SampledSlot
from quantize.variation.several import several, two_things
from quantize.variation.unknown import unknown_target

HOME = Home(
    (Area("a", "Hall"), Area("b", "Attic")), (), tuple(Entity(f"light.{n}", n) for n in ("Orchid", "Velvet", "Saddle"))
)
JOINS = ("and", "and then", ",")


def sample(text: str, frame: str, **slots: str) -> Sample:
    found = [SampledSlot(tag, said, text.index(said), text.index(said) + len(said)) for tag, said in slots.items()]
    return Sample(text, frame, "en", found)


def said(made: Sample, tag: str) -> list[str]:
    return [made.text[slot.start : slot.end] for slot in made.slots if slot.tag == tag]


def test_the_first_word_of_each_further_command_is_tagged() -> None:
    first = sample("turn on the Orchid", "HassTurnOn", name="Orchid")
    second = sample("stop the timer", "HassCancelTimer")
    for seed in range(50):
        made = several([first, second], (), JOINS, " ", random.Random(seed))
        assert made is not None
        assert made.frame == SEVERAL
        assert said(made, NEXT) == ["stop"]
        assert set(said(made, AND)) <= {"and", "and then"}
        assert made.text.startswith("turn on the Orchid")


def test_a_command_with_free_text_is_never_followed_by_another() -> None:
    first = sample("announce dinner", "HassBroadcast", message="dinner")
    assert several([first, first], ("message",), JOINS, " ", random.Random(1)) is None


def test_things_of_the_same_kind_are_joined_and_tagged_apart() -> None:
    for seed in range(50):
        dim = sample("dim the Orchid now", "HassLightSet", name="Orchid")
        made = two_things(dim, HOME, JOINS, " ", random.Random(seed))
        assert made is not None
        names = said(made, "name")
        assert len(names) == len(set(names)) >= 2
        assert set(names) <= {"Orchid", "Velvet", "Saddle"}
        slots = sorted(made.slots, key=lambda slot: slot.start)
        assert all(before.end < after.start for before, after in pairwise(slots))


def test_a_command_that_names_nothing_has_no_second_thing() -> None:
    assert two_things(sample("lights on", "HassTurnOn|domain=light"), HOME, JOINS, " ", random.Random(1)) is None


def test_what_is_not_there_matches_nothing_of_the_home() -> None:
    index = HomeIndex(HOME)
    maker = NameMaker(["lantern", "ferry", "orchid"], [], ["light", "on"], " ")
    made = [
        unknown_target(
            sample("turn on the Orchid", "HassTurnOn", name="Orchid"), (), ["piano", "velvet"], maker, index,
            random.Random(seed),
        )
        for seed in range(80)
    ]  # fmt: skip
    kept = [each for each in made if each is not None]
    assert len(kept) > 20
    for each in kept:
        (name,) = said(each, "name")
        start = each.text.index(name)
        tokens = index.tokens(each.text)
        inside = {at for at, token in enumerate(tokens) if start <= token.start < start + len(name)}
        assert not any(inside.intersection(range(m.first, m.last)) for m in index.matches(tokens))
        assert tokenize(name)
