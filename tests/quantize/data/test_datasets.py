from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.nlu.tokens import tokenize
from quantize.data.datasets import (
    SlotSpan,
    Utterance,
    format_annotation,
    label_names,
    parse_annotation,
    read_sentences,
    read_utterances,
    sentences_without_leaks,
    tag_tokens,
    tagged_spans,
    without_leaks,
    write_utterances,
)

GOOD = {
    "id": "7",
    "locale": "en-US",
    "partition": "train",
    "scenario": "alarm",
    "intent": "alarm_set",
    "utt": "wake me up at nine am on friday",
    "annot_utt": "wake me up at [time : nine am] on [date : friday]",
    "worker_id": "1",
}


def utterance(text: str, partition: str = "train", locale: str = "en-US") -> Utterance:
    plain, slots = parse_annotation(text)
    return Utterance("1", locale, partition, "s", "i", plain, slots)


def test_annotation_round_trip() -> None:
    text, slots = parse_annotation(GOOD["annot_utt"])
    assert text == GOOD["utt"]
    assert [(slot.name, text[slot.start : slot.end]) for slot in slots] == [("time", "nine am"), ("date", "friday")]
    assert format_annotation(text, slots) == GOOD["annot_utt"]


def test_annotation_without_spaces_between_words() -> None:
    text, slots = parse_annotation("[date : 明日]の[time : 朝九時]に起こして")
    assert text == "明日の朝九時に起こして"
    assert [text[slot.start : slot.end] for slot in slots] == ["明日", "朝九時"]


@pytest.mark.parametrize("annotated", ["at [time : nine", "at time : nine]", "at [time : ] now", "[time nine]"])
def test_broken_annotation(annotated: str) -> None:
    with pytest.raises(ValueError, match="slot"):
        parse_annotation(annotated)


def test_file_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    utterances = [
        utterance("wake me at [time : nine]"),
        Utterance("2", "de-DE", "test", "iot", "licht", "Licht an in der Küche", (SlotSpan("room", 16, 21),)),
    ]
    write_utterances(path, utterances)
    assert read_utterances(path) == utterances
    assert read_utterances(path, ["test"]) == utterances[1:]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"utt": "wake me up"}, "expected utt 'wake me up'"),
        ({"annot_utt": "wake me up at [time : nine am on friday"}, "brackets do not match"),
        ({"intent": ""}, "a name in intent"),
        ({"intent": None}, "`$.intent`"),
        ({"utt": 3}, "`$.utt`"),
    ],
)
def test_bad_record_names_file_line_and_expectation(tmp_path: Path, change: dict[str, object], expected: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + json.dumps(GOOD | change) + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"bad\.jsonl:2: ") as caught:
        read_utterances(path)
    assert expected in str(caught.value)


@pytest.mark.parametrize("content", [b"{", b"[1]\n", b"", b"\xff\xfe\n"])
def test_file_that_is_no_data(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.jsonl"):
        read_utterances(path)


def test_missing_file_and_empty_partition(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_utterances(tmp_path / "none.jsonl")
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(GOOD), encoding="utf-8")
    with pytest.raises(ConfigError, match="partition dev"):
        read_utterances(path, ["dev"])


def test_sentences_are_kept_once(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("b  c\na\n\nb c\n", encoding="utf-8")
    assert read_sentences(path) == ["b c", "a"]
    path.write_text("\n\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="sentence on each line"):
        read_sentences(path)


def test_held_out_sentences_do_not_leak() -> None:
    held_out = [utterance("Turn the light off!", "test")]
    train = [
        utterance("turn the light off"),
        utterance("turn the light on"),
        utterance("turn the light off", "train", "en-GB"),
    ]
    assert without_leaks(train, held_out) == train[1:]
    assert sentences_without_leaks(["turn the light, off", "hello"], held_out) == ["hello"]


def test_tags_and_back() -> None:
    item = utterance("play [artist : the beatles] [time : tomorrow]'s at [place : the u. s.] now")
    tokens = tokenize(item.text)
    tags = tag_tokens(tokens, item.slots)
    assert tags[:4] == ["O", "B-artist", "I-artist", "B-time"]
    spans = tagged_spans(tokens, tags)
    assert [item.text[span.start : span.end] for span in spans] == ["the beatles", "tomorrow", "the u. s"]


def test_inside_tag_that_continues_nothing_begins_a_slot() -> None:
    tokens = tokenize("one two three")
    assert tagged_spans(tokens, ["I-a", "I-b", "I-b"]) == (SlotSpan("a", 0, 3), SlotSpan("b", 4, 13))


def test_label_names() -> None:
    assert label_names([utterance("at [time : nine] on [date : friday]")]) == (
        ["i"],
        ["O", "B-date", "I-date", "B-time", "I-time"],
    )
