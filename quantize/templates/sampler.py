"""Sentences of a language, sampled from hassil templates (Home Assistant's custom-sentence format).

A plain random walk over hassil's expression trees: one walk gives one sentence with its slots, in time proportional
to the sentence, where hassil's own sampler enumerates every combination.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

from hassil.expression import Alternative, Expression, ListReference, Permutation, RuleReference, Sequence, TextChunk
from hassil.intents import Intents, RangeSlotList, SlotList, TextSlotList, TextSlotValue, WildcardSlotList
from hassil.numbers import get_rbnf_engine
from hassil.parse_expression import parse_sentence

from edge.types import Area, Entity, Floor, SlotValue
from quantize.templates.expressions import MAX_EXPANSIONS, chunks, expansions, references

HomePart = Area | Floor | Entity
DURATIONS = ("hours", "minutes", "seconds")
NOTHING = "none"
UNSUPPORTED = "unsupported"
"""Frame of what people ask of an assistant and no home can do."""
STAND_IN = "0"
ARTICLES = {"en": ("a", "an")}
"""How a language says one of something, where that is not the word for 1."""
PROCLITICS = {"ar": ("بمقدار", "بال", "لل", "ال", "ب", "ل")}
"""What a language writes together with a number or an amount that follows, the longest first."""

_ONE_SHARE = 0.06
Fill = Callable[[str, "Block", random.Random], tuple[str, SlotValue] | None]


@dataclass(frozen=True)
class Block:
    """Templates that share an intent, implied slots and the kinds of device that a name may be.

    Natural wordings name their ``meaning``, and how often it is drawn.
    """

    intent: str
    implied: tuple[tuple[str, SlotValue], ...]
    domains: tuple[str, ...]
    combination: str
    response: str
    sentences: tuple[str, ...]
    meaning: str = ""
    weight: float = 1.0

    @property
    def frame(self) -> str:
        """Label that the student predicts: the intent and what it implies, as ``Intent|slot=value``."""
        return "|".join([self.intent, *(f"{name}={value}" for name, value in self.implied)])


@dataclass
class SampledSlot:
    """A slot of a sampled sentence; ``start`` and ``end`` are character offsets."""

    tag: str
    value: SlotValue
    start: int
    end: int


@dataclass
class Sample:
    """A labelled sentence."""

    text: str
    frame: str
    language: str
    slots: list[SampledSlot] = field(default_factory=list)


def slot_of(tag: str) -> str:
    """Slot name of a tag (a tag may end in ``-`` for numbers that count downwards)."""
    return tag.removesuffix("-")


class Templates:
    """All templates of one language. ``data`` is the package's JSON: intents, lists, expansion rules."""

    def __init__(self, language: str, data: dict[str, Any]) -> None:
        self.language = language
        self.intents: Any = Intents.from_dict(data)
        self.skip_words = [word for word in data.get("skip_words", []) if word]
        self.refused = Block(NOTHING, (), (), "", "default", tuple(data.get("refused", ())))
        """What sounds like a command and is none."""
        self.listed = [_block(intent, block) for intent, info in data["intents"].items() for block in info["data"]]
        """The package's templates, and those in its format."""
        self.natural = [_block(_frame_intent(block), block) for block in data.get("natural", ())]
        """What people say besides."""
        self.join: dict[str, list[str]] = data.get("join", {})
        """What stands between two ``commands``, and between two ``things`` of one command."""
        self._expressions: dict[str, Expression] = {}
        self._spellings: dict[int, list[str]] = {}
        try:
            self._numbers: Any = get_rbnf_engine(language)
        except ValueError:
            self._numbers = None

    @property
    def blocks(self) -> list[Block]:
        """All commands and questions."""
        return [*self.listed, *(block for block in self.natural if block.intent not in (NOTHING, UNSUPPORTED))]

    @cached_property
    def words(self) -> list[str]:
        """The literal words of all templates: material for names that look like commands."""
        found: dict[str, None] = {}
        for block in self.blocks:
            for sentence in block.sentences:
                for chunk in chunks(self.expression(sentence)):
                    found.update(dict.fromkeys(w for w in chunk.split() if len(w) > 2 and is_word(w)))
        return list(found)

    def sample(self, block: Block, template: str, rng: random.Random, fill: Fill) -> Sample | None:
        """One sentence of ``template``; None where ``fill`` has nothing for a slot or the walk gave no text."""
        pieces: list[tuple[str, str | None, SlotValue]] = []
        if not self._walk(self.expression(template), block, rng, fill, pieces):
            return None
        sample = Sample("", block.frame, self.language)
        for text, tag, value in pieces:
            if sample.text.endswith(" ") or not sample.text:
                text = text.lstrip()
            start = len(sample.text)
            sample.text += text
            if tag is not None:
                sample.slots.append(SampledSlot(tag, value, start, start + len(text.rstrip())))
        sample.text = sample.text.rstrip()
        return sample if sample.text else None

    def expression(self, sentence: str) -> Expression:
        """The parsed template."""
        if sentence not in self._expressions:
            self._expressions[sentence] = parse_sentence(sentence).expression
        return self._expressions[sentence]

    def slot_list(self, node: ListReference) -> SlotList | None:
        """What a list reference draws from; None for the home's own names."""
        if (numbers := node.get_inline_range()) is not None:
            return RangeSlotList(node.list_name, *numbers)
        found: SlotList | None = self.intents.slot_lists.get(node.list_name)
        return found

    def _walk(
        self,
        node: Expression,
        block: Block,
        rng: random.Random,
        fill: Fill,
        out: list[tuple[str, str | None, SlotValue]],
    ) -> bool:
        if isinstance(node, TextChunk):
            if node.original_text:
                out.append((node.original_text, None, ""))
            return True
        if isinstance(node, Alternative):
            return self._walk(rng.choice(node.items), block, rng, fill, out) if node.items else True
        if isinstance(node, Permutation):
            for i, item in enumerate(rng.sample(node.items, len(node.items))):
                if i:
                    out.append((" ", None, ""))
                if not self._walk(item, block, rng, fill, out):
                    return False
            return True
        if isinstance(node, Sequence):
            return all(self._walk(item, block, rng, fill, out) for item in node.items)
        if isinstance(node, RuleReference):
            return self._walk(self.intents.expansion_rules[node.rule_name].expression, block, rng, fill, out)
        if isinstance(node, ListReference):
            found = self._fill(node, block, rng, fill)
            if found is not None:
                out.append(found)
            return found is not None
        raise TypeError(f"unknown template part {node!r}")

    def _fill(
        self, node: ListReference, block: Block, rng: random.Random, fill: Fill
    ) -> tuple[str, str, SlotValue] | None:
        listed = self.slot_list(node)
        if isinstance(listed, RangeSlotList):
            number, article = rng.choice(list(range(listed.start, listed.stop + 1, listed.step))), ""
            if node.slot_name in DURATIONS and rng.random() < _ONE_SHARE:
                number, article = 1, rng.choice(("", *ARTICLES.get(self.language, ())))
            value: SlotValue = number * int(listed.multiplier or 1)
            if article:
                text = article
            elif listed.fraction_type and rng.random() < 0.1:
                value, text = number + 0.5, f"{number}{rng.choice('.,')}5"
            else:
                text = str(number) if rng.random() < 0.6 else self.spell(number, rng)
            return text, tag_of(node, listed), value
        if isinstance(listed, TextSlotList):
            choice = rng.choice(listed.values)
            pieces: list[tuple[str, str | None, SlotValue]] = []
            self._walk(choice.text_in, block, rng, fill, pieces)
            text = " ".join("".join(text for text, _, _ in pieces).split())
            return text, tag_of(node, listed), text if choice.value_out is None else choice.value_out
        found = fill(node.list_name, block, rng)
        return (found[0], tag_of(node, listed), found[1]) if found else None

    def spell(self, number: int, rng: random.Random | None = None) -> str:
        """The number in words, in one of the language's forms; in digits where the language's rules are unknown."""
        forms = self.spellings(number)
        if not forms:
            return str(number)
        return rng.choice(forms) if rng else forms[0]

    def spellings(self, number: int) -> list[str]:
        """Every form of the number in words."""
        if number not in self._spellings:
            self._spellings[number] = self._spell(number)
        return self._spellings[number]

    def _spell(self, number: int) -> list[str]:
        try:
            result = self._numbers.format_number(number) if self._numbers else None
        except ValueError:
            result = None
        if result is None:
            return []
        forms = dict.fromkeys(f.replace("\u00ad", "") for f in (result.text, *result.text_by_ruleset.values()) if f)
        return [form for form in forms if not any(c.isdigit() for c in form)]

    def listed_values(self) -> Iterator[tuple[str, str, SlotValue, tuple[str, ...]]]:
        """Each (tag, text, value, domains) that a closed list of this language can give, texts expanded."""
        seen: set[tuple[str, str, tuple[str, ...]]] = set()
        for block in self.blocks:
            domains = tuple(str(v) for n, v in block.implied if n == "domain") or block.domains
            for sentence in block.sentences:
                for node in references(self.expression(sentence), self.intents.expansion_rules):
                    listed = self.slot_list(node)
                    key = (node.list_name, node.slot_name, domains)
                    if not isinstance(listed, TextSlotList) or key in seen:
                        continue
                    seen.add(key)
                    for value in listed.values:
                        for text in islice(self._expand(value), MAX_EXPANSIONS):
                            out = text if value.value_out is None else value.value_out
                            yield tag_of(node, listed), text, out, domains

    def _expand(self, value: TextSlotValue) -> Iterator[str]:
        for text in expansions(value.text_in, self.intents.expansion_rules):
            if text.strip():
                yield " ".join(text.split())


def tag_of(node: ListReference, listed: object) -> str:
    """Tag of a list reference: its slot, with ``-`` where the list negates its numbers."""
    negative = isinstance(listed, RangeSlotList) and (listed.multiplier or 1) < 0
    return node.slot_name + ("-" if negative else "")


def numeric_tags(templates: Templates) -> set[str]:
    """Tags that a list of numbers of this language can give."""
    return {
        tag_of(node, listed)
        for block in templates.blocks
        for node in references_of(templates, block)
        if isinstance(listed := templates.slot_list(node), RangeSlotList)
    }


def tags_of(templates: Templates, block: Block) -> set[str]:
    """Tags that the block's sentences can have."""
    return {tag_of(node, templates.slot_list(node)) for node in references_of(templates, block)}


def free_tags(templates: Templates, block: Block) -> set[str]:
    """Tags of a block that take any text."""
    return {
        tag_of(node, listed)
        for node in references_of(templates, block)
        if isinstance(listed := templates.slot_list(node), WildcardSlotList)
    }


def stand_in(list_name: str, block: Block, rng: random.Random) -> tuple[str, str]:
    """Fills every list of the home's names with something other than words."""
    return STAND_IN, STAND_IN


def is_word(text: str) -> bool:
    """Whether the text is letters and the marks that spell vowels."""
    return bool(text) and all(unicodedata.category(c)[0] in "LM" for c in text)


def references_of(templates: Templates, block: Block) -> Iterator[ListReference]:
    """Every list reference in the block's sentences, rules followed."""
    for sentence in block.sentences:
        yield from references(templates.expression(sentence), templates.intents.expansion_rules)


def _block(intent: str, block: dict[str, Any]) -> Block:
    return Block(
        intent=intent,
        implied=tuple(sorted((block.get("slots") or {}).items())),
        domains=_domains(block),
        combination=(block.get("metadata") or {}).get("slot_combination", ""),
        response=block.get("response") or "default",
        sentences=tuple(block["sentences"]),
        meaning=block.get("meaning", ""),
        weight=block.get("weight", 1.0),
    )


def _frame_intent(block: dict[str, Any]) -> str:
    """Intent of a natural block; sentences that are not commands have none."""
    return str(block["intent"] or (UNSUPPORTED if block["response"] == UNSUPPORTED else NOTHING))


def _domains(block: dict[str, Any]) -> tuple[str, ...]:
    domain = (block.get("requires_context") or {}).get("domain") or ()
    return (domain,) if isinstance(domain, str) else tuple(domain)
