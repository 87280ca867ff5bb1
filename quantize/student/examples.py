"""What the ``home`` student predicts, and its input and targets for a labelled sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.nlu.matching import FEATURES, HomeIndex
from edge.nlu.several import AND, NEXT, SEVERAL
from edge.nlu.tokens import MAX_TOKENS, Token, encode
from quantize.templates.sampler import NOTHING, UNSUPPORTED, Block, Sample, Templates, free_tags, tags_of

_VARIED = ("HassGetState", "HassRespond")
_SWITCHED = ("HassTurnOn", "HassTurnOff")
_KINDS = {
    "lock": "lock", "cover": "cover", "valve": "cover", "scene": "scene", "script": "script", "button": "button",
    "input_button": "button",
}  # fmt: skip
_GROUNDED = ("HassGetState",)


@dataclass(frozen=True)
class Frame:
    """One class of the student: an intent, what it implies, and which of its replies fits."""

    label: str
    intent: str | None
    implied: tuple[tuple[str, Any], ...] = ()
    response: str = "default"
    tags: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    free: tuple[str, ...] = ()

    @property
    def grounded(self) -> bool:
        """Whether it is about devices of the home only: a question about any other thing is not for us."""
        return self.intent in _GROUNDED and bool(self.domains)


@dataclass
class LabelSpace:
    """Classes of the three heads. Tags are BIO over ``slots``; index 0 is outside."""

    frames: list[Frame]
    slots: list[str]
    languages: list[str]
    frame_index: dict[str, int] = field(init=False)
    tag_index: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.frame_index = {frame.label: i for i, frame in enumerate(self.frames)}
        self.tag_index = {tag: i for i, tag in enumerate(self.tags)}

    @property
    def tags(self) -> list[str]:
        """O, then B- and I- of each slot."""
        return ["O", *(f"{prefix}-{slot}" for slot in self.slots for prefix in "BI")]


@dataclass
class Example:
    """Student input and targets of one sentence: ids [1+T, K], features [1+T, F], tags [T]."""

    ids: NDArray[np.int64]
    features: NDArray[np.float32]
    frame: int
    tags: NDArray[np.int64]
    language: int


def frame_label(block: Block) -> str:
    """Frame of a block: with its reply where an intent answers in several ways, with what it switches where that tells.

    To turn off, to close and to unlock are one intent of Home Assistant's; as one frame, "unlock the office" would turn
    off the office's speaker.
    """
    if block.intent in _VARIED:
        return f"{block.frame}#{block.response}"
    kinds = {_KINDS.get(domain, "") for domain in block.domains} if block.intent in _SWITCHED else {""}
    kind = kinds.pop() if len(kinds) == 1 else ""
    return f"{block.frame}#{kind}" if kind else block.frame


def label_space(languages: Sequence[Templates]) -> LabelSpace:
    """The union of what the templates of all languages can mean."""
    frames: dict[str, Frame] = {}
    slots: dict[str, None] = {}
    for templates in languages:
        for block in templates.blocks:
            label = frame_label(block)
            known = frames.get(label) or Frame(label, block.intent, block.implied, block.response)
            tags = tags_of(templates, block)
            slots.update(dict.fromkeys(sorted(tags)))
            free = free_tags(templates, block)
            domains = set(block.domains) if "name" in tags - free else set()
            frames[label] = replace(
                known,
                tags=tuple(sorted({*known.tags, *tags})),
                domains=tuple(sorted({*known.domains, *domains})),
                free=tuple(sorted({*known.free, *free})),
            )
    ordered = [Frame(NOTHING, None), *(frames[label] for label in sorted(frames))]
    if any(templates.natural for templates in languages):
        ordered.append(Frame(UNSUPPORTED, None, response=UNSUPPORTED))
    if any(templates.join for templates in languages):
        ordered.append(Frame(SEVERAL, SEVERAL, tags=(AND, NEXT)))
        slots.update(dict.fromkeys((AND, NEXT)))
    return LabelSpace(ordered, sorted(slots), [templates.language for templates in languages])


def encode_sample(sample: Sample, index: HomeIndex, space: LabelSpace, buckets: int, tell_language: bool) -> Example:
    """Input and targets of a sample in the home that ``index`` knows."""
    tokens = index.tokens(sample.text)[:MAX_TOKENS]
    ids = encode(tokens, buckets, sample.language if tell_language else None)
    features = np.zeros((1 + len(tokens), FEATURES), np.float32)
    features[1:] = index.features(tokens, index.matches(tokens))
    return Example(
        ids, features, space.frame_index[sample.frame], tag_targets(sample, tokens, space),
        space.languages.index(sample.language),
    )  # fmt: skip


def tag_targets(sample: Sample, tokens: Sequence[Token], space: LabelSpace) -> NDArray[np.int64]:
    """BIO targets [T]: a token belongs to the slot that holds its middle."""
    targets = np.zeros(len(tokens), np.int64)
    for slot in sample.slots:
        prefix = "B"
        for i, token in enumerate(tokens):
            if slot.start <= (token.start + token.end - 1) // 2 < slot.end:
                targets[i] = space.tag_index[f"{prefix}-{slot.tag}"]
                prefix = "I"
    return targets
