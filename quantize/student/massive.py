"""Trains the student of a recipe over MASSIVE-format data: adapted teacher, its labels, distilled student."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn

from edge.bundle.manifest import Frame
from edge.errors import ConfigError
from edge.nlu.matching import FEATURES
from edge.nlu.tokens import MAX_TOKENS, tokenize
from quantize.data.datasets import Utterance, tag_tokens
from quantize.data.metrics import measure
from quantize.loop import Schedule, accelerator
from quantize.recipe import Recipe, TeacherPlan
from quantize.student.corpus import WORD, Corpus, read_corpus, student_sentences
from quantize.student.distill import distill, intent_logits, lessons, predict, student_input, weights_of
from quantize.student.examples import Example
from quantize.student.network import Student, StudentShape
from quantize.student.prior import add_prior, label_shares, prior_shift
from quantize.student.trained import Trained
from quantize.student.transitions import label_transitions
from quantize.teacher.adapt import Reader, adapt_encoder
from quantize.teacher.baseline import train_floor, with_second_opinion
from quantize.teacher.train import SoftLabels, TrainedTeacher, averaged, predictions, soft_labels, train_teacher
from quantize.teacher.word_vectors import fitted_table, word_vectors

log = logging.getLogger(__name__)
_CHECKED = 1000


def massive_student(recipe: Recipe, work: Path, data_dir: Path) -> Trained:
    """The trained student and what goes with it.

    Raises:
        ConfigError: a file is missing or malformed, or the recipe has no teacher, none that can refill sentences, or
            no sentences to learn the prior from.
    """
    if recipe.teacher is None:
        raise ConfigError(f"recipe {recipe.name}: data of source 'massive' need a [teacher] table")
    if recipe.data.prior == "unlabelled" and not recipe.data.unlabelled:
        raise ConfigError(f"recipe {recipe.name}: data.prior = 'unlabelled' needs sentences in data.unlabelled")
    if recipe.data.refilled and not recipe.teacher.adaptation_epochs:
        raise ConfigError(f"recipe {recipe.name}: data.refilled needs teacher.adaptation_epochs of 1 or more")
    plan, corpus, run = recipe.teacher, read_corpus(recipe.data, data_dir), accelerator()
    reader = _reader(plan, corpus, recipe.seed, work, run)
    teachers = _teachers(plan, corpus.labelled, reader, recipe.seed, work, run)
    texts = student_sentences(recipe.data, corpus, teachers[0], reader, recipe.seed, work, run)
    soft = _opinion(_labels(teachers, texts, work, run), plan, corpus.labelled, teachers[0].intents)
    spoken = _languages(texts, corpus.labelled, min(u.locale.split("-")[0] for u in corpus.labelled))
    heard = list(dict.fromkeys(corpus.unlabelled)) if recipe.data.prior == "unlabelled" else []
    trained = taught_student(recipe, teachers[0], soft, spoken, corpus.labelled, corpus.held_out, work, run, heard)
    if corpus.held_out:
        said = (soft_labels(teacher, [u.text for u in corpus.held_out], run) for teacher in teachers)
        opinion = _opinion(said, plan, corpus.labelled, teachers[0].intents)
        if heard:
            rows = np.isin(soft.texts, heard)
            shift = prior_shift(soft.intents[rows], label_shares(corpus.labelled, teachers[0].intents))
            opinion = replace(opinion, intents=(opinion.intents + shift).astype(np.float16))
        figures = measure(corpus.held_out, predictions(opinion, teachers[0].intents, teachers[0].tags))
        trained.metrics["held_out_teacher"] = vars(figures)
        log.info("teacher on held-out data: %s", figures)
    return trained


def taught_student(
    recipe: Recipe,
    teacher: TrainedTeacher,
    soft: SoftLabels,
    spoken: Sequence[str],
    labelled: list[Utterance],
    held_out: list[Utterance],
    work: Path,
    run: Accelerator,
    heard: Sequence[str] = (),
) -> Trained:
    """A student distilled from the teacher's labels of sentences, whose languages are ``spoken``.

    It takes intents to be as frequent as in the sentences ``heard``, or as among the labels where there are none.
    """
    intents, tags = teacher.intents, teacher.tags
    languages = sorted(set(spoken))
    student = _fresh_student(recipe, teacher, soft.texts, len(languages))
    plan = recipe.training
    schedule = Schedule(
        plan.epochs, plan.batch, plan.rate, plan.embedding_rate, average_decay=0.999, checkpoint_steps=500,
        seed=recipe.seed,
    )  # fmt: skip
    taught = lessons(soft, spoken, labelled, intents, tags, student)
    distill(student, taught, tags, weights_of(plan), schedule, work / "student.pt", run)
    student.transitions.data = torch.from_numpy(label_transitions(labelled, tags))
    if heard:
        add_prior(student, prior_shift(intent_logits(student, heard), label_shares(labelled, intents)))
    figures = {}
    if held_out:
        found = measure(held_out, predict(student, [u.text for u in held_out], intents, tags))
        figures = {"held_out_float_student": vars(found)}
        log.info("float student on held-out data: %s", found)
    slots = tuple(tag[2:] for tag in tags if tag.startswith("B-"))
    frames = tuple(Frame(name, name, slots=slots) for name in intents)
    return Trained(
        student,
        frames,
        slots,
        tuple(languages),
        (),
        _examples(held_out or labelled, intents, tags, student),
        {},
        figures,
    )


def _reader(plan: TeacherPlan, corpus: Corpus, seed: int, work: Path, run: Accelerator) -> Reader | None:
    if not plan.adaptation_epochs:
        return None
    return adapt_encoder(plan.encoder, corpus.texts, Schedule(plan.adaptation_epochs, seed=seed), work, run)


def _teachers(
    plan: TeacherPlan, labelled: list[Utterance], reader: Reader | None, seed: int, work: Path, run: Accelerator
) -> list[TrainedTeacher]:
    adapted = reader.encoder.state_dict() if reader is not None else None
    teachers = []
    for number, encoder in enumerate((*[plan.encoder] * plan.members, *plan.further)):
        schedule = Schedule(plan.epochs, plan.batch, plan.rate, average_decay=0.995, seed=seed + number)
        checkpoint = work / (f"teacher-{number + 1}.pt" if number else "teacher.pt")
        own = adapted if number < plan.members else None
        teachers.append(train_teacher(encoder, labelled, schedule, checkpoint, run, own))
    return teachers


def _labels(teachers: Sequence[TrainedTeacher], texts: list[str], work: Path, run: Accelerator) -> Iterator[SoftLabels]:
    """What each teacher says, kept in a file of its own."""
    for number, teacher in enumerate(teachers, 1):
        path = work / f"labels-{number}.npz"
        if not path.is_file():
            log.info("teacher %d of %d labels %d sentences", number, len(teachers), len(texts))
            soft_labels(teacher, texts, run).save(path)
        yield SoftLabels.load(path)


def _opinion(
    said: Iterable[SoftLabels], plan: TeacherPlan, labelled: list[Utterance], intents: Sequence[str]
) -> SoftLabels:
    """What the student is to learn: the teachers' mean, with the floor's second opinion."""
    soft = averaged(said)
    return with_second_opinion(soft, train_floor(labelled), intents, plan.floor) if plan.floor else soft


def _fresh_student(recipe: Recipe, teacher: TrainedTeacher, texts: Sequence[str], languages: int) -> Student:
    """A student whose n-gram table is fitted to the teacher's word embeddings, where it is to learn from it."""
    sizes = recipe.student
    shape = StudentShape(
        len(teacher.intents), len(teacher.tags), languages, FEATURES, sizes.buckets, sizes.embed, sizes.hidden,
        sizes.layers, sizes.heads, sizes.kernel, sizes.feed_forward, sizes.local_layers,
    )  # fmt: skip
    torch.manual_seed(recipe.seed)
    student = Student(shape, recipe.training.dropout)
    if not recipe.training.distilled:
        return student
    words = sorted({word for text in texts for word in WORD.findall(text)})
    table = teacher.model.encoder.get_input_embeddings().weight.detach()
    fitted = fitted_table(word_vectors(table, teacher.tokenizer, words), sizes.buckets, sizes.embed, seed=recipe.seed)
    student.embedding.table.weight = nn.Parameter(fitted)
    return student


def _languages(texts: Sequence[str], labelled: list[Utterance], default: str) -> list[str]:
    known = {u.text: u.locale.split("-")[0] for u in labelled}
    return [known.get(text, default) for text in texts]


def _examples(
    utterances: Sequence[Utterance], intents: Sequence[str], tags: Sequence[str], student: Student
) -> list[Example]:
    """Inputs and truths for parity; labels that training did not have are left out."""
    examples = []
    shape = student.shape
    tag_ids = {name: i for i, name in enumerate(tags)}
    for utterance in utterances[:_CHECKED]:
        tokens = tokenize(utterance.text)[:MAX_TOKENS]
        names = tag_tokens(tokens, utterance.slots)
        if utterance.intent in intents and tokens and all(name in tag_ids for name in names):
            made = student_input(utterance.text, shape.buckets, shape.features, utterance.locale.split("-")[0])
            truth = np.array([tag_ids[name] for name in names])
            ids = made.ids.astype(np.int64)
            examples.append(Example(ids, made.features, intents.index(utterance.intent), truth, 0))
    return examples
