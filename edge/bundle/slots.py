"""Which installed version of a bundle is in use, and which ones before it are kept: two slots, as in RAUC.

``$XDG_DATA_HOME/edge/bundles/NAME/`` holds ``a.edge``, ``b.edge`` and ``state``. An installation writes the slot that
is not needed and then makes it the one in use. Starts of a version that has never worked are counted; after
``MAX_STARTS`` of them the version before is in use again, without anybody's help (greenboot does so too).

``state`` holds two records that are written in turn, each with its hash, as in U-Boot's redundant environment. A kill
or a power cut in the middle of a record leaves the other one, and no file has to be renamed.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from edge.bundle.manifest import is_name
from edge.errors import BundleError
from edge.files import sync_folder

try:
    from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]

MAX_STARTS = 3
"""Starts of a new version without success; RAUC's default too."""

Slot = Literal["a", "b"]
SLOTS: tuple[Slot, Slot] = ("a", "b")

_STATE = "state"
_RECORD_BYTES = 1024
_DIGITS = 16


class Version(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a slot holds; ``works`` once a start with it succeeded, ``starts`` without success before that.

    ``vouched``: who vouched for it when it was installed.
    """

    manifest_sha256: str
    built: int = 0
    vouched: str = ""
    works: bool = False
    starts: int = 0


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """The slots in use: ``order`` has the active one first, then the one before; after them comes the shipped bundle.

    A version that is in no order ``failed`` (the hash of its manifest) and waits for the next installation.
    """

    order: tuple[Slot, ...] = ()
    versions: dict[Slot, Version] = {}
    failed: str = ""
    number: int = 0

    def __post_init__(self) -> None:
        """Check that what is in order is described; raises ValueError."""
        if not set(self.order) <= set(self.versions):
            raise ValueError("a slot in use is not described")

    @property
    def active(self) -> Version | None:
        """The version in use; None for the shipped bundle, or none."""
        return self.versions[self.order[0]] if self.order else None

    def without_active(self) -> State:
        """The state with the version before in use."""
        return msgspec.structs.replace(self, order=self.order[1:])

    def with_active(self, version: Version) -> State:
        """The state with the version in use described anew."""
        return msgspec.structs.replace(self, versions={**self.versions, self.order[0]: version})


class Installed(NamedTuple):
    """The file in use, and the hash that its manifest must have."""

    path: Path
    manifest_sha256: str


def bundle_folder() -> Path:
    """Where ``edge bundle install`` puts bundles: ``$XDG_DATA_HOME/edge/bundles``."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "edge" / "bundles"


def slot_path(name: str, slot: Slot) -> Path:
    """File of a slot of the bundle ``name``."""
    return bundle_folder() / name / f"{slot}.edge"


def installed_names() -> list[str]:
    """Names of the bundles with an installed version in use."""
    with suppress(OSError):
        return sorted(name for name in os.listdir(bundle_folder()) if read_state(name).order)
    return []


def is_managed(name: str) -> bool:
    """Whether a start with ``name``, which may be a path, concerns the slots: in use, or left by a killed command."""
    return is_name(name) and (read_state(name).active is not None or was_killed(name))


def was_killed(name: str) -> bool:
    """Whether an installation was killed and left files; the next holder of the lock removes them."""
    return bool(_leftovers(name))


def active_version(name: str) -> Installed | None:
    """What is in use under ``name``; None for the shipped bundle, or none."""
    state = read_state(name)
    return Installed(slot_path(name, state.order[0]), state.active.manifest_sha256) if state.active else None


def read_state(name: str) -> State:
    """The newer of the two records that are whole; an empty state without one."""
    try:
        with (bundle_folder() / name / _STATE).open("rb") as file:
            data = file.read(2 * _RECORD_BYTES)
    except OSError:
        return State()
    return max(_records(data).values(), key=lambda state: state.number, default=State())


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Make the bundle's folder and keep other installations and starts out, until the block ends.

    Raises:
        BundleError: the folder cannot be made.
    """
    folder = bundle_folder() / name
    try:
        bundle_folder().mkdir(parents=True, exist_ok=True)
        handle = os.open(bundle_folder(), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise BundleError(f"cannot use {folder}: {error.strerror}; set XDG_DATA_HOME to a folder of yours") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with suppress(FileExistsError):
            folder.mkdir()
        _sweep(name)
        yield
    except OSError as error:
        raise BundleError(f"cannot use {folder}: {error.strerror or error}; free some space") from error
    finally:
        with suppress(OSError):
            folder.rmdir()
        os.close(handle)


def write_state(name: str, state: State) -> State:
    """Record a new state in place of the older record, and return it as it is numbered; needs the lock.

    Raises:
        BundleError: it cannot be written.
    """
    try:
        handle = os.open(bundle_folder() / name / _STATE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            kept = _records(os.pread(handle, 2 * _RECORD_BYTES, 0))
            newest = max(kept, key=lambda at: kept[at].number, default=1)
            number = kept[newest].number + 1 if kept else 1
            numbered = msgspec.structs.replace(state, number=number)
            os.pwrite(handle, _record(numbered), _RECORD_BYTES * (1 - newest))
            os.fsync(handle)
        finally:
            os.close(handle)
        if not kept:
            sync_folder(bundle_folder() / name)
    except OSError as error:
        raise BundleError(f"cannot write the state of {name}: {error.strerror}; free some space") from error
    return numbered


def drop_slot(name: str, slot: Slot, state: State) -> State:
    """Empty a slot: first in the state, then on the disk, so that the state never names a file that is gone."""
    order = tuple(kept for kept in state.order if kept != slot)
    versions = {kept: version for kept, version in state.versions.items() if kept != slot}
    state = write_state(name, msgspec.structs.replace(state, order=order, versions=versions))
    slot_path(name, slot).unlink(missing_ok=True)
    return state


def _leftovers(name: str) -> list[Path]:
    """What a killed installation left: whatever the state does not name."""
    known = {_STATE, *(f"{slot}.edge" for slot in read_state(name).versions)}
    with suppress(OSError):
        folder = bundle_folder() / name
        return [folder / file for file in os.listdir(folder) if file not in known]
    return []


def _sweep(name: str) -> None:
    for path in _leftovers(name):
        with suppress(OSError):
            path.unlink()


def _record(state: State) -> bytes:
    page = msgspec.json.encode(state)
    record = str(sha256(page).hexdigest())[:_DIGITS].encode() + b" " + page + b"\n"
    if len(record) > _RECORD_BYTES:
        raise BundleError("the state of a bundle has become too long; report this")
    return record.ljust(_RECORD_BYTES, b" ")


def _records(data: bytes) -> dict[int, State]:
    """Whole records by their place, 0 or 1."""
    found: dict[int, State] = {}
    for place in (0, 1):
        record = data[place * _RECORD_BYTES : (place + 1) * _RECORD_BYTES]
        digest, _, page = record.partition(b"\n")[0].partition(b" ")
        if len(digest) == _DIGITS and digest == sha256(page).hexdigest()[:_DIGITS].encode():
            with suppress(msgspec.MsgspecError):
                found[place] = msgspec.json.decode(page, type=State)
    return found
