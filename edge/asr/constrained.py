"""Speech recognition that knows the commands: Moonshine, searched under a domain's grammar."""

from __future__ import annotations

import math

import numpy as np

from edge.asr.grammar import Grammar, Kind
from edge.asr.moonshine import SILENCE_RMS, MoonshineRecognizer
from edge.asr.moonshine_model import FloatArray, MoonshineModel
from edge.asr.search import ConstrainedSearch, Hypothesis, SearchSettings
from edge.asr.token_table import TokenTable
from edge.types import Transcript

OWN_LIMIT, HOME_LIMIT = 2.0, 1.5
SURE = 0.7


class ConstrainedRecognizer(MoonshineRecognizer):
    """A `Recognizer` whose transcripts are sentences of the grammar wherever the audio may be one.

    Sentences of known words are tried first; those with wildcards, which fit any speech, only where these fit badly.
    Audio that fits no sentence (more than ``strangeness_limit`` nats per token worse than what the decoder would say
    freely) is decoded freely, so that other wordings still reach the student. By default the limit is lower for the
    home's sentences, which are so many that chance fits are closer.
    """

    def __init__(
        self,
        model: MoonshineModel,
        grammar: Grammar,
        *,
        settings: SearchSettings | None = None,
        strangeness_limit: float | None = None,
        time_limit_ms: float = 4000.0,
        longest_ms: float = 20000.0,
    ) -> None:
        """Search ``model`` under ``grammar``; see `MoonshineRecognizer` for the limits."""
        super().__init__(model, time_limit_ms=time_limit_ms, longest_ms=longest_ms)
        table = TokenTable(model.vocabulary)
        self._searches = [ConstrainedSearch(model, table, grammar, settings, wildcards=False)]
        if (grammar.arcs[:, 1] == Kind.ANY).any():
            self._searches.append(ConstrainedSearch(model, table, grammar, settings))
        usual = OWN_LIMIT if grammar.parses else HOME_LIMIT
        self._strangeness_limit = usual if strangeness_limit is None else strangeness_limit

    def _decode(self, audio: FloatArray) -> Transcript:
        found = self._sentences(audio) if len(audio) and np.abs(audio).max() > SILENCE_RMS else []
        if not found or found[0].strangeness > self._strangeness_limit:
            return super()._decode(audio)
        texts = tuple(dict.fromkeys(self._model.text(hypothesis.tokens) for hypothesis in found))
        confidence = math.exp(-found[0].strangeness)
        return Transcript(texts[0], confidence, alternatives=texts[1:4], end_ms=self._end_ms)

    def _sentences(self, audio: FloatArray) -> list[Hypothesis]:
        encoded = self._model.encode(audio)
        found: list[Hypothesis] = []
        for search in self._searches:
            if not found or found[0].strangeness > SURE:
                found = search.decode(encoded, self._time_limit_ms) or found
        return found
