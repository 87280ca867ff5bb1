"""A user's reply templates: Jinja without what could take long, grow without bound or reach beyond its slots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from jinja2 import TemplateError, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

_MAX_SOURCE = 4096
_MAX_TEXT = 10_000
_MAX_ROUNDS = 500
_MAX_BITS = 256
_MAX_DIGITS = 12
_ROUNDS = "_rounds_left"
_FILTERS = (
    *("abs", "capitalize", "count", "d", "default", "first", "float", "int", "last", "length", "list", "lower", "map"),
    *(
        "max",
        "min",
        "reject",
        "rejectattr",
        "select",
        "selectattr",
        "sort",
        "string",
        "title",
        "trim",
        "unique",
        "upper",
    ),
)
_METHODS = frozenset(
    ("capitalize", "endswith", "get", "items", "lower", "lstrip", "rstrip", "split", "startswith", "strip", "title")
    + ("upper",)
)
_NODES = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem),
    *(nodes.Slice, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.If, nodes.For, nodes.Assign),
    *(nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Add),
    *(nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Concat, nodes.Filter, nodes.Test, nodes.Call),
)
"""Left out: macros, blocks, captured text, powers, imports: with them a short template can run for ever."""
_T = TypeVar("_T")


class ReplyTemplate:
    """A template that was checked; rendering takes milliseconds and gives at most 10,000 letters."""

    def __init__(self, source: str) -> None:
        """Read and check a template.

        Raises:
            ValueError: it is not Jinja, or uses what these templates have not; the message is one line.
        """
        if len(source) > _MAX_SOURCE:
            raise ValueError(f"longer than {_MAX_SOURCE} letters")
        try:
            self._template = _environment().from_string(source)
        except (TemplateError, RecursionError, OverflowError) as error:
            raise ValueError(" ".join(str(error).split())[:200] or type(error).__name__) from error

    def render(self, slots: Mapping[str, object]) -> str:
        """The reply for these slots, on one line.

        Raises:
            ValueError: it fails for these values, or grows too long; the message is one line.
        """
        shown = {name: value[:_MAX_TEXT] if isinstance(value, str) else value for name, value in slots.items()}
        text = ""
        try:
            for part in self._template.generate(slots=shown, **{_ROUNDS: [_MAX_ROUNDS]}):
                text = _short(text + part)
        except Exception as error:  # a template is foreign code: anything may come out of it
            raise ValueError(" ".join(f"{type(error).__name__}: {error}".split())[:200]) from error
        return " ".join(text.split())


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox with bounds on every operation whose result can be larger than what went in."""

    intercepted_binops = frozenset(("+", "*", "%"))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all(nodes.Node):
            _check(node)
        bounded: nodes.Template = _Bounded().visit(tree)
        return bounded

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Add, multiply or take the rest, within bounds."""
        if operator == "%" and isinstance(left, str):
            raise SecurityError("% formats text; use ~ to put text together")
        if operator == "*":
            sizes = [_bits(value) if isinstance(value, int) else len(value) for value in (left, right) if _sized(value)]
            both_numbers = not any(isinstance(value, str | list | tuple) for value in (left, right))
            if (sum(sizes) > _MAX_BITS) if both_numbers else not _repeats(left, right):
                raise SecurityError("the product is too large")
        return _short(super().call_binop(context, operator, left, right))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Methods by name; none of those that could make a long text of a short one."""
        return (not callable(value) or attr in _METHODS) and super().is_safe_attribute(obj, attr, value)


def _environment() -> _Environment:
    environment = _Environment(finalize=_shown)
    environment.globals.clear()
    own: dict[str, Callable[..., Any]] = {name: FILTERS[name] for name in _FILTERS}
    own |= {"join": _join, "replace": _replace, "round": _round, "_rounds": _counted}
    environment.filters.clear()
    environment.filters.update(own)
    return environment


def _check(node: nodes.Node) -> None:
    kind = type(node).__name__.lower()
    if not isinstance(node, _NODES):
        raise SecurityError(f"{kind} is not for replies")
    if (isinstance(node, nodes.Getattr) and node.attr[0] == "_") or (
        isinstance(node, nodes.Name) and node.name[0] == "_"
    ):
        raise SecurityError("names that begin with _ are not for replies")
    if isinstance(node, nodes.For) and node.recursive:
        raise SecurityError("recursive loops are not for replies")
    if isinstance(node, nodes.Filter) and node.name not in (*_FILTERS, "join", "replace", "round"):
        raise SecurityError(f"the filter {node.name} is not for replies; there are: {', '.join(sorted(_FILTERS))}")
    if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Getattr) and node.node.attr in _METHODS):
        raise SecurityError(f"only these can be called: {', '.join(sorted(_METHODS))}")
    if isinstance(node, nodes.List | nodes.Tuple) and not _is_target(node) and not _are_fixed(node.items):
        raise SecurityError("a list in a reply holds fixed values only")
    if isinstance(node, nodes.Pair) and not _are_fixed([node.key, node.value]):
        raise SecurityError("a mapping in a reply holds fixed values only")


def _are_fixed(parts: list[nodes.Expr]) -> bool:
    return all(isinstance(part, nodes.Const) for part in parts)


def _is_target(node: nodes.Node) -> bool:
    """Whether this is the left side of a loop or assignment: ``for key, value in …``."""
    return isinstance(node, nodes.Tuple) and node.ctx == "store"


class _Bounded(NodeTransformer):
    """Puts the bounded ``join`` in place of ``~`` and counts the rounds of every loop."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        """``a ~ b`` as ``[a, b] | join``."""
        self.generic_visit(node)
        items = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(items, "join", [], [], None, None, lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        """A loop over what ``_counted`` gives."""
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "_rounds", [], [], None, None, lineno=node.lineno)
        return node


@pass_context
def _counted(context: Context, values: Iterable[_T]) -> Iterable[_T]:
    left: list[int] = context[_ROUNDS]
    for value in values:
        left[0] -= 1
        if left[0] < 0:
            raise SecurityError(f"more than {_MAX_ROUNDS} rounds of loops")
        yield value


def _join(values: Iterable[object], separator: object = "") -> str:
    text = ""
    for number, value in enumerate(values):
        text = _short(text + (str(_shown(separator)) if number else "") + str(_shown(value)))
    return text


def _replace(text: object, old: object, new: object) -> str:
    whole, gone, put = (str(_shown(value)) for value in (text, old, new))
    if len(whole) + (whole.count(gone) if gone else len(whole) + 1) * len(put) > _MAX_TEXT:
        raise SecurityError(f"longer than {_MAX_TEXT} letters")
    return whole.replace(gone, put)


def _round(value: Any, precision: int = 0, method: str = "common") -> float:
    if abs(precision) > _MAX_DIGITS:
        raise SecurityError(f"rounds to more than {_MAX_DIGITS} digits")
    rounded: float = FILTERS["round"](value, precision, method)
    return rounded


def _shown(value: object) -> object:
    """What may be said: text and numbers; a list has to be joined."""
    if value is None or isinstance(value, str | int | float | Undefined):
        return _short(value)
    raise SecurityError(f"a {type(value).__name__} cannot be said; use | join(', ')")


def _short(value: _T) -> _T:
    if isinstance(value, str | list | tuple) and len(value) > _MAX_TEXT:
        raise SecurityError(f"longer than {_MAX_TEXT} letters")
    if isinstance(value, int) and _bits(value) > _MAX_BITS:
        raise SecurityError("a number is too large")
    return value


def _bits(value: int) -> int:
    return abs(value).bit_length()


def _sized(value: object) -> bool:
    return isinstance(value, int | str | list | tuple)


def _repeats(left: Any, right: Any) -> bool:
    """Whether a text or list times a number stays short."""
    values, times = (left, right) if isinstance(left, str | list | tuple) else (right, left)
    return isinstance(times, int) and len(values) * times <= _MAX_TEXT
