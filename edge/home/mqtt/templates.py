"""Value templates of discovery topics, from whoever can write to the broker: sandboxed and without loops."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec
from jinja2 import Template, TemplateError, Undefined, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

_LONGEST = 2000
_FORBIDDEN = (nodes.For, nodes.Macro, nodes.CallBlock, nodes.Import, nodes.FromImport, nodes.Include, nodes.Pow)


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(("*",))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Multiply numbers, never texts or lists."""
        if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
            raise TemplateError("only numbers are multiplied")
        return left * right


def _is_defined(value: object) -> object:
    if isinstance(value, Undefined):
        raise TemplateError("not defined")
    return value


def _iif(value: object, when_true: object = True, when_false: object = False) -> object:
    return when_true if value else when_false


_ENVIRONMENT = _Environment(autoescape=False)
_ENVIRONMENT.filters.update(is_defined=_is_defined, iif=_iif)


@lru_cache(maxsize=512)
def _compiled(text: str) -> Template:
    if len(text) > _LONGEST:
        raise ValueError("a template is longer than anyone writes")
    try:
        tree = _ENVIRONMENT.parse(text)
        if any(tree.find(kind) is not None for kind in _FORBIDDEN):
            raise ValueError("a template has loops, macros or powers")
        return _ENVIRONMENT.from_string(tree)
    except TemplateError as error:
        raise ValueError(str(error)) from error


def rendered(template: str | None, payload: bytes) -> str:
    """What a message says, by its value template; raises ValueError where it says nothing."""
    text = payload.decode("utf-8", "strict").strip()
    if template is None:
        return text
    try:
        value_json = msgspec.json.decode(payload)
    except msgspec.MsgspecError:
        value_json = Undefined(name="value_json")
    return _render(template, value=text, value_json=value_json)


def command(template: str | None, value: object) -> str:
    """What is published for a value, by its command template."""
    return str(value) if template is None else _render(template, value=value)


def _render(template: str, **values: object) -> str:
    try:
        return _compiled(template).render(**values).strip()
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(f"a template failed: {error}") from error
