"""New sentences from old ones: the adapted encoder fills words that were masked (Jiao et al. 2020, "TinyBERT", §3.2).

Unlike words exchanged for their neighbours, what it writes fits the sentence; the teacher judges the result.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast

from edge.errors import ConfigError
from quantize.loop import Progress
from quantize.teacher.adapt import Reader
from quantize.teacher.train import padded

_WORD = re.compile(r"[^\W\d_]{2,}")
_MASKED_SHARE = 0.3
_LIKELIEST = 30
_BATCH = 128


def refilled(
    reader: Reader,
    tokenizer: PreTrainedTokenizerFast,
    texts: Sequence[str],
    count: int,
    seed: int,
    taken: Iterable[str],
    run: Accelerator,
) -> list[str]:
    """Return up to ``count`` new sentences, none of them in ``taken`` or twice.

    Args:
        reader: the adapted encoder with its mask-filling head.
        tokenizer: of that encoder.
        texts: sentences to start from; three draws are made for each sentence wanted.
        count: wanted.
        seed: of the draws.
        taken: sentences that must not come out (training, unlabelled and held-out text).
        run: from quantize.loop.accelerator().

    Raises:
        ConfigError: the tokenizer has no whole words that it marks as such.
    """
    rng = random.Random(seed)
    torch.manual_seed(seed)
    reader = _with_words_of(texts, reader, tokenizer).to(run.device).eval()
    known = {word for text in texts for word in _WORD.findall(text)}
    names = tokenizer.convert_ids_to_tokens(reader.used.tolist())
    whole = torch.tensor([name[0] == "▁" and name[1:] in known for name in names], device=run.device)
    if not whole.any():
        raise ConfigError("data.refilled needs an encoder whose tokenizer marks words with ▁; set it to 0 for others")
    seen, found = set(taken), []
    progress = Progress("refilling", count, unit="sentences")
    for _ in range(0, 3 * count, _BATCH):
        drawn = sorted((rng.choice(texts).split() for _ in range(_BATCH)), key=len)
        _fill(reader, tokenizer, drawn, whole, rng, run)
        for text in map(" ".join, drawn):
            if text not in seen:
                seen.add(text)
                found.append(text)
        if len(found) >= count:
            break
        if found:
            progress.show(len(found))
    return found[:count]


def _with_words_of(texts: Sequence[str], reader: Reader, tokenizer: PreTrainedTokenizerFast) -> Reader:
    """The reader, able to write every piece of ``texts``; those it was not adapted to are as likely as its average."""
    used = torch.tensor(sorted({piece for row in tokenizer(list(texts))["input_ids"] for piece in row}))
    wider = Reader(reader.encoder, used)
    wider.transform = reader.transform
    biases = dict(zip(reader.used.tolist(), reader.bias.tolist(), strict=True))
    mean = reader.bias.mean().item()
    wider.bias = nn.Parameter(torch.tensor([biases.get(piece, mean) for piece in used.tolist()]))
    return wider


@torch.no_grad()
def _fill(
    reader: Reader,
    tokenizer: PreTrainedTokenizerFast,
    drawn: list[list[str]],
    whole: Tensor,
    rng: random.Random,
    run: Accelerator,
) -> None:
    """Mask some words of each sentence and write others in their place."""
    places = [_choose(words, rng) for words in drawn]
    first, last = tokenizer("")["input_ids"]
    rows = []
    for words, masked in zip(drawn, places, strict=True):
        pieces = tokenizer(words, add_special_tokens=False)["input_ids"]
        inner = [[tokenizer.mask_token_id] if i in masked else row for i, row in enumerate(pieces)]
        rows.append([first, *(piece for row in inner for piece in row), last])
    ids = padded(rows, tokenizer.pad_token_id).to(run.device)
    mask = padded([[1] * len(row) for row in rows], 0).to(run.device)
    chosen = ids == tokenizer.mask_token_id
    with run.autocast():
        scores = reader(ids, mask, chosen).float()
    count = min(_LIKELIEST, int(whole.sum()))
    best, order = scores.masked_fill(~whole, float("-inf")).topk(count)
    drawn_places = torch.multinomial(torch.softmax(best, -1), 1)
    filled = reader.used[order.gather(1, drawn_places).squeeze(1)].tolist()
    written = iter(name[1:] for name in tokenizer.convert_ids_to_tokens(filled))
    for words, masked in zip(drawn, places, strict=True):
        for place in masked:
            words[place] = next(written)


def _choose(words: Sequence[str], rng: random.Random) -> list[int]:
    """Places of the words to mask, in order; at least one."""
    count = max(1, round(_MASKED_SHARE * len(words) * rng.random() * 2))
    return sorted(rng.sample(range(len(words)), min(count, len(words))))
