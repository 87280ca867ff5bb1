"""Reads domain files: a user's own commands in Home Assistant's custom-sentence YAML.

Every mistake is reported as ``file:line: what is wrong; what was expected``. Bounds on size, depth and aliases keep a
hostile file from using up memory or time.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from edge.errors import ConfigError
from edge.reply_template import ReplyTemplate
from edge.types import SlotValue
from quantize.templates.commands import CommandBlock, Domain, Line, ListValue, NumberRange, SlotList

MAX_BYTES = 4_000_000
MAX_DEPTH = 24
MAX_RANGE = 20_000
_SLOT = re.compile(r"\bslots\.(\w+)")

_TOP_KEYS = ("language", "intents", "lists", "expansion_rules", "skip_words", "responses", "settings")
_BLOCK_KEYS = (
    *("sentences", "slots", "requires_context", "excludes_context", "response", "metadata", "settings"),
    *("lists", "expansion_rules", "required_keywords"),
)
_LIST_KEYS = ("values", "range", "wildcard", "metadata")
_VALUE_KEYS = ("in", "out", "context", "metadata", "requires_context")
_RANGE_KEYS = (
    *("from", "to", "step", "type", "multiplier", "digits", "words", "words_language", "fractions"),
    "metadata",
)


def read_domain(path: Path) -> Domain:
    """Read and check a domain file.

    Raises:
        ConfigError: the file cannot be read or has a mistake; the message names the line and what was expected.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES} bytes; a domain file is a few pages of sentences")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    return parse_domain(text, str(path))


def parse_domain(text: str, path: str = "domain.yaml") -> Domain:
    """Domain of a YAML (or JSON) text; ``path`` is for messages.

    Raises:
        ConfigError: as for ``read_domain``.
    """
    return _Reader(path).domain(text)


class _Reader:
    """Turns YAML nodes, which know their lines, into a ``Domain``."""

    def __init__(self, path: str) -> None:
        self.path = path

    def domain(self, text: str) -> Domain:
        top = self._mapping(self._compose(text), "the file", _TOP_KEYS)
        language = self._text(top["language"]) if "language" in top else Line("en", 1)
        rules = self._rules(top.get("expansion_rules"))
        lists = self._lists(top.get("lists"))
        if "intents" not in top:
            raise self._mistake(None, "no intents; expected intents: NAME: data: - sentences: [...]")
        intents = self._mapping(top["intents"], "intents")
        keys = [self._text(key) for key, _ in top["intents"].value] if intents else []
        blocks = [block for key in keys for block in self._blocks(key, intents[key.text])]
        if not blocks:
            raise self._mistake(top["intents"], "no intents; expected NAME: data: - sentences: [...]")
        skipped = self._sequence(top["skip_words"], "skip_words") if "skip_words" in top else ()
        return Domain(
            *(self.path, language.text, tuple(blocks), lists, rules),
            skip_words=tuple(self._text(word) for word in skipped),
            language_line=language.number,
            responses=self._responses(top.get("responses"), [key.text for key in keys]),
        )

    def _responses(self, node: yaml.Node | None, intents: list[str]) -> dict[str, dict[str, Line]]:
        body = self._mapping(node, "responses", ("intents",))
        found = {}
        for name, keyed in self._mapping(body.get("intents"), "responses: intents", intents).items():
            found[name] = {
                key: self._text(value) for key, value in self._mapping(keyed, f"responses to {name}").items()
            }
            for line in found[name].values():
                self._check_template(line)
        return found

    def _check_template(self, line: Line) -> None:
        """Read the template and render it: with numbers for its slots, and with words where numbers do not fit."""
        try:
            template = ReplyTemplate(line.text)
            slots = {name: 1 for name in _SLOT.findall(line.text)}
            try:
                template.render(slots)
            except ValueError:
                template.render({name: "words" for name in slots})
        except ValueError as error:
            raise ConfigError(f"{self.path}:{line.number}: not a reply template: {error}") from error

    def _compose(self, text: str) -> yaml.Node:
        depth = 0
        try:
            for event in yaml.parse(text, Loader=yaml.CSafeLoader):
                if isinstance(event, yaml.AliasEvent):
                    raise self._mistake(event, "aliases (*name) are not allowed; write the text out, or use a rule")
                depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
                if depth > MAX_DEPTH:
                    raise self._mistake(event, f"nested deeper than {MAX_DEPTH} levels")
            node = yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = " ".join(part for part in (error.context, error.problem) if part)
            raise ConfigError(f"{self.path}:{mark.line + 1 if mark else 1}: not valid YAML: {what}") from error
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            raise ConfigError(f"{self.path}:1: not valid YAML: {' '.join(str(error).split())[:200]}") from error
        if node is None:
            raise self._mistake(None, "the file is empty; expected language, intents and lists")
        return node

    def _blocks(self, key: Line, node: yaml.Node) -> Iterator[CommandBlock]:
        intent = key.text
        body = self._mapping(node, f"intent {intent}")
        if "data" not in body:
            raise self._mistake(node, f"intent {intent} has no data; expected data: - sentences: [...]")
        for item in self._sequence(body["data"], f"data of {intent}"):
            block = self._mapping(item, f"a block of {intent}", _BLOCK_KEYS)
            if "sentences" not in block:
                raise self._mistake(item, f"this block of {intent} has no sentences; expected sentences: [...]")
            sentences = tuple(self._text(line) for line in self._sequence(block["sentences"], "sentences"))
            if not sentences:
                raise self._mistake(block["sentences"], f"no sentences for {intent}; expected at least one")
            slots = {name: self._value(value) for name, value in self._mapping(block.get("slots"), "slots").items()}
            yield CommandBlock(
                intent, sentences, key.number, slots, self._response(block.get("response")),
                self._domains(block.get("requires_context")),
                rules=self._rules(block.get("expansion_rules")),
                lists=self._lists(block.get("lists")),
            )  # fmt: skip

    def _response(self, node: yaml.Node | None) -> str:
        return "default" if node is None or _is_null(node) else self._text(node).text

    def _domains(self, node: yaml.Node | None) -> tuple[str, ...]:
        wanted = self._mapping(node, "requires_context").get("domain")
        if isinstance(wanted, yaml.ScalarNode):
            return (wanted.value,)
        if isinstance(wanted, yaml.SequenceNode):
            return tuple(self._text(item).text for item in wanted.value)
        return ()

    def _rules(self, node: yaml.Node | None) -> dict[str, Line]:
        return {name: self._text(value) for name, value in self._mapping(node, "expansion_rules").items()}

    def _lists(self, node: yaml.Node | None) -> dict[str, SlotList]:
        return {name: self._list(name, body) for name, body in self._mapping(node, "lists").items()}

    def _list(self, name: str, node: yaml.Node) -> SlotList:
        line = node.start_mark.line + 1
        body = self._mapping(node, f"list {name}", _LIST_KEYS)
        kinds = [kind for kind in ("values", "range", "wildcard") if kind in body]
        if len(kinds) != 1:
            raise self._mistake(node, f"list {name} needs exactly one of values, range and wildcard")
        if kinds == ["values"]:
            values = tuple(self._list_value(name, item) for item in self._sequence(body["values"], f"values of {name}"))
            if not values:
                raise self._mistake(node, f"list {name} is empty; expected at least one value")
            return SlotList(name, line, values)
        if kinds == ["range"]:
            return SlotList(name, line, numbers=self._range(name, body["range"]))
        if self._value(body["wildcard"]) is not True:
            raise self._mistake(body["wildcard"], "expected wildcard: true")
        return SlotList(name, line)

    def _list_value(self, name: str, node: yaml.Node) -> ListValue:
        if isinstance(node, yaml.ScalarNode):
            return ListValue(self._text(node))
        body = self._mapping(node, f"a value of {name}", _VALUE_KEYS)
        if "in" not in body:
            raise self._mistake(node, f"this value of {name} has no in; expected in: what is said, out: what it means")
        return ListValue(self._text(body["in"]), self._value(body["out"]) if "out" in body else None)

    def _range(self, name: str, node: yaml.Node) -> NumberRange:
        body = self._mapping(node, f"range of {name}", _RANGE_KEYS)
        if "from" not in body or "to" not in body:
            raise self._mistake(node, f"range of {name} needs from and to")
        start, stop = self._number(body["from"]), self._number(body["to"])
        step = self._number(body["step"]) if "step" in body else 1.0
        if not all(number.is_integer() and abs(number) < 10**9 for number in (start, stop, step)):
            raise self._mistake(node, f"range of {name}: from, to and step must be whole numbers of at most 9 digits")
        if step < 1 or stop < start or (stop - start) / step > MAX_RANGE:
            raise self._mistake(node, f"range of {name}: expected from <= to, step >= 1, at most {MAX_RANGE} numbers")
        return NumberRange(
            *(int(start), int(stop), int(step)),
            multiplier=self._number(body["multiplier"]) if "multiplier" in body else 1.0,
            halves="fractions" in body,
        )

    def _mapping(self, node: yaml.Node | None, what: str, keys: Sequence[str] = ()) -> dict[str, yaml.Node]:
        if node is None or _is_null(node):
            return {}
        if not isinstance(node, yaml.MappingNode):
            raise self._mistake(node, f"{what}: expected name: value lines")
        result: dict[str, yaml.Node] = {}
        for key_node, value in node.value:
            key = self._text(key_node).text
            if keys and key not in keys:
                near = difflib.get_close_matches(key, keys, 1)
                hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(keys)}"
                raise self._mistake(key_node, f"{what}: unknown key {key[:80]!r}; {hint}")
            if key in result:
                raise self._mistake(key_node, f"{what}: {key[:80]!r} stands here twice")
            result[key] = value
        return result

    def _sequence(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self._mistake(node, f"{what}: expected a list (lines that begin with '- ')")
        items: list[yaml.Node] = node.value
        return items

    def _text(self, node: yaml.Node) -> Line:
        if not isinstance(node, yaml.ScalarNode):
            raise self._mistake(node, "expected a text; a text that begins with [ or { must stand in quotes")
        if not node.value.strip():
            raise self._mistake(node, "expected a text, found nothing")
        return Line(node.value.strip(), node.start_mark.line + 1)

    def _value(self, node: yaml.Node) -> SlotValue:
        if not isinstance(node, yaml.ScalarNode):
            raise self._mistake(node, "expected a text or a number")
        text = str(node.value)
        if node.style:
            return text
        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):
            return text
        if isinstance(value, bool):
            return value if text.lower() in ("true", "false") else text
        return value if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)) else text

    def _number(self, node: yaml.Node) -> float:
        value = self._value(node)
        if isinstance(value, bool | str):
            raise self._mistake(node, "expected a number")
        return float(value)

    def _mistake(self, node: yaml.Node | yaml.Event | None, message: str) -> ConfigError:
        line = node.start_mark.line + 1 if node is not None and node.start_mark is not None else 1
        return ConfigError(f"{self.path}:{line}: {message}")


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"
