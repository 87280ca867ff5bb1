"""New sentences from old ones, for the teacher to label: slot values exchanged, words replaced by neighbours.

Augmentation by recombination (Jia & Liang 2016) with the teacher as the judge of every result, so that a sentence that
came out odd does no harm: the student learns what the teacher makes of it.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import PreTrainedTokenizerFast

from quantize.data.datasets import SlotSpan

TaggedText = tuple[str, tuple[SlotSpan, ...]]
_WORD = re.compile(r"[^\W\d_]{2,}")


class Neighbours:
    """Words near to a word in the teacher's embedding table: those of the data, and whole words of the tokenizer."""

    def __init__(
        self, table: torch.Tensor, tokenizer: PreTrainedTokenizerFast, words: Iterable[str], nearest: int = 10
    ) -> None:
        """``table`` is the embedding table [V, C]; ``words`` are those of the data."""
        self._words = sorted(set(words))
        self._places = {word: i for i, word in enumerate(self._words)}
        alphabet = {char for word in self._words for char in word}
        pieces = (piece[1:] for piece in tokenizer.get_vocab() if piece.startswith("▁"))
        whole = {word for word in pieces if len(word) > 2 and word == word.casefold() and alphabet.issuperset(word)}
        self._foreign = sorted(word for word in whole - set(self._words) if _WORD.fullmatch(word))
        own = _word_vectors(table, tokenizer, self._words)
        self._near = _nearest(own, own, nearest + 1)[:, 1:]
        self._near_foreign = _nearest(own, _word_vectors(table, tokenizer, self._foreign), nearest)

    def draw(self, word: str, rng: random.Random, foreign: bool = False) -> str:
        """Return one of the nearest words of the data (or the tokenizer); ``word`` itself when it is unknown."""
        place = self._places.get(word)
        names, near = (self._foreign, self._near_foreign) if foreign else (self._words, self._near)
        if place is None or not near.shape[1]:
            return word
        return names[int(near[place, rng.randrange(near.shape[1])])]


def _word_vectors(table: torch.Tensor, tokenizer: PreTrainedTokenizerFast, words: list[str]) -> torch.Tensor:
    if not words:
        return torch.zeros(0, table.shape[1])
    rows = tokenizer(words, add_special_tokens=False)["input_ids"]
    vectors = torch.stack([table[row].float().mean(0) if row else torch.zeros(table.shape[1]) for row in rows])
    return functional.normalize(vectors - vectors.mean(0), dim=-1)


def _nearest(queries: torch.Tensor, keys: torch.Tensor, count: int) -> NDArray[np.int64]:
    count = min(count, len(keys))
    parts = [(queries[i : i + 512] @ keys.T).topk(count).indices for i in range(0, len(queries), 512)]
    nearest: NDArray[np.int64] = torch.cat(parts).numpy()
    return nearest


def recombined(
    texts: Sequence[TaggedText], neighbours: Neighbours, count: int, seed: int, taken: Iterable[str] = ()
) -> list[str]:
    """Return up to ``count`` new sentences, none of them in ``taken`` or twice.

    Args:
        texts: sentences with their slots, labelled by people or by the teacher.
        neighbours: of the words of ``texts``.
        count: wanted; the search stops after four draws for each.
        seed: of the draws.
        taken: sentences that must not come out (training, unlabelled and held-out text).
    """
    rng = random.Random(seed)
    values: dict[str, Counter[str]] = {}
    for text, slots in texts:
        for slot in slots:
            values.setdefault(slot.name, Counter())[text[slot.start : slot.end]] += 1
    choices = {name: sorted(counter) for name, counter in values.items()}
    seen, found = set(taken), []
    for _ in range(4 * count):
        text, slots = texts[rng.randrange(len(texts))]
        result = _disturb(_exchange(text, slots, choices, neighbours, rng), neighbours, rng)
        if result not in seen:
            seen.add(result)
            found.append(result)
            if len(found) == count:
                break
    return found


def _exchange(
    text: str, slots: Sequence[SlotSpan], choices: dict[str, list[str]], neighbours: Neighbours, rng: random.Random
) -> str:
    for slot in sorted(slots, key=lambda slot: -slot.start):
        chance = rng.random()
        value = text[slot.start : slot.end]
        if chance < 0.55:
            value = rng.choice(choices[slot.name])
        if chance > 0.45 and chance < 0.75:
            foreign = rng.random() < 0.5
            value = _WORD.sub(partial(_neighbour, neighbours, rng, foreign), value)
        text = text[: slot.start] + value + text[slot.end :]
    return text


def _neighbour(neighbours: Neighbours, rng: random.Random, foreign: bool, match: re.Match[str]) -> str:
    return neighbours.draw(match[0], rng, foreign)


def _disturb(text: str, neighbours: Neighbours, rng: random.Random) -> str:
    words = text.split()
    for _ in range(rng.choice((0, 1, 1, 2))):
        place = rng.randrange(len(words))
        kind = rng.random()
        if kind < 0.6:
            words[place] = _WORD.sub(lambda match: neighbours.draw(match[0], rng), words[place])
        elif kind < 0.8 and len(words) > 2:
            del words[place]
        elif kind < 0.9 and len(words) > 1:
            other = rng.randrange(len(words))
            words[place], words[other] = words[other], words[place]
        elif len(words[place]) > 3:
            cut = rng.randrange(len(words[place]))
            words[place] = words[place][:cut] + words[place][cut + 1 :]
    return " ".join(words)
