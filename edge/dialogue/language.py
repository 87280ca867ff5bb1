"""What is said in one language: the replies of ``home-assistant-intents`` and our own, and which belongs where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import msgspec

from edge.dialogue.texts import texts_of
from edge.errors import ConfigError
from edge.grammar.templates import plain_form

ANY_KIND = "any"
"""The kind of device in ``LanguagePack.words`` whose words fit every kind."""
_PACKAGE = "home_assistant_intents"
_UNTRANSLATED = "TODO"
_WORD_ENDING = re.compile(r"(?<=\w)\[(\w[^\[\]]*)\]")
_SENSOR_LISTS = {
    "bs_open_states": ("door", "window", "garage_door", "opening"),
    "bs_occupancy_states": ("occupancy", "motion", "presence"),
}
_LISTED_SLOT = re.compile(r"\{(\w+):(state|device_class)\}")


@dataclass(frozen=True)
class CommandBlock:
    """Sentences of one intent that share slots and a reply.

    ``slots`` are all slot names of the command, ``constants`` those that the sentence implies, ``domains`` the kinds of
    device that its name may be of. With ``context_area`` the command is about the speaker's area.
    """

    reply_key: str
    combination: str
    slots: frozenset[str]
    constants: dict[str, str]
    domains: frozenset[str]
    context_area: bool
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class LanguagePack:
    """Replies of one language.

    ``done`` answers any command that has no reply of its own.
    ``words`` maps (slot, kind, value) to how a value is said; the kind is a domain, or a sensor's device class.
    """

    language: str
    replies: dict[str, dict[str, str]]
    errors: dict[str, str]
    blocks: dict[str, tuple[CommandBlock, ...]]
    rules: dict[str, str]
    words: dict[tuple[str, str, str], str]
    done: str = ""


class _Block(msgspec.Struct):
    sentences: list[str]
    metadata: dict[str, str] = {}
    response: str = "default"
    slots: dict[str, str | int | float] = {}
    requires_context: dict[str, msgspec.Raw] = {}


class _Intent(msgspec.Struct):
    data: list[_Block]


class _Responses(msgspec.Struct):
    errors: dict[str, str] = {}
    intents: dict[str, dict[str, str]] = {}


class _Package(msgspec.Struct):
    responses: _Responses
    intents: dict[str, _Intent]
    lists: dict[str, msgspec.Raw] = {}
    expansion_rules: dict[str, str] = {}


class _Combination(msgspec.Struct):
    slots: list[str] = []
    context_area: bool = False


class _IntentInfo(msgspec.Struct):
    supported: bool = False
    slot_combinations: dict[str, _Combination] = {}


class _ListValue(msgspec.Struct):
    spoken: str = msgspec.field(name="in")
    value: str | int | float = msgspec.field(name="out")


class _TextList(msgspec.Struct):
    values: list[str | _ListValue] = []


def installed_languages() -> tuple[str, ...]:
    """Codes of the languages that the installed package has."""
    names = (entry.name for entry in _data_folder().iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


def supported_intents() -> tuple[str, ...]:
    """Names of the intents that the installed package declares as supported."""
    return tuple(name for name, info in _intent_infos().items() if info.supported)


def match_language(wanted: str) -> str:
    """Code of the installed language nearest to ``wanted`` (``de-AT`` → ``de``), English where there is none."""
    by_lower = {code.lower(): code for code in installed_languages()}
    lowered = wanted.replace("_", "-").lower()
    return by_lower.get(lowered) or by_lower.get(lowered.split("-", 1)[0], "en")


def load_language(language: str) -> LanguagePack:
    """Read one language of the package; of its lists only the words for states and device classes are kept.

    Raises:
        ConfigError: the package is not installed, has no such language, or has another layout.
    """
    try:
        package = msgspec.json.decode((_data_folder() / f"{language}.json").read_bytes(), type=_Package)
    except OSError as error:
        raise ConfigError(f'home-assistant-intents has no language "{language}"') from error
    except msgspec.MsgspecError as error:
        raise ConfigError(f"home-assistant-intents has another layout than expected ({language}): {error}") from error
    infos = _intent_infos()
    blocks = {
        name: tuple(_command_block(block, infos.get(name, _IntentInfo())) for block in intent.data)
        for name, intent in package.intents.items()
    }
    translated = {
        name: {key: text for key, text in keyed.items() if not text.startswith(_UNTRANSLATED)}
        for name, keyed in package.responses.intents.items()
    }
    own = texts_of(language)
    errors = {key: text for key, text in package.responses.errors.items() if not text.startswith(_UNTRANSLATED)}
    return LanguagePack(
        language=language,
        replies=_merged(texts_of("neutral").intents, translated, own.intents),
        errors=errors | own.errors,
        blocks=blocks,
        rules=package.expansion_rules,
        words=_with_contacts(_words(blocks, package) | _state_words(own.states)),
        done=own.done or translated.get("HassBroadcast", {}).get("default", ""),
    )


def _merged(*sources: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Replies by intent and key; a later source wins."""
    names = {name for source in sources for name, keyed in source.items() if keyed}
    return {name: {key: text for source in sources for key, text in source.get(name, {}).items()} for name in names}


def _data_folder() -> Path:
    return _package_root() / "data"


def _package_root() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError("home-assistant-intents is not installed; run: pip install home-assistant-intents")
    return Path(spec.origin).parent


@lru_cache(maxsize=1)
def _intent_infos() -> dict[str, _IntentInfo]:
    content = (_package_root() / "intents.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, _IntentInfo])


def _command_block(block: _Block, info: _IntentInfo) -> CommandBlock:
    combination = block.metadata.get("slot_combination", "")
    known = info.slot_combinations.get(combination, _Combination())
    area_context = block.requires_context.get("area")
    domains = block.requires_context.get("domain")
    return CommandBlock(
        reply_key=block.response,
        combination=combination,
        slots=frozenset(known.slots) | frozenset(block.slots),
        constants={name: str(value) for name, value in block.slots.items()},
        domains=frozenset(_strings(domains)) if domains is not None else frozenset(),
        context_area=known.context_area or area_context is not None,
        sentences=tuple(block.sentences),
    )


def _strings(raw: msgspec.Raw) -> list[str]:
    value = msgspec.json.decode(raw, type=str | list[str])
    return [value] if isinstance(value, str) else value


def _words(blocks: dict[str, tuple[CommandBlock, ...]], package: _Package) -> dict[tuple[str, str, str], str]:
    words: dict[tuple[str, str, str], str] = {}
    for block in (block for blocks_of_intent in blocks.values() for block in blocks_of_intent):
        domains = ({block.constants["domain"]} if "domain" in block.constants else block.domains) - {"binary_sensor"}
        for list_name, slot in {match for text in block.sentences for match in _LISTED_SLOT.findall(text)}:
            for value, spoken in _list_words(list_name, package).items():
                for kind in _SENSOR_LISTS.get(list_name, domains):
                    words.setdefault((slot, kind, value), spoken)
    words.update({("color", "light", value): spoken for value, spoken in _list_words("color", package).items()})
    return words


def _state_words(states: dict[str, str]) -> dict[tuple[str, str, str], str]:
    """Our own words for states, of any kind of device where the key names none."""
    keys = ((key.rpartition("."), spoken) for key, spoken in states.items())
    return {("state", domain or ANY_KIND, state): spoken for (domain, _, state), spoken in keys}


def _with_contacts(words: dict[tuple[str, str, str], str]) -> dict[tuple[str, str, str], str]:
    """The words, contact sensors without their own saying "open" and "closed" for on and off."""
    pairs = (("on", words.get(("state", ANY_KIND, "open"))), ("off", words.get(("state", ANY_KIND, "closed"))))
    contacts = {
        ("state", kind, state): spoken
        for state, spoken in pairs
        if spoken is not None
        for kind in _SENSOR_LISTS["bs_open_states"]
    }
    return contacts | words


def _list_words(name: str, package: _Package) -> dict[str, str]:
    if name not in package.lists:
        return {}
    try:
        values = msgspec.json.decode(package.lists[name], type=_TextList).values
    except msgspec.ValidationError:
        return {}
    words: dict[str, str] = {}
    for value in values:
        spoken, out = (value, plain_form(value)) if isinstance(value, str) else (value.spoken, str(value.value))
        whole_word = _WORD_ENDING.sub(r"(\1)", spoken) if name.endswith("states") else spoken
        words.setdefault(out, plain_form(whole_word, package.expansion_rules))
    return words
