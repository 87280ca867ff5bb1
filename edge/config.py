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
    """What one core does: published figures, or with ``machine`` what ``edge-bench calibrate`` measured."""

    seven_zip_mips: _Rate | None = None
    """7-Zip rating of one thread (``7z b -mmt1``)."""
    memcpy_mb_s: _Rate | None = None
    """Memory bandwidth, as tinymembench measures it."""
    dgemm_gflops: _Rate | None = None
    """Double-precision matrix products (HPL on one core)."""
    sgemm_gflops: _Rate | None = None
    """Single-precision matrix products of ``edge-bench calibrate``."""
    lzma_mb_s: _Rate | None = None
    """LZMA compression of ``edge-bench calibrate``."""
    student_runs_s: _Rate | None = None
    """Runs of the shipped int8 student on 12 tokens."""
    python_mops: _Rate | None = None
    """Plain Python operations."""
    machine: _Text | None = None
    """Where ``edge-bench calibrate`` measured these rates."""
    sources: tuple[_Text, ...] = ()
    """Addresses of the published figures."""


class Board(_Table, frozen=True):
    """Facts of the hardware."""

    title: _Text
    """Name of the board for people."""
    soc: _Text
    """Chip and memory."""
    core: _Text
    """Kind of processor core."""
    cores: _Count
    """Number of cores; 0 does not limit them."""
    clock_mhz: _Count
    """Clock of a core."""
    ram_mib: _Count
    """Memory of the board; up to 512 MiB the lean recognizer is used."""
    memory_cap_mib: Annotated[int, msgspec.Meta(ge=16, le=1_000_000)] | None = None
    """What the operating system leaves to the assistant; simulation and budgets enforce it."""
    os: _Text = "Debian 12 or later, 64 bit"
    """Operating system."""
    audio: _Text = ""
    """Sound hardware."""
    source: _Text = ""
    """Where these facts stand."""
    rates: Rates = Rates()
    """Speed of one core, from which times are projected."""


class Audio(_Table, frozen=True):
    """Sound devices, and what makes speech easier to hear."""

    microphone: _Text | _Count | None = None
    """PortAudio name or number; without it the system's default."""
    speaker: _Text | _Count | None = None
    """PortAudio name or number; without it the system's default."""
    barge_in: bool = False
    """Speech stops a reply; needs a microphone that cancels echoes."""
    automatic_gain: bool = True
    """Raises quiet speech by up to 20 dB."""
    noise_suppression: Annotated[int, msgspec.Meta(ge=0, le=4)] = 0
    """Lowers steady noise, 1 to 4 (extra ``noise``). It helps people more than these recognizers."""


class Wake(_Table, frozen=True):
    """How the assistant is called."""

    engine: Literal["micro", "push-to-talk", "none"] = "micro"
    """A wake word, the Enter key, or nothing: every utterance is meant for the assistant."""
    word: _Text = "okay_nabu"
    """Wake word: okay_nabu, alexa, hey_jarvis or hey_mycroft."""
    threshold: Annotated[float, msgspec.Meta(gt=0, lt=1)] | None = None
    """Probability that counts as the wake word; without it that of the word's model."""


class Endpoint(_Table, frozen=True):
    """When an utterance is over."""

    hangover_ms: _Milliseconds = 600
    """Silence that always ends an utterance."""
    open_ms: _Milliseconds = 352
    """Silence that ends a command that could go on ("turn off the lights")."""
    complete_ms: _Milliseconds = 192
    """Silence that ends an utterance whose text is already a complete command."""
    pause_ms: _Milliseconds = 160
    """Silence after which the recognizer is asked for its text so far."""


class Asr(_Table, frozen=True):
    """Speech recognizer."""

    engine: Literal["auto", "moonshine", "vosk"] = "auto"
    """``auto`` takes Moonshine for English and an installed Vosk model for other languages."""
    model: _Text | None = None
    """Model by name or folder, instead of the engine's own."""
    phrases: _Text | None = None
    """JSON file with a list of commands; Vosk then hears only these."""


class Tts(_Table, frozen=True):
    """Voice of the replies."""

    engine: Literal["auto", "piper", "espeak", "none"] = "auto"
    """``auto`` takes Piper where a voice of the language is installed, else espeak-ng."""
    voice: _Text | None = None
    """Piper voice by name or folder."""


class Dwelling(_Table, frozen=True):
    """The home that is controlled; without ``connection`` and ``file`` the demo home."""

    connection: _Name | None = None
    """Name of a home that ``edge home connect`` knows."""
    allow: tuple[_Text, ...] = ()
    """Addresses and networks of the connected home; the service may talk to no others."""
    file: _Text | None = None
    """Home file of a simulated home."""
    area: _Text | None = None
    """Where the assistant stands, by name or id."""
    store: _Text | None = None
    """File that keeps timers, states and lists across restarts; systemd's state folder without it."""

    @property
    def named(self) -> str | None:
        """The connection or the home file."""
        return self.connection or self.file


class Budget(_Table, frozen=True):
    """A limit of one metric."""

    metric: _Text
    """``scenario.measure`` of ``edge-bench``, such as ``turn.first_audio_ms``."""
    percentile: Annotated[int, msgspec.Meta(ge=1, le=100)]
    """Percentile that must not exceed the limit: 50, 95 or 99; 100 is the maximum."""
    limit: Annotated[float, msgspec.Meta(ge=0, lt=1e12)]
    """The limit itself."""
    unit: _Text
    """Unit of the limit."""
    why: _Text
    """Reason for this limit."""
    raised: _Text = ""
    """Reason why the limit is higher than it once was; a test compares it with the history."""


class Profile(_Table, frozen=True):
    """Everything that differs from one board to the next."""

    name: _Name
    """Name of the profile: letters, digits, dots and dashes."""
    board: Board
    """The table ``[board]``."""
    language: _Text = "en"
    """Language in which the assistant hears and answers."""
    bundle: _Text = "home"
    """Bundle that understands commands: a name, a folder or an ``.edge`` file."""
    allow_unsigned: bool = False
    """Uses ``bundle`` although nobody trusted has signed it."""
    home: Dwelling = Dwelling()
    """The table ``[home]``."""
    weather: _Text | None = None
    """Weather report (JSON or TOML) that answers questions about the weather."""
    audio: Audio = Audio()
    """The table ``[audio]``."""
    wake: Wake = Wake()
    """The table ``[wake]``."""
    endpoint: Endpoint = Endpoint()
    """The table ``[endpoint]``."""
    asr: Asr = Asr()
    """The table ``[asr]``."""
    tts: Tts = Tts()
    """The table ``[tts]``."""
    budgets: tuple[Budget, ...] = ()
    """The tables ``[[budgets]]``."""


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
