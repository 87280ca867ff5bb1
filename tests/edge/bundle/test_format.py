"""Bundles: written whole, verified before anything is parsed, installed and rolled back."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from edge.bundle.format import bundle_names, copy_bundle, open_bundle, write_bundle
from edge.bundle.manifest import FORMAT_VERSION, Manifest
from edge.errors import BundleError

MANIFEST = Manifest(FORMAT_VERSION, "tiny", {}, ("en",))
CONTENTS = {"a.bin": b"abc" * 100, "lexicon/en.json": b"{}"}


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "tiny.edge", MANIFEST, CONTENTS).source


def rewrite(source: Path, change: dict[str, bytes | None]) -> None:
    with zipfile.ZipFile(source) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    for name, data in change.items():
        if data is None:
            contents.pop(name)
        else:
            contents[name] = data
    with zipfile.ZipFile(source, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def test_what_is_written_is_read(tiny: Path) -> None:
    bundle = open_bundle(tiny)
    assert bundle.read("a.bin") == CONTENTS["a.bin"]
    assert bundle.path("a.bin").read_bytes() == CONTENTS["a.bin"]


def test_equal_input_gives_an_equal_file(tiny: Path, tmp_path: Path) -> None:
    again = write_bundle(tmp_path / "again.edge", MANIFEST, dict(reversed(CONTENTS.items()))).source
    assert again.read_bytes() == tiny.read_bytes()


def test_a_folder_is_a_bundle_too(tiny: Path, tmp_path: Path) -> None:
    copy_bundle(open_bundle(tiny), tmp_path / "folder")
    assert open_bundle(tmp_path / "folder").read("a.bin") == CONTENTS["a.bin"]
    (tmp_path / "folder" / "a.bin").write_bytes(b"abd" * 100)
    with pytest.raises(BundleError, match=r"a\.bin.*damaged"):
        open_bundle(tmp_path / "folder")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a.bin": b"abd" * 100}, "damaged"),
        ({"a.bin": None}, "lacks a.bin"),
        ({"b.bin": b"x"}, "does not list"),
        ({"manifest.json": b"{"}, "damaged"),
        ({"manifest.json": b'{"format_version": 99}'}, "format 99"),
        ({"manifest.json": None}, "no manifest"),
        ({"manifest.json": b'{"format_version": 1, "name": "x", "files": {}, "languages": [], "oops": 1}'}, "damaged"),
        ({"../evil": b"x"}, "no bundle has"),
    ],
)
def test_damage_is_refused(tiny: Path, change: dict[str, bytes | None], message: str) -> None:
    rewrite(tiny, change)
    with pytest.raises(BundleError, match=message):
        open_bundle(tiny)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip", os.urandom(5000)])
def test_what_is_no_zip_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.edge").write_bytes(data)
    with pytest.raises(BundleError, match="not a whole bundle"):
        open_bundle(tmp_path / "x.edge")


def test_every_truncation_is_refused(tiny: Path) -> None:
    data = tiny.read_bytes()
    for length in range(0, len(data), 37):
        tiny.write_bytes(data[:length])
        with pytest.raises(BundleError):
            open_bundle(tiny)


def test_a_manifest_cannot_name_files_outside(tiny: Path) -> None:
    with zipfile.ZipFile(tiny) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    manifest["files"] = {"../../etc/passwd": {"sha256": "0" * 64, "bytes": 1}}
    rewrite(tiny, {"manifest.json": json.dumps(manifest).encode()})
    with pytest.raises(BundleError, match="outside"):
        open_bundle(tiny)


def test_unknown_names_get_a_hint() -> None:
    assert "home" in bundle_names()
    with pytest.raises(BundleError, match="did you mean home"):
        open_bundle("hone")


def test_a_full_disk_leaves_the_old_bundle(tiny: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    before = tiny.read_bytes()
    with pytest.raises(BundleError, match="cannot write"):
        write_bundle(Path("/dev/full/x.edge"), MANIFEST, CONTENTS)
    assert tiny.read_bytes() == before
    assert not [p for p in tiny.parent.iterdir() if p.name.startswith(".tiny")]


def test_a_folder_of_that_name_does_not_hide_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.chdir(tmp_path)
    assert open_bundle("home").manifest.name == "home"
