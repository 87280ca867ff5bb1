"""The sentences of a recipe over MASSIVE-format data: read without leaks, and new ones made from them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from accelerate import Accelerator

from edge.errors import ConfigError
from edge.files import write_file
from edge.nlu.tokens import tokenize
from quantize.data.datasets import (
    Utterance,
    read_listed,
    read_sentences,
    same_sentence,
    sentences_without_leaks,
    without_leaks,
)
from quantize.recipe import Data
from quantize.teacher.adapt import Reader
from quantize.teacher.train import TrainedTeacher, predictions, soft_labels
from quantize.variation.not_commands import everyday_sentences
from quantize.variation.recombine import Neighbours, TaggedText, recombined
from quantize.variation.refill import refilled

WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Corpus:
    """Utterances with labels, sentences without, and utterances held out; the others contain none of these."""

    labelled: list[Utterance]
    unlabelled: list[str]
    held_out: list[Utterance]

    @property
    def texts(self) -> list[str]:
        """Every sentence to learn from once, those with labels first."""
        return list(dict.fromkeys([*(u.text for u in self.labelled), *self.unlabelled]))


def read_corpus(data: Data, data_dir: Path) -> Corpus:
    """What the recipe lists.

    Raises:
        ConfigError: a file is missing or malformed, or none has labels.
    """
    held_out = [u for name in data.held_out for u in read_listed(data_dir, name)]
    labelled = [u for name in data.labelled for u in read_listed(data_dir, name)]
    if not labelled:
        raise ConfigError("the recipe names no labelled data")
    plain = [text for name in data.unlabelled for text in read_sentences(data_dir / name)]
    return Corpus(without_leaks(labelled, held_out), sentences_without_leaks(plain, held_out), held_out)


def student_sentences(
    data: Data, corpus: Corpus, teacher: TrainedTeacher, reader: Reader | None, seed: int, work: Path, run: Accelerator
) -> list[str]:
    """What the student learns from: the corpus, everyday sentences, then those recombined and refilled from all these.

    They are kept in ``work/sentences.txt``, since making them takes minutes.
    """
    path = work / "sentences.txt"
    if path.is_file():
        return path.read_text(encoding="utf-8").split("\n")
    talk = [text for language in data.talk for text in everyday_sentences(language)]
    texts = list(dict.fromkeys([*corpus.texts, *sentences_without_leaks(talk, corpus.held_out)]))
    taken = {*texts, *(u.text for u in corpus.held_out)}
    fresh: list[str] = []
    if data.recombined:
        tagged = _tagged(texts, corpus.labelled, teacher, run)
        words = {word for text in texts for word in WORD.findall(text)}
        table = teacher.model.encoder.get_input_embeddings().weight.detach()
        near = Neighbours(table, teacher.tokenizer, words)
        fresh = recombined(tagged, near, data.recombined, seed, taken)
    if data.refilled and reader is not None:
        fresh += refilled(reader, teacher.tokenizer, texts + fresh, data.refilled, seed, {*taken, *fresh}, run)
    known = {same_sentence(u.text) for u in corpus.held_out}
    texts += [text for text in fresh if same_sentence(text) not in known and tokenize(text)]
    write_file(path, "\n".join(texts).encode())
    return texts


def _tagged(texts: list[str], labelled: list[Utterance], teacher: TrainedTeacher, run: Accelerator) -> list[TaggedText]:
    """Sentences with their given slots, or with those that the teacher finds where nobody gave any."""
    tagged = [(u.text, u.slots) for u in labelled]
    given = {u.text for u in labelled}
    found = predictions(soft_labels(teacher, texts, run), teacher.intents, teacher.tags)
    return tagged + [(text, guess.slots) for text, guess in zip(texts, found, strict=True) if text not in given]
