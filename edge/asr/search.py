"""Beam search in a neural recognizer's decoder that follows only sentences of a grammar.

The grammar says which tokens may come next, the decoder how probable each is; everything else of the vocabulary is
never considered (constrained decoding as in Willard and Louf, "Efficient Guided Generation for Large Language Models",
arXiv:2307.09702, here with a beam). Finished sentences are ranked by log-probability over length to a power (Wu et al.,
arXiv:1609.08144, section 7), because plain sums prefer sentences that leave the last words out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from edge.asr.moonshine_model import END, RATE_HZ, Encoded, FloatArray, MoonshineModel
from edge.asr.token_table import Allowed, TokenTable
from edge.grammar.automaton import MAX_STATES, Automaton
from edge.grammar.grammar import SPACE, Grammar

TOKENS_PER_SECOND, FEWEST_TOKENS, MOST_TOKENS = 6.5, 12, 80
MAX_SILENT = 2
OPEN_CANDIDATES = 50
APOSTROPHE = "'"


@dataclass(frozen=True)
class SearchSettings:
    """How wide to search, and what to believe.

    ``beam`` hypotheses are kept, ``first_beam`` of them up to ``first_tokens``, where a grammar has most branches and
    one misheard word would lose the sentence.
    ``gap`` (natural log) drops hypotheses that far behind the best of their step, where each character read is worth
    ``per_char``; ``wildcard_gap`` does where wildcards let any speech pass, so that the likely one is never far behind.
    ``length_power`` ranks finished sentences. A hypothesis is given up when ``ahead`` more tokens at ``ahead_cost``
    each could not lift it over the best finished sentence. It is also given up when its known words cost more than
    ``patience`` and the limit per token. A sentence with a `Hypothesis.cost` above ``limit`` is not a command. Those
    whose `Hypothesis.doubt` is above ``doubt_limit``, and above ``doubt_per_token`` for each known token, for one
    misheard word matters less in a long sentence, are in question. Sentences of known words that cost between ``limit``
    and ``near_limit``, with at most ``near_doubt`` times that doubt, must sound like what is heard without a grammar
    (``alike`` of one, see `edge.asr.constrained.sounds_alike`). With wildcards,
    where few words speak for the sentence, sentences are given up at ``doubt_limit``; each token that a wildcard takes
    costs ``wildcard_cost`` beside its probability, so that of two readings that sound alike the one of known words is
    chosen. A sentence of known words that costs more than ``clear`` is compared with those with wildcards, which must
    have a rank higher by ``wildcard_lead``.
    """

    beam: int = 6
    first_beam: int = 12
    first_tokens: int = 4
    gap: float = 14.0
    wildcard_gap: float = 8.0
    per_char: float = 0.15
    length_power: float = 0.6
    ahead: int = 10
    ahead_cost: float = 0.05
    patience: float = 10.0
    limit: float = 2.0
    near_limit: float = 3.0
    near_doubt: float = 1.5
    alike: float = 0.6
    doubt_limit: float = 5.0
    doubt_per_token: float = 0.5
    wildcard_cost: float = 0.3
    clear: float = 1.1
    wildcard_lead: float = 1.0

    def most_doubt(self, known: int) -> float:
        """Doubt above this puts a sentence with this number of known tokens in question."""
        return max(self.doubt_limit, self.doubt_per_token * known)


LEAN_SEARCH = SearchSettings(beam=3, first_beam=3)


@dataclass(frozen=True)
class Hypothesis:
    """A beginning of a sentence, or a whole one: ``score`` is its log-probability, ``known_score`` that of known words.

    ``known`` counts the tokens of known words: from apostrophes and from what a wildcard took, nothing can be learnt.
    ``doubt`` is the largest lead of another token in the decoder's opinion, in nats: noise makes many tokens
    improbable, but one that was heard clearly as another word is contradicted. ``row`` is its place in the decoder's
    batch; ``free`` says that a wildcard took its last token.
    """

    tokens: tuple[int, ...]
    text: str
    state: int
    score: float
    known_score: float = 0.0
    known: int = 0
    silent: int = 0
    doubt: float = 0.0
    row: int = 0
    free: bool = False

    @property
    def spaced(self) -> bool:
        """Whether a word may begin here without another space."""
        return not self.text or self.text.endswith(SPACE)

    @property
    def cost(self) -> float:
        """Mean negative log-probability of a known token of a finished sentence, whose end counts for none.

        Small for commands, also in noise; large for other speech and for noise alone.
        """
        return -self.known_score / max(self.known - 1, 1)


class ConstrainedSearch:
    """Decodes utterances under one grammar; keeps what it learnt of the grammar for the next utterance."""

    def __init__(
        self,
        model: MoonshineModel,
        table: TokenTable,
        grammar: Grammar,
        settings: SearchSettings | None = None,
        *,
        wildcards: bool = True,
    ) -> None:
        self.automaton = Automaton(grammar, wildcards=wildcards)
        self.wildcards = wildcards
        self._model = model
        self._table = table
        self._settings = settings or SearchSettings()
        self._limit = self._settings.limit if wildcards else self._settings.near_limit
        self._allowed: dict[tuple[int, bool], Allowed] = {}

    def decode(self, encoded: Encoded, time_limit_ms: float) -> list[Hypothesis]:
        """Sentences of the grammar for an encoded utterance, best first; what was found when the limit is used up.

        The limit is CPU time of this thread, so that other work on the board does not change what is understood.
        """
        deadline = time.thread_time() + time_limit_ms / 1000
        if self.automaton.size > MAX_STATES:
            self.automaton.reset()
            self._allowed.clear()
        logits, cache = self._model.begin(encoded)
        most = min(FEWEST_TOKENS + int(TOKENS_PER_SECOND * encoded.samples / RATE_HZ), MOST_TOKENS)
        beam = [Hypothesis((), "", 0, 0.0)]
        finished: list[Hypothesis] = []
        while beam and time.thread_time() < deadline:
            beam = self._extend(beam, logits, finished)
            if not beam or len(beam[0].tokens) >= most:
                break
            cache = cache.select([hypothesis.row for hypothesis in beam])
            logits, cache = self._model.step([hypothesis.tokens[-1] for hypothesis in beam], cache)
        return sorted(finished, key=self.rank, reverse=True)

    def _extend(self, beam: list[Hypothesis], logits: FloatArray, finished: list[Hypothesis]) -> list[Hypothesis]:
        """Next beam, from logits [B, V]; adds to ``finished`` the sentences that may end here."""
        settings = self._settings
        top = logits.max(axis=1)
        powers = logits - top[:, None]
        total = top + np.log(np.exp(powers, out=powers).sum(axis=1))
        likeliest = top - total
        candidates: list[Hypothesis] = []
        for row, hypothesis in enumerate(beam):
            scores, best = logits[row], float(likeliest[row])
            if self.automaton.moves(hypothesis.state).final:
                score = float(scores[END] - total[row])
                self._keep(_longer(hypothesis, END, hypothesis.state, "", score, best, row), finished)
            allowed = self._continuations(hypothesis, scores)
            values = scores[allowed.tokens] - total[row]
            wild = self.automaton.moves(hypothesis.state).other is not None
            for index in _highest(values, 2 * self._width(hypothesis)):
                token, state = int(allowed.tokens[index]), int(allowed.states[index])
                text = self._table.text(token, hypothesis.spaced)
                loose = wild and not self.automaton.spells(hypothesis.state, text)
                score = float(values[index]) - settings.wildcard_cost * loose
                longer = _longer(hypothesis, token, state, text, score, best, row, loose)
                self._keep(longer, candidates)
            if self._may_join(hypothesis):
                token = int(self._table.joining[scores[self._table.joining].argmax()])
                score = float(scores[token] - total[row])
                longer = _longer(hypothesis, token, hypothesis.state, APOSTROPHE, score, best, row, loose=True)
                self._keep(replace(longer, free=wild), candidates)
            after = self._pause(hypothesis)
            if after is not None:
                token = int(self._table.silent[scores[self._table.silent].argmax()])
                space = "" if hypothesis.spaced else SPACE
                score = float(scores[token] - total[row])
                self._keep(_longer(hypothesis, token, after, space, score, best, row), candidates)
        return self._select(candidates, max(map(self.rank, finished), default=-np.inf))

    def _keep(self, hypothesis: Hypothesis, among: list[Hypothesis]) -> None:
        if not self.wildcards or hypothesis.doubt <= self._settings.doubt_limit:
            among.append(hypothesis)

    def _continuations(self, hypothesis: Hypothesis, scores: FloatArray) -> Allowed:
        state, spaced = hypothesis.state, hypothesis.spaced
        allowed = self._allowed.get((state, spaced))
        if allowed is None:
            allowed = self._allowed[state, spaced] = self._table.allowed(self.automaton, state, spaced)
        if allowed.open:
            likely = np.argpartition(scores, -OPEN_CANDIDATES)[-OPEN_CANDIDATES:].astype(np.int32)
            return self._table.check(self.automaton, state, spaced, likely)
        return allowed

    def _may_join(self, hypothesis: Hypothesis) -> bool:
        """Whether an apostrophe may stand here, which is nothing to the grammar: inside or after a word, once.

        Free text may hold one, but not begin with one: "artist's" is not "artist" and a name that begins with s.
        """
        word = hypothesis.text.rpartition(SPACE)[2]
        if not word or APOSTROPHE in word or not len(self._table.joining):
            return False
        return hypothesis.free or self.automaton.moves(hypothesis.state).other is None

    def _pause(self, hypothesis: Hypothesis) -> int | None:
        """State after a space or punctuation mark, or None in the middle of a word."""
        if hypothesis.silent >= MAX_SILENT:
            return None
        moves = self.automaton.moves(hypothesis.state)
        if hypothesis.spaced or moves.final:
            return hypothesis.state
        return moves.by_char.get(SPACE, moves.other)

    def _select(self, candidates: list[Hypothesis], to_beat: float) -> list[Hypothesis]:
        settings = self._settings
        ordered = sorted(candidates, key=self._progress, reverse=True)
        chosen: dict[str, Hypothesis] = {}
        for candidate in ordered:
            behind = self._progress(ordered[0]) - self._progress(candidate)
            if len(chosen) == self._width(candidate) or behind > settings.gap:
                break
            hoped = (candidate.score - settings.ahead * settings.ahead_cost) / (
                (len(candidate.tokens) + settings.ahead) ** settings.length_power
            )
            patience = settings.patience + self._limit * candidate.known
            if hoped > to_beat and -candidate.known_score <= patience:
                chosen.setdefault(candidate.text.strip(SPACE), candidate)
        return list(chosen.values())

    def _width(self, hypothesis: Hypothesis) -> int:
        settings = self._settings
        return settings.first_beam if len(hypothesis.tokens) <= settings.first_tokens else settings.beam

    def _progress(self, hypothesis: Hypothesis) -> float:
        return hypothesis.score + self._settings.per_char * len(hypothesis.text)

    def rank(self, hypothesis: Hypothesis) -> float:
        """What finished sentences are ordered by, those of other searches of the same audio too."""
        return hypothesis.score / float(len(hypothesis.tokens) ** self._settings.length_power)


def _longer(
    hypothesis: Hypothesis,
    token: int,
    state: int,
    text: str,
    score: float,
    best: float,
    row: int,
    loose: bool = False,
) -> Hypothesis:
    """With one more token of this ``score``, where the likeliest one has ``best``; ``loose`` for a wildcard's."""
    return Hypothesis(
        (*hypothesis.tokens, token),
        hypothesis.text + text,
        state,
        hypothesis.score + score,
        hypothesis.known_score + (0.0 if loose else score),
        hypothesis.known + (not loose),
        0 if text.strip(SPACE) else hypothesis.silent + 1,
        max(hypothesis.doubt, best - score),
        row,
        loose,
    )


def _highest(values: FloatArray, count: int) -> list[int]:
    """Indices of the ``count`` highest values, in no order."""
    if len(values) <= count:
        return list(range(len(values)))
    indices: list[int] = np.argpartition(-values, count)[:count].tolist()
    return indices
