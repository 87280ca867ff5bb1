"""Which tag follows which, counted in the labels, for the device's search.

Distilled students score the tag of every token alone, and often cut one name into two. The weighed pointwise mutual
information of neighbouring tags is added to the scores, as speech recognizers add a language model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.nlu.tokens import MAX_TOKENS, tokenize
from quantize.data.datasets import Utterance, tag_tokens

_WEIGHT = 0.25
"""Chosen on SLURP's dev part; anything from 0.1 to 0.5 is better than nothing there."""
_UNSEEN = 3.0
_NEVER = 0.5


def label_transitions(labelled: Sequence[Utterance], tags: Sequence[str]) -> NDArray[np.float32]:
    """Score of tag j after tag i, [tags, tags]; 0 where j is as frequent after i as anywhere."""
    ids = {tag: i for i, tag in enumerate(tags)}
    pairs = np.zeros((len(tags), len(tags)))
    shares = np.full(len(tags), _NEVER)
    for utterance in labelled:
        row = [ids[tag] for tag in tag_tokens(tokenize(utterance.text)[:MAX_TOKENS], utterance.slots)]
        np.add.at(pairs, (row[:-1], row[1:]), 1)
        np.add.at(shares, row, 1)
    shares /= shares.sum()
    after = (pairs + _UNSEEN * shares) / (pairs.sum(1, keepdims=True) + _UNSEEN)
    scores: NDArray[np.float32] = (_WEIGHT * np.log(after / shares)).astype(np.float32)
    return scores
