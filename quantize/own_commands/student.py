"""A student for a user's own commands: the home student's body with new heads, taught from the domain's templates."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.bundle.format import open_bundle
from edge.grammar.grammar import normalize
from edge.nlu.lexicon import Lexicon, lexicon_file
from edge.nlu.matching import HomeIndex
from quantize.grammar.home_sentences import POLITE
from quantize.loop import Schedule, accelerator
from quantize.own_commands.fit import joined_lexicon
from quantize.program.readback import read_student
from quantize.student.examples import Example, LabelSpace, label_space
from quantize.student.home import draw, encoded, word_material
from quantize.student.network import Student
from quantize.student.source import HomeSource
from quantize.student.train import train_student
from quantize.student.trained import Trained, bundle_frame
from quantize.templates.command_templates import domain_templates
from quantize.templates.commands import Domain, Line
from quantize.templates.lexicon import lexicon_bytes
from quantize.templates.package import package_languages, package_templates
from quantize.templates.sampler import NOTHING, Sample, numeric_tags
from quantize.variation.augment import added_words
from quantize.variation.not_commands import unrelated_sentences

_ADDED_WORDS = 0.25
_TALK = 0.1
LICENCES = {
    "home-assistant-intents": "Apache-2.0 (the student's beginnings)",
    "django": "BSD-3-Clause (translations, as unrelated sentences)",
    "mimesis": "MIT (sayings, as unrelated sentences)",
    "chatterbot-corpus": "BSD-3-Clause (small talk, as unrelated sentences)",
    "multilingual-e5-small vocabulary": "MIT",
}


@dataclass(frozen=True)
class Course:
    """How long to teach: ``epochs`` of ``steps`` batches; a third of each batch is not a command."""

    epochs: int = 4
    steps: int = 200
    batch: int = 96
    rate: float = 2e-3
    embedding_rate: float = 5e-3
    held_out: int = 600


def domain_student(domain: Domain, plan: Course, work: Path) -> Trained:
    """The trained student of the commands of ``domain``, whose grammar compiles.

    Args:
        domain: the user's commands.
        plan: how long to teach.
        work: folder for checkpoints.

    Raises:
        ConfigError: the domain cannot be sampled (see ``domain_templates``).
    """
    templates = domain_templates(with_politeness(domain))
    unrelated = unrelated_sentences(templates)
    if domain.language in package_languages():
        templates.words += package_templates(domain.language).words
    space = label_space([templates])
    source = HomeSource(templates, word_material(), space, unrelated)
    home = read_student(open_bundle("home"))
    shape = replace(home.shape, frames=len(space.frames), tags=len(space.tags), languages=1)

    def some(count: int, rng: random.Random) -> list[Example]:
        others = draw([source], [count // 3], space, shape.buckets, rng, unrelated_share=1.0)
        return own_examples(source, unrelated, space, shape.buckets, count - count // 3, rng) + others

    schedule = Schedule(plan.epochs, plan.batch, plan.rate, plan.embedding_rate, warm_up=0.1, average_decay=0.99)
    student = train_student(
        _with_body(Student(shape), home), lambda rng: some(plan.steps * plan.batch, rng), plan.steps, schedule,
        work / "checkpoint.pt", accelerator(half=False),
    )  # fmt: skip
    lexicon = joined_lexicon(Lexicon(), domain, templates)
    return Trained(
        student,
        tuple(map(bundle_frame, space.frames)),
        tuple(space.slots),
        (domain.language,),
        tuple(sorted(numeric_tags(templates))),
        some(plan.held_out, random.Random(1_000_003)),
        {lexicon_file(domain.language): lexicon_bytes(lexicon)},
        metrics={},
    )


def own_examples(
    own: HomeSource, unrelated: Sequence[str], space: LabelSpace, buckets: int, count: int, rng: random.Random
) -> list[Example]:
    """``count`` of the user's sentences, some of them with further words, and talk with their words in it."""

    def varied() -> Iterator[tuple[Sample, HomeIndex]]:
        for sample, index in own.samples(count, rng, unrelated_share=0.0):
            if unrelated and sample.slots and rng.random() < _TALK:
                yield _talk(sample, unrelated, rng), index
            elif rng.random() < _ADDED_WORDS:
                yield added_words(sample, rng, own.maker.phrase(rng, 2, 0.4)), index
            else:
                yield sample, index

    return encoded(varied(), space, buckets, rng)


def with_politeness(domain: Domain) -> Domain:
    """The domain with the home's words that mean nothing, such as "please", where it has none of its own."""
    home = package_templates(domain.language).skip_words if domain.language in package_languages() else ()
    words = [word for word in (*home, *POLITE.get(domain.language, ())) if normalize(word)]
    return replace(domain, skip_words=domain.skip_words or tuple(Line(word, 1) for word in words))


def _with_body(student: Student, home: Student) -> Student:
    """The student with all of the other's weights but those of its heads."""
    heads = ("frame.", "tag.", "language.", "transitions")
    body = {name: value for name, value in home.state_dict().items() if not name.startswith(heads)}
    student.load_state_dict(body, strict=False)
    return student


def _talk(sample: Sample, unrelated: Sequence[str], rng: random.Random) -> Sample:
    words = rng.choice(unrelated).split()[:12]
    slot = rng.choice(sample.slots)
    words.insert(rng.randint(0, len(words)), sample.text[slot.start : slot.end])
    return Sample(" ".join(words), NOTHING, sample.language)
