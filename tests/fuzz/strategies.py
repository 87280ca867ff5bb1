"""What strangers, files of others and broken microphones may hand to the assistant, for hypothesis."""

from __future__ import annotations

import json
import struct

from hypothesis import strategies as st

_TEXT = """
turn on off the all every kitchen light lights lamp in to at of door garage front back lock unlock open close set
timer for five 5 minutes and a half percent % degrees not don't except but what is it how many add milk list shopping
cancel play stop pause living room bedroom hall no yes never mind one two 1 2 first second 7up 1/2 -5 3.5 1,000 1e9
999999999999999999999 ½ ٣ ² '' " ` $ { } [ ] ( ) | ; < > & # \\ / * ~ ^ _ = + schalte das Licht aus an in der Küche
nicht auf allume éteins la lumière pas apaga todas las luces enciende zet de lamp uit włącz światło выключи свет
打开灯 関灯 电 켜 불 أطفئ النور बत्ती बंद करो ปิดไฟ İ ß ǅ ﬁ
"""
_WORDS = tuple(_TEXT.split())
_ODD = (
    "\u0000",
    "\u200b",
    "\u202e",
    "\ufeff",
    "\u0301" * 20,
    "🏳️\u200d🌈",
    "\ud83d",
    "\U000e0001",
    "\r\n",
    "\t",
    "\u2028",
    "\x1b[31m",
)

words = st.sampled_from(_WORDS)
sentences = st.lists(st.one_of(words, st.sampled_from(_ODD), st.text(max_size=5)), max_size=30).map(" ".join)
glued = st.lists(words, max_size=12).map("".join)
long_texts = st.builds(lambda unit, times: unit * times, st.text(min_size=1, max_size=6), st.integers(1, 20_000))
texts = st.one_of(sentences, st.lists(words, max_size=10).map(" ".join), glued, st.text(max_size=200), long_texts)

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ("[the] lamp", "(a|b", "(a|a)" * 30, "[a|b|c]" * 12, "(a;b;c;d;e;f;g)", "{x}", "<y>", "🙂", "-", "~")
    ),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | words, inner, max_size=4),
    max_leaves=12,
)
_identifiers = st.one_of(
    st.sampled_from(
        ("light.a", "light.b", "cover.garage", "lock.front", "todo.x", "climate.y", "x", ".", "a.", "sensor.ä b")
    ),
    st.text(max_size=15),
)


def _with(fields: dict[str, st.SearchStrategy[object]]) -> st.SearchStrategy[dict[str, object]]:
    """Records whose fields are mostly as they should be, now and then missing, wrong or unknown."""
    right = st.fixed_dictionaries({}, optional=fields)
    return st.builds(lambda a, b: {**a, **b}, right, st.dictionaries(words, _values, max_size=1) | st.just({}))


_names = st.one_of(
    words, _scalars, st.lists(_scalars, max_size=3), st.fixed_dictionaries({"in": _scalars, "out": _scalars})
)
_areas = _with({"id": words, "name": _names, "aliases": st.lists(_names, max_size=3), "floor": words | st.none()})
_entities = _with(
    {
        "id": _identifiers,
        "name": _names,
        "aliases": st.lists(_names, max_size=3) | _values,
        "area": words | st.none(),
        "state": _scalars | st.fixed_dictionaries({"in": _scalars, "out": _scalars}),
        "attributes": _values | st.dictionaries(st.sampled_from(("brightness", "device_class", "min_temp")), _values),
    }
)
_homes = _with(
    {
        "areas": st.lists(_areas, max_size=4),
        "floors": st.lists(_areas, max_size=2),
        "entities": st.lists(_entities, max_size=6),
    }
)
_MARKS = (
    b"",
    b"&a ",
    b"*a",
    b"!!python/object:x ",
    b"!!binary ",
    b"!!int ",
    b"!!timestamp ",
    b"<<: ",
    b"? ",
    b"- ",
    b"\t",
    b"\xff",
    b"|\n",
)


def _spoiled(whole: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes of which a stretch is cut out, doubled, or replaced."""

    def spoil(data: bytes, at: int, cut: int, put: bytes, times: int) -> bytes:
        place = at % (len(data) + 1)
        return data[:place] + put * times + data[place + cut :]

    put = st.one_of(st.sampled_from(_MARKS), st.binary(max_size=8))
    return st.one_of(
        whole,
        st.builds(spoil, whole, st.integers(0, 100_000), st.integers(0, 40), put, st.sampled_from((0, 1, 2, 400))),
    )


def _as_yaml(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=True, allow_nan=True).encode()


homes = st.one_of(
    _spoiled(_homes.map(_as_yaml)), st.binary(max_size=300), texts.map(lambda text: text.encode("utf-8", "replace"))
)

_sentences = st.lists(
    words | st.sampled_from(("[a]", "(a|b)", "{pet}", "<rule>", "(a;b)", "{pet:x}", "[", "((", "<", "{")), max_size=8
)
_PIECES = (
    *("{{ slots.pet }}", "{% if slots.pet %}", "{% endif %}", "{% for a in slots.pet %}", "{% endfor %}", "{{", "}}"),
    *("|join", "|replace('a', slots.pet)", "~", "*", "**", "{% set a = a ~ a %}", "{{ a }}", "{{ 9 * 9 }}"),
    *("{{ [1, 2] | join('x') }}", "{{ ''.__class__ }}", "{% macro a() %}"),
)
_replies = st.lists(words | st.sampled_from(_PIECES), max_size=12).map(" ".join)
reply_templates = st.one_of(_replies, st.text(alphabet="{}%|~'\"()[]. aslot_-+*/0123", max_size=60), texts)
_blocks = _with(
    {
        "sentences": st.lists(_sentences.map(" ".join), max_size=3) | _values,
        "slots": _values,
        "response": words,
        "lists": _values,
        "expansion_rules": _values,
    }
)
_lists = _with(
    {
        "values": st.lists(_scalars | _with({"in": _scalars, "out": _scalars}), max_size=4),
        "range": _with({name: st.integers() | _scalars for name in ("from", "to", "step", "multiplier")}),
        "wildcard": _scalars,
    }
)
_domains = _with(
    {
        "language": st.sampled_from(("en", "de", "xx", "")) | _scalars,
        "intents": st.dictionaries(words, _with({"data": st.lists(_blocks, max_size=2) | _values}), max_size=2),
        "lists": st.fixed_dictionaries({}, optional={"pet": _lists | _values, "x": _lists}),
        "expansion_rules": st.fixed_dictionaries({}, optional={"rule": _sentences.map(" ".join) | _scalars}),
        "responses": st.fixed_dictionaries(
            {"intents": st.dictionaries(words, _values | st.dictionaries(words, _replies), max_size=2)}
        ),
        "skip_words": _values,
    }
)
domain_files = st.one_of(_spoiled(_domains.map(_as_yaml)), st.binary(max_size=300))


def _toml(value: object) -> str:
    """A value as TOML writes it; what TOML has no word for stays as JSON writes it."""
    if isinstance(value, float):
        return {float("inf"): "inf", float("-inf"): "-inf"}.get(value, "nan" if value != value else repr(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(key))} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _as_profile(tables: dict[str, dict[str, object]], top: dict[str, object]) -> bytes:
    lines = [f"{json.dumps(key)} = {_toml(value)}" for key, value in top.items()]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{json.dumps(key)} = {_toml(value)}" for key, value in table.items())]
    return "\n".join(lines).encode("utf-8", "replace")


_board = st.fixed_dictionaries(
    {
        "title": st.text(max_size=20),
        "soc": st.just("-"),
        "core": st.just("-"),
        **{name: st.integers(-2, 5000) for name in ("cores", "clock_mhz", "ram_mib")},
    },
    optional={"memory_cap_mib": st.integers(), "os": _scalars, "rates": _values},
)
_tables = st.fixed_dictionaries(
    {"board": _board},
    optional={
        "audio": _with({"microphone": _scalars, "speaker": st.text(max_size=30), "barge_in": _scalars}),
        "wake": _with({"engine": words | st.just("none"), "threshold": st.floats(), "word": _scalars}),
        "endpoint": _with({"hangover_ms": st.integers(), "open_ms": _scalars}),
        "asr": _with({"engine": st.just("auto"), "model": _scalars}),
        "tts": _with({"engine": st.just("auto"), "voice": st.text(max_size=20)}),
    },
)
_top = st.fixed_dictionaries(
    {"name": st.one_of(st.sampled_from(("x", "a.b-c", "-x", "a b", "a\nb", "$(x)", "%h")), st.text(max_size=20))},
    optional={"language": _scalars, "bundle": _scalars, "home": _values, "weather": _scalars, "unknown": _values},
)
profiles = st.one_of(_spoiled(st.builds(_as_profile, _tables, _top)), st.binary(max_size=300))


def manifests(good: bytes) -> st.SearchStrategy[bytes]:
    """Manifests made from a good one: fields replaced, bytes spoiled."""
    fields = json.loads(good)
    replaced = st.builds(
        lambda changes: json.dumps({**fields, **changes}).encode(),
        st.dictionaries(st.sampled_from(sorted(fields)) | words, _values, min_size=1, max_size=3),
    )
    return st.one_of(replaced, _spoiled(st.just(good)), st.binary(max_size=300))


def spoiled(good: bytes) -> st.SearchStrategy[bytes]:
    """A file with some bytes changed, cut out or put in."""
    return _spoiled(st.just(good))


_sizes = st.sampled_from((0, 1, 15, 16, 40, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)) | st.integers(0, 2**32 - 1)
_chunks = st.builds(
    lambda name, size, data: name + struct.pack("<I", len(data) if size is None else size) + data,
    st.sampled_from((b"fmt ", b"data", b"LIST", b"fact", b"JUNK")) | st.binary(min_size=4, max_size=4),
    st.none() | _sizes,
    st.binary(max_size=80),
)
_format = st.builds(
    lambda kind, channels, rate, bits: (
        b"fmt " + struct.pack("<IHHIIHH", 16, kind, channels, rate, rate * 2 % 2**32, 2, bits)
    ),
    st.sampled_from((1, 3, 6, 7, 0xFFFE)) | st.integers(0, 65535),
    st.sampled_from((1, 2, 6)) | st.integers(0, 65535),
    st.sampled_from((8000, 16000, 44100, 48000)) | _sizes,
    st.sampled_from((8, 16, 24, 32, 64)) | st.integers(0, 65535),
)
_sound = st.builds(
    lambda size, data: b"data" + struct.pack("<I", len(data) if size is None else size) + data,
    st.none() | _sizes,
    st.binary(max_size=4000),
)
recordings = st.one_of(
    st.builds(
        lambda size, parts: b"RIFF" + struct.pack("<I", size) + b"WAVE" + b"".join(parts),
        _sizes,
        st.tuples(_format, _sound) | st.lists(st.one_of(_format, _sound, _chunks), max_size=5).map(tuple),
    ),
    st.binary(max_size=400),
    st.binary(max_size=100).map(lambda data: b"RIFF" + data),
)
