"""Sentences that are not commands, in many languages: interface texts, sayings and small talk that packages carry."""

from __future__ import annotations

import gettext
import importlib.util
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import yaml

from edge.errors import EngineError
from edge.nlu.matching import plain
from edge.nlu.tokens import tokenize
from quantize.templates.sampler import Templates

_DJANGO = {"zh-CN": "zh_Hans", "zh-HK": "zh_Hant", "zh-TW": "zh_Hant", "de-CH": "de"}
_MIMESIS = {"nb": "no", "pt-BR": "pt", "zh-CN": "zh"}
_CHATTERBOT = {
    "bn": "bengali", "de": "german", "en": "english", "es": "spanish", "fa": "persian", "fr": "french", "he": "hebrew",
    "hi": "hindi", "id": "indonesian", "it": "italian", "ja": "japanese", "ko": "korean", "nl": "dutch",
    "pt": "portuguese", "pt-BR": "portuguese", "ru": "russian", "sv": "swedish", "ta": "tamil", "te": "telugu",
    "th": "thai", "tr": "turkish", "uk": "ukrainian", "ur": "urdu", "zh-CN": "chinese", "zh-HK": "traditionalchinese",
    "zh-TW": "traditionalchinese",
}  # fmt: skip
_PUNCTUATION = re.compile(r"[^\w' ]|_")
_PLACEHOLDER = re.compile(r"%\(?\w*\)?[sd]|<[^>]*>|\{[^}]*\}|[“”\"«»]")


def unrelated_sentences(templates: Templates) -> list[str]:
    """Sentences in the language of ``templates`` that are not commands.

    Sentences made only of command words are left out.

    Raises:
        EngineError: a package that carries them is not installed.
    """
    language = templates.language
    commands = {plain(word) for word in templates.words}
    found: dict[str, None] = {}
    for texts in (interface_texts(language), sayings(language), small_talk(language)):
        for text in texts:
            text = " ".join(_PLACEHOLDER.sub(" ", text).split())
            long_words = {plain(token.text) for token in tokenize(text) if len(token.text) > 2}
            if 8 <= len(text) <= 160 and not (long_words and long_words <= commands):
                found[text] = None
    return list(found)


def heard_words(sentences: Iterable[str]) -> Counter[str]:
    """The words of the sentences in small letters, and how often each occurs."""
    return Counter(token.text.lower() for sentence in sentences for token in tokenize(sentence))


def everyday_sentences(language: str) -> list[str]:
    """Sayings and small talk as a recognizer writes them: small letters, no punctuation, 2 to 20 words."""
    found: dict[str, None] = {}
    for text in (*sayings(language), *small_talk(language)):
        words = _PUNCTUATION.sub(" ", text.lower()).split()
        if 2 <= len(words) <= 20:
            found[" ".join(words)] = None
    return list(found)


def interface_texts(language: str) -> Iterator[str]:
    """Django's interface (BSD-3-Clause)."""
    root = _package("django")
    name = "de" if language == "en" else _DJANGO.get(language, language.replace("-", "_"))
    for path in sorted([*root.glob(f"conf/locale/{name}/**/*.mo"), *root.glob(f"contrib/*/locale/{name}/**/*.mo")]):
        with path.open("rb") as file:
            catalog = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        for original, translated in catalog.items():
            if isinstance(original, str) and original:
                yield original if language == "en" else translated


def sayings(language: str) -> Iterator[str]:
    """Sentences, questions and quotations of mimesis (MIT)."""
    path = _package("mimesis") / "datasets" / _MIMESIS.get(language, language) / "text.json"
    if path.is_file():
        texts = json.loads(path.read_text(encoding="utf-8"))
        for kind in ("text", "questions", "quotes"):
            yield from texts.get(kind, [])


def small_talk(language: str) -> Iterator[str]:
    """Conversations of chatterbot-corpus (BSD-3-Clause)."""
    if language not in _CHATTERBOT:
        return
    for path in sorted((_package("chatterbot_corpus") / "data" / _CHATTERBOT[language]).glob("*.yml")):
        for conversation in yaml.safe_load(path.read_text(encoding="utf-8"))["conversations"]:
            yield from (text for text in conversation if isinstance(text, str))


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise EngineError(f"sentences that are no command come from {name}: pip install 'edge-assistant[build]'")
    return Path(next(iter(spec.submodule_search_locations)))
