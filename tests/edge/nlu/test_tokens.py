"""Tokens and n-grams of every kind of script."""

from __future__ import annotations

import numpy as np
import pytest

from edge.nlu.tokens import MAX_NGRAMS, encode, ngram_ids, tokenize


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Turn on the light at 50%.", ["Turn", "on", "the", "light", "at", "50", "%"]),
        ("mets l’entrée à 20,5 °C", ["mets", "l’", "entrée", "à", "20,5", "°", "C"]),
        ("打开厨房的灯", list("打开厨房的灯")),
        ("रसोई की लाइट", ["रसोई", "की", "लाइट"]),
        ("5분 타이머", ["5", "분", "타", "이", "머"]),
        ("living-room_lamp", ["living", "room", "lamp"]),
        ("1.30.", ["1.30"]),
        ("?!…", []),
        ("", []),
    ],
)
def test_tokens(text: str, words: list[str]) -> None:
    tokens = tokenize(text)
    assert [token.text for token in tokens] == words
    assert all(text[token.start : token.end] == token.text for token in tokens)


def test_a_boundary_splits_a_word() -> None:
    assert [token.text for token in tokenize("sukaldeko argia", {7})] == ["sukalde", "ko", "argia"]


def test_a_wrong_letter_keeps_most_ngrams() -> None:
    right, wrong = set(ngram_ids("kitchen", 20000)), set(ngram_ids("kitchan", 20000))
    assert len(right & wrong) >= 6
    assert right != wrong


def test_diacritics_and_case_share_ngrams() -> None:
    assert set(ngram_ids("Küche", 20000)) & set(ngram_ids("kuche", 20000))
    assert ngram_ids("KITCHEN", 20000) == ngram_ids("kitchen", 20000)


def test_numbers_of_like_shape_are_alike() -> None:
    assert ngram_ids("21", 20000) == ngram_ids("25", 20000)


def test_ids_fit_the_table() -> None:
    ids = encode(tokenize("turn on the extraordinarilylongkitchenword 打开"), 512, "en")
    assert ids.shape[1] == MAX_NGRAMS
    assert ids.dtype == np.int64
    assert ids.max() < 512
    assert ids.min() >= 0
    assert (ids[:, 0] > 0).all()


def test_the_language_is_part_of_the_first_row() -> None:
    tokens = tokenize("an")
    assert encode(tokens, 20000, "de")[0, 0] != encode(tokens, 20000, "en")[0, 0] != encode(tokens, 20000)[0, 0]
