"""Text to tokens to hashed character n-grams: the same code trains the student and serves it.

A token is a word, a number, one symbol that carries meaning (``%``, ``°``), or one character of a script that is
written without spaces. Its embedding is the mean of hashed n-gram rows (Bojanowski et al. 2017, "Enriching word
vectors with subword information"), so any word of any language has one and a wrong letter moves it only a little.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

NGRAM_SIZES = (3, 4, 2)
MAX_NGRAMS = 20
MAX_TOKENS = 64
_WORDS_KEPT = 2048
"""Words looked up lately; 16,384 took 13 MiB after some weeks of new words (``make soak``)."""
_PADDING = (0,) * MAX_NGRAMS
_SYMBOLS = frozenset("%°+½¼¾€$£&")
_APOSTROPHES = frozenset("'’ʼ׳")
_UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1100, 0x11FF),  # Hangul jamo
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # Kana
    (0x3400, 0x9FFF),  # CJK ideographs
    (0xAC00, 0xD7AF),  # Hangul syllables
    (0xF900, 0xFAFF),  # CJK compatibility
    (0x20000, 0x3FFFF),
)


class Token(NamedTuple):
    """``text`` as written; ``start`` and ``end`` are character offsets into the utterance."""

    text: str
    start: int
    end: int


# Tokens in a text whose characters stand for their classes, see ``_Classes``; where a token has to begin, in capitals.
_TOKEN = re.compile("[wdWD][wdm]*a?|[nN](?:[nm]|p(?=[ndND]))*|[sS]m*")


class _Classes(dict[int, str]):
    """Class of a character, for ``str.translate``, found out when it is first met.

    ``w`` is part of a word, ``d`` also a digit (²), ``n`` part of a number, ``s`` a token alone. ``m`` is a mark on the
    character before, ``a`` an apostrophe, ``p`` a decimal point or comma, and a space everything else.
    """

    def __missing__(self, code: int) -> str:
        self[code] = found = self._class(chr(code))
        return found

    @staticmethod
    def _class(char: str) -> str:
        if char in _SYMBOLS:
            return "s"
        if char in _APOSTROPHES:
            return "a"
        category = unicodedata.category(char)
        if category.startswith("M"):
            return "m"
        if category == "Nd":
            return "n"
        if category[0] in "LN":
            if any(low <= ord(char) <= high for low, high in _UNSPACED):
                return "s"
            return "d" if char.isdigit() else "w"
        return "p" if char in ".," else " "


_CLASSES = _Classes()


def tokenize(text: str, boundaries: Collection[int] = ()) -> list[Token]:
    """Split ``text``; ``boundaries`` are offsets at which a word is split too (a home's name with a glued particle)."""
    classes = text.translate(_CLASSES)
    if boundaries:
        classes = "".join(each.upper() if i in boundaries else each for i, each in enumerate(classes))
    return [Token(text[slice(*found.span())], *found.span()) for found in _TOKEN.finditer(classes)]


@lru_cache(maxsize=_WORDS_KEPT)
def fold(word: str) -> str:
    """Case and width folded."""
    return unicodedata.normalize("NFKC", word).casefold()


@lru_cache(maxsize=_WORDS_KEPT)
def strip_marks(word: str) -> str:
    """Folded word without the diacritics that people leave out; marks of Indic scripts, which spell vowels, stay."""
    decomposed = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not 0x0300 <= ord(c) <= 0x036F))


def _buckets(grams: Sequence[str], buckets: int) -> tuple[int, ...]:
    return tuple(dict.fromkeys([crc32(gram.encode()) % (buckets - 1) + 1 for gram in grams]))


@lru_cache(maxsize=_WORDS_KEPT)
def ngram_ids(word: str, buckets: int) -> tuple[int, ...]:
    """Rows of the embedding table for a token, at most MAX_NGRAMS, each in 1..buckets-1 (0 is padding).

    The whole word comes first, with and without diacritics, then its n-grams in the order of NGRAM_SIZES; digits
    beyond the first of a number are shown as ``0``, since what matters is that there is a number.
    """
    word = fold(word)
    if word[:1].isdigit():
        word = word[0] + "".join("0" if c.isdigit() else c for c in word[1:])
    bare = f"<{strip_marks(word)}>"
    grams = [f"={word}", bare]
    grams += [bare[i : i + n] for n in NGRAM_SIZES for i in range(len(bare) - n + 1) if n < len(bare)]
    return _buckets(grams[:MAX_NGRAMS], buckets)


def encode(tokens: Sequence[Token], buckets: int, language: str | None = None) -> NDArray[np.int64]:
    """Student input [1 + T, MAX_NGRAMS], zero-padded; the first row stands for the utterance and its language.

    A character of a script without spaces also gets rows for the pairs that it makes with its neighbours.
    """
    rows = [_buckets([f"@{language or ''}"], buckets)]
    for i, token in enumerate(tokens):
        row = ngram_ids(token.text, buckets)
        if is_single(token):
            if i and tokens[i - 1].end == token.start and is_single(tokens[i - 1]):
                row += _buckets([f"<{fold(tokens[i - 1].text + token.text)}"], buckets)
            if i + 1 < len(tokens) and tokens[i + 1].start == token.end and is_single(tokens[i + 1]):
                row += _buckets([f"{fold(token.text + tokens[i + 1].text)}>"], buckets)
        rows.append(row)
    padded = [(row + _PADDING)[:MAX_NGRAMS] for row in rows]
    return np.fromiter(chain.from_iterable(padded), np.int64, len(rows) * MAX_NGRAMS).reshape(-1, MAX_NGRAMS)


def is_single(token: Token) -> bool:
    """Whether the token is one character of a script without spaces."""
    return _CLASSES[ord(token.text[0])] == "s" and token.text[0] not in _SYMBOLS
