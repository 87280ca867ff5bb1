"""Board profiles: TOML files, typed, where a mistyped key names the nearest valid one."""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from edge.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PACKAGE = Path(__file__).parent
_PROFILE_FOLDERS = (_PACKAGE / "firmware_configs", _PACKAGE.parent / "firmware_configs")
_MAX_BYTES = 64 * 1024
_MAX_LINE = 1000  # tomllib takes quadratic time for a key of many parts: 48 s for 50,000
_UNKNOWN_KEY = re.compile(r"unknown field `(?P<key>[^`]*)`(?: - at `(?P<place>[^`]*)`)?")


NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
"""What a profile may be called: its name becomes a word of a command, a file and a host."""
_Name = Annotated[str, msgspec.Meta(pattern=NAME.pattern)]
_Text = Annotated[str, msgspec.Meta(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=60_000)]
_Rate = Annotated[float, msgspec.Meta(gt=0, lt=1e12)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A TOML table whose keys are all known."""


class Rates(_Table, frozen=True):
    """What one core does: published figures of a board, or with ``machine`` what ``edge-bench calibrate`` measured.

    ``seven_zip_mips`` is ``7z b -mmt1``, ``memcpy_mb_s`` tinymembench's, ``dgemm_gflops`` double-precision matrix
    products (HPL on one core); the others are the kernels of ``edge-bench calibrate``: single-precision matrix
    products, LZMA compression, the shipped int8 student on 12 tokens, and plain Python.
    """

    seven_zip_mips: _Rate | None = None
    memcpy_mb_s: _Rate | None = None
    dgemm_gflops: _Rate | None = None
    sgemm_gflops: _Rate | None = None
    lzma_mb_s: _Rate | None = None
    student_runs_s: _Rate | None = None
    python_mops: _Rate | None = None
    machine: _Text | None = None
    sources: tuple[_Text, ...] = ()


class Board(_Table, frozen=True):
    """Facts of the hardware; ``memory_cap_mib`` is what the operating system leaves to the assistant."""

    title: _Text
    soc: _Text
    core: _Text
    cores: _Count
    clock_mhz: _Count
    ram_mib: _Count
    memory_cap_mib: Annotated[int, msgspec.Meta(ge=16, le=1_000_000)] | None = None
    os: _Text = "Debian 12 or later, 64 bit"
    audio: _Text = ""
    source: _Text = ""
    rates: Rates = Rates()


class Audio(_Table, frozen=True):
    """Sound devices by PortAudio name or number; None is the system's default.

    ``automatic_gain`` raises quiet speech, by up to 20 dB; ``noise_suppression`` of 1 to 4 lowers steady noise (extra
    ``noise``), which helps people to understand recordings more than it helps these recognizers.
    """

    microphone: _Text | _Count | None = None
    speaker: _Text | _Count | None = None
    barge_in: bool = False
    automatic_gain: bool = True
    noise_suppression: Annotated[int, msgspec.Meta(ge=0, le=4)] = 0


class Wake(_Table, frozen=True):
    """How the assistant is called; ``threshold`` of the wake word's probability, None for its model's own."""

    engine: Literal["micro", "push-to-talk", "none"] = "micro"
    word: _Text = "okay_nabu"
    threshold: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None


class Endpoint(_Table, frozen=True):
    """When an utterance is over.

    ``hangover_ms`` of silence end it; ``open_ms`` where the text heard so far is a command that could go on ("turn off
    the lights"), ``complete_ms`` where it is a complete one. That text is asked for after ``pause_ms``.
    """

    hangover_ms: _Milliseconds = 600
    open_ms: _Milliseconds = 352
    complete_ms: _Milliseconds = 192
    pause_ms: _Milliseconds = 160


class Asr(_Table, frozen=True):
    """Speech recognizer; ``auto`` takes Moonshine for English and an installed Vosk model for the others.

    ``phrases`` is a JSON file with a list of commands, to which Vosk is then limited.
    """

    engine: Literal["auto", "moonshine", "vosk"] = "auto"
    model: _Text | None = None
    phrases: _Text | None = None


class Tts(_Table, frozen=True):
    """Voice; ``auto`` takes Piper where a voice of the language is installed, else espeak-ng."""

    engine: Literal["auto", "piper", "espeak", "none"] = "auto"
    voice: _Text | None = None


class Dwelling(_Table, frozen=True):
    """The home that is controlled: one of ``edge home connect``, or a simulated one; without either the demo home.

    ``connection`` is its name. ``allow`` are the addresses and networks of a connected home, which the service may
    talk to; it may talk to no others. ``file`` is the home file of a simulated one.
    ``area`` is where the assistant stands, by name or id. ``store`` is a file that keeps timers, and the states and
    lists of a simulated home, across restarts; under systemd it is in the unit's state folder where it is not named.
    """

    connection: _Name | None = None
    allow: tuple[_Text, ...] = ()
    file: _Text | None = None
    area: _Text | None = None
    store: _Text | None = None

    @property
    def named(self) -> str | None:
        """The connection or the home file."""
        return self.connection or self.file


class Budget(_Table, frozen=True):
    """A limit of one metric: the ``percentile`` (50, 95, 99; 100 is the maximum) must not exceed ``limit``.

    ``metric`` is ``scenario.measure`` of ``edge-bench`` (``turn.first_audio_ms``). A limit that is higher than it once
    was says in ``raised`` what for; a test compares it with the project's history.
    """

    metric: _Text
    percentile: Annotated[int, msgspec.Meta(ge=1, le=100)]
    limit: Annotated[float, msgspec.Meta(ge=0, lt=1e12)]
    unit: _Text
    why: _Text
    raised: _Text = ""


class Profile(_Table, frozen=True):
    """Everything that differs from one board to the next.

    ``allow_unsigned``: use ``bundle`` although nobody trusted signed it.
    """

    name: _Name
    board: Board
    language: _Text = "en"
    bundle: _Text = "home"
    allow_unsigned: bool = False
    home: Dwelling = Dwelling()
    weather: _Text | None = None
    audio: Audio = Audio()
    wake: Wake = Wake()
    endpoint: Endpoint = Endpoint()
    asr: Asr = Asr()
    tts: Tts = Tts()
    budgets: tuple[Budget, ...] = ()


def profile_names() -> list[str]:
    """Names of the profiles that come with the package."""
    return sorted({path.stem for folder in _PROFILE_FOLDERS for path in folder.glob("*.toml")})


def load_profile(name_or_path: str) -> Profile:
    """Profile by name (``raspberry-pi-5-4gb``) or by path to a TOML file.

    Raises:
        ConfigError: no such profile, not TOML, an unknown key, or a value of the wrong type.
    """
    path = find_profile(name_or_path)
    document = _read(path)
    try:
        return msgspec.convert(document, Profile)
    except msgspec.ValidationError as error:
        raise ConfigError(f"profile {path}: {_explain(error, Profile)}") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MAX_BYTES + 1)
        if len(text) > _MAX_BYTES or max(map(len, text.splitlines()), default=0) > _MAX_LINE:
            raise ConfigError(f"profile {path} is too long: at most {_MAX_BYTES >> 10} KiB, {_MAX_LINE} letters a line")
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot read profile {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"profile {path} is not TOML: {_one_line(error)}") from error


def find_profile(name_or_path: str) -> Path:
    """File of a profile.

    Raises:
        ConfigError: there is none of this name or path.
    """
    given = Path(name_or_path)
    if given.suffix == ".toml" or len(given.parts) > 1:
        if given.is_file():
            return given
        raise ConfigError(f"no profile file {name_or_path}; name a TOML file or one of: {', '.join(profile_names())}")
    for folder in _PROFILE_FOLDERS:
        path = folder / f"{name_or_path}.toml"
        if path.is_file():
            return path
    near = difflib.get_close_matches(name_or_path, profile_names(), n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(profile_names())}"
    raise ConfigError(f"no profile called {name_or_path!r}; {hint}")


def _explain(error: msgspec.ValidationError, root: type[msgspec.Struct]) -> str:
    message = _one_line(error)
    if "matching regex" in message:
        of = "letters, digits, dots and dashes" if NAME.pattern[1:20] in message else "printable characters"
        message = re.sub(r"`str` matching regex '.*'", f"text of {of}", message)
    unknown = _UNKNOWN_KEY.search(message)
    if unknown is None:
        return message
    place = unknown["place"] or "$"
    keys = [field.name for field in msgspec.structs.fields(_table_at(place, root))]
    near = difflib.get_close_matches(unknown["key"], keys, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"valid keys are {', '.join(keys)}"
    where = place.removeprefix("$").removeprefix(".")
    return f"unknown key {unknown['key']!r}{f' in [{where}]' if where else ''}; {hint}"


def _table_at(place: str, root: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Struct type at a msgspec error path such as ``$.budgets[...]``."""
    info: Any = msgspec.inspect.type_info(root)
    for step in re.findall(r"\.(\w+)|(\[)", place):
        fields = () if step[1] else info.fields
        info = info.item_type if step[1] else next(field.type for field in fields if field.encode_name == step[0])
    return info.cls  # type: ignore[no-any-return]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
