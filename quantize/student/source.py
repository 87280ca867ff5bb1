"""Draws labelled sentences of one language, each about a random home: commands, questions, and other talk."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edge.nlu.lexicon import lexicon_key
from edge.nlu.matching import HomeIndex, plain
from edge.nlu.several import SEVERAL
from edge.nlu.tokens import tokenize
from edge.types import Entity
from quantize.student.examples import LabelSpace, frame_label
from quantize.templates.homes import HomeFiller, NameMaker, WordMaterial
from quantize.templates.sampler import NOTHING, UNSUPPORTED, Block, Sample, Templates, is_word, tags_of
from quantize.variation.augment import augment, edit, language_words
from quantize.variation.exceptions import with_exception
from quantize.variation.not_commands import heard_words
from quantize.variation.questions import Questions, as_command
from quantize.variation.several import several, two_things
from quantize.variation.unknown import unknown_target

_FUNCTION_WORDS = 60
_TRIES = 30
_EXCEPTIONS = 0.03
_REFUSED = 0.1
_SHORTENED = 0.1
_NATURAL = 0.5
_AS_SAID = 0.3
_SAID, _AT_HOME = 0.3, 0.7
_TWO_THINGS, _SEVERAL, _UNKNOWN = 0.06, 0.08, 0.12
UNRELATED_SHARE = 0.15


@dataclass(frozen=True)
class _Talk:
    """Shares of sentences that are not commands; the rest are commands about things that are not there."""

    near: float
    unsupported: float
    sentences: float
    phrases: float
    command_words: float
    other_content: float


_LISTED_TALK = _Talk(0.0, 0.0, 0.4, 0.15, 0.05, 0.25)
"""Beside templates alone: what is close to them in form is not a command."""
_NATURAL_TALK = _Talk(0.22, 0.22, 0.40, 0.05, 0.04, 0.04)
"""Beside natural wordings, which an unknown word does not make another thing: mostly real talk."""


class HomeSource:
    """Draws examples of one language; a new home every ``per_home`` sentences.

    Templates whose frame or slots ``space`` lacks are left out.
    """

    def __init__(
        self,
        templates: Templates,
        material: WordMaterial,
        space: LabelSpace,
        unrelated: Sequence[str],
        labelled: Sequence[Sample] = (),
    ) -> None:
        """``unrelated`` are sentences that are not commands, ``labelled`` what people said, with its meaning."""
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
        self._flat = [(b, sentence) for b in templates.listed if self._is_known(b) for sentence in b.sentences]
        self.templates_count = len(self._flat)
        self._by_frame: dict[str, list[tuple[Block, str]]] = {}
        for block, sentence in self._flat:
            key = f"{frame_label(block)}/{block.combination}/{block.domains}"
            self._by_frame.setdefault(key, []).append((block, sentence))
        outside = {intent: [b for b in templates.natural if b.intent == intent] for intent in (NOTHING, UNSUPPORTED)}
        self._near, self._unsupported = outside[NOTHING], outside[UNSUPPORTED]
        self._natural = [b for b in templates.natural if b.intent not in outside and self._is_known(b)]
        self._weights = [block.weight for block in self._natural]
        known_labels = [sample for sample in labelled if sample.frame in space.frame_index]
        self._said = [sample for sample in known_labels if sample.frame not in outside]
        self._said_outside = [sample for sample in known_labels if sample.frame in outside]
        self._talk = _NATURAL_TALK if self._natural else _LISTED_TALK

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
                    yield self._nothing(rng, filler, index), index
                    continue
                sample = self._command(rng, filler)
                while names_hide_rooms(sample, index):
                    sample = self._command(rng, filler)
                yield (self._varied(sample, rng, filler, index) if noisy else sample), index

    def _is_known(self, block: Block) -> bool:
        known = self._space.slots
        return frame_label(block) in self._space.frame_index and tags_of(self.templates, block) <= {*known}

    def _command(self, rng: random.Random, filler: HomeFiller) -> Sample:
        while True:
            if self._said and rng.random() < _SAID:
                return self._in_this_home(rng.choice(self._said), rng, filler)
            if self._natural and rng.random() < _NATURAL:
                (block,) = rng.choices(self._natural, self._weights)
                sentence = rng.choice(block.sentences)
            else:
                pool = self._flat if rng.random() < 0.5 else self._by_frame[rng.choice(list(self._by_frame))]
                block, sentence = rng.choice(pool)
            sample = self.templates.sample(block, sentence, rng, filler)
            if sample and tokenize(sample.text):
                meant = self._meant(replace(sample, frame=frame_label(block)))
                if meant is not None:
                    return meant

    def _in_this_home(self, sample: Sample, rng: random.Random, filler: HomeFiller) -> Sample:
        """What somebody said, mostly about a room or switch of this home in place of theirs."""
        for tag, parts in (("area", filler.home.areas), ("name", filler.home.entities)):
            for slot in [slot for slot in sample.slots if slot.tag == tag]:
                named = [part.name for part in parts if tag == "area" or part.id.startswith("switch.")]
                if named and rng.random() < _AT_HOME:
                    sample = edit(sample, slot.start, slot.end, rng.choice(named))
        return sample

    def _varied(self, sample: Sample, rng: random.Random, filler: HomeFiller, index: HomeIndex) -> Sample:
        """The sample as people say it: about two things or an absent one, beside another command, with mistakes."""
        kind = rng.random()
        join = self.templates.join
        if SEVERAL in self._space.frame_index and join:
            if kind < _TWO_THINGS:
                sample = two_things(sample, filler.home, join["things"], self.maker.space, rng) or sample
            elif kind < _TWO_THINGS + _SEVERAL:
                more = [self._command(rng, filler) for _ in range(1 + (rng.random() < 0.2))]
                said = [self._disturbed(each, rng) if rng.random() < 0.5 else each for each in (sample, *more)]
                joined = several(said, self._free(sample), join["commands"], self.maker.space, rng)
                if joined is not None:
                    return joined
            elif kind < _TWO_THINGS + _SEVERAL + _UNKNOWN:
                sample = unknown_target(sample, self._free(sample), self._other_words, self.maker, index, rng) or sample
            elif kind > 1 - _AS_SAID:
                return sample
        return self._disturbed(sample, rng)

    def _free(self, sample: Sample) -> tuple[str, ...]:
        """Slots of the sample's frame that take any text."""
        return self._space.frames[self._space.frame_index[sample.frame]].free

    def _disturbed(self, sample: Sample, rng: random.Random) -> Sample:
        """With words dropped or letters wrong; a few questions a word shorter, as the commands that these are."""
        if rng.random() < _SHORTENED:
            short = self._questions.without_mark(sample)
            if self._questions.is_elliptic(short):
                return self._meant(short) or sample
        return self._meant(augment(sample, rng, self._words)) or sample

    def _meant(self, sample: Sample) -> Sample | None:
        """The sample, a question in a command's words alone as that command; None if the command does not exist."""
        if not self._questions.is_elliptic(sample):
            return sample
        command = as_command(sample)
        if command is not None and command.frame not in self._space.frame_index:
            command = replace(command, frame=command.frame.split("#")[0])
        return command if command is not None and command.frame in self._space.frame_index else None

    def _nothing(self, rng: random.Random, filler: HomeFiller, index: HomeIndex) -> Sample:
        """Sentences that are not commands: other people's, random words, things that are absent or not asked for."""
        if self._said_outside and rng.random() < _SAID:
            said = rng.choice(self._said_outside)
            return said if rng.random() < _AS_SAID else replace(augment(said, rng, self._words), slots=[])
        kind, talk = rng.random(), self._talk
        if kind < talk.near and self._near:
            return self._outside(self._near, NOTHING, rng, filler)
        if talk.near <= kind < talk.near + talk.unsupported and self._unsupported:
            label = UNSUPPORTED if UNSUPPORTED in self._space.frame_index else NOTHING
            return self._outside(self._unsupported, label, rng, filler)
        return Sample(self._other_talk(rng, filler, index), NOTHING, self.templates.language)

    def _outside(self, blocks: Sequence[Block], label: str, rng: random.Random, filler: HomeFiller) -> Sample:
        """A sentence of natural wordings that no home can carry out; its slots are nobody's."""
        while True:
            block = rng.choice(blocks)
            sample = self.templates.sample(block, rng.choice(block.sentences), rng, filler)
            if sample and tokenize(sample.text):
                said = sample if rng.random() < 0.5 else augment(sample, rng, self._words)
                return replace(said, frame=label, slots=[])

    def _other_talk(self, rng: random.Random, filler: HomeFiller, index: HomeIndex) -> str:
        if rng.random() < _EXCEPTIONS:
            excepted = with_exception(self._command(rng, filler), filler.home, rng)
            if excepted is not None:
                return excepted
        refused = self.templates.refused
        if refused.sentences and rng.random() < _REFUSED:
            sample = self.templates.sample(refused, rng.choice(refused.sentences), rng, filler)
            if sample:
                return sample.text
        talk = self._talk
        kind = rng.random() * (1.0 - talk.near - talk.unsupported)
        if self._unrelated and kind < talk.sentences:
            return self._sentence(rng)
        kind -= talk.sentences
        if kind < talk.phrases:
            return " ".join(self.maker.phrase(rng, 3, 0.1) for _ in range(rng.randint(1, 3)))
        kind -= talk.phrases
        if kind < talk.command_words:
            return " ".join(self.maker.phrase(rng, 1, 0.9) for _ in range(rng.randint(1, 4)))
        kind -= talk.command_words
        if kind < talk.other_content:
            if self._unrelated and not self._spaced:
                return self._sentence(rng)
            return self._other_content(self._command(rng, filler), rng)
        return self._absent_thing(rng, filler, index)

    def _sentence(self, rng: random.Random) -> str:
        words = rng.choice(self._unrelated).split()
        return " ".join(words[: rng.randint(2, 14)])

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
        """A question who is what: *who is king of velvet*; without natural wordings, about an absent device too."""
        for _ in range(_TRIES):
            sample = self._command(rng, filler)
            free = self._free(sample)
            things = [slot for slot in sample.slots if slot.tag == "state" and "state" in free]
            if not things and not self._natural:
                things = [slot for slot in sample.slots if slot.tag == "name" and "name" not in free]
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
