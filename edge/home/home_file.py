"""Reads home files: areas, floors and entities, in Home Assistant's ``_fixtures.yaml`` layout with optional aliases."""

from __future__ import annotations

import difflib
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NoReturn

import yaml

from edge.errors import ConfigError
from edge.grammar.templates import plain_form, spoken_forms
from edge.types import Area, Entity, Floor, Home

_Loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_BYTES = 4 * 1024 * 1024
_MAX_FORMS = 64
_MAX_LETTERS = 1000
_MAX_NAME = 250
_MAX_VALUES = 1_000_000
_MAX_ENTITIES = 20_000
_LARGEST = 1e15
_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("null", "bool", "int", "float", "str", "timestamp", "seq", "map")}
_TOP_KEYS = ("language", "areas", "floors", "entities", "timers", "media")
_FLOOR_KEYS = ("id", "name", "aliases")
_AREA_KEYS = ("id", "name", "aliases", "floor")
_ENTITY_KEYS = ("id", "name", "aliases", "area", "state", "attributes")


def load_home(path: str | Path) -> Home:
    """Read a home file.

    A name may be a sentence template (``[the] lamp|light``), a list, or ``{in: template, out: name}``: its plainest
    form (``lamp``) is the name, the others are aliases. A state may be ``{in: how people say it, out: state}``; the
    spoken form is kept in the attribute ``spoken_state`` as ``{state: words}``.

    Raises:
        ConfigError: naming file, line and what was expected.
    """
    return _HomeFile(Path(path)).read()


class _HomeFile:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._areas: set[str] = set()
        self._floors: set[str] = set()
        self._constructor = yaml.constructor.SafeConstructor()

    def read(self) -> Home:
        root = self._compose()
        top = self._mapping(root, "the home", _TOP_KEYS)
        floors = tuple(self._floor(node) for node in self._sequence(top.get("floors"), "floors"))
        self._floors = {floor.id for floor in floors}
        areas = tuple(self._area(node) for node in self._sequence(top.get("areas"), "areas"))
        self._areas = {area.id for area in areas}
        listed = self._sequence(top.get("entities"), "entities")
        if len(listed) > _MAX_ENTITIES:
            self._fail(listed[_MAX_ENTITIES], f"more than {_MAX_ENTITIES} entities")
        entities = (self._entity(node) for node in listed)
        return Home(areas, floors, _with_own_ids(entities))

    def _compose(self) -> yaml.Node:
        try:
            if not stat.S_ISREG(self.path.stat().st_mode):
                raise ConfigError(f"{self.path}: not a file; expected a YAML home file")
            with self.path.open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
            if len(content) > _MAX_BYTES:
                raise ConfigError(f"{self.path}: larger than {_MAX_BYTES >> 20} MiB; expected a home file")
            text = content.decode("utf-8")
        except OSError as error:
            raise ConfigError(f"{self.path}: cannot read the home file: {error.strerror or error}") from error
        except UnicodeDecodeError as error:
            raise ConfigError(f"{self.path}: not UTF-8 text; expected a YAML home file") from error
        try:
            node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
        except (yaml.YAMLError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark else ""
            problem = getattr(error, "problem", None) or "nested too deeply or has an illegal character"
            raise ConfigError(f"{self.path}{line}: not valid YAML: {problem}") from error
        if node is None:
            raise ConfigError(f"{self.path}: empty; expected areas and entities")
        self._check_size(node)
        return node

    def _check_size(self, root: yaml.Node) -> None:
        """Count the values as if each alias were written out: a few lines of aliases can stand for billions."""
        values, waiting = 0, [root]
        while waiting:
            node = waiting.pop()
            values += 1
            if values > _MAX_VALUES:
                self._fail(node, "too many values, or a value that contains itself")
            if isinstance(node, yaml.SequenceNode):
                waiting += node.value
            elif isinstance(node, yaml.MappingNode):
                waiting += [part for pair in node.value for part in pair]

    def _fail(self, node: yaml.Node, message: str) -> NoReturn:
        raise ConfigError(f"{self.path}:{node.start_mark.line + 1}: {message}")

    def _mapping(self, node: yaml.Node, what: str, known: tuple[str, ...] = ()) -> dict[str, yaml.Node]:
        """Keys to nodes; a key that is unknown or comes twice is an error."""
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, f"{what} must be a mapping of keys to values")
        result: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key, f"a key of {what}")
            if known and name not in known:
                self._fail(key, f'unknown key "{name}" in {what}; {_nearest(name, known)}')
            if name in result:
                self._fail(key, f'"{name}" comes twice in {what}')
            result[name] = value
        return result

    def _sequence(self, node: yaml.Node | None, what: str) -> list[yaml.Node]:
        if node is None or (isinstance(node, yaml.ScalarNode) and node.value in ("", "~", "null")):
            return []
        if not isinstance(node, yaml.SequenceNode):
            self._fail(node, f'"{what}" must be a list')
        return list(node.value)

    def _text(self, node: yaml.Node, what: str) -> str:
        """The words as written in the file, so that ``state: off`` stays ``off``."""
        if not isinstance(node, yaml.ScalarNode):
            self._fail(node, f"{what} must be text")
        text = str(node.value).strip()
        if len(text) > _MAX_LETTERS:
            self._fail(node, f"{what} is longer than {_MAX_LETTERS} letters")
        if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in text):
            self._fail(node, f"{what} has a control character")
        return text

    def _required(self, mapping: dict[str, yaml.Node], key: str, owner: yaml.Node, what: str) -> yaml.Node:
        if key not in mapping:
            self._fail(owner, f'{what} needs "{key}"')
        return mapping[key]

    def _forms(self, node: yaml.Node, what: str) -> list[str]:
        """Every spoken form of a name, the main one first."""
        if isinstance(node, yaml.SequenceNode):
            forms = [form for item in node.value for form in self._forms(item, what)]
        elif isinstance(node, yaml.MappingNode):
            parts = self._mapping(node, what, ("in", "out"))
            spoken = self._forms(self._required(parts, "in", node, what), what)
            forms = [self._text(parts["out"], what), *spoken] if "out" in parts else spoken
        else:
            template = self._text(node, what)
            if len(template) > _MAX_NAME:
                self._fail(node, f"{what} is longer than {_MAX_NAME} letters")
            try:
                forms = [plain_form(template), *islice(spoken_forms(template), _MAX_FORMS)]
            except (ValueError, RecursionError) as error:
                self._fail(node, f"{what} is not a valid template: {error}")
        forms = list(dict.fromkeys(form for form in forms if form))
        if not forms:
            self._fail(node, f"{what} is empty")
        return forms[:_MAX_FORMS]

    def _name(self, node: yaml.Node, mapping: dict[str, yaml.Node], what: str) -> tuple[str, tuple[str, ...]]:
        forms = self._forms(self._required(mapping, "name", node, what), f"name of {what}")
        aliases = mapping.get("aliases")
        listed = self._sequence(aliases, "aliases")
        if len(listed) > _MAX_FORMS:
            self._fail(node, f"{what} has more than {_MAX_FORMS} aliases")
        for item in listed:
            forms += self._forms(item, f"alias of {what}")
        name, *others = dict.fromkeys(forms)
        return name, tuple(others)

    def _floor(self, node: yaml.Node) -> Floor:
        mapping = self._mapping(node, "a floor", _FLOOR_KEYS)
        name, aliases = self._name(node, mapping, "a floor")
        return Floor(self._text(self._required(mapping, "id", node, "a floor"), "id"), name, aliases)

    def _area(self, node: yaml.Node) -> Area:
        mapping = self._mapping(node, "an area", _AREA_KEYS)
        name, aliases = self._name(node, mapping, "an area")
        area_id = self._text(self._required(mapping, "id", node, "an area"), "id")
        floor = self._one_of(self._floors, mapping.get("floor"), "floor", f"area {area_id}")
        return Area(area_id, name, aliases, floor)

    def _entity(self, node: yaml.Node) -> Entity:
        mapping = self._mapping(node, "an entity", _ENTITY_KEYS)
        entity_id = self._text(self._required(mapping, "id", node, "an entity"), "id of an entity")
        domain, _, object_id = entity_id.partition(".")
        if not domain or not object_id:
            self._fail(mapping["id"], f'id "{entity_id}" must be like light.kitchen: a domain, a dot, a name')
        name, aliases = self._name(node, mapping, f"entity {entity_id}")
        attributes = self._attributes(mapping.get("attributes"))
        state, spoken = self._state(mapping.get("state"))
        if state is not None and spoken:
            attributes["spoken_state"] = {state: spoken}
        area_id = self._one_of(self._areas, mapping.get("area"), "area", f"entity {entity_id}")
        return Entity(entity_id, name, aliases, area_id, state, attributes)

    def _state(self, node: yaml.Node | None) -> tuple[str | None, str | None]:
        if node is None:
            return None, None
        if isinstance(node, yaml.MappingNode):
            parts = self._mapping(node, "a state", ("in", "out"))
            spoken = self._forms(self._required(parts, "in", node, "a state"), "spoken state")[0]
            return self._text(self._required(parts, "out", node, "a state"), "state"), spoken
        return self._text(node, "state"), None

    def _attributes(self, node: yaml.Node | None) -> dict[str, object]:
        if node is None:
            return {}
        result: dict[str, object] = {}
        for key, value in self._mapping(node, "attributes").items():
            if isinstance(value, yaml.MappingNode) and {str(k.value) for k, _ in value.value} == {"in", "out"}:
                result[key] = self._text(self._mapping(value, key)["out"], key)
                continue
            result[key] = self._value(value, key)
        return result

    def _value(self, node: yaml.Node, what: str) -> object:
        if node.tag not in _PLAIN:
            self._fail(
                node, f"{what} has the tag {node.tag}; expected text, a number, true, false, a list or a mapping"
            )
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, what) for item in node.value]
        if isinstance(node, yaml.MappingNode):
            return {self._text(key, f"a key of {what}"): self._value(value, what) for key, value in node.value}
        text = self._text(node, what)
        if node.tag.endswith((":str", ":timestamp")):
            return text
        try:
            value: object = self._constructor.construct_object(node)
        except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, OverflowError):
            self._fail(node, f'{what} cannot be read as {node.tag.rpartition(":")[2]}: "{text[:40]}"')
        if isinstance(value, int | float) and not abs(value) <= _LARGEST:
            self._fail(node, f"{what} is not a number that a device has: {text[:40]}")
        return value

    def _one_of(self, known: set[str], node: yaml.Node | None, what: str, owner: str) -> str | None:
        """Id of the area or floor; one that is not in the file is an error."""
        chosen = None if node is None else self._text(node, what)
        if not chosen:
            return None
        if node is not None and chosen not in known:
            self._fail(node, f'{owner} is in {what} "{chosen}", which is not in {what}s; {_nearest(chosen, known)}')
        return chosen


def _nearest(name: str, known: Iterable[str]) -> str:
    """A hint at what was meant."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f'did you mean "{near[0]}"?' if near else f"there are: {', '.join(sorted(known)[:10]) or 'none'}"


def _with_own_ids(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """As in Home Assistant, a second entity of the same id gets the suffix ``_2``."""
    result: dict[str, Entity] = {}
    last: dict[str, int] = {}
    for entity in entities:
        own_id = entity.id
        while own_id in result:
            last[entity.id] = last.get(entity.id, 1) + 1
            own_id = f"{entity.id}_{last[entity.id]}"
        result[own_id] = entity if own_id == entity.id else replace(entity, id=own_id)
    return tuple(result.values())
