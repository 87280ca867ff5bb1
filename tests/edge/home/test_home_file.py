"""Home files."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

import edge
from edge.errors import ConfigError
from edge.home.demo import default_home
from edge.home.home_file import load_home
from edge.types import Entity

DATA = Path(os.environ.get("EDGE_DATA_DIR", Path(__file__).parents[4] / "shared" / "data")) / "home_assistant_tests"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "home.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_demo_home() -> None:
    home = default_home()
    domains = {entity.domain for entity in home.entities}
    assert domains >= {"light", "switch", "cover", "lock", "fan", "climate", "media_player", "vacuum", "lawn_mower",
                       "todo", "weather", "sensor", "binary_sensor", "scene", "script", "valve", "person"}  # fmt: skip
    area_ids = {area.id for area in home.areas}
    assert all(entity.area_id in area_ids for entity in home.entities if entity.area_id)
    assert {area.floor_id for area in home.areas} - {None} == {floor.id for floor in home.floors}


def test_names_states_and_attributes(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        floors: [{id: up, name: Upstairs, aliases: [first floor]}]
        areas:
          - {id: den, name: "[the] den|study", floor: up}
        entities:
          - {id: light.a, name: "(Big|Large) Lamp", area: den, state: off, attributes: {brightness: 40}}
          - {id: light.b, name: [Small Lamp, Night Lamp], aliases: [Tiny]}
          - {id: light.c, name: {in: "[cosy] glow", out: Glow}, state: {in: "(glimmend|an)", out: "on"}}
          - {id: cover.d, name: Blind, attributes: {device_class: {in: Rollo, out: blind}, position: "0"}}
        """,
    )
    home = load_home(path)
    assert home.floors[0].aliases == ("first floor",)
    assert (home.areas[0].name, home.areas[0].aliases) == ("den", ("the den", "study"))
    a, b, c, d = home.entities
    assert (a.name, a.aliases, a.area_id, a.state) == ("Big Lamp", ("Large Lamp",), "den", "off")
    assert a.attributes == {"brightness": 40}
    assert (b.name, b.aliases, b.state) == ("Small Lamp", ("Night Lamp", "Tiny"), None)
    assert (c.name, c.aliases, c.state) == ("Glow", ("glow", "cosy glow"), "on")
    assert c.attributes == {"spoken_state": {"on": "glimmend"}}
    assert d.attributes == {"device_class": "blind", "position": "0"}


def test_a_second_entity_of_the_same_id_gets_a_number(tmp_path: Path) -> None:
    path = written(tmp_path, "entities: [{id: light.a, name: A}, {id: light.a, name: B}, {id: light.a, name: C}]")
    assert [entity.id for entity in load_home(path).entities] == ["light.a", "light.a_2", "light.a_3"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "empty"),
        ("- a\n- b\n", 1, "mapping"),
        ("areas: kitchen\n", 1, '"areas" must be a list'),
        ("\nentities:\n  - {id: light.a}\n", 3, 'needs "name"'),
        ("\nentities:\n  - {name: Lamp}\n", 3, 'needs "id"'),
        ("entities:\n  - {id: lamp, name: Lamp}\n", 2, "a domain, a dot, a name"),
        ("entities:\n  - {id: light.a, name: Lamp, alias: [Light]}\n", 2, 'did you mean "aliases"'),
        ("entitys:\n  - {id: light.a, name: Lamp}\n", 1, 'did you mean "entities"'),
        ("areas: [{id: kitchen, name: K}]\nentities:\n  - {id: light.a, name: L, area: kichen}\n", 3, '"kitchen"'),
        ("entities:\n  - {id: light.a, name: '(a|b'}\n", 2, "closing bracket"),
        ("entities:\n  - {id: light.a, name: ''}\n", 2, "empty"),
        ("entities:\n  - {id: light.a, name: L, state: {in: an}}\n", 2, 'needs "out"'),
        ("entities:\n  - {id: light.a, name: L, state: [on]}\n", 2, "must be text"),
        ("entities: [\n", 2, "not valid YAML"),
        (
            "entities:\n  - {id: light.a, name: L, attributes: {x: !!python/object/apply:os.getcwd []}}\n",
            2,
            "x has the tag",
        ),
        ("entities:\n  - {id: light.a, name: &n [*n]}\n", None, ""),
        ("entities:\n  - {id: light.a, name: L, colour: red}\n", 2, 'unknown key "colour" in an entity; there are'),
        ("entities:\n  - {id: light.a, name: L, name: M}\n", 2, '"name" comes twice'),
        ("areas: [{id: k, name: K}]\nentities:\n  - {id: light.a, name: L, area: den}\n", 3, "there are: k"),
        ("areas:\n  - {id: k, name: K, floor: up}\n", 2, 'in floor "up", which is not in floors; there are: none'),
        ("entities:\n  - {id: light.a, name: L, attributes: {x: !!int ''}}\n", 2, "x cannot be read as int"),
        ("entities:\n  - {id: light.a, name: L, attributes: {x: !!bool y}}\n", 2, "x cannot be read as bool"),
        ("entities:\n  - {id: light.a, name: L, attributes: {x: .nan}}\n", 2, "not a number that a device has"),
        ("entities:\n  - {id: light.a, name: L, attributes: {x: !!binary AA}}\n", 2, "x has the tag"),
        ("entities:\n  - {id: light.a, name: L, attributes: {? [a] : b}}\n", 2, "must be text"),
        ('entities:\n  - {id: light.a, name: "a\\eb"}\n', 2, "has a control character"),
        (f"entities:\n  - {{id: light.a, name: {'x' * 251}}}\n", 2, "longer than 250 letters"),
        (f"entities:\n  - {{id: light.a, name: {'(a|' * 50}b{')' * 50}}}\n", 2, "nested too deeply"),
        (f"entities:\n  - {{id: light.a, name: L, aliases: [{', '.join('a' * 65)}]}}\n", 2, "more than 64 aliases"),
    ],
)
def test_errors_name_file_line_and_expectation(tmp_path: Path, text: str, line: int | None, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_home(path)
    assert str(caught.value).startswith(f"{path}:{line}: " if line else str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_home(tmp_path / "missing.yaml")
    with pytest.raises(ConfigError, match="not a file"):
        load_home(tmp_path)
    path = tmp_path / "home.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_home(path)
    path.write_bytes(b"a: \x00")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_home(path)


@pytest.mark.parametrize("language", ["ar", "de", "en", "es", "fi", "fr", "hi", "ko", "nl", "zh-cn"])
def test_home_assistant_fixtures(language: str) -> None:
    path = DATA / language / "_fixtures.yaml"
    if not path.exists():
        pytest.skip("needs Home Assistant's test homes in EDGE_DATA_DIR")
    home = load_home(path)
    assert home.areas
    assert home.entities
    assert all(not set("[](|){}") & set(thing.name) for thing in (*home.areas, *home.entities))


def test_demo_home_is_that_of_its_file() -> None:
    folder = Path(edge.__file__).parent / "data" / "homes"
    said = msgspec.json.format(msgspec.json.encode(load_home(folder / "demo.yaml")), indent=1) + b"\n"
    assert (folder / "demo.json").read_bytes() == said, "write into demo.json what this line calls `said`"
    assert default_home() == load_home(folder / "demo.yaml")


LAUGHS = "".join(f"  - &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 12))


@pytest.mark.parametrize(
    "text",
    [
        f"entities:\n  - {{id: light.a, name: '{'(a|a)' * 49}'}}\n",
        f"entities:\n  - {{id: light.a, name: 'x{'[a|]' * 60}'}}\n",
        f"entities:\n  - {{id: light.a, name: '({';'.join('a' * 120)})'}}\n",
        f"areas:\n  - &l0 [x, x]\n{LAUGHS}",
        f"entities:\n- id: light.a\n  name: A\n  attributes:\n   x:\n  - &l0 [x, x]\n{LAUGHS}",
        "entities:\n" + "  - {id: light.a, name: A}\n" * 20_000,
        "entities:\n" + "  - {id: light.a, name: A, area: den}\n" * 20_000,
        "areas: " + "[" * 100_000,
    ],
    ids=[
        "alternatives",
        "options",
        "any order",
        "aliases",
        "aliases in attributes",
        "same ids",
        "unknown area",
        "deep",
    ],
)
def test_no_home_file_takes_long(tmp_path: Path, text: str) -> None:
    start = time.process_time()
    with suppress(ConfigError):
        load_home(written(tmp_path, text))
    assert time.process_time() - start < 4


def test_ten_thousand_entities_load_in_two_seconds(tmp_path: Path) -> None:
    kinds = ("light", "switch", "cover", "sensor")
    rows = [
        f"  - {{id: {kinds[n % 4]}.e{n}, name: {kinds[n % 4]} {n}, aliases: [thing {n}], area: area{n // 20}}}\n"
        for n in range(10_000)
    ]
    areas = [f"  - {{id: area{n}, name: Room {n}}}\n" for n in range(500)]
    path = written(tmp_path, f"areas:\n{''.join(areas)}entities:\n{''.join(rows)}")
    start = time.process_time()
    assert len(load_home(path).entities) == 10_000
    assert time.process_time() - start < 2


def test_pipes_and_devices_are_no_home_files(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(ConfigError, match="not a file"):
            load_home(path)


def test_numbers_of_attributes_are_finite() -> None:
    for text in ("nan", "inf", "1e999", "x"):
        assert Entity("light.a", "A", attributes={"brightness": text}).number("brightness", 7.0) == 7.0
