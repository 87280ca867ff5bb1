"""The home of a profile and of the command line: its file, where the assistant stands, and what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import CHECKOUT, edge, one_line, rows

DESKTOP = (CHECKOUT / "firmware_configs" / "desktop.toml").read_text()


def changed(turn: dict[str, dict[str, list[dict[str, str]]]]) -> list[str]:
    return [change["entity"] for change in turn["action"]["changes"]]


def test_the_area_in_which_the_assistant_stands(tmp_path: Path) -> None:
    command = ("simulate", "--lang", "en", "--json", "--text", "turn on the lights")
    (turn,) = rows(edge(*command, "--area", "Office").stdout)
    assert changed(turn) == ["light.office_lamp"]
    assert turn["action"]["calls"] == [
        {"service": "light.turn_on", "targets": ["light.office_lamp"], "data": {}, "outcome": "done", "reason": ""}
    ]
    profile = tmp_path / "mine.toml"
    profile.write_text(f'{DESKTOP}\n[home]\narea = "lounge"\n')
    (turn,) = rows(edge(*command, "--profile", profile).stdout)
    assert changed(turn) == ["light.living_room"]


def test_an_area_that_the_home_does_not_have() -> None:
    done = edge("simulate", "--area", "kichen", "--text", "turn on the lights")
    assert done.returncode == 2
    assert "did you mean 'kitchen'?" in one_line(done)


@pytest.mark.parametrize("named", ["--store", "profile", "systemd"])
def test_timers_and_states_are_kept(tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store, options = tmp_path / "home.json", []
    if named == "--store":
        options = ["--store", str(store)]
    elif named == "profile":
        profile = tmp_path / "mine.toml"
        profile.write_text(f'{DESKTOP}\n[home]\nstore = "{store}"\n')
        options = ["--profile", str(profile)]
    else:
        monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    command = ["simulate", "--lang", "en", "--json", *options]
    edge(*command, "--text", "set a timer for ten minutes", "--text", "turn on the hall light")
    left, light = rows(edge(*command, "--text", "how much time is left", "--text", "is the hall light on").stdout)
    assert left["reply"]["text"] == "10 minutes left."
    assert light["reply"]["text"] == "Yes, on"
