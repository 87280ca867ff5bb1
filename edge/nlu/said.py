"""An utterance as it was read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edge.nlu.decode import Span
from edge.nlu.tokens import Token, is_single


@dataclass(frozen=True)
class Said:
    """An utterance as it was read: its tokens, the frame's spans, and the words that such commands have."""

    text: str
    tokens: Sequence[Token]
    words: Sequence[str]
    spans: Sequence[Span]
    used: Collection[str]
    quoted: frozenset[int]
    """Places inside a name of the home or the user's own text."""
    exact: frozenset[int] = frozenset()
    """Places inside a name of the home as the home spells it, or the user's own text."""
    strange: frozenset[int] = frozenset()
    """Places of words outside the slots that such commands do not have."""
    telling: frozenset[int] = frozenset()
    """Places of words outside the slots that say what to do."""

    def is_plain(self, at: int) -> bool:
        """Whether nothing strange stands there."""
        return at not in self.strange

    def says(self, at: int) -> bool:
        """Whether the word there is one of the command's own."""
        return at in self.telling

    def spanned(self) -> frozenset[int]:
        """Places inside any span."""
        return frozenset(at for span in self.spans for at in range(span.first, span.last))

    def whole_word(self, at: int) -> str:
        """The folded word that a token is a piece of."""
        first = last = at
        while first and self.tokens[first - 1].end == self.tokens[first].start:
            first -= 1
        while last + 1 < len(self.tokens) and self.tokens[last].end == self.tokens[last + 1].start:
            last += 1
        return "".join(self.words[first : last + 1])

    def is_piece(self, first: int, last: int) -> bool:
        """Whether words are only a piece of a longer one that a name of the home cuts."""
        if is_single(self.tokens[first]):
            return False
        return self.whole_word(first) not in (self.words[first], "".join(self.words[first:last]))

    def region(self, places: Collection[int]) -> tuple[str, tuple[int, int]]:
        """The text from the first of some places to the last."""
        start, end = self.tokens[min(places)].start, self.tokens[max(places)].end
        return self.text[start:end], (start, end)
