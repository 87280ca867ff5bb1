"""Text to tokens to hashed character n-grams: the same code trains the student and serves it.

A token is a word, a number, one symbol that carries meaning (``%``, ``°``), or one character of a script that is
written without spaces. Its embedding is the mean of hashed n-gram rows (Bojanowski et al. 2017, "Enriching word
vectors with subword information"), so any word of any language has one and a wrong letter moves it only a little.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

NGRAM_SIZES = (3, 4, 2)
MAX_NGRAMS = 20
MAX_TOKENS = 64
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


@dataclass(frozen=True)
class Token:
    """``text`` as written; ``start`` and ``end`` are character offsets into the utterance."""

    text: str
    start: int
    end: int


@lru_cache(maxsize=4096)
def _kind(char: str) -> str:
    """Class of a character: word, number, single (a token by itself), mark, apostrophe or space."""
    if char in _SYMBOLS:
        return "single"
    if char in _APOSTROPHES:
        return "apostrophe"
    category = unicodedata.category(char)
    if category.startswith("M"):
        return "mark"
    if category == "Nd":
        return "number"
    if category[0] in "LN":
        code = ord(char)
        return "single" if any(low <= code <= high for low, high in _UNSPACED) else "word"
    return "space"


def tokenize(text: str, boundaries: Collection[int] = ()) -> list[Token]:
    """Split ``text``; ``boundaries`` are offsets at which a word is split too (a home's name with a glued particle)."""
    tokens: list[Token] = []
    start, kind = -1, ""

    def close(end: int) -> None:
        nonlocal start
        if start >= 0:
            tokens.append(Token(text[start:end], start, end))
            start = -1

    for i, char in enumerate(text):
        now = _kind(char)
        if start >= 0 and i not in boundaries:
            if now == "mark" or (now == kind and now in ("word", "number")):
                continue
            decimal = char in ".," and kind == "number" and text[i + 1 : i + 2].isdigit()
            if decimal or (now == "apostrophe" and kind == "word"):
                if now == "apostrophe":
                    close(i + 1)
                continue
        close(i)
        if now in ("word", "number", "single"):
            start, kind = i, now
    close(len(text))
    return tokens


@lru_cache(maxsize=8192)
def fold(word: str) -> str:
    """Case and width folded."""
    return unicodedata.normalize("NFKC", word).casefold()


@lru_cache(maxsize=8192)
def strip_marks(word: str) -> str:
    """Folded word without the diacritics that people leave out; marks of Indic scripts, which spell vowels, stay."""
    decomposed = unicodedata.normalize("NFD", word)
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not 0x0300 <= ord(c) <= 0x036F))


def _bucket(gram: str, buckets: int) -> int:
    return zlib.crc32(gram.encode()) % (buckets - 1) + 1


@lru_cache(maxsize=16384)
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
    return tuple(dict.fromkeys(_bucket(gram, buckets) for gram in grams[:MAX_NGRAMS]))


def encode(tokens: Sequence[Token], buckets: int, language: str | None = None) -> NDArray[np.int64]:
    """Student input [1 + T, MAX_NGRAMS], zero-padded; the first row stands for the utterance and its language.

    A character of a script without spaces also gets rows for the pairs that it makes with its neighbours.
    """
    ids = np.zeros((1 + len(tokens), MAX_NGRAMS), np.int64)
    ids[0, 0] = _bucket(f"@{language or ''}", buckets)
    for i, token in enumerate(tokens):
        row = ngram_ids(token.text, buckets)
        if is_single(token):
            if i and tokens[i - 1].end == token.start and is_single(tokens[i - 1]):
                row += (_bucket(f"<{fold(tokens[i - 1].text + token.text)}", buckets),)
            if i + 1 < len(tokens) and tokens[i + 1].start == token.end and is_single(tokens[i + 1]):
                row += (_bucket(f"{fold(token.text + tokens[i + 1].text)}>", buckets),)
        ids[i + 1, : len(row)] = row[:MAX_NGRAMS]
    return ids


def is_single(token: Token) -> bool:
    """Whether the token is one character of a script without spaces."""
    return _kind(token.text[0]) == "single" and token.text[0] not in _SYMBOLS
