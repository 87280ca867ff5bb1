from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.config import Profile, load_profile, profile_names
from edge.errors import ConfigError
from tests.command import CHECKOUT

BOARD = '[board]\ntitle = "T"\nsoc = "S"\ncore = "cortex-a53"\ncores = 4\nclock_mhz = 1000\nram_mib = 512\n'


def written(folder: Path, text: str) -> str:
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    return str(folder / "mine.toml")


@pytest.mark.parametrize("name", profile_names())
def test_every_packaged_profile_loads_under_its_own_name(name: str) -> None:
    profile = load_profile(name)
    assert profile.name == name
    assert all(row.why and row.unit and 0 < row.percentile <= 100 for row in profile.budgets)
    if name != "desktop":
        assert profile.board.memory_cap_mib is not None
        assert profile.board.memory_cap_mib < profile.board.ram_mib


def test_the_boards_of_the_project_have_profiles() -> None:
    assert {
        "desktop",
        "raspberry-pi-zero-2w",
        "raspberry-pi-3b-plus",
        "raspberry-pi-4b-2gb",
        "raspberry-pi-5-4gb",
    } <= set(profile_names())
    assert load_profile("raspberry-pi-zero-2w").board.memory_cap_mib == 400


def test_a_path_gives_the_profile_in_that_file(tmp_path: Path) -> None:
    profile = load_profile(written(tmp_path, f'name = "mine"\nlanguage = "de"\n{BOARD}[wake]\nengine = "none"\n'))
    assert isinstance(profile, Profile)
    assert (profile.name, profile.language, profile.wake.engine, profile.board.cores) == ("mine", "de", "none", 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'name = "x"\nlangage = "de"\n{BOARD}', "unknown key 'langage'; did you mean 'language'?"),
        (f'name = "x"\n{BOARD}clock = 3\n', "unknown key 'clock' in [board]; did you mean 'clock_mhz'?"),
        (
            f'name = "x"\n{BOARD}[[budgets]]\nmetrc = "a"\n',
            "unknown key 'metrc' in [budgets[0]]; did you mean 'metric'?",
        ),
        (f'name = "x"\n{BOARD}[asr]\nengine = "kaldi"\n', "Invalid enum value 'kaldi'"),
        (
            f'name = "x"\n{BOARD}[endpoint]\nhangover_ms = "long"\n',
            "Expected `int`, got `str` - at `$.endpoint.hangover_ms`",
        ),
        ('name = "x"\n', "missing required field `board`"),
        ("name = \n", "is not TOML"),
        ("name = 'x'\nzzz = 1\n", "unknown key 'zzz'; valid keys are name, board"),
    ],
)
def test_a_mistake_is_named_with_the_file_and_the_nearest_key(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as raised:
        load_profile(path)
    assert message in str(raised.value)
    assert path in str(raised.value)
    assert "\n" not in str(raised.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_profile(str(tmp_path / "mine.toml"))


def test_a_mistyped_name_suggests_the_nearest_profile() -> None:
    with pytest.raises(ConfigError, match="did you mean raspberry-pi-5-4gb"):
        load_profile("raspberry-pi-5-4g")
    with pytest.raises(ConfigError, match="there are: desktop"):
        load_profile("toaster")
    with pytest.raises(ConfigError, match="no profile file"):
        load_profile("./toaster.toml")


def test_profiles_are_found_from_any_folder(tmp_path: Path) -> None:
    code = "from edge.config import profile_names; print(len(profile_names()))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": str(CHECKOUT)}, capture_output=True, text=True
    )
    assert int(done.stdout) == len(profile_names()) >= 6


WHOLE = 'name="x"\n[board]\ntitle="t"\nsoc="-"\ncore="-"\ncores=1\nclock_mhz=1\nram_mib=1\n'


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"x"', '"x --page; reboot"', "text of letters, digits, dots and dashes - at `$.name`"),
        ('"x"', '"../x"', "at `$.name`"),
        ('"x"', '"-x"', "at `$.name`"),
        ('"t"', '"a\\u0000b"', "text of printable characters - at `$.board.title`"),
        ('"t"', '"""a\nb"""', "at `$.board.title`"),
        ("cores=1", "cores=-1", ">= 0 - at `$.board.cores`"),
        ("ram_mib=1", "ram_mib=1\nmemory_cap_mib=-5", "at `$.board.memory_cap_mib`"),
        ("ram_mib=1", "ram_mib=1\n[endpoint]\nhangover_ms=-1", "at `$.endpoint.hangover_ms`"),
        ("ram_mib=1", "ram_mib=1\n[board.rates]\nlzma_mb_s=nan", "at `$.board.rates.lzma_mb_s`"),
        ("ram_mib=1", "ram_mib=1\n[wake]\nthreshold=nan", "at `$.wake.threshold`"),
        ("cores=1", "cores=" + "9" * 900, "<= 1000000 - at `$.board.cores`"),
        ("cores=1", "a=" + "[" * 400 + "\n" + "[" * 400 + "\n]", "is not TOML"),
        ("cores=1", ".".join("a" * 1000), "too long"),
        ("cores=1", "#\n" * 40_000, "too long"),
    ],
)
def test_values_that_no_board_has_are_refused_in_one_line(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    start = time.monotonic()
    with pytest.raises(ConfigError) as raised:
        load_profile(written(tmp_path, WHOLE.replace(before, after)))
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
    assert time.monotonic() - start < 1
    load_profile(written(tmp_path, WHOLE))
