"""Trains the ``home`` student of a recipe."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import torch

from edge.nlu.matching import FEATURES, HomeIndex
from quantize.data.datasets import read_listed
from quantize.data.home_labels import home_samples
from quantize.grammar.home_sentences import hearing_files
from quantize.loop import Schedule, accelerator
from quantize.recipe import Recipe
from quantize.student.examples import Example, LabelSpace, encode_sample, label_space
from quantize.student.network import Student, StudentShape
from quantize.student.source import UNRELATED_SHARE, HomeSource
from quantize.student.train import train_student
from quantize.student.trained import Trained, bundle_frame
from quantize.teacher.encoders import E5, load_encoder
from quantize.templates.homes import WordMaterial
from quantize.templates.lexicon import build_lexicon, lexicon_bytes
from quantize.templates.package import package_languages, package_templates
from quantize.templates.sampler import Sample, Templates, numeric_tags
from quantize.variation.not_commands import unrelated_sentences

log = logging.getLogger(__name__)
_TELL_LANGUAGE = 0.8
_HELD_OUT_PER_LANGUAGE = 30


def home_student(recipe: Recipe, work: Path, data_dir: Path) -> Trained:
    """The trained student and what goes with it."""
    languages = [package_templates(name) for name in recipe.data.languages or package_languages()]
    space = label_space(languages)
    labelled = home_samples(u for name in recipe.data.labelled for u in read_listed(data_dir, name))
    sources = home_sources(languages, space, labelled)
    sizes = recipe.student
    shape = StudentShape(
        len(space.frames), len(space.tags), len(space.languages), FEATURES, sizes.buckets, sizes.embed, sizes.hidden,
        sizes.layers, sizes.heads, sizes.kernel, sizes.feed_forward, sizes.local_layers,
    )  # fmt: skip
    counts = sentences_per_language(sources, recipe.data.sentences)
    plan = recipe.training
    schedule = Schedule(
        plan.epochs, plan.batch, plan.rate, plan.embedding_rate,
        warm_up=0.05, average_decay=0.999, checkpoint_steps=200, seed=recipe.seed,
    )  # fmt: skip
    run = accelerator(half=False)
    share = max(1, sum(counts) // plan.batch // run.num_processes)

    def epoch(rng: random.Random) -> list[Example]:
        return draw(sources, [count // run.num_processes for count in counts], space, shape.buckets, rng)

    torch.manual_seed(recipe.seed)
    student = train_student(Student(shape), epoch, share, schedule, work / "checkpoint.pt", run)
    unseen = random.Random(recipe.seed + 1_000_003)
    held_out = held_out_examples(sources, space, shape.buckets, unseen)
    numeric = sorted({tag for templates in languages for tag in numeric_tags(templates)})
    lexicons = {f"lexicon/{t.language}.json": lexicon_bytes(build_lexicon(t)) for t in languages}
    hearing = hearing_files(tuple(space.languages))
    return Trained(
        student, tuple(map(bundle_frame, space.frames)), tuple(space.slots), tuple(space.languages), tuple(numeric),
        held_out,
        {**lexicons, **dict(hearing.values())}, metrics={}, hearing={key: name for key, (name, _) in hearing.items()},
    )  # fmt: skip


def held_out_examples(sources: list[HomeSource], space: LabelSpace, buckets: int, rng: random.Random) -> list[Example]:
    """As many sentences again that are not commands, since the threshold depends on the rarest of them."""
    counts = [_HELD_OUT_PER_LANGUAGE] * len(sources)
    return draw(sources, counts, space, buckets, rng) + draw(sources, counts, space, buckets, rng, unrelated_share=1.0)


def home_sources(languages: list[Templates], space: LabelSpace, labelled: Sequence[Sample] = ()) -> list[HomeSource]:
    """A source per language, with the ``labelled`` sentences of that language."""
    material = word_material()
    return [
        HomeSource(t, material, space, unrelated_sentences(t), [s for s in labelled if s.language == t.language])
        for t in languages
    ]


@cache
def word_material() -> WordMaterial:
    """Words of a multilingual tokenizer, to make names of."""
    _, tokenizer = load_encoder(E5)
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    return WordMaterial([piece.lstrip("▁") for piece, _ in pieces if piece.startswith("▁") or not piece.isascii()])


def sentences_per_language(sources: list[HomeSource], mean: int) -> list[int]:
    """More for languages with more templates: by the fourth root of their number; half as many again for wordings."""
    weights = [source.templates_count**0.25 * (1.5 if source.templates.natural else 1.0) for source in sources]
    return [round(mean * len(sources) * weight / sum(weights)) for weight in weights]


def draw(
    sources: list[HomeSource],
    counts: list[int],
    space: LabelSpace,
    buckets: int,
    rng: random.Random,
    unrelated_share: float = UNRELATED_SHARE,
) -> list[Example]:
    """Fresh examples of every language, ``unrelated_share`` of them no command."""
    examples: list[Example] = []
    for source, count in zip(sources, counts, strict=True):
        examples += encoded(source.samples(count, rng, unrelated_share=unrelated_share), space, buckets, rng)
    log.info("drew %d sentences in %d languages", len(examples), len(sources))
    return examples


def encoded(
    samples: Iterable[tuple[Sample, HomeIndex]], space: LabelSpace, buckets: int, rng: random.Random
) -> list[Example]:
    """Examples of the samples that have words; most are told their language."""
    examples = [
        encode_sample(sample, index, space, buckets, rng.random() < _TELL_LANGUAGE) for sample, index in samples
    ]
    return [example for example in examples if len(example.ids) > 1]
