"""Speech recognition that knows the commands: Moonshine, searched under a domain's grammar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from jellyfish import levenshtein_distance, metaphone

from edge.asr.moonshine import MoonshineRecognizer
from edge.asr.moonshine_model import Encoded, MoonshineModel
from edge.asr.search import ConstrainedSearch, Hypothesis, SearchSettings
from edge.asr.token_table import TokenTable
from edge.grammar.grammar import Grammar, Kind, normalize
from edge.types import Transcript

COST_SLOPE, DOUBT_SLOPE = 4.0, 1.0
CLEARLY_HEARD = 0.8
"""Confidence of a sentence below which what is heard freely may veto it: with 104 sentences of Piper's, refusals that
were taken for commands had at most .35, commands .86 or more but for one with .31."""
FREELY_SURE, SHORTEST_CONTENT, WORD_ALIKE = 0.85, 4, 0.65
"""A free transcript this sure vetoes with any word so long that sounds like none of the sentence."""


class ConstrainedRecognizer(MoonshineRecognizer):
    """A `Recognizer` whose transcripts are sentences of the grammar wherever the audio may be one.

    Sentences of known words are tried first; those with wildcards, which fit any speech, only where these fit badly,
    and chosen where they fit much better.
    Audio that fits no sentence, whose cost is above the ``limit`` of ``settings``, is decoded freely, so that other
    wordings still reach the student. A sentence not far beyond the limit is taken where both sound alike ("Stop my
    time, Eli" and "stop my timer"). The confidence of a sentence is a logistic function of its cost or doubt, one half
    at the nearer limit; it is below one half where a word of it was heard as another. A sentence that is not clearly
    heard gives way to what is heard freely where that holds one of the ``vetoes`` or says something else.
    """

    def __init__(
        self,
        model: MoonshineModel,
        grammar: Grammar,
        *,
        settings: SearchSettings | None = None,
        vetoes: Sequence[str] = (),
        time_limit_ms: float = 4000.0,
        longest_ms: float = 20000.0,
    ) -> None:
        """Search ``model`` under ``grammar``; see `MoonshineRecognizer` for the limits.

        ``vetoes`` are words and phrases that turn a command into something else, such as "don't" and "except".
        """
        super().__init__(model, time_limit_ms=time_limit_ms, longest_ms=longest_ms)
        self._settings = settings or SearchSettings()
        self._vetoes = [f" {normalize(phrase)} " for phrase in vetoes]
        table = TokenTable(model.vocabulary)
        self._searches = [ConstrainedSearch(model, table, grammar, self._settings, wildcards=False)]
        if (grammar.arcs[:, 1] == Kind.ANY).any():
            loose = replace(self._settings, gap=self._settings.wildcard_gap)
            self._searches.append(ConstrainedSearch(model, table, grammar, loose))

    def _transcribe(self, encoded: Encoded) -> Transcript:
        found = self._sentences(encoded)
        if not found:
            return self._decode_freely(encoded)
        texts = tuple(dict.fromkeys(self._model.text(hypothesis.tokens) for hypothesis in found))
        if found[0].cost > self._settings.limit:
            freely = self._decode_freely(encoded)
            if sounds_alike(freely.text, texts[0]) < self._settings.alike:
                return freely
        confidence = self._confidence(found[0])
        if confidence < CLEARLY_HEARD:
            freely = self._decode_freely(encoded)
            if self._is_vetoed(texts[0], freely):
                return freely
        return Transcript(texts[0], confidence, alternatives=texts[1:4], end_ms=self._end_ms, heard=True)

    def _is_vetoed(self, sentence: str, freely: Transcript) -> bool:
        listed, said = normalize(sentence), normalize(freely.text)
        if any(veto in f" {said} " and veto not in f" {listed} " for veto in self._vetoes):
            return True
        return freely.confidence >= FREELY_SURE and says_something_else(said.split(), listed.split())

    def _confidence(self, sentence: Hypothesis) -> float:
        settings = self._settings
        beyond = max(
            COST_SLOPE * (sentence.cost - settings.limit),
            DOUBT_SLOPE * (sentence.doubt - settings.most_doubt(sentence.known)),
        )
        return 0.5 - 0.5 * math.tanh(beyond / 2)

    def _sentences(self, encoded: Encoded) -> list[Hypothesis]:
        """Sentences that the audio may be, best first; those near the limit where no other is; none far beyond it."""
        settings, best, near = self._settings, list[Hypothesis](), list[Hypothesis]()
        to_beat = -math.inf
        for search in self._searches:
            if best and best[0].cost <= settings.clear:
                break
            found = search.decode(encoded, self._time_limit_ms)
            if not found:
                continue
            if found[0].cost <= settings.limit:
                if search.rank(found[0]) > to_beat:
                    best, to_beat = found, search.rank(found[0]) + settings.wildcard_lead
            elif not search.wildcards and self._is_near(found[0]):
                near = found
        return best or near

    def _is_near(self, sentence: Hypothesis) -> bool:
        settings = self._settings
        doubt_limit = settings.near_doubt * settings.most_doubt(sentence.known)
        return sentence.cost <= settings.near_limit and sentence.doubt <= doubt_limit


def says_something_else(said: Sequence[str], listed: Sequence[str]) -> bool:
    """Whether a long word of what was said sounds like none of the listed sentence, which has no number."""
    if any(map(str.isdigit, "".join(listed))):
        return False
    parts = {*listed, *map("".join, zip(listed, listed[1:], strict=False))}
    content = [word for word in said if len(word) >= SHORTEST_CONTENT and word not in parts]
    return any(max(sounds_alike(word, part) for part in parts) < WORD_ALIKE for word in content)


def sounds_alike(one: str, other: str) -> float:
    """How alike two texts sound, 0 to 1, by the edit distance of their consonants (Philips' Metaphone, 1990)."""
    codes = [_consonants(text) for text in (one, other)]
    return 1 - levenshtein_distance(*codes) / max(*map(len, codes), 1)


def _consonants(text: str) -> str:
    return "".join(metaphone(word) for word in normalize(text).split())
