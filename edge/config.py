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
_UNKNOWN_KEY = re.compile(r"unknown field `(?P<key>[^`]*)`(?: - at `(?P<place>[^`]*)`)?")


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A TOML table whose keys are all known."""


class Rates(_Table, frozen=True):
    """What one core does: published figures of a board, or with ``machine`` what ``edge-bench calibrate`` measured.

    ``seven_zip_mips`` is ``7z b -mmt1``, ``memcpy_mb_s`` tinymembench's, ``dgemm_gflops`` double-precision matrix
    products (HPL on one core); the others are the kernels of ``edge-bench calibrate``: single-precision matrix
    products, LZMA compression, the shipped int8 student on 12 tokens, and plain Python.
    """

    seven_zip_mips: float | None = None
    memcpy_mb_s: float | None = None
    dgemm_gflops: float | None = None
    sgemm_gflops: float | None = None
    lzma_mb_s: float | None = None
    student_runs_s: float | None = None
    python_mops: float | None = None
    machine: str | None = None
    sources: tuple[str, ...] = ()


class Board(_Table, frozen=True):
    """Facts of the hardware; ``memory_cap_mib`` is what the operating system leaves to the assistant."""

    title: str
    soc: str
    core: str
    cores: int
    clock_mhz: int
    ram_mib: int
    memory_cap_mib: int | None = None
    os: str = "Debian 12 or later, 64 bit"
    audio: str = ""
    source: str = ""
    rates: Rates = Rates()


class Audio(_Table, frozen=True):
    """Sound devices by PortAudio name or number; None is the system's default.

    ``automatic_gain`` raises quiet speech, by up to 20 dB; ``noise_suppression`` of 1 to 4 lowers steady noise (extra
    ``noise``), which helps people to understand recordings more than it helps these recognizers.
    """

    microphone: str | int | None = None
    speaker: str | int | None = None
    barge_in: bool = False
    automatic_gain: bool = True
    noise_suppression: Annotated[int, msgspec.Meta(ge=0, le=4)] = 0


class Wake(_Table, frozen=True):
    """How the assistant is called; ``threshold`` of the wake word's probability, None for its model's own."""

    engine: Literal["micro", "push-to-talk", "none"] = "micro"
    word: str = "okay_nabu"
    threshold: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None


class Endpoint(_Table, frozen=True):
    """When an utterance is over.

    ``hangover_ms`` of silence end it; ``open_ms`` where the text heard so far is a command that could go on ("turn off
    the lights"), ``complete_ms`` where it is a complete one. That text is asked for after ``pause_ms``.
    """

    hangover_ms: int = 600
    open_ms: int = 352
    complete_ms: int = 192
    pause_ms: int = 160


class Asr(_Table, frozen=True):
    """Speech recognizer; ``auto`` takes Moonshine for English and an installed Vosk model for the others.

    ``phrases`` is a JSON file with a list of commands, to which Vosk is then limited.
    """

    engine: Literal["auto", "moonshine", "vosk"] = "auto"
    model: str | None = None
    phrases: str | None = None


class Tts(_Table, frozen=True):
    """Voice; ``auto`` takes Piper where a voice of the language is installed, else espeak-ng."""

    engine: Literal["auto", "piper", "espeak", "none"] = "auto"
    voice: str | None = None


class Budget(_Table, frozen=True):
    """A limit of one metric: the ``percentile`` (50, 95, 99; 100 is the maximum) must not exceed ``limit``.

    ``metric`` is ``scenario.measure`` of ``edge-bench`` (``turn.first_audio_ms``). A limit that is higher than it once
    was says in ``raised`` what for; a test compares it with the project's history.
    """

    metric: str
    percentile: int
    limit: float
    unit: str
    why: str
    raised: str = ""


class Profile(_Table, frozen=True):
    """Everything that differs from one board to the next."""

    name: str
    board: Board
    language: str = "en"
    bundle: str = "home"
    home: str | None = None
    weather: str | None = None
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
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read profile {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"profile {path} is not TOML: {_one_line(error)}") from error
    try:
        return msgspec.convert(document, Profile)
    except msgspec.ValidationError as error:
        raise ConfigError(f"profile {path}: {_explain(error, Profile)}") from error


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
