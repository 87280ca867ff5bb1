"""Random homes and free text, so that a student learns where names stand and never which names there are."""

from __future__ import annotations

import random
import unicodedata
from collections import Counter
from collections.abc import Sequence

from edge.nlu.matching import DOMAINS
from edge.nlu.tokens import tokenize
from edge.types import Area, Entity, Floor, Home, SlotValue
from quantize.templates.places import AT_HOME
from quantize.templates.sampler import Block, Templates, is_word

_UNSPACED_SCRIPTS = frozenset({"CJK", "HIRAGANA", "KATAKANA", "THAI", "HANGUL"})
_ACRONYMS = ("TV", "PC", "LED", "AC", "NAS", "WC", "DVD", "A", "B", "XL", "Hi-Fi")
_NAMED_DOMAINS = (*DOMAINS[:-1], "input_boolean", "button")


def script_of(text: str) -> str:
    """Dominant script, as the first word of Unicode's character names."""
    scripts = Counter(unicodedata.name(c, "?").split()[0] for c in text if c.isalpha())
    return scripts.most_common(1)[0][0] if scripts else "LATIN"


class WordMaterial:
    """Words to make names and free text of, per script. ``words`` may be the pieces of a multilingual tokenizer."""

    def __init__(self, words: Sequence[str]) -> None:
        self._by_script: dict[str, list[str]] = {}
        for word in words:
            if is_word(word) and 2 <= len(word) <= 12:
                self._by_script.setdefault(script_of(word), []).append(word)

    def for_language(self, templates: Templates, sentences: Sequence[str] = ()) -> NameMaker:
        """Names for one language: its script's words mixed with the words of its own commands."""
        script = script_of(" ".join(templates.words))
        spaced = script not in _UNSPACED_SCRIPTS
        found = self._by_script.get(script, [])
        least = 4 if spaced else 2
        words = [w for w in found if len(w) >= least] or templates.words
        short = [w for w in found if len(w) < least] if spaced else []
        space = " " if spaced or script == "HANGUL" else ""
        return NameMaker(words, short, templates.words, space, sentences)


class NameMaker:
    """Makes names, free text and homes of one language."""

    def __init__(
        self,
        words: Sequence[str],
        short_words: Sequence[str],
        command_words: Sequence[str],
        space: str,
        sentences: Sequence[str] = (),
    ) -> None:
        self._words = words
        self._short_words = short_words
        self._sentences = sentences
        self._command_words = command_words
        self.space = space

    def phrase(self, rng: random.Random, longest: int, command_share: float = 0.15) -> str:
        """One to ``longest`` words, short ones more often."""
        count = min(rng.randint(1, longest), rng.randint(1, longest))
        return self.space.join(self._word(rng, command_share) for _ in range(count))

    def _word(self, rng: random.Random, command_share: float) -> str:
        kind = rng.random()
        if kind < command_share:
            return rng.choice(self._command_words)
        return rng.choice(self._short_words) if kind > 0.92 and self._short_words else rng.choice(self._words)

    def home(self, rng: random.Random, areas: int = 8, per_domain: int = 2) -> Home:
        """A home with every kind of device; names nest as people's do (area *kitchen*, light *kitchen lamp*)."""
        rooms = tuple(Area(f"area_{i}", self._area(rng), self._aliases(rng)) for i in range(areas))
        floors = tuple(Floor(f"floor_{i}", self.phrase(rng, 2)) for i in range(3))
        entities = tuple(
            Entity(f"{domain}.{i}", self._entity(rng, domain, rooms), self._aliases(rng), rng.choice(rooms).id)
            for domain in _NAMED_DOMAINS
            for i in range(per_domain)
        )
        return Home(rooms, floors, entities)

    def _inflected(self, word: str, rng: random.Random) -> str:
        return word[: -rng.randint(0, 1) or None] + rng.choice(rng.choice(self._words))

    def free_text(self, rng: random.Random, longest: int) -> str:
        """What an open slot holds: now words of anything, now a piece of a sentence about anything."""
        if self._sentences and rng.random() < 0.4:
            words = rng.choice(self._sentences).split()
            start = rng.randrange(len(words))
            return " ".join(words[start : start + rng.randint(1, longest)]).strip(".,:;!?()")
        return self.phrase(rng, longest, 0.3)

    def _area(self, rng: random.Random) -> str:
        return self.phrase(rng, 2, command_share=0.05)

    def _aliases(self, rng: random.Random) -> tuple[str, ...]:
        return (self.phrase(rng, 2),) if rng.random() < 0.1 else ()

    def _entity(self, rng: random.Random, domain: str, rooms: Sequence[Area]) -> str:
        if domain == "person":
            return rng.choice(self._words)
        kind = rng.random()
        room = rng.choice(rooms).name
        if kind < 0.20:
            return self.space.join((room, self.phrase(rng, 2, 0.5)))
        if kind < 0.30:
            return self.space.join((self.phrase(rng, 1, 0.5), room))
        if kind < 0.38:
            return room + self.phrase(rng, 1, 0.5).lower()
        if kind < 0.45:
            return self.space.join((self._inflected(room, rng), self.phrase(rng, 1, 0.5)))
        if kind < 0.53:
            return rng.choice(self._words) + rng.choice(self._command_words).lower()
        if kind < 0.58:
            return rng.choice(_ACRONYMS) if rng.random() < 0.5 else rng.choice(self._short_words or self._words)
        if kind < 0.65:
            return self.space.join(rng.choice(self._command_words) for _ in range(rng.randint(2, 3)))
        name = self.phrase(rng, 3, 0.3)
        return f"{name} {rng.randint(1, 9)}" if kind > 0.95 else name


class HomeFiller:
    """Fills the open lists of templates: names, areas and floors from a home, wildcards with free text."""

    def __init__(self, home: Home, maker: NameMaker, templates: Templates, rng: random.Random) -> None:
        self.home = home
        self._maker = maker
        self._templates = templates
        self._by_domain: dict[str, list[Entity]] = {}
        for entity in home.entities:
            self._by_domain.setdefault(entity.domain, []).append(entity)

    def __call__(self, list_name: str, block: Block, rng: random.Random) -> tuple[str, SlotValue] | None:
        """Text and value for one open list."""
        if list_name == "area":
            return self._named(rng.choice(self.home.areas), rng)
        if list_name == "floor":
            return self._named(rng.choice(self.home.floors), rng)
        if list_name == "name":
            domains = [d for d in self._name_domains(block) if d in self._by_domain]
            pool = self._by_domain[rng.choice(domains)] if domains else self.home.entities
            return self._named(rng.choice(pool), rng)
        if list_name == "timer_command":
            return self._command(block, rng)
        if list_name == "zone":
            return self._zone(rng)
        if rng.random() < 0.1:
            parts: tuple[Area | Entity, ...] = (*self.home.areas, *self.home.entities)
            part = rng.choice(parts)
            text = f"{self._maker.phrase(rng, 1, 0.7)} {part.name}"
            return text, text
        text = self._maker.free_text(rng, 7 if list_name == "message" else 5 if list_name == "search_query" else 4)
        return (text, text) if tokenize(text) else None

    def _zone(self, rng: random.Random) -> tuple[str, SlotValue]:
        """Where people are: mostly at home, now in a room, now in some other place of a short name."""
        kind = rng.random()
        if kind < 0.5 and self._templates.language in AT_HOME:
            text = rng.choice(AT_HOME[self._templates.language])
        else:
            text = rng.choice(self.home.areas).name if kind < 0.8 else self._maker.phrase(rng, 2, 0.0)
        return text, text

    def _name_domains(self, block: Block) -> Sequence[str]:
        return block.domains or [str(value) for name, value in block.implied if name == "domain"]

    @staticmethod
    def _named(part: Area | Floor | Entity, rng: random.Random) -> tuple[str, SlotValue]:
        return rng.choice((part.name, *part.aliases)), part.name

    def _command(self, outer: Block, rng: random.Random) -> tuple[str, SlotValue] | None:
        blocks = [b for b in rng.sample(self._templates.blocks, 4) if "Timer" not in b.intent]
        for block in blocks:
            sample = self._templates.sample(block, rng.choice(block.sentences), rng, self)
            if sample and len(tokenize(sample.text)) > 1:
                return sample.text, sample.text
        return None
