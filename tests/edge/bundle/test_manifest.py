"""Manifests: every name, number and list has a bound, and what breaks one is told in one line."""

from __future__ import annotations

import json
import os
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge.bundle.format import open_bundle, open_path, write_bundle
from edge.bundle.install import install_bundle
from edge.bundle.manifest import FORMAT_VERSION, MAX_MANIFEST_BYTES, Manifest, is_name, name_of, parse_manifest
from edge.bundle.slots import bundle_folder
from edge.errors import BundleError

from .conftest import Write

MAX_MEMORY_BYTES = 48 * MAX_MANIFEST_BYTES
"""JSON takes up to some 30 times its size as Python values."""
SHIPPED = json.loads(open_bundle("home").manifest_bytes())


def with_manifest(source: Path, manifest: bytes) -> Path:
    """The bundle at ``source`` with another manifest."""
    with zipfile.ZipFile(source) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(source, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**contents, "manifest.json": manifest}.items():
            archive.writestr(name, data)
    return source


PATHS = ("../victim", "/tmp/victim", "a/b", "..", ".hidden", "x\n", "", "a" * 65, "a\0b", "a.")


@pytest.mark.parametrize("name", PATHS)
def test_a_name_is_no_path(write: Write, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "data" / "edge" / "victim.edge"
    victim.parent.mkdir(parents=True)
    victim.write_bytes(b"mine")
    bundle = write("good")
    manifest = json.loads(bundle.manifest_bytes()) | {"name": name}
    source = with_manifest(bundle.source, json.dumps(manifest).encode())
    with pytest.raises(BundleError, match="damaged"):
        install_bundle(source, allow_unsigned=True)
    assert victim.read_bytes() == b"mine"
    assert not bundle_folder().exists()


@pytest.mark.parametrize(
    ("stem", "name"),
    [("coffee", "coffee"), ("My orders (2)", "My orders -2"), ("../../etc/passwd", "etc-passwd"), ("…", "commands")],
)
def test_a_stem_becomes_a_name(stem: str, name: str) -> None:
    assert name_of(stem) == name
    assert is_name(name)


BROKEN: dict[str, Any] = {
    "buckets": {"student": {**SHIPPED["student"], "buckets": 10**12}},
    "features": {"student": {**SHIPPED["student"], "features": 10**9}},
    "temperature": {"student": {**SHIPPED["student"], "temperature": 0}},
    "threshold": {"student": {**SHIPPED["student"], "threshold": 2}},
    "frames": {"student": {**SHIPPED["student"], "frames": []}},
    "many frames": {"student": {**SHIPPED["student"], "frames": [{"label": "x"}] * 3000}},
    "frames with many slots": {
        "student": {
            **SHIPPED["student"],
            "slots": [f"s{n}" for n in range(200)],
            "transitions": [[0.0] * 401] * 401,
            "frames": [{"label": "x", "slots": [f"s{n}" for n in range(200)]}] * 100,
        }
    },
    "transitions": {"student": {**SHIPPED["student"], "transitions": [[0.0]]}},
    "slots": {"student": {**SHIPPED["student"], "slots": ["area"]}},
    "program": {"student": {**SHIPPED["student"], "program": "absent.pte"}},
    "size": {"files": {"grammar.bin": {"sha256": "0" * 64, "bytes": 10**15}}},
    "negative size": {"files": {"grammar.bin": {"sha256": "0" * 64, "bytes": -1}}},
    "hash": {"files": {"grammar.bin": {"sha256": "x", "bytes": 1}}},
    "sum of sizes": {"files": {f"{n}.bin": {"sha256": "0" * 64, "bytes": 2**26} for n in range(3)}},
    "many files": {"files": {f"{n}.bin": {"sha256": "0" * 64, "bytes": 1} for n in range(600)}},
    "grammar": {"grammar": "absent.bin"},
    "language": {"languages": ["../en"]},
    "card": {"card": "x" * 20_000},
    "metrics": {"metrics": {"a": {"b": {"c": 1}}}},
    "huge number": {"metrics": {"a": 10**30}},
    "built": {"built": -1},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_what_is_out_of_bounds_is_refused(write: Write, change: dict[str, Any]) -> None:
    bundle = write("good")
    manifest = json.loads(bundle.manifest_bytes()) | change
    with pytest.raises(BundleError):
        open_path(with_manifest(bundle.source, json.dumps(manifest).encode()))


@pytest.mark.parametrize(
    "text",
    [
        '{"format_version": 1, "metrics": ' + '{"a":' * 100_000,
        '{"metrics": ' + "[" * 400_000 + "]" * 400_000 + ', "format_version": 1}',
        '{"format_version": 1, "name": "x", "files": {}, "languages": [], "metrics": ' + "[" * 100_000,
        '{"format_version": 1e400}',
        '{"format_version": 1, "languages": [' + '"a",' * 200_000 + '"a"]}',
        '{"format_version": 1, "name": "x", "languages": [], "files": {}, "student": {"program": "p", "buckets": 1, '
        '"features": 1, "frames": [{"label": "x"}], "slots": [], "languages": ["en"], "transitions": ['
        + "[],[]," * 150_000
        + "[]]}}",
        "[]",
        "null",
        "\xff",
        "",
    ],
    ids=range(10),
)
def test_depth_and_length_take_no_memory(text: str) -> None:
    data = text.encode("latin-1")
    assert len(data) <= MAX_MANIFEST_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(BundleError):
            parse_manifest(Path("x.edge"), data)
        assert tracemalloc.get_traced_memory()[1] < MAX_MEMORY_BYTES
    finally:
        tracemalloc.stop()


def test_a_zip_that_unpacks_to_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.edge"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b" " * (60 << 20))
    assert bomb.stat().st_size < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(BundleError, match="longer than that of any bundle"):
            open_path(bomb)
        assert tracemalloc.get_traced_memory()[1] < MAX_MEMORY_BYTES
    finally:
        tracemalloc.stop()


def test_a_zip_of_many_entries_is_refused_before_they_are_read(tmp_path: Path) -> None:
    crowd = tmp_path / "crowd.edge"
    with zipfile.ZipFile(crowd, "w") as archive:
        for number in range(70_000):  # more than 65,535: a 64-bit end
            archive.writestr(str(number), b"")
    with pytest.raises(BundleError, match="more entries"):
        open_path(crowd)


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_only_a_regular_file_is_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.edge"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(BundleError, match="not a file"):
        open_path(path)
    folder = tmp_path / "folder"
    folder.mkdir()
    path.rename(folder / "manifest.json")
    with pytest.raises(BundleError, match="not a file"):
        open_path(folder)


def test_a_manifest_that_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        write_bundle(tmp_path / "x.edge", Manifest(FORMAT_VERSION, "../x", {}, ("en",)), {})
    assert not (tmp_path / "x.edge").exists()
