"""The parser: home matches and n-grams in, the student's program, joint decoding, resolved slots out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.bundle.format import Bundle
from edge.bundle.manifest import Frame
from edge.errors import BundleError, ConfigError
from edge.nlu.caution import Caution
from edge.nlu.decode import Decoder, Span
from edge.nlu.lexicon import read_lexicon
from edge.nlu.matching import HomeIndex, Match, plain
from edge.nlu.naming import Naming
from edge.nlu.number_names import with_number_names
from edge.nlu.program import Program
from edge.nlu.quantities import Quantities
from edge.nlu.resolve import Resolver
from edge.nlu.several import MOST_COMMANDS, SEVERAL, borrowed, each_thing, parts
from edge.nlu.short_names import with_short_names
from edge.nlu.tokens import MAX_TOKENS, Token, encode
from edge.nlu.words import read_words
from edge.types import Area, Entity, Floor, Home, Parse, Slot, Transcript

Ids: TypeAlias = NDArray[np.int64]
Features: TypeAlias = NDArray[np.float32]
Run = Callable[[Ids, Features], Sequence[Features]]

_MAX_CHARACTERS = 1000
_MAX_ALTERNATIVES = 3
_CLEAR = 0.8
_ALONE = 0.02
"""Probability of several commands below which there is only one."""
_WARM_UP = "1 2 3"
_FOREIGN, _CLEARLY = 10.0, 0.3
"""How much likelier than the usual language another one must be, and how likely: "thanks" could be of many."""
_DELAYED = "conversation_command"
_LONGEST_NAME = 4
"""Words of a timer's name; what is longer is a command for later, if it is one."""


class Reading(NamedTuple):
    """How the student read an utterance: a frame, the spans of all its slots, and how sure it is."""

    said: str
    frame: Frame
    tokens: Sequence[Token]
    matches: Sequence[Match]
    spans: Sequence[Span]
    confidence: float
    in_scope: float


class StudentParser:
    """Understands commands about ``home`` with the student of ``bundle``.

    Args:
        bundle: A bundle with a student.
        home: Names that commands may use.
        language: The speaker's language; None lets the student say which one it heard.
        threads: Threads of the program.
        run: What runs the student instead of the bundle's program: ids [1, 1+T, K] and features [1, 1+T, F] to frame
            logits, tag scores and language logits.
        usual: The language that is heard, without ``language``, where no other is much likelier.

    Raises:
        BundleError: the bundle has no student, or its program does not fit its manifest.
        ConfigError: the bundle does not know the language.
    """

    def __init__(
        self,
        bundle: Bundle,
        home: Home,
        language: str | None = None,
        threads: int = 1,
        run: Run | None = None,
        usual: str | None = None,
    ) -> None:
        spec = bundle.manifest.student
        if spec is None:
            raise BundleError(f"bundle {bundle.manifest.name} has no student for text")
        if language is not None and language not in spec.languages:
            raise ConfigError(f"bundle {bundle.manifest.name} does not know {language!r}; {_languages(spec.languages)}")
        self._bundle, self._spec, self._home, self._language = bundle, spec, home, language
        self._usual = usual if usual in spec.languages else None
        self._usual_words = read_lexicon(bundle, self._usual).common_words() if self._usual else set()
        self._prior = np.array([_FOREIGN if name == usual else 1.0 for name in spec.languages])
        self._run = run or Program(bundle.path(spec.program), threads=threads, id_limits=(spec.buckets, None)).run
        self._decoder = Decoder(spec.slots, spec.transitions, [f.slots for f in spec.frames], spec.temperature)
        intents = np.array([frame.intent or "" for frame in spec.frames])
        self._frames_of = {str(intent): np.flatnonzero(intents == intent) for intent in {"", *intents}}
        self._speaking = lru_cache(maxsize=8)(self._load_language)
        self._understand(_WARM_UP)

    def parse(self, transcript: Transcript) -> Parse:
        """Parse one utterance; texts without words or without a command come back without an intent.

        If the recognizer's best text is not a clear command, its alternatives are tried too.
        """
        best = self._understand(transcript.text)
        if best.intent is None or best.confidence < _CLEAR:
            others = [self._understand(text) for text in transcript.alternatives[:_MAX_ALTERNATIVES]]
            best = max((best, *others), key=lambda parse: parse.confidence if parse.intent else 0.0)
        return best

    def _understand(self, said: str, told: str | None = None) -> Parse:
        """The commands of a text in the language that was ``told``, else in the speaker's."""
        text = said[:_MAX_CHARACTERS]
        language = told or self._language
        index, *_ = self._speaking(language or "")
        tokens = index.tokens(text)[:MAX_TOKENS]
        if not tokens:
            return Parse(None, language=language or self._spec.languages[0], text=said)
        if language is None:
            language = self._heard(tokens)
            index, *_ = self._speaking(language)
        matches = index.matches(tokens)
        frames, tags, _ = self._scores(index, tokens, matches, language)
        log_p = self._decoder.frame_log_probabilities(frames)
        best = self._decoder.decode(log_p, tags)[0]
        frame = self._spec.frames[best.frame]
        in_scope = 1.0 - self._probability(log_p, "")
        if frame.intent is None or in_scope < self._spec.threshold:
            return Parse(None, (), in_scope, language, text=said, response=frame.response, in_scope=in_scope)
        if frame.label == SEVERAL:
            return self._each(parts(text, best.spans, tokens), Parse(None, (), in_scope, language, text=said))
        spans = with_timer_names(with_named(best.spans, frame, matches), frame, matches)
        reading = Reading(said, frame, tokens, matches, spans, self._probability(log_p, frame.intent), in_scope)
        things = list(each_thing(text, spans, tokens, frame.free))
        counted = SEVERAL in self._frames_of and self._probability(log_p, SEVERAL) < _ALONE
        number = len(things) if counted or len(things) > 1 else None
        return as_one([self._command(reading, each, language, number) for each in things])

    def _command(self, reading: Reading, spans: Sequence[Span], language: str, things: int | None) -> Parse:
        """What is said of one thing, without an intent where it makes no sense; ``things``: see ``Caution.judge``."""
        said, frame, tokens, matches = reading.said, reading.frame, reading.tokens, reading.matches
        text, (_, resolver, caution) = said[:_MAX_CHARACTERS], self._speaking(language)
        slots = self._whole_command(resolver.slots(text, frame, spans, tokens, matches), text)
        told = frame.intent in self._bundle.manifest.replies or resolver.tells_kind(frame, spans, tokens)
        if not (told and self._makes_sense(frame, slots, said) and self._has_values(frame, slots, resolver)):
            return Parse(None, (), 0.5, language, text=said, in_scope=reading.in_scope)
        parse = Parse(
            frame.intent, slots, reading.confidence, language, "student", said, frame.response,
            in_scope=reading.in_scope,
        )  # fmt: skip
        return caution.judge(parse, frame, reading.spans, tokens, matches, things)

    def _each(self, said: Sequence[str], rejected: Parse) -> Parse:
        """Every command that was said, or none; one without its verb borrows that of the command before."""
        if not 1 < len(said) <= MOST_COMMANDS:
            return replace(rejected, refusal="several")
        found: list[Parse] = []
        for text in said:
            parse = self._understand(text, rejected.language)
            before = found[-1] if found else None
            if before is not None and (parse.intent is None or parse.confidence < _CLEAR):
                starts = [slot.span[0] for slot in before.slots if slot.span is not None]
                whole = borrowed(text, before.text, min(starts, default=None))
                other = self._understand(whole, rejected.language) if whole else parse
                if other.intent is not None and (parse.intent is None or other.confidence > parse.confidence):
                    parse = other
            if parse.intent is None:
                return replace(rejected, refusal=parse.refusal or "several", response=parse.response)
            found.append(parse)
        return as_one(found)

    def _probability(self, log_p: Features, intent: str) -> float:
        """Sum over the frames of an intent; of "", that it is not a command."""
        return float(np.exp(log_p[self._frames_of[intent]]).sum())

    def _makes_sense(self, frame: Frame, slots: tuple[Slot, ...], said: str) -> bool:
        """Whether a question is about a device that there is, and a delayed command is itself a command."""
        found = {slot.name: slot for slot in slots}
        if frame.grounded and "name" in found and "domain" not in found:
            return False
        command, name = found.get(_DELAYED), found.get("name")
        if _DELAYED in frame.free and name is not None and len((name.text or "").split()) > _LONGEST_NAME:
            command = command or name
        return command is None or command.text == said or self._understand(str(command.value)).intent is not None

    def _whole_command(self, slots: tuple[Slot, ...], text: str) -> tuple[Slot, ...]:
        """The slots, a delayed command with its words after the time: "schalte das Licht in zehn Minuten *aus*"."""
        commands = [slot for slot in slots if slot.name == _DELAYED]
        spans = [slot.span for slot in slots if slot.span is not None]
        if not commands or commands[0].span != min(spans):
            return slots
        said = str(commands[0].value)
        if len(commands) > 1:
            whole = " ".join(str(slot.value) for slot in commands)
        else:
            _, *after_unit = text[max(spans)[1] :].split(maxsplit=1) or [""]
            whole = " ".join([said, *after_unit])
        if whole == said or not self._is_command(whole, said):
            return slots
        rest = [slot for slot in slots if slot.name != _DELAYED]
        return (replace(commands[0], value=whole), *rest)

    def _is_command(self, text: str, shorter: str) -> bool:
        """Whether ``text`` is a command, and not less surely one than ``shorter``."""
        parse, other = self._understand(text), self._understand(shorter)
        return parse.intent is not None and (other.intent is None or other.confidence <= parse.confidence)

    def _has_values(self, frame: Frame, slots: tuple[Slot, ...], resolver: Resolver) -> bool:
        """Whether the slots of a user's own command hold values of its lists, unlike "coffee with some cinnamon"."""
        own = frame.intent in self._bundle.manifest.replies
        return not own or all(slot.name in frame.free or resolver.is_value(slot) for slot in slots)

    def _scores(
        self, index: HomeIndex, tokens: list[Token], matches: list[Match], language: str | None
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Frame logits [frames], tag scores [T, tags], language logits [languages]."""
        ids = encode(tokens, self._spec.buckets, language)
        features = np.zeros((1 + len(tokens), self._spec.features), np.float32)
        features[1:] = index.features(tokens, matches)
        frames, tags, languages, *_ = self._run(ids[None], features[None])
        return frames[0], tags[0, 1:], languages[0]

    def _heard(self, tokens: list[Token]) -> str:
        """Language of the tokens, by the student's own language head.

        The usual one, where all are words of its commands or the home's names: "open garage" is Dutch too.
        """
        index, *_ = self._speaking("")
        matches = index.matches(tokens)
        _, _, logits = self._scores(index, tokens, matches, None)
        likely = np.exp(logits - logits.max())
        if self._usual is None:
            return self._spec.languages[int(np.argmax(likely))]
        heard = int(np.argmax(likely * self._prior))
        named = {i for match in matches if match.score == 1.0 for i in range(match.first, match.last)}
        its_own = all(at in named or plain(token.text) in self._usual_words for at, token in enumerate(tokens))
        in_doubt = its_own or likely[heard] < _CLEARLY * likely.sum()
        return self._usual if in_doubt else self._spec.languages[heard]

    def _load_language(self, language: str) -> tuple[HomeIndex, Resolver, Caution]:
        lexicon = read_lexicon(self._bundle, language)
        home = with_number_names(with_short_names(self._home, lexicon.common_words()), lexicon.numbers)
        index = HomeIndex(home, lexicon.number_words(), lexicon.value_words())
        words = read_words(language)
        naming = Naming(home, lexicon, words)
        caution = Caution(lexicon, words, naming, Quantities(home, lexicon, words, self._spec.numeric))
        return index, Resolver(home, lexicon, self._spec.numeric, naming), caution


def with_named(spans: Sequence[Span], frame: Frame, matches: Sequence[Match]) -> tuple[Span, ...]:
    """The spans, with a device of the frame's kinds whose whole name was said and that no span holds."""
    tagged = {span.slot for span in spans}
    if "name" in tagged or "name" not in frame.slots or "name" in frame.free or not frame.domains:
        return tuple(spans)
    taken = {at for span in spans for at in range(span.first, span.last)}
    named = {
        (match.first, match.last)
        for match in matches
        if match.whole and match.score == 1.0 and isinstance(match.part, Entity) and match.part.domain in frame.domains
        if not taken.intersection(range(match.first, match.last))
    }
    if len(named) != 1:
        return tuple(spans)
    return tuple(sorted((*spans, Span("name", *named.pop())), key=lambda span: span.first))


def with_timer_names(spans: Sequence[Span], frame: Frame, matches: Sequence[Match]) -> tuple[Span, ...]:
    """The spans, with a place that the home lacks as a name where names are free: the pizza timer is in no room."""
    if "name" not in frame.free or any(span.slot == "name" for span in spans):
        return tuple(spans)
    places = {at for match in matches if isinstance(match.part, Area | Floor) for at in range(match.first, match.last)}
    return tuple(
        span._replace(slot="name")
        if span.slot in ("area", "floor") and not places.intersection(range(span.first, span.last))
        else span
        for span in spans
    )


def as_one(found: Sequence[Parse]) -> Parse:
    """The first command with the others as further ones; rejected where one of them is."""
    every = [each for parse in found for each in (replace(parse, further=()), *parse.further)]
    rejected = next((parse for parse in every if parse.intent is None), None)
    if rejected is not None:
        return rejected
    distinct = list({(parse.intent, parse.slots): parse for parse in every}.values())
    return replace(distinct[0], further=tuple(distinct[1:]))


def _languages(names: tuple[str, ...]) -> str:
    return "it knows " + (", ".join(names) if len(names) <= 8 else f"{len(names)} languages: {' '.join(names)}")
