"""Training data of the ``home`` student: sentences in every language of home-assistant-intents, redrawn each epoch."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.nlu.lexicon import lexicon_key
from edge.nlu.matching import FEATURES, HomeIndex, plain
from edge.nlu.tokens import MAX_TOKENS, Token, encode, tokenize
from edge.types import Entity
from quantize.templates.homes import HomeFiller, NameMaker, WordMaterial
from quantize.templates.sampler import (
    NOTHING,
    UNSUPPORTED,
    Block,
    Sample,
    Templates,
    free_tags,
    is_word,
    references_of,
    tag_of,
)
from quantize.variation.augment import augment, edit, language_words
from quantize.variation.exceptions import with_exception
from quantize.variation.not_commands import heard_words
from quantize.variation.questions import Questions, as_command

_VARIED = ("HassGetState", "HassRespond")
_GROUNDED = ("HassGetState",)
_FUNCTION_WORDS = 60
_TRIES = 30
_EXCEPTIONS = 0.03
_REFUSED = 0.1
_SHORTENED = 0.1
UNRELATED_SHARE = 0.15


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
    """Frame of a block; the reply belongs to it where one intent answers in several ways."""
    return f"{block.frame}#{block.response}" if block.intent in _VARIED else block.frame


def label_space(languages: Sequence[Templates]) -> LabelSpace:
    """The union of what the templates of all languages can mean."""
    frames: dict[str, Frame] = {}
    slots: dict[str, None] = {}
    for templates in languages:
        for block in templates.blocks:
            label = frame_label(block)
            known = frames.get(label) or Frame(label, block.intent, block.implied, block.response)
            tags = {
                tag_of(ref, templates.intents.slot_lists.get(ref.list_name)) for ref in references_of(templates, block)
            }
            slots.update(dict.fromkeys(sorted(tags)))
            free = free_tags(templates, block)
            domains = set(block.domains) if "name" in tags - free else set()
            frames[label] = replace(
                known,
                tags=tuple(sorted({*known.tags, *tags})),
                domains=tuple(sorted({*known.domains, *domains})),
                free=tuple(sorted({*known.free, *free})),
            )
    ordered = [
        Frame(NOTHING, None),
        Frame(UNSUPPORTED, None, response=UNSUPPORTED),
        *(frames[label] for label in sorted(frames)),
    ]
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


class HomeSource:
    """Draws examples of one language; a new home every ``per_home`` sentences."""

    def __init__(
        self, templates: Templates, material: WordMaterial, space: LabelSpace, unrelated: Sequence[str]
    ) -> None:
        self.templates = templates
        self.maker: NameMaker = material.for_language(templates, unrelated)
        self._space = space
        self._unrelated = unrelated
        heard = heard_words(unrelated)
        self._function_words = frozenset(word for word, _ in heard.most_common(_FUNCTION_WORDS))
        known = {*self._function_words, *(plain(word) for word in templates.words)}
        self._other_words = [word for word in heard if is_word(word) and plain(word) not in known]
        self._spaced = heard.total() < 1.5 * sum(len(sentence.split()) for sentence in unrelated)
        self._words = language_words(templates, heard)
        self._numbers = number_words(templates)
        self._values = value_words(templates)
        self._questions = Questions(templates)
        self._flat = [(block, sentence) for block in templates.blocks for sentence in block.sentences]
        self.templates_count = len(self._flat)
        self._by_frame: dict[str, list[tuple[Block, str]]] = {}
        for block, sentence in self._flat:
            key = f"{frame_label(block)}/{block.combination}/{block.domains}"
            self._by_frame.setdefault(key, []).append((block, sentence))

    def samples(
        self,
        count: int,
        rng: random.Random,
        noisy: bool = True,
        per_home: int = 60,
        unrelated_share: float = UNRELATED_SHARE,
    ) -> Iterator[tuple[Sample, HomeIndex]]:
        """``count`` sentences, each with the index of the home that it speaks of."""
        made = 0
        while made < count:
            filler = HomeFiller(self.maker.home(rng), self.maker, self.templates, rng)
            index = HomeIndex(filler.home, self._numbers, self._values)
            for _ in range(min(per_home, count - made)):
                made += 1
                if rng.random() < unrelated_share:
                    yield Sample(self._nothing(rng, filler, index), NOTHING, self.templates.language), index
                    continue
                sample = self._draw(rng, filler)
                while names_hide_rooms(sample, index):
                    sample = self._draw(rng, filler)
                yield (self._disturbed(sample, rng) if noisy else sample), index

    def _draw(self, rng: random.Random, filler: HomeFiller) -> Sample:
        while True:
            pool = self._flat if rng.random() < 0.5 else self._by_frame[rng.choice(list(self._by_frame))]
            block, sentence = rng.choice(pool)
            sample = self.templates.sample(block, sentence, rng, filler)
            if sample and tokenize(sample.text):
                meant = self._meant(replace(sample, frame=frame_label(block)))
                if meant is not None:
                    return meant

    def _disturbed(self, sample: Sample, rng: random.Random) -> Sample:
        """As people say and recognizers write it; a few questions a word shorter, as the commands that these are."""
        if rng.random() < _SHORTENED:
            short = self._questions.without_mark(sample)
            if self._questions.is_elliptic(short):
                return self._meant(short) or sample
        return self._meant(augment(sample, rng, self._words)) or sample

    def _meant(self, sample: Sample) -> Sample | None:
        """The sample, a question in a command's words alone as that command; None where there is no such command."""
        if not self._questions.is_elliptic(sample):
            return sample
        command = as_command(sample)
        return command if command is not None and command.frame in self._space.frame_index else None

    def _nothing(self, rng: random.Random, filler: HomeFiller, index: HomeIndex) -> str:
        """What is no command: other people's sentences, random words, what is not there or not asked for."""
        if rng.random() < _EXCEPTIONS:
            excepted = with_exception(self._draw(rng, filler), filler.home, rng)
            if excepted is not None:
                return excepted
        refused = self.templates.refused
        if refused.sentences and rng.random() < _REFUSED:
            sample = self.templates.sample(refused, rng.choice(refused.sentences), rng, filler)
            if sample:
                return sample.text
        kind = rng.random()
        if self._unrelated and (kind < 0.4 or (0.6 <= kind < 0.85 and not self._spaced)):
            words = rng.choice(self._unrelated).split()
            return " ".join(words[: rng.randint(2, 14)])
        if kind < 0.55:
            return " ".join(self.maker.phrase(rng, 3, 0.1) for _ in range(rng.randint(1, 3)))
        if kind < 0.6:
            return " ".join(self.maker.phrase(rng, 1, 0.9) for _ in range(rng.randint(1, 4)))
        if kind < 0.85:
            return self._other_content(self._draw(rng, filler), rng)
        return self._absent_thing(rng, filler, index)

    def _other_content(self, sample: Sample, rng: random.Random) -> str:
        """Other words between the function words of a command and often its numbers: *set it to 5*, *cat it to 5*."""
        text, numbers_stay = sample.text, rng.random() < 0.5
        for token in reversed(tokenize(text)):
            word = token.text.lower()
            stays = word in self._function_words or (numbers_stay and (word.isdigit() or plain(word) in self._numbers))
            if not stays or rng.random() < 0.1:
                text = text[: token.start] + self._other_word(rng) + text[token.end :]
        return text if text != sample.text else f"{text} {self._other_word(rng)}"

    def _other_word(self, rng: random.Random) -> str:
        if self._other_words and rng.random() < 0.5:
            return rng.choice(self._other_words)
        return self.maker.phrase(rng, 1, command_share=0.0)

    def _absent_thing(self, rng: random.Random, filler: HomeFiller, index: HomeIndex) -> str:
        """A command about a thing that is not there, or who is what: *open the velvet*, *who is king of velvet*."""
        for _ in range(_TRIES):
            sample = self._draw(rng, filler)
            free = self._space.frames[self._space.frame_index[sample.frame]].free
            things = [
                slot
                for slot in sample.slots
                if (slot.tag == "name" and "name" not in free) or (slot.tag == "state" and "state" in free)
            ]
            if not things:
                continue
            least = 2 if things[0].tag == "state" else 1
            other = " ".join(self._other_word(rng) for _ in range(rng.randint(least, 3)))
            text = edit(sample, things[0].start, things[0].end, other).text
            if not any(isinstance(match.part, Entity) for match in index.matches(index.tokens(text))):
                return text
        return self._other_content(sample, rng)


def names_hide_rooms(sample: Sample, index: HomeIndex) -> bool:
    """Whether a device is called exactly what the sentence means as a room and more (*kitchen light*)."""
    rooms = [slot for slot in sample.slots if slot.tag in ("area", "floor")]
    if not rooms:
        return False
    tokens = index.tokens(sample.text)
    for match in index.matches(tokens):
        if isinstance(match.part, Entity) and match.score == 1.0:
            start, end = tokens[match.first].start, tokens[match.last - 1].end
            if any(start <= room.start and room.end <= end and end - start > room.end - room.start for room in rooms):
                return True
    return False


def number_words(templates: Templates) -> frozenset[str]:
    """Folded words that the language spells 0 to 100 with."""
    return frozenset(
        plain(token.text) for n in range(101) for form in templates.spellings(n) for token in tokenize(form)
    )


def value_words(templates: Templates) -> frozenset[str]:
    """Folded single words that stand for a value of one of the language's lists."""
    texts = (lexicon_key(text) for _, text, _, _ in templates.listed_values())
    return frozenset(text for text in texts if text and " " not in text)
