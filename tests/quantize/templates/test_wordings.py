"""What is taught beside the package's templates: every sentence of it can be drawn, learned and heard."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
import yaml

import quantize
from quantize.grammar.home_sentences import home_grammar
from quantize.student.examples import encode_sample, frame_label, label_space
from quantize.student.source import HomeSource
from quantize.templates.expressions import references
from quantize.templates.homes import HomeFiller, WordMaterial
from quantize.templates.lexicon import build_lexicon
from quantize.templates.natural import meanings
from quantize.templates.package import package_languages, package_templates
from quantize.templates.sampler import NOTHING, UNSUPPORTED, tag_of

FILES = sorted((Path(quantize.__file__).parent / "wordings").glob("*.yaml"))
MATERIAL = WordMaterial(["lantern", "orchid", "velvet", "harbour", "picnic", "saddle", "ferry", "вельвет", "φανάρι"])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_sentence_can_be_drawn_and_learned(path: Path) -> None:
    own = yaml.safe_load(path.read_text("utf-8"))
    package = json.loads((resources.files("home_assistant_intents") / "data" / f"{path.stem}.json").read_text("utf-8"))
    for part in ("lists", "expansion_rules"):
        assert not own.get(part, {}).keys() & package[part].keys()
    templates = package_templates(path.stem)
    space = label_space([templates])
    source = HomeSource(templates, MATERIAL, space, [])
    (_, index), *_ = source.samples(1, random.Random(1))
    filler = HomeFiller(index.home, source.maker, templates, random.Random(1))
    blocks = [block for blocks in own.get("intents", {}).values() for block in blocks]
    written = {sentence for block in blocks for sentence in block["sentences"]}
    drawn = set()
    for block in (*templates.blocks, templates.refused):
        for sentence in {*block.sentences} & {*written, *own.get("refused", ())}:
            sample = templates.sample(block, sentence, random.Random(1), filler)
            assert sample is not None
            drawn.add(sentence)
            if block is not templates.refused:
                sample = replace(sample, frame=frame_label(block))
            assert len(encode_sample(sample, index, space, 64, tell_language=True).ids) > 1
    assert drawn == {*written, *own.get("refused", ())}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_natural_wordings_say_what_their_meaning_needs(path: Path) -> None:
    templates = package_templates(path.stem)
    rules = templates.intents.expansion_rules
    wrong = []
    for block in templates.natural:
        meaning = meanings()[block.meaning]
        needs, may = set(meaning.get("needs", ())), set(meaning.get("may", ()))
        if "area" in may:
            may.add("floor")
        for sentence in block.sentences:
            said = {tag_of(ref, templates.slot_list(ref)) for ref in references(templates.expression(sentence), rules)}
            if not needs <= said <= needs | may:
                wrong.append((block.meaning, sentence, sorted(said)))
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_natural_wordings_can_be_drawn_and_learned(path: Path) -> None:
    templates = package_templates(path.stem)
    space = label_space([templates])
    source = HomeSource(templates, MATERIAL, space, [])
    (_, index), *_ = source.samples(1, random.Random(1))
    filler = HomeFiller(index.home, source.maker, templates, random.Random(1))
    for block in templates.natural:
        for sentence in block.sentences:
            drawn = [templates.sample(block, sentence, random.Random(seed), filler) for seed in range(3)]
            sample = next(sample for sample in drawn if sample is not None)
            sample = replace(sample, frame=frame_label(block))
            assert len(encode_sample(sample, index, space, 64, tell_language=True).ids) > 1


def test_what_is_refused_is_drawn_as_no_command() -> None:
    templates = package_templates("en")
    source = HomeSource(templates, MATERIAL, label_space([templates]), [])
    drawn = [sample for sample, _ in source.samples(4000, random.Random(2), unrelated_share=1.0)]
    assert {sample.frame for sample in drawn} == {NOTHING, UNSUPPORTED}
    for said in (("don't turn", "do not turn", "never turn"), ("tell me", "read me"), ("thanks", "thank you")):
        assert sum(sample.text.startswith(said) for sample in drawn) > 5


def test_halfway_is_fifty_percent_and_no_room() -> None:
    lexicon = build_lexicon(package_templates("en"))
    assert [choice.value for choice in lexicon.values["position"]["halfway"]] == [50]
    assert "halfway" in lexicon.value_words()


def test_further_wordings_are_heard() -> None:
    assert any(("brightness_step", "down") in meaning.slots for meaning in home_grammar("en").meanings)


def test_a_language_without_a_file_has_the_package_alone() -> None:
    assert {path.stem for path in FILES} < {*package_languages()}
    assert package_templates("ka").refused.sentences == ()
