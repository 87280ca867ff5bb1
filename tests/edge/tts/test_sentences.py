from __future__ import annotations

import pytest

from edge.tts.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Turned on the light.", ["Turned on the light."]),
        ("It is 21.5 degrees. Is the door open? Yes!", ["It is 21.5 degrees.", "Is the door open?", "Yes!"]),
        ("好的。灯已打开。", ["好的。", "灯已打开。"]),
        ("क्षमा करें। फिर से।", ["क्षमा करें।", "फिर से।"]),
        ("  two\n\tlines\x00 here  ", ["two lines here"]),
        ("say [[h@l'oU]]", ["say [h@l'oU]"]),
        ("", []),
        (" ... !? ", []),
        (
            "Turned on the lights in the kitchen, the bedroom and the hall.",
            ["Turned on the lights in the kitchen,", "the bedroom and the hall."],
        ),
        (
            "Yes. Lights in the kitchen, the bedroom and the hall.",
            ["Yes.", "Lights in the kitchen, the bedroom and the hall."],
        ),
    ],
)
def test_sentences(text: str, pieces: list[str]) -> None:
    assert split_sentences(text) == pieces


@pytest.mark.parametrize(
    "text", ["word " * 2000, "a, " * 3000, "x" * 10_000, "灯" * 3000, "one. " * 2000, "，" * 100 + "灯"]
)
def test_no_piece_is_long_and_nothing_is_lost(text: str) -> None:
    pieces = split_sentences(text)
    assert max(map(len, pieces)) <= 80
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_wide_letters_count_as_three() -> None:
    assert max(map(len, split_sentences("灯" * 100))) <= 26
