"""Words for what was done: the reply templates of ``home-assistant-intents`` in the language of the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from edge.dialogue.choice import ReplyChoice, ReplyChooser
from edge.dialogue.language import ANY_KIND, LanguagePack, load_language, match_language
from edge.dialogue.targets import same
from edge.dialogue.texts import texts_of
from edge.dialogue.views import Spoken, StateView, slot_view
from edge.errors import EngineError
from edge.types import Entity, Parse

if TYPE_CHECKING:
    from jinja2 import Template

    from edge.reply_template import ReplyTemplate

_FALLBACK = "en"
_NEUTRAL = "neutral"
_LANGUAGES_KEPT = 2
_MAX_LETTERS = 262_144
_NEAREST_ERROR = {
    "refused": "feature_not_supported",
    "unsupported": "feature_not_supported",
    "nothing_runs": "no_intent",
    "question": "no_intent",
    "negated": "no_intent",
    "excepted": "no_intent",
    "several": "no_intent",
    "value": "no_intent",
    "no_here": "duplicate_targets",
}
"""What the package says in a language that has no text for why something was not done."""
_SHORT_ACTIONS = {
    **dict.fromkeys(("open_cover", "open_valve"), "open"),
    **dict.fromkeys(("close_cover", "close_valve"), "close"),
    **dict.fromkeys(("start_mowing", "start"), "start"),
    "alarm_disarm": "disarm",
}
"""Services that are asked about with the words of another."""


class Replies:
    """Renders replies. At most two languages, and only their replies and sentence templates, stay in memory."""

    def __init__(self) -> None:
        from jinja2.sandbox import SandboxedEnvironment

        self._environment = SandboxedEnvironment()
        self._template = lru_cache(maxsize=64)(self._environment.from_string)
        self._own_template = lru_cache(maxsize=64)(_own_template)
        self._pack = lru_cache(maxsize=_LANGUAGES_KEPT)(self._load)

    def choose(self, parse: Parse, domains: Sequence[str] = ()) -> ReplyChoice:
        """Which reply the parse gets when its targets are of ``domains``."""
        language = match_language(parse.language)
        choice = self._pack(language)[1].choose(parse, domains)
        if choice is None and language != _FALLBACK:
            choice = self._pack(_FALLBACK)[1].choose(parse, domains)
        return choice or ReplyChoice("default")

    def say(
        self,
        parse: Parse,
        matched: Sequence[Entity] = (),
        unmatched: Sequence[Entity] = (),
        slots: Mapping[str, object] | None = None,
        key: str | None = None,
    ) -> str:
        """The reply to a command that was carried out on ``matched``.

        ``unmatched`` are the devices that a question asked about and that are in another state; ``slots`` adds to or
        replaces the parse's slots. ``key`` names the reply, else it is chosen.

        Raises:
            EngineError: the package's template cannot be rendered.
        """
        targets = [*matched, *unmatched]
        key = key or self.choose(parse, sorted({target.domain for target in targets})).key
        pack, source = self._source(parse, key)
        kind = targets[0].domain if targets else str(parse.value("domain") or "")
        shown: dict[str, object] = {slot.name: slot_view(slot, pack.words, kind) for slot in parse.slots}
        if len(targets) == 1 and "slots.name is" not in source:
            shown.setdefault("name", Spoken(targets[0].name, targets[0].name))
        shown.update(slots or {})
        views = [self._view(target, pack) for target in targets]
        attributes = {view.entity_id: view.attributes for view in views}
        variables = {
            "slots": shown,
            "state": views[0] if views else None,
            "query": {"matched": views[: len(matched)], "unmatched": views[len(matched) :]},
            "state_attr": lambda entity_id, name: attributes.get(str(entity_id), {}).get(str(name)),
        }
        return self._render(source, variables, f"{pack.language} {parse.intent} {key}")

    def render(self, template: str, parse: Parse) -> str:
        """A user's own template with ``slots.NAME`` of the parse.

        Raises:
            EngineError: it cannot be rendered.
        """
        slots = {slot.name: slot.value for slot in parse.slots}
        try:
            return self._own_template(template).render(slots)
        except ValueError as error:
            raise EngineError(f"reply template of {parse.intent} cannot be rendered: {error}") from error

    def error(self, language: str, key: str, **variables: object) -> str:
        """One of the package's ``responses.errors``, such as ``no_area`` with ``area``."""
        pack = self._pack(match_language(language))[0]
        source = pack.errors.get(key) or pack.errors.get(_NEAREST_ERROR.get(key, "handle_error"))
        source = source or self._pack(_FALLBACK)[0].errors[key]
        said = {name: self._word(pack, name, str(value)) for name, value in variables.items()}
        return self._render(source, said, f"{pack.language} error {key}").rstrip(" :：՝")

    def question(self, language: str, service: str, names: Sequence[str]) -> str:
        """What is asked before ``service`` (``lock.unlock``) is called for devices of these names."""
        questions = texts_of(language).questions or texts_of(_NEUTRAL).questions
        action = service.partition(".")[2]
        source = questions.get(action) or questions.get(_SHORT_ACTIONS.get(action, "other")) or questions["other"]
        return self._render(source, {"entity": ", ".join(names)}, f"{language} question {action}")

    def has(self, parse: Parse) -> bool:
        """Whether the language of the parse has a reply for its intent."""
        return bool(self._pack(match_language(parse.language))[0].replies.get(parse.intent or ""))

    def word(self, language: str, slot: str, value: str) -> str:
        """How a value of a slot is said, such as a colour; the value itself where the language lists no word."""
        return str(self._word(self._pack(match_language(language))[0], slot, value))

    def is_state(self, language: str, said: str) -> bool:
        """Whether ``said`` is a state in that language, by value or word; any text is where the package lists none."""
        words = self._pack(match_language(language))[0].words
        states = {text for (slot, _, value), spoken in words.items() if slot == "state" for text in (value, spoken)}
        return not states or any(same(said, state) for state in states)

    def _source(self, parse: Parse, key: str) -> tuple[LanguagePack, str]:
        """The template and its language; what has no reply of its own is answered with the word for "done"."""
        pack = self._pack(match_language(parse.language))[0]
        keyed = pack.replies.get(parse.intent or "", {})
        if keyed:
            return pack, keyed.get(key) or keyed.get("default") or next(iter(keyed.values()))
        return pack, pack.done

    def _load(self, language: str) -> tuple[LanguagePack, ReplyChooser]:
        pack = load_language(language)
        return pack, ReplyChooser(pack)

    def _word(self, pack: LanguagePack, name: str, value: str) -> Spoken:
        kinds = {kind for slot, kind, out in pack.words if slot == name and out == value}
        kind = "light" if "light" in kinds else min(kinds, default="")
        return Spoken(pack.words.get((name, kind, value), value), value)

    def state_word(self, language: str, entity: Entity) -> str | None:
        """How the state of a device is said, where the language or the home file has a word for it."""
        return _state_word(entity, self._pack(match_language(language))[0])

    def _view(self, entity: Entity, pack: LanguagePack) -> StateView:
        return StateView(entity, _state_word(entity, pack) or entity.state or "unknown")

    def _render(self, source: str, variables: Mapping[str, object], what: str) -> str:
        try:
            template: Template = self._template(source)
            text = ""
            for part in template.generate(variables):
                text += part
                if len(text) > _MAX_LETTERS:
                    raise ValueError(f"longer than {_MAX_LETTERS} letters")
            return " ".join(text.split())
        except Exception as error:  # templates are foreign code: anything may come out of one
            raise EngineError(f"reply template {what} cannot be rendered: {error}") from error


def _own_template(source: str) -> ReplyTemplate:
    from edge.reply_template import ReplyTemplate

    return ReplyTemplate(source)


def _state_word(entity: Entity, pack: LanguagePack) -> str | None:
    own, state = entity.attributes.get("spoken_state"), entity.state or "unknown"
    if isinstance(own, dict) and state in own:
        return str(own[state])
    kinds = (entity.device_class, entity.domain, ANY_KIND, "light")
    words = (pack.words.get(("state", kind, state)) for kind in kinds if kind is not None)
    return next((word for word in words if word), None)
