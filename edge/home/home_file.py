"""Reads home files: areas, floors and entities, in Home Assistant's ``_fixtures.yaml`` layout with optional aliases."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import NoReturn

import yaml

from edge.errors import ConfigError
from edge.grammar.templates import plain_form, spoken_forms
from edge.types import Area, Entity, Floor, Home

_Loader: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAX_BYTES = 4 * 1024 * 1024
_MAX_FORMS = 64
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
    try:
        return _HomeFile(Path(path)).read()
    except RecursionError as error:
        raise ConfigError(f"{path}: contains itself; expected areas, floors and entities") from error


class _HomeFile:
    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Home:
        root = self._compose()
        top = self._mapping(root, "the home", _TOP_KEYS)
        floors = tuple(self._floor(node) for node in self._sequence(top.get("floors"), "floors"))
        areas = tuple(self._area(node) for node in self._sequence(top.get("areas"), "areas"))
        entities = (self._entity(node, areas) for node in self._sequence(top.get("entities"), "entities"))
        return Home(areas, floors, _with_own_ids(entities))

    def _compose(self) -> yaml.Node:
        try:
            if self.path.stat().st_size > _MAX_BYTES:
                raise ConfigError(f"{self.path}: larger than {_MAX_BYTES >> 20} MiB; expected a home file")
            text = self.path.read_text(encoding="utf-8")
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
        return node

    def _fail(self, node: yaml.Node, message: str) -> NoReturn:
        raise ConfigError(f"{self.path}:{node.start_mark.line + 1}: {message}")

    def _mapping(self, node: yaml.Node, what: str, known: tuple[str, ...] = ()) -> dict[str, yaml.Node]:
        """Keys to nodes; an unknown key that looks like a slip of a known one is an error, another is ignored."""
        if not isinstance(node, yaml.MappingNode):
            self._fail(node, f"{what} must be a mapping of keys to values")
        result: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self._text(key, f"a key of {what}")
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
            if known and name not in known and near:
                self._fail(key, f'unknown key "{name}" in {what}; did you mean "{near[0]}"?')
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
        return str(node.value).strip()

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
            try:
                forms = [plain_form(template), *islice(spoken_forms(template), _MAX_FORMS)]
            except ValueError as error:
                self._fail(node, f"{what} is not a valid template: {error}")
        forms = list(dict.fromkeys(form for form in forms if form))
        if not forms:
            self._fail(node, f"{what} is empty")
        return forms[:_MAX_FORMS]

    def _name(self, node: yaml.Node, mapping: dict[str, yaml.Node], what: str) -> tuple[str, tuple[str, ...]]:
        forms = self._forms(self._required(mapping, "name", node, what), f"name of {what}")
        aliases = mapping.get("aliases")
        for item in self._sequence(aliases, "aliases"):
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
        floor = self._text(mapping["floor"], "floor") if "floor" in mapping else None
        return Area(self._text(self._required(mapping, "id", node, "an area"), "id"), name, aliases, floor or None)

    def _entity(self, node: yaml.Node, areas: tuple[Area, ...]) -> Entity:
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
        area_id = self._area_of(mapping.get("area"), areas, f"entity {entity_id}")
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
            try:
                result[key] = _Loader("").construct_document(value)
            except (yaml.YAMLError, ValueError) as error:
                raise ConfigError(f"{self.path}:{value.start_mark.line + 1}: {key} cannot be read as YAML") from error
        return result

    def _area_of(self, node: yaml.Node | None, areas: tuple[Area, ...], owner: str) -> str | None:
        """Id of the area; one that is not in the file is an error where it looks like a slip."""
        if node is None:
            return None
        area_id = self._text(node, "area")
        known = [area.id for area in areas]
        near = difflib.get_close_matches(area_id, known, n=1, cutoff=0.75)
        if area_id not in known and near:
            self._fail(node, f'{owner} is in area "{area_id}", which is not in areas; did you mean "{near[0]}"?')
        return area_id or None


def _with_own_ids(entities: Iterable[Entity]) -> tuple[Entity, ...]:
    """As in Home Assistant, a second entity of the same id gets the suffix ``_2``."""
    result: dict[str, Entity] = {}
    for entity in entities:
        own_id = next(id_ for id_ in _numbered(entity.id) if id_ not in result)
        result[own_id] = replace(entity, id=own_id)
    return tuple(result.values())


def _numbered(entity_id: str) -> Iterator[str]:
    yield entity_id
    yield from (f"{entity_id}_{number}" for number in count(2))
