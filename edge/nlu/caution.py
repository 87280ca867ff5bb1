"""Whether a command may be carried out as it seems: forbidden, in part, several, a question, or with unknown words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from edge.bundle.manifest import Frame
from edge.nlu.alike import misspelt
from edge.nlu.decode import Span
from edge.nlu.durations import UNITS
from edge.nlu.lexicon import Lexicon
from edge.nlu.matching import Match, folded_words, plain
from edge.nlu.naming import Naming
from edge.nlu.quantities import Quantities
from edge.nlu.said import Said
from edge.nlu.tokens import Token, is_single
from edge.nlu.words import Phrases, Places, Words, is_harmless
from edge.types import Parse, Scope, Slot

_HOME = ("name", "area", "floor")
_CONTENT = ("item", "message", "search_query", "conversation_command")
"""Slots whose text is the user's own, whatever it says."""
_PAUSES = ",;"
_APOSTROPHES = "'’"
_SHORTEST = 2
_POSSESSIVE_WITHIN = 2
_FEW = 2
_ENTRANCES = ("lock", "cover", "valve")
"""Of these a yes is wanted: "can the garage door be opened" may be a question."""
_POLITE = 0.9
"""How sure a command is that begins like a question: "is it possible to lock the gate"."""


class Caution:
    """Judges readings for one home and one language."""

    def __init__(self, lexicon: Lexicon, words: Words, naming: Naming, quantities: Quantities) -> None:
        self._lexicon, self._words, self._naming, self._quantities = lexicon, words, naming, quantities
        self._known = frozenset(lexicon.commands)
        self._number_words = lexicon.number_words()
        self._telling = frozenset(map(plain, words.telling))
        self._nouns = frozenset(map(plain, (*words.single, *words.plural)))
        self._general = frozenset(word for phrase in (*words.all, *words.here) for word in folded_words(phrase))

    def judge(
        self,
        parse: Parse,
        frame: Frame,
        spans: Sequence[Span],
        tokens: Sequence[Token],
        matches: Sequence[Match],
        things: int | None = None,
    ) -> Parse:
        """The parse, or one that says why it is not carried out, or one that names what the home does not have.

        ``things``: how many things the one command is about, where the student tells; else joining words tell.
        """
        if is_harmless(parse.intent):
            return parse
        said = self._read(parse, frame, spans, tokens, matches)
        refusal = self._refusal(said, things, parse.confidence)
        if refusal is not None:
            return replace(parse, intent=None, slots=(), refusal=refusal)
        if not said.used:
            return parse
        outside = [at for at in range(len(said.words)) if at not in said.spanned()]
        strange = frozenset(at for at in outside if self._chooses(said, at) or not self._is_explained(said, at))
        said = replace(said, strange=strange, telling=frozenset(at for at in outside if self._does(said, at)))
        if self._is_talk(frame, said):
            return replace(parse, intent=None, slots=(), refusal="no_intent")
        exact = self._quantities.judge(parse, said)
        if exact is None:
            return replace(parse, intent=None, slots=(), refusal="value")
        judged = self._explained(exact, frame, said)
        polite = self._words.phrases["polite"].at(said.words, 0) and parse.value("domain") in _ENTRANCES
        return replace(judged, explained=False) if polite else judged

    def _is_talk(self, frame: Frame, said: Said) -> bool:
        """Whether a command about no device has more words that such commands lack than words that they have."""
        if any(span.slot in (*_HOME, *_CONTENT) for span in said.spans) or "domain" in frame.implied:
            return False
        empty = {at for at, word in enumerate(said.words) if self._naming.is_empty(word)}
        known = len(said.words) - len(said.strange | said.spanned() | empty)
        return len(said.strange) > max(known, _FEW)

    def _read(
        self, parse: Parse, frame: Frame, spans: Sequence[Span], tokens: Sequence[Token], matches: Sequence[Match]
    ) -> Said:
        kind = str(parse.value("domain") or (frame.domains[0] if len(frame.domains) == 1 else ""))
        intent = parse.intent or ""
        used = self._lexicon.used(intent, kind) | self._lexicon.used(intent, "")
        if kind == "switch":  # many a switch turns on a lamp
            used |= self._lexicon.used(intent, "light")
        known = {slot.text for slot in parse.slots if slot.name in _HOME and slot.value != slot.text}
        exact = {at for match in matches if match.whole and match.score == 1.0 for at in range(match.first, match.last)}
        quoted = set[int]()
        for span in spans:
            written = parse.text[tokens[span.first].start : tokens[span.last - 1].end]
            if span.slot in _CONTENT:
                exact.update(range(span.first, span.last))
            elif span.slot in _HOME and written in known:
                quoted.update(range(span.first, span.last))
        words = [plain(token.text) for token in tokens]
        return Said(parse.text, tokens, words, spans, used, frozenset(quoted | exact), frozenset(exact))

    def _refusal(self, said: Said, things: int | None, confidence: float) -> str | None:
        """Why the utterance is not a command, or not one that can be done."""
        phrases = self._words.phrases
        firm = phrases["question"].at(said.words, 0)
        if firm or (confidence < _POLITE and phrases["polite"].at(said.words, 0)):
            return "question"
        if any(self._unquoted(phrases["negation"], said)):
            return "negated"
        if any(self._unquoted(phrases["exception"], said)):
            return "excepted"
        several = self._is_several(said) if things is None else things > 1 and self._says_more_than_one(said)
        return "several" if several else None

    def _unquoted(self, phrases: Phrases, said: Said) -> Iterator[Places]:
        """Where phrases stand, but for those in names and those that such commands have."""
        for first, last in phrases.places(said.words):
            place = range(first, last)
            known = last - first == 1 and said.words[first] in said.used
            if not (known or said.exact.intersection(place) or said.is_piece(first, last)):
                yield first, last

    def _is_several(self, said: Said) -> bool:
        for slot in ("name", "area"):
            named = {said.region(range(span.first, span.last))[0] for span in said.spans if span.slot == slot}
            if len(named) > 1:
                return True
        lengths = {span.first for span in said.spans if span.slot in UNITS}
        values = {span.first for span in said.spans if span.slot not in (*_HOME, *_CONTENT)}
        whole = {at for place in self._words.phrases["all"].places(said.words) for at in range(*place)}
        whole |= self._quantities.taken(said)
        for first, last in self._words.phrases["joiner"].places(said.words):
            apart = last not in values and not (said.exact | whole).intersection(range(first, last))
            apart = apart and not (said.is_piece(first, last) or self._is_in_number(said, first, last))
            apart = apart and not (said.words[first] in said.used and any(at >= last for at in lengths))
            if apart and self._says_something(said, range(first)) and last < len(said.words):
                return True
        return any(
            self._is_whole(said, range(at)) and self._is_whole(said, range(at, len(said.words)))
            for at in self._pauses(said)
        )

    def _says_more_than_one(self, said: Said) -> bool:
        """Whether different things are said of things that are named one after the other: "A on and B off"."""
        home = [span for span in said.spans if span.slot in _HOME]
        joiners = {at for place in self._words.phrases["joiner"].places(said.words) for at in range(*place)}
        if (joiners - said.exact) & {at for span in home for at in range(span.first, span.last)}:
            return True
        if len(home) < 2:
            return False
        spanned = said.spanned() | joiners

        def verbs(first: int, last: int) -> set[str]:
            return {said.words[at] for at in range(first, last) if at not in spanned and self._is_verb(said, at)}

        ends = {said.words[span.last] for span in home if span.last < len(said.words) and span.last not in spanned}
        if len(ends) > 1:
            return True
        before, after = verbs(0, home[0].first), verbs(home[-1].last, len(said.words))
        between = [verbs(one.last, other.first) for one, other in zip(home, home[1:], strict=False)]
        return any(words and not words <= before and words != after for words in between)

    def _is_verb(self, said: Said, at: int) -> bool:
        word = said.words[at]
        noun = word in self._nouns or self._tells_kind(word) or word in self._words.folded("place")
        return not (noun or self._naming.is_empty(word) or word in self._general)

    def _is_in_number(self, said: Said, first: int, last: int) -> bool:
        """Whether a joiner is part of a spelled number: "twenty-and-six"."""
        inside = first and last < len(said.words)
        return bool(inside) and {said.words[first - 1], said.words[last]} <= self._number_words

    def _pauses(self, said: Said) -> Iterator[int]:
        for at in range(1, len(said.tokens)):
            between = said.text[said.tokens[at - 1].end : said.tokens[at].start]
            if any(mark in between for mark in _PAUSES):
                yield at

    def _says_something(self, said: Said, part: range) -> bool:
        spanned = said.spanned()
        return any(at in spanned or self._does(said, at) for at in part)

    def _does(self, said: Said, at: int) -> bool:
        """Whether a word outside the slots says what to do."""
        word = said.words[at]
        return at not in said.spanned() and word in said.used and not self._naming.is_empty(word)

    def _is_whole(self, said: Said, part: range) -> bool:
        """Whether words could be a command: they name something and say what to do."""
        home = {at for span in said.spans if span.slot in _HOME for at in range(span.first, span.last)}
        about = home.intersection(part) or any(self._tells_kind(said.words[at]) for at in part)
        does = any(self._does(said, at) for at in part)
        return bool(about) and does

    def _tells_kind(self, word: str) -> bool:
        return any(word in words for words in self._lexicon.kinds.values())

    def _explained(self, parse: Parse, frame: Frame, said: Said) -> Parse:
        """The parse with what its other words say: a place or device that the home lacks, or one of several."""
        strange = sorted(said.strange)
        home = [span for span in said.spans if span.slot in _HOME]
        content = any(span.slot in _CONTENT for span in said.spans)
        parse = replace(parse, explained=not strange, scope=self._scope(said))
        if home:
            parse = self._with_whole_names(parse, said, home, strange)
            return self._with_strange_thing(parse, frame, said, home, strange)
        if content or "domain" not in frame.implied:
            return parse
        return self._with_unknown_place(parse, said, strange)

    def _is_explained(self, said: Said, at: int) -> bool:
        word, token = said.words[at].strip(_APOSTROPHES), said.tokens[at]
        if said.whole_word(at) in said.used:
            return True
        if word in said.used or self._naming.is_empty(word) or is_single(token):
            return True
        if word.isdigit():
            return False
        if len(word) < _SHORTEST or not word.isalpha():
            return True
        if word in self._known:
            return word in self._general
        return word in self._general or any(misspelt(word, other) for other in (*said.used, *self._lexicon.function))

    def _chooses(self, said: Said, at: int) -> bool:
        """Whether a word beside the noun for a device tells which one: "the right lamp"."""
        if said.words[at] not in self._telling:
            return False
        return any(0 <= beside < len(said.words) and said.words[beside] in self._nouns for beside in (at - 1, at + 1))

    def _is_someones(self, said: Said, at: int) -> bool:
        """Whether a possessive stands beside a noun for a place: "my room" is not where one stands."""
        near = said.words[max(0, at - _POSSESSIVE_WITHIN) : at + _POSSESSIVE_WITHIN + 1]
        return any(word in self._words.folded("own") for word in near)

    def _scope(self, said: Said) -> Scope:
        phrases = self._words.phrases
        if any(self._unquoted_any(phrases["all"], said)):
            return Scope.ALL
        if any(self._unquoted_any(phrases["here"], said)):
            return Scope.HERE
        if any(self._unquoted_any(phrases["plural"], said)):
            return Scope.SEVERAL
        return Scope.ONE if any(self._unquoted_any(phrases["single"], said)) else Scope.OPEN

    def _unquoted_any(self, phrases: Phrases, said: Said) -> Iterator[Places]:
        return (place for place in phrases.places(said.words) if not said.quoted.intersection(range(*place)))

    def _with_whole_names(self, parse: Parse, said: Said, home: Sequence[Span], strange: Sequence[int]) -> Parse:
        """The parse, with a name that a strange word beside it makes another one as it was said."""
        slots = list(parse.slots)
        for span in home:
            first, last = span.first, span.last
            while first - 1 in strange:
                first -= 1
            acts = any(self._does(said, at) for at in range(first))
            first = first if acts else span.first
            while last in strange and (acts or said.words[last].isdigit()):
                last += 1
            if (first, last) == (span.first, span.last):
                continue
            where = (said.tokens[span.first].start, said.tokens[span.last - 1].end)
            written, place = said.region(range(first, last))
            slots = [
                replace(slot, value=written, text=written, span=place) if slot.span == where else slot for slot in slots
            ]
        return replace(parse, slots=tuple(slots))

    def _with_strange_thing(
        self, parse: Parse, frame: Frame, said: Said, home: Sequence[Span], strange: Sequence[int]
    ) -> Parse:
        """The parse of a command about a kind of device in a place, with words that may tell which: "by the piano"."""
        after = [at for at in strange if at > min(span.first for span in home)]
        acts = any(self._does(said, at) for at in range(home[0].first))
        known = {slot.span for slot in parse.slots}
        if "domain" not in frame.implied or not after or not acts or parse.value("name") is not None:
            return parse
        written, place = said.region(after)
        beside = any(span is not None and span[0] <= place[0] < span[1] for span in known)
        return parse if beside else replace(parse, slots=(*parse.slots, Slot("name", written, written, place)))

    def _with_unknown_place(self, parse: Parse, said: Said, strange: Sequence[int]) -> Parse:
        """The parse of a command about all devices of a kind, with the place that it names and the home lacks."""
        free = [at for at in range(len(said.words)) if at not in said.spanned()]
        numbers = [at for at in strange if said.words[at].isdigit()]
        if numbers:
            at = numbers[0]
            written, place = said.region(range(max(0, at - 1), at + 1))
            return replace(parse, slots=(*parse.slots, Slot("name", written, written, place)))
        nouns = [at for first, last in self._words.phrases["place"].places(said.words) for at in range(first, last)]
        if parse.scope not in (Scope.HERE, Scope.ALL):
            strange = sorted({*strange, *(at for at in nouns if at in free and self._is_someones(said, at))})
            if nouns and not strange:
                return replace(parse, scope=Scope.HERE)
        if not strange:
            return parse
        if strange == [0]:
            return replace(parse, intent=None, slots=(), refusal="no_intent")
        last = max(strange) + 1
        beside = [last] if last in nouns and last in free else []
        written, place = said.region([at for at in (*strange, *beside) if at])
        return replace(parse, slots=(*parse.slots, Slot("area", written, written, place)))
