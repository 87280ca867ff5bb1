"""Finds which of the package's sentence blocks a parse belongs to, and so which of its replies.

A parse names intent and slots, not the block. Blocks are compared by their slots and kinds of device; where several are
equally near (``are any …``, ``are all …``, ``how many …``), the words decide: the block whose closest sentence shares
most words with the text wins. Words that all blocks have count little, words of the text that no form
of the block has count most.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache

from edge.dialogue.language import CommandBlock, LanguagePack
from edge.grammar.templates import AnyOrder, Choice, Node, Rule, read_template
from edge.types import Parse

_MISSING, _EXTRA, _CONTRADICTION, _AGREEMENT, _PRECISION = 4.0, 3.0, 2.0, 0.5, 0.4
_OF_ANY_KIND = frozenset(("any", "all", "which", "how_many", "one", "one_yesno"))
_ABOUT_ONE = frozenset(("one", "one_yesno"))
_UNMARKED = "any"
_MAX_RULES = 8
_DRAWS = 64
_SHARED_DISCOUNT, _FOREIGN = 0.75, 2.0
_WORD = re.compile(r"[^\s!-/:-@\[-`{-~¿¡،؟。？！、，।]+")
_UNSPACED = ("zh", "ja", "th")


@dataclass(frozen=True)
class ReplyChoice:
    """Key of the reply, and the package's name for the combination of slots."""

    key: str
    combination: str = ""
    context_area: bool = False

    @property
    def everywhere(self) -> bool:
        """Whether the command is about the whole home rather than the speaker's area."""
        return self.combination.endswith("_all") or self.key.endswith("_all")


class ReplyChooser:
    """Chooses for one language."""

    def __init__(self, pack: LanguagePack) -> None:
        self._pack = pack
        self._unspaced = pack.language.startswith(_UNSPACED)
        self._forms = lru_cache(maxsize=256)(self._drawn_forms)

    def choose(self, parse: Parse, domains: Collection[str] = ()) -> ReplyChoice | None:
        """The reply for ``parse``, whose targets are of ``domains``; None where the language has no such command.

        Of a kind of question that the package has no sentences for, the words decide nothing: the parse does.
        """
        keys = self._pack.replies.get(parse.intent or "", {})
        blocks = self._pack.blocks.get(parse.intent or "", ())
        if parse.response in _OF_ANY_KIND & keys.keys() and all(parse.response != block.reply_key for block in blocks):
            return ReplyChoice(parse.response)
        choice = self._by_block(blocks, keys, parse, domains)
        key = _fitting_key(choice.key, parse) if choice is not None else ""
        return replace(choice, key=key) if choice is not None and key in keys else choice

    def _by_block(
        self, blocks: Collection[CommandBlock], keys: Collection[str], parse: Parse, domains: Collection[str]
    ) -> ReplyChoice | None:
        nearest = _nearest(blocks, parse, domains)
        nearest = [block for block in nearest if block.reply_key in keys] or nearest
        if not nearest:
            return None
        different = {(block.reply_key, block.combination) for block in nearest}
        block = self._nearest_in_words(nearest, parse) if len(different) > 1 else nearest[0]
        return ReplyChoice(block.reply_key, block.combination, block.context_area)

    def _nearest_in_words(self, blocks: list[CommandBlock], parse: Parse) -> CommandBlock:
        forms = [(block, form) for block in blocks for sentence in block.sentences for form in self._forms(sentence)]
        own: dict[tuple[str, str], set[str]] = {}
        for block, form in forms:
            own.setdefault((block.reply_key, block.combination), set()).update(form)
        shared = set.intersection(*own.values())
        said = self._features(_own_words(parse))
        heard = {word for word in said if any(word in words for words in own.values())}
        forms = _without_unheard_marks(forms, said)

        def distance(block: CommandBlock, form: frozenset[str]) -> float:
            different = heard ^ form
            foreign = heard - own[block.reply_key, block.combination]
            return len(different) - _SHARED_DISCOUNT * len(different & shared) + _FOREIGN * len(foreign)

        return min(forms, key=lambda pair: distance(*pair))[0] if heard else blocks[0]

    def _drawn_forms(self, sentence: str) -> frozenset[frozenset[str]]:
        """The words of some forms of the sentence; the same ones at every call."""
        turns, node = _Turns(sentence), read_template(sentence)
        return frozenset(self._features(self._drawn(node, turns, 0)) for _ in range(_DRAWS))

    def _drawn(self, node: Node, turns: _Turns, depth: int) -> str:
        if isinstance(node, str):
            return node
        if isinstance(node, Rule):
            if node.name not in self._pack.rules or depth >= _MAX_RULES:
                return ""
            return self._drawn(read_template(self._pack.rules[node.name]), turns, depth + 1)
        if isinstance(node, Choice):
            at = turns.next(node)
            return self._drawn(node.options[at], turns, depth) if at < len(node.options) else ""
        return (" " if isinstance(node, AnyOrder) else "").join(self._drawn(part, turns, depth) for part in node.parts)

    def _features(self, text: str) -> frozenset[str]:
        """Words, or pairs of letters in a script without spaces."""
        words = _WORD.findall(text.casefold())
        if self._unspaced:
            return frozenset(word[at : at + 2] for word in words for at in range(max(1, len(word) - 1)))
        return frozenset(words)


def _fitting_key(key: str, parse: Parse) -> str:
    """``key``, unless it answers about one device where none is named, or yes and no where no state is asked."""
    said = {slot.name for slot in parse.slots}
    if key in _ABOUT_ONE and "name" not in said and "state" in said and said & {"domain", "device_class"}:
        return _UNMARKED
    return "one" if key == "one_yesno" and "name" in said and "state" not in said else key


class _Turns:
    """Takes the options of every choice in turn, in random order, so that none is missed in a few draws."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self._left: dict[Choice, list[int]] = {}

    def next(self, choice: Choice) -> int:
        """Number of an option; the one after the last stands for none."""
        left = self._left.setdefault(choice, [])
        if not left:
            left.extend(range(len(choice.options) + choice.optional))
            self._random.shuffle(left)
        return left.pop()


def _without_unheard_marks(
    forms: list[tuple[CommandBlock, frozenset[str]]], heard: frozenset[str]
) -> list[tuple[CommandBlock, frozenset[str]]]:
    """Of a question, the forms of kinds whose mark was heard ("all"), and those of ``any``, which needs none."""
    words: dict[str, list[frozenset[str]]] = {}
    for block, form in forms:
        words.setdefault(block.reply_key, []).append(form)
    if _UNMARKED not in words:
        return forms
    unheard = set()
    for key in words.keys() - {_UNMARKED}:
        marks = set().union(*words[key]).difference(*(form for other in words if other != key for form in words[other]))
        if all(form & marks for form in words[key]) and not heard & marks:
            unheard.add(key)
    return [(block, form) for block, form in forms if block.reply_key not in unheard]


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
    for slot in parse.slots:
        said = slot.text or (str(slot.value) if slot.name in ("name", "area", "floor") else "")
        if slot.span is None and said:
            text = re.sub(rf"\b{re.escape(said)}\b", " ", text, count=1, flags=re.IGNORECASE)
    return text
