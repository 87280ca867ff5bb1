"""Speech recognition that knows the commands: Moonshine, searched under a domain's grammar."""

from __future__ import annotations

import math

from edge.asr.grammar import Grammar
from edge.asr.moonshine import MoonshineRecognizer
from edge.asr.moonshine_model import FloatArray, MoonshineModel
from edge.asr.search import ConstrainedSearch, SearchSettings
from edge.types import Transcript

STRANGENESS_LIMIT = 2.0


class ConstrainedRecognizer(MoonshineRecognizer):
    """A `Recognizer` whose transcripts are sentences of the grammar wherever the audio may be one.

    Audio that fits the grammar badly (more than ``strangeness_limit`` nats per token worse than what the decoder would
    say freely) is decoded freely instead, so that other wordings still reach the student.
    """

    def __init__(
        self,
        model: MoonshineModel,
        grammar: Grammar,
        *,
        settings: SearchSettings | None = None,
        strangeness_limit: float = STRANGENESS_LIMIT,
        time_limit_ms: float = 4000.0,
        longest_ms: float = 20000.0,
    ) -> None:
        """Search ``model`` under ``grammar``; see `MoonshineRecognizer` for the limits."""
        super().__init__(model, time_limit_ms=time_limit_ms, longest_ms=longest_ms)
        self._search = ConstrainedSearch(model, grammar, settings)
        self._strangeness_limit = strangeness_limit

    def _decode(self, audio: FloatArray) -> Transcript:
        found = self._search.decode(audio, self._time_limit_ms) if len(audio) else []
        if not found or found[0].strangeness > self._strangeness_limit:
            return super()._decode(audio)
        texts = tuple(dict.fromkeys(self._model.text(hypothesis.tokens) for hypothesis in found))
        confidence = math.exp(-found[0].strangeness)
        return Transcript(texts[0], confidence, alternatives=texts[1:4], end_ms=self._end_ms)
