"""Installs, starts and rolls back bundles, so that a version that works is never lost.

Every step leaves the assistant working wherever it is killed: a candidate has no name until it was verified, signed by
a trusted key and tried out; only then is a slot emptied for it, never that of the version that works; and one record
makes it the one in use. See `edge.bundle.slots`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

import msgspec

from edge.bundle import slots
from edge.bundle.archive import BLOCK_BYTES, opened_file
from edge.bundle.format import Bundle, open_bundle, open_path, open_shipped
from edge.bundle.manifest import MAX_BUNDLE_BYTES, is_name
from edge.bundle.probe import probe
from edge.bundle.signing import Voucher, require_voucher
from edge.bundle.slots import SLOTS, Slot, State, Version, slot_path
from edge.errors import BundleError
from edge.files import WholeFile


def verify_bundle(source: str | Path, *, allow_unsigned: bool = False) -> tuple[Bundle, Voucher]:
    """Check a bundle's hashes and signature, and try it out in a child process.

    Raises:
        BundleError: it is damaged, nobody trusted vouches for it, or it fails its probe.
    """
    opened = open_bundle(source)
    found = require_voucher(opened, allow_unsigned)
    probe(opened.source, str(source))
    return opened, found


def admit(opened: Bundle, allow_unsigned: bool) -> None:
    """Let a bundle that was named by its path be used: signed, or else tried out first.

    Raises:
        BundleError: nobody trusted vouches for it, unless ``allow_unsigned``, or it fails its probe.
    """
    _admit(opened.source, opened.manifest_sha256, allow_unsigned)


@lru_cache(maxsize=8)
def _admit(source: Path, manifest_sha256: str, allow_unsigned: bool) -> None:
    opened = open_path(source)
    if opened.manifest_sha256 != manifest_sha256:
        raise BundleError(f"{source} changed while it was read; try again")
    if not require_voucher(opened, allow_unsigned).trusted:
        probe(source, str(source))


def install_bundle(source: str | Path, *, allow_unsigned: bool = False, allow_older: bool = False) -> Path:
    """Install a bundle under its name, beside the version that is in use, and return its file.

    Raises:
        BundleError: it is damaged, unsigned, older than what is in use, or fails its probe; nothing has changed then.
    """
    opened = open_bundle(source)
    if opened.source.is_dir():
        raise BundleError(f"{source} is a folder: install the .edge file, or use the folder with --bundle {source}")
    found, name = require_voucher(opened, allow_unsigned), opened.manifest.name
    with slots.locked(name):
        state = slots.read_state(name)
        in_use = _opened_or_none(name, state)
        active = state.active if in_use is not None else None
        again = active is not None and active.manifest_sha256 == opened.manifest_sha256
        if active is not None and again and active.vouched == found.words:
            return slot_path(name, state.order[0])
        if in_use is not None and opened.manifest.built < in_use.manifest.built and not allow_older:
            raise BundleError(
                f"{source} is older than the {name} in use: add --allow-downgrade if that is what you want"
            )
        slot = state.order[0] if again or (state.order and in_use is None) else _free_slot(state)
        state = _put(opened, slot, state, again=again)
        if active is not None and again:
            state = state.with_active(msgspec.structs.replace(active, vouched=found.words))
        else:
            version = Version(opened.manifest_sha256, opened.manifest.built, found.words)
            state = State((slot, *state.order), {**state.versions, slot: version})
        slots.write_state(name, state)
    return slot_path(name, slot)


def rollback_bundle(name: str) -> Path:
    """Use the version before again, after it was verified and tried out: an installed one, or the shipped one.

    The version that was in use is removed.

    Raises:
        BundleError: there is none, or it is damaged; nothing has changed then.
    """
    if not is_name(name):
        raise BundleError(f"{name!r} is not the name of a bundle")
    if slots.active_version(name) is None:
        raise BundleError(f"there is no earlier bundle {name!r} to go back to")
    with slots.locked(name):
        state = slots.read_state(name)
        if not state.order:
            raise BundleError(f"there is no earlier bundle {name!r} to go back to")
        before = state.without_active()
        opened = _open_active(name, before)
        probe(opened.source, str(opened.source))
        _emptied(name, state.order[0], state)
    return opened.source


@contextmanager
def start(name: str) -> Iterator[str]:
    """A start with the bundle ``name``: the block loads it, and is left without an exception where it works.

    Starts of an installed version that has never worked are counted before the block. Where it is damaged, or failed
    ``MAX_STARTS`` of them, the version before is in use again. Yields what a person should know of that, or nothing.
    """
    if not slots.is_managed(name):
        yield ""
        return
    try:
        begun, told = _begin(name)
    except BundleError as error:
        begun, told = State(), f"starts with {name} are not counted ({error})"
    yield told
    if begun.active is not None and not begun.active.works:
        with suppress(BundleError):
            _end(name, begun.active)


def _begin(name: str) -> tuple[State, str]:
    """The state to start in, and what changed."""
    state, told = slots.read_state(name), ""
    works = state.active is not None and state.active.works and _opened_or_none(name, state) is not None
    if works and not slots.was_killed(name):
        return state, told
    with slots.locked(name):
        state = slots.read_state(name)
        if (reason := _why_not(name, state)) and (before := _version_before(name, state)) is not None:
            told = f"the installed version of {name} {reason}; the one before is in use again"
            state = before
        if state.active is not None and not state.active.works:
            state = state.with_active(msgspec.structs.replace(state.active, starts=state.active.starts + 1))
        return slots.write_state(name, state), told


def _end(name: str, begun: Version) -> None:
    """Record that the version of this process works, if it is still in use."""
    with slots.locked(name):
        state = slots.read_state(name)
        if state.active is not None and state.active.manifest_sha256 == begun.manifest_sha256:
            works = msgspec.structs.replace(state.active, works=True, starts=0)
            slots.write_state(name, state.with_active(works))


def _put(opened: Bundle, slot: Slot, state: State, *, again: bool) -> State:
    """Copy a bundle, try the copy out and let it be the slot; emptied for it, unless it holds the same ``again``."""
    name = opened.manifest.name
    with _candidate(slot_path(name, slot)) as candidate:
        handle = candidate.stream.fileno()
        _copy(opened.source, candidate)
        copied = open_path(Path(f"/proc/self/fd/{handle}"))
        if copied.manifest_sha256 != opened.manifest_sha256:
            raise BundleError(f"{opened.source} changed while it was read; try again")
        probe(copied.source, str(opened.source), handle)
        if not again:
            state = _emptied(name, slot, state)
        candidate.commit()
    return state


def _free_slot(state: State) -> Slot:
    """The slot that is not needed: an empty one, else that of a version that never worked, else the older one."""
    for slot in SLOTS:
        if slot not in state.versions:
            return slot
    left = [slot for slot in SLOTS if slot not in state.order]
    if left:
        return left[0]
    active, before = state.order
    return active if state.versions[before].works and not state.versions[active].works else before


def _emptied(name: str, slot: Slot, state: State) -> State:
    """The state with a slot emptied, and its programs gone from the cache."""
    with suppress(BundleError):
        unpacked = open_path(slot_path(name, slot)).unpacked()
        for path in unpacked:
            path.unlink(missing_ok=True)
    return slots.drop_slot(name, slot, state)


@contextmanager
def _candidate(target: Path) -> Iterator[WholeFile]:
    """A file without a name that may become ``target``; a full disk is a BundleError."""
    try:
        file = WholeFile(target)
        try:
            yield file
        finally:
            file.discard()
    except OSError as error:
        raise BundleError(f"cannot write {target}: {error.strerror or error}; free some space") from error


def _copy(source: Path, candidate: WholeFile) -> None:
    with opened_file(source, MAX_BUNDLE_BYTES) as file:
        left = MAX_BUNDLE_BYTES
        while left > 0 and (block := file.read(min(BLOCK_BYTES, left))):
            candidate.stream.write(block)
            left -= len(block)
    candidate.stream.flush()
    os.fsync(candidate.stream.fileno())


def _open_active(name: str, state: State) -> Bundle:
    """The version in use in ``state``, whole and the one that was installed, or the shipped one."""
    if state.active is None:
        try:
            return open_shipped(name)
        except BundleError as error:
            raise BundleError(f"there is no earlier bundle {name!r} to go back to") from error
    opened = open_path(slot_path(name, state.order[0]))
    if opened.manifest_sha256 != state.active.manifest_sha256:
        raise BundleError(f"{opened.source} is not what was installed as {name}; install it again")
    return opened


def _opened_or_none(name: str, state: State) -> Bundle | None:
    try:
        return _open_active(name, state)
    except BundleError:
        return None


def _why_not(name: str, state: State) -> str:
    """Why the version in use must give way; nothing where it may start."""
    active = state.active
    if active is None:
        return ""
    if _opened_or_none(name, state) is None:
        return "is damaged"
    return f"failed {slots.MAX_STARTS} starts" if not active.works and active.starts >= slots.MAX_STARTS else ""


def _version_before(name: str, state: State) -> State | None:
    """The state with the next version in use that is whole; None where there is none."""
    failed = state.active.manifest_sha256 if state.active is not None else ""
    while state.order:
        state = msgspec.structs.replace(state.without_active(), failed=failed)
        if _opened_or_none(name, state) is not None:
            return state
    return None
