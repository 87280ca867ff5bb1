"""Finds which of the package's sentence blocks a parse belongs to, and so which of its replies.

A parse names intent and slots, not the block. Blocks are compared by their slots and kinds of device; where several are
equally near (``are any …``, ``are all …``, ``how many …``), the words of their sentences decide: the blocks' templates
give each word a probability of being said, and the block whose best sentence explains the text wins (naive Bayes).
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from edge.dialogue.language import CommandBlock, LanguagePack
from edge.spoken import Choice, Node, Rule, read_template
from edge.types import Parse

_LEAST, _MOST = 0.02, 0.98
_MISSING, _EXTRA, _CONTRADICTION, _AGREEMENT, _PRECISION = 4.0, 3.0, 2.0, 0.5, 0.4
_OF_ANY_KIND = frozenset(("any", "all", "which", "how_many", "one", "one_yesno"))
_MAX_RULES = 8
_PIECE = re.compile(r"[^\s!-/:-@\[-`{-~¿¡،؟。？！、，।]+")
_SYLLABLES = "\u2e80"


@dataclass(frozen=True)
class ReplyChoice:
    """Key of the reply, and the package's name for the combination of slots."""

    key: str
    combination: str = ""
    context_area: bool = False

    @property
    def everywhere(self) -> bool:
        """Whether the command is about the whole home rather than the area in which it was spoken."""
        return self.combination.endswith("_all") or self.key.endswith("_all")


class ReplyChooser:
    """Chooses for one language."""

    def __init__(self, pack: LanguagePack) -> None:
        self._pack = pack
        self._cues = lru_cache(maxsize=256)(self._sentence_cues)

    def choose(self, parse: Parse, domains: Collection[str] = ()) -> ReplyChoice | None:
        """The reply for ``parse``, whose targets are of ``domains``; None where the language has no such command."""
        keys = self._pack.replies.get(parse.intent or "", {})
        nearest = _nearest(self._pack.blocks.get(parse.intent or "", ()), parse, domains)
        nearest = [block for block in nearest if block.reply_key in keys] or nearest
        if not nearest:
            return None
        different = {(block.reply_key, block.combination) for block in nearest}
        block = self._most_likely(nearest, parse) if len(different) > 1 else nearest[0]
        return ReplyChoice(block.reply_key, block.combination, block.context_area)

    def _most_likely(self, blocks: list[CommandBlock], parse: Parse) -> CommandBlock:
        text = _own_words(parse)
        if not text:
            return blocks[0]
        sentences = [(block, self._cues(sentence)) for block in blocks for sentence in block.sentences]
        vocabulary = {cue for _, cues in sentences for cue in cues}
        heard = {cue for cue in vocabulary if cue in text}

        def likelihood(cues: dict[str, float]) -> float:
            total = 0.0
            for cue in vocabulary:
                unsaid = math.prod(1.0 - chance for piece, chance in cues.items() if cue in piece)
                chance = min(max(1.0 - unsaid, _LEAST), _MOST)
                total += math.log(chance if cue in heard else 1.0 - chance)
            return total

        return max(sentences, key=lambda pair: likelihood(pair[1]))[0]

    def _sentence_cues(self, sentence: str) -> dict[str, float]:
        """Pieces of text that the sentence may have, with the chance that each is said."""
        cues: dict[str, float] = {}
        self._collect(read_template(sentence), 1.0, cues, 0)
        return cues

    def _collect(self, node: Node, chance: float, cues: dict[str, float], depth: int) -> None:
        if isinstance(node, str):
            for cue in _pieces(node):
                cues[cue] = 1.0 - (1.0 - cues.get(cue, 0.0)) * (1.0 - chance)
        elif isinstance(node, Rule):
            if node.name in self._pack.rules and depth < _MAX_RULES:
                self._collect(read_template(self._pack.rules[node.name]), chance, cues, depth + 1)
        elif isinstance(node, Choice):
            share = chance / (len(node.options) + node.optional)
            for option in node.options:
                self._collect(option, share, cues, depth)
        else:
            for part in node.parts:
                self._collect(part, chance, cues, depth)


def _nearest(blocks: Collection[CommandBlock], parse: Parse, domains: Collection[str]) -> list[CommandBlock]:
    values = {slot.name: str(slot.value) for slot in parse.slots}
    scored: list[tuple[float, CommandBlock]] = []
    for block in blocks:
        score = _fit(block, values, set(domains))
        if score is not None:
            scored.append((score, block))
    best = max((score for score, _ in scored), default=0.0)
    return [block for score, block in scored if score == best]


def _fit(block: CommandBlock, values: dict[str, str], domains: set[str]) -> float | None:
    """How well a block agrees with the slots; None where its reply would name another kind of device."""
    score = 0.0
    contradicted = bool(block.domains and not domains <= block.domains)
    for name, constant in block.constants.items():
        actual = {values[name]} if name in values else domains if name == "domain" else set()
        contradicted = contradicted or bool(actual and actual != {constant})
        score += _AGREEMENT
    if contradicted and block.reply_key not in _OF_ANY_KIND:
        return None
    if block.domains and domains:
        score += _AGREEMENT + _PRECISION / len(block.domains)
    score -= _CONTRADICTION if contradicted else 0.0
    wanted = block.slots - block.constants.keys()
    given = {name for name in values if name in wanted or name not in ("domain", "device_class", *block.constants)}
    return score - _MISSING * len(wanted - given) - _EXTRA * len(given - wanted)


def _own_words(parse: Parse) -> str:
    """The text without what fills the slots."""
    text = parse.text
    spans = sorted((slot.span for slot in parse.slots if slot.span), reverse=True)
    for start, end in spans:
        text = f"{text[:start]} {text[end:]}"
    text = text.casefold()
    for slot in parse.slots:
        if slot.span is None and slot.name in ("name", "area", "floor"):
            text = text.replace((slot.text or str(slot.value)).casefold(), " ")
    return " ".join(text.split())


def _pieces(text: str) -> list[str]:
    """Runs of letters with their combining marks; single letters only where a letter is a syllable or a word."""
    return [piece for piece in _PIECE.findall(text.casefold()) if len(piece) > 1 or piece >= _SYLLABLES]
