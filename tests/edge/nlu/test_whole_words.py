"""Free text has whole words: "7up" is two tokens and one thing to buy."""

from __future__ import annotations

import pytest

from edge import compose
from edge.types import Transcript


@pytest.mark.parametrize("item", ["7up", "WD40", "3M tape", "h2o", "milk"])
@pytest.mark.parametrize("sentence", ["add {} to the shopping list", "put {} on my shopping list"])
def test_an_item_is_not_cut_within_a_word(item: str, sentence: str) -> None:
    parser = compose.parser(compose.bundle("home"), compose.home(None), "en")
    parse = parser.parse(Transcript(sentence.format(item)))
    assert (parse.intent or "").endswith("AddItem")
    assert parse.value("item") == item
