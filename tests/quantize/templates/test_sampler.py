"""Sampling home-assistant-intents: sentences whose slots are where they say, that hassil itself understands."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hassil import Intents, recognize_best
from hassil.intents import TextSlotList

from edge.nlu.resolve import Resolver
from edge.types import Entity, Home
from quantize.templates.homes import HomeFiller, WordMaterial
from quantize.templates.lexicon import build_lexicon
from quantize.templates.package import package_languages, package_templates
from quantize.templates.sampler import Block, Sample, Templates

MATERIAL = WordMaterial(["lantern", "orchid", "velvet", "harbour", "picnic", "TV", "лампа", "пирог", "河边", "山谷"])


def samples(
    templates: Templates, count: int, seed: int = 1, blocks: Sequence[Block] = ()
) -> list[tuple[Sample, HomeFiller]]:
    rng = random.Random(seed)
    maker = MATERIAL.for_language(templates)
    found: list[tuple[Sample, HomeFiller]] = []
    while len(found) < count:
        filler = HomeFiller(maker.home(rng), maker, templates, rng)
        block = rng.choice(blocks or templates.blocks)
        sample = templates.sample(block, rng.choice(block.sentences), rng, filler)
        if sample:
            found.append((sample, filler))
    return found


def test_there_are_65_languages() -> None:
    assert len(package_languages()) == 65


@pytest.mark.parametrize("language", ["en", "eu", "he", "zh-CN", "th", "ru"])
def test_slots_are_in_the_text(language: str) -> None:
    for sample, _ in samples(package_templates(language), 60):
        assert sample.text == sample.text.strip()
        for slot in sample.slots:
            assert 0 <= slot.start < slot.end <= len(sample.text)
            assert sample.text[slot.start : slot.end].strip()


def test_hassil_understands_what_was_sampled() -> None:
    templates = package_templates("en")
    from importlib import resources
    from json import loads

    intents = Intents.from_dict(loads((resources.files("home_assistant_intents") / "data" / "en.json").read_text()))
    right = 0
    drawn = samples(templates, 60, blocks=templates.listed)
    for sample, filler in drawn:
        lists = {
            "area": TextSlotList.from_tuples([(a.name, a.name) for a in filler.home.areas], allow_template=False),
            "floor": TextSlotList.from_tuples([(f.name, f.name) for f in filler.home.floors], allow_template=False),
            "name": TextSlotList.from_tuples([_named(e) for e in filler.home.entities], allow_template=False),
        }
        found = recognize_best(
            sample.text, intents, slot_lists=lists, intent_context={"area": "x"}, best_slot_name="name"
        )
        right += found is not None and found.intent.name == sample.frame.split("|")[0]
    assert right >= 0.8 * len(drawn)


def _named(entity: Entity) -> tuple[str, str, dict[str, str]]:
    return entity.name, entity.name, {"domain": entity.domain}


def test_numbers_are_spelled_in_the_language() -> None:
    assert package_templates("de").spell(25) == "fünfundzwanzig"
    assert "twenty-five" in package_templates("en").spellings(25)


def test_the_lexicon_knows_colours_and_numbers() -> None:
    lexicon = build_lexicon(package_templates("fr"))
    assert lexicon.values["color"]["rouge"][0].value == "red"
    assert lexicon.numbers["vingt et un"] == 21


@pytest.mark.parametrize(("said", "value"), [("النصف", 30), ("بثانية", 1), ("بمقدارستة عشر", 16), ("ثانية", 1)])
def test_the_arabic_lexicon_reads_lengths_with_what_is_written_together_with_them(said: str, value: int) -> None:
    resolver = Resolver(Home(), build_lexicon(package_templates("ar")), ["seconds"])
    assert resolver.value("seconds", said) == value


def test_a_lexicon_knows_of_which_words_commands_are_made() -> None:
    commands = set(build_lexicon(package_templates("en")).commands)
    assert {"turn", "lamps", "percent"} <= commands
    assert not commands & {"kettle", "kitchen", "red"}
    kinds = build_lexicon(package_templates("en")).kinds
    assert {"lights", "lamp"} <= set(kinds["light"])
    assert "fans" in kinds["fan"]
    assert not {"turn", "off", "the"} & {*kinds["light"], *kinds["fan"]}


def test_a_lexicon_of_commands_about_one_kind_alone() -> None:
    data = {
        "language": "en",
        "intents": {"Party": {"data": [{"sentences": ["party time"], "slots": {"domain": "light"}}]}},
    }
    assert build_lexicon(Templates("en", data)).commands == ("party", "time")
