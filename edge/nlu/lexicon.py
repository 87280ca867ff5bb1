"""What a bundle knows of a language: its listed values, how it spells numbers, and the words of its commands."""

from __future__ import annotations

import msgspec

from edge.bundle.format import Bundle
from edge.errors import BundleError
from edge.nlu.matching import plain
from edge.nlu.tokens import tokenize


class ListedValue(msgspec.Struct, frozen=True, array_like=True):
    """What a text stands for; ``domains`` are the kinds of device that it holds for, empty for all."""

    value: str | int | float | bool
    domains: tuple[str, ...] = ()


class Lexicon(msgspec.Struct, frozen=True, omit_defaults=True):
    """Words of one language: ``values`` by tag and folded text, ``numbers`` by folded text.

    ``proclitics`` are words that the language writes together with the next one (Arabic "بثانية": by a second).
    ``commands`` are the folded words that its commands are made of, ``kinds`` those that tell a kind of device.
    ``uses`` are, by intent and kind of device (``HassTurnOn|light``), the places in ``commands`` of the words that such
    commands have; ``function`` are words that commands of every sort have, such as articles.
    """

    values: dict[str, dict[str, tuple[ListedValue, ...]]] = {}
    numbers: dict[str, int] = {}
    proclitics: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    kinds: dict[str, tuple[str, ...]] = {}
    uses: dict[str, tuple[int, ...]] = {}
    function: tuple[str, ...] = ()

    def used(self, intent: str, kind: str) -> frozenset[str]:
        """The words of commands with this intent about this kind of device; none where nobody knows them."""
        places = self.uses.get(f"{intent}|{kind}", ())
        return frozenset(self.commands[place] for place in places)

    def number_words(self) -> set[str]:
        """The single words that numbers are spelled with."""
        return {token.text for form in self.numbers for token in tokenize(form)}

    def value_words(self) -> set[str]:
        """The single words that stand for a listed value."""
        return {text for texts in self.values.values() for text in texts if " " not in text}

    def common_words(self) -> set[str]:
        """The single words that are not names alone; none if the words of commands are unknown."""
        return {*self.commands, *self.value_words(), *self.number_words()} if self.commands else set()


def lexicon_file(language: str) -> str:
    """Where a bundle keeps the words of a language."""
    return f"lexicon/{language}.json"


def read_lexicon(bundle: Bundle, language: str) -> Lexicon:
    """The bundle's words of a language; none where it has no file of them. Raises BundleError where it is damaged."""
    name = lexicon_file(language)
    if name not in bundle.manifest.files:
        return Lexicon()
    try:
        return msgspec.json.decode(bundle.read(name), type=Lexicon)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BundleError(f"{name} of {bundle.source} is damaged ({error}); build the bundle again") from error


def lexicon_key(text: str) -> str:
    """``text`` as a lexicon spells it: folded tokens with single spaces."""
    return " ".join(plain(token.text) for token in tokenize(text))
