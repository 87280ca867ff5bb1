"""Labelled utterances in MASSIVE's JSON lines (FitzGerald et al. 2022), read, checked and written."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edge.errors import ConfigError
from edge.files import whole_file
from edge.nlu.tokens import Token

OUTSIDE = "O"
_SLOT = re.compile(r"\[\s*(?P<name>[^\[\]:]+?)\s*:\s*(?P<text>[^\[\]]*?)\s*\]")


@dataclass(frozen=True)
class SlotSpan:
    """A slot's ``name`` and its place in the utterance, as character offsets."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Utterance:
    """One labelled sentence; ``slots`` are in the order of the text and do not overlap."""

    id: str
    locale: str
    partition: str
    scenario: str
    intent: str
    text: str
    slots: tuple[SlotSpan, ...] = ()


class _Record(msgspec.Struct, frozen=True):
    """One line of a MASSIVE file; further keys (worker id, judgments) are ignored."""

    id: str | int
    locale: str
    partition: str
    intent: str
    utt: str
    annot_utt: str
    scenario: str = ""


def parse_annotation(annotated: str) -> tuple[str, tuple[SlotSpan, ...]]:
    """Split ``wake me up at [time : nine am]`` into its text and slots.

    Raises:
        ValueError: when the brackets do not match or a slot is empty.
    """
    parts: list[str] = []
    slots: list[SlotSpan] = []
    position = length = 0
    for match in _SLOT.finditer(annotated):
        before = annotated[position : match.start()]
        if not match["text"]:
            raise ValueError(f"slot [{match['name']} : ] has no text")
        start = length + len(before)
        slots.append(SlotSpan(match["name"], start, start + len(match["text"])))
        parts += [before, match["text"]]
        length = slots[-1].end
        position = match.end()
    text = "".join([*parts, annotated[position:]])
    if "[" in text or "]" in text:
        raise ValueError("brackets do not match; expected [slot_name : text]")
    return text, tuple(slots)


def format_annotation(text: str, slots: Iterable[SlotSpan]) -> str:
    """Write slots into the text the way MASSIVE does; the inverse of parse_annotation."""
    parts, position = [], 0
    for slot in sorted(slots, key=lambda slot: slot.start):
        parts += [text[position : slot.start], f"[{slot.name} : {text[slot.start : slot.end]}]"]
        position = slot.end
    return "".join([*parts, text[position:]])


def read_utterances(path: Path, partitions: Collection[str] | None = None) -> list[Utterance]:
    """Read one MASSIVE file, or those of its ``partitions``.

    Raises:
        ConfigError: naming file, line and what was expected.
    """
    decoder = msgspec.json.Decoder(_Record)
    found: list[Utterance] = []
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            record = decoder.decode(line)
            text, slots = parse_annotation(record.annot_utt)
            if text.split() != record.utt.split():
                raise ValueError(f"annot_utt without its brackets is {text!r}, expected utt {record.utt!r}")
            if not text.strip() or not record.intent:
                raise ValueError("expected a text in utt and a name in intent")
        except (msgspec.DecodeError, ValueError) as error:
            raise ConfigError(f"{path}:{number}: expected a MASSIVE record: {error}") from error
        if partitions is None or record.partition in partitions:
            found.append(
                Utterance(str(record.id), record.locale, record.partition, record.scenario, record.intent, text, slots)
            )
    if not found:
        wanted = f" in partition {', '.join(sorted(partitions))}" if partitions else ""
        raise ConfigError(f"{path}: expected MASSIVE records{wanted}, found none")
    return found


def read_listed(folder: Path, name: str) -> list[Utterance]:
    """Read a file that a recipe lists: ``FILE``, or ``FILE#PARTITION`` for one of its partitions."""
    file, _, partition = name.partition("#")
    return read_utterances(folder / file, [partition] if partition else None)


def write_utterances(path: Path, utterances: Iterable[Utterance]) -> None:
    """Write a MASSIVE file that read_utterances reads back unchanged."""
    with whole_file(path) as stream:
        for utterance in utterances:
            record = _Record(
                id=utterance.id,
                locale=utterance.locale,
                partition=utterance.partition,
                scenario=utterance.scenario,
                intent=utterance.intent,
                utt=utterance.text,
                annot_utt=format_annotation(utterance.text, utterance.slots),
            )
            stream.write(msgspec.json.encode(record) + b"\n")


def read_sentences(path: Path) -> list[str]:
    """Read unlabelled text, a sentence a line, each kept once in the order of the file."""
    sentences = list(dict.fromkeys(line for line in (" ".join(line.split()) for line in _lines(path)) if line))
    if not sentences:
        raise ConfigError(f"{path}: expected a sentence on each line, found none")
    return sentences


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); expected a data file") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: expected UTF-8 text: {error}") from error


def same_sentence(text: str) -> str:
    """Key under which two sentences count as the same: letters and digits, case folded."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def without_leaks(train: Sequence[Utterance], *held_out: Iterable[Utterance]) -> list[Utterance]:
    """Return the training utterances whose sentence is in none of the held-out sets (per locale)."""
    seen = {(utterance.locale, same_sentence(utterance.text)) for part in held_out for utterance in part}
    return [item for item in train if (item.locale, same_sentence(item.text)) not in seen]


def sentences_without_leaks(sentences: Iterable[str], *held_out: Iterable[Utterance]) -> list[str]:
    """Return the unlabelled sentences that are in none of the held-out sets."""
    seen = {same_sentence(utterance.text) for part in held_out for utterance in part}
    return [sentence for sentence in sentences if same_sentence(sentence) not in seen]


def tag_tokens(tokens: Sequence[Token], slots: Iterable[SlotSpan]) -> list[str]:
    """Return a BIO tag for each token: a token belongs to the slot that it overlaps."""
    tags = [OUTSIDE] * len(tokens)
    for slot in slots:
        inside = [i for i, token in enumerate(tokens) if token.start < slot.end and token.end > slot.start]
        for i in inside:
            tags[i] = ("B-" if i == inside[0] else "I-") + slot.name
    return tags


def tagged_spans(tokens: Sequence[Token], tags: Sequence[str]) -> tuple[SlotSpan, ...]:
    """Return the slots that BIO tags mark; an ``I-`` that continues nothing begins a slot, as in conlleval.

    A slot does not end in the apostrophe that a token keeps (``today'`` of ``today's``).
    """
    spans: list[SlotSpan] = []
    previous = OUTSIDE
    for token, tag in zip(tokens, tags, strict=True):
        if tag != OUTSIDE:
            if tag[0] == "I" and previous[2:] == tag[2:]:
                spans[-1] = SlotSpan(tag[2:], spans[-1].start, token.end)
            else:
                spans.append(SlotSpan(tag[2:], token.start, token.end))
        previous = tag
    cut = {token.end: len(token.text) - len(token.text.rstrip("'’")) for token in tokens}
    return tuple(SlotSpan(span.name, span.start, span.end - cut[span.end]) for span in spans)


def label_names(utterances: Iterable[Utterance]) -> tuple[list[str], list[str]]:
    """Return the sorted intents and the BIO tags (``O`` first) of a training set."""
    intents: set[str] = set()
    names: set[str] = set()
    for utterance in utterances:
        intents.add(utterance.intent)
        names.update(slot.name for slot in utterance.slots)
    return sorted(intents), [OUTSIDE, *(prefix + name for name in sorted(names) for prefix in ("B-", "I-"))]
