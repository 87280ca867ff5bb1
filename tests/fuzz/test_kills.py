"""Killed installations, upgrades and rollbacks: the assistant works after each, and a version that works stays.

``EDGE_FUZZ_KILLS`` says how many are killed at a random moment. Beside them every step that touches a file is tried.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge.bundle.format import open_bundle, open_path, write_bundle
from edge.bundle.install import install_bundle, start
from edge.bundle.manifest import FORMAT_VERSION, Manifest
from edge.bundle.signing import machine_key
from edge.bundle.slots import bundle_folder, read_state, slot_path
from edge.grammar.grammar import Grammar, Kind, Meaning, Net, pack_grammar
from tests.command import CHECKOUT, edge, rows

KILLS, SEED = int(os.environ.get("EDGE_FUZZ_KILLS", "10")), int(os.environ.get("EDGE_FUZZ_SEED", "0"))

# Counts the steps that touch a file of the bundles; ends the process before the given one, or in its middle.
KILLED_AT = """
import os, signal, sys
at, folder, seen = int(sys.argv[1]), sys.argv[2], 0

def step(*paths):
    global seen
    seen += any(folder in os.fsdecode(path) for path in paths if isinstance(path, (str, bytes, os.PathLike)))
    return seen == at

def end():
    os.kill(os.getpid(), signal.SIGKILL)

def hook(event, arguments):
    if event in ("open", "os.link", "os.rename", "os.remove", "os.mkdir", "os.rmdir") and step(*arguments):
        end()

def torn(write):
    def half(handle, data, *place):
        if step(folder):
            write(handle, bytes(data)[: len(data) // 2], *place)
            end()
        return write(handle, data, *place)
    return half

sys.addaudithook(hook)
os.pwrite = torn(os.pwrite)
from edge.commands.cli import main
sys.exit(main(sys.argv[3:]))
"""


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without bundles."""
    for name in ("data", "cache", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))


def small_version(folder: Path, intent: str) -> Path:
    """A bundle of one sentence, "hello", with this meaning."""
    rows = [(0, Kind.BLOCK, 0, 1)]
    rows += [(at + 1, Kind.CHAR, ord(char), at + 2) for at, char in enumerate("hello")]
    rows += [(6, Kind.END, 0, 7)]
    grammar = Grammar("en", (Net(0),), (), (), (Meaning(intent),), np.array(rows, np.int32))
    manifest = Manifest(FORMAT_VERSION, "tiny", {}, ("en",), grammar="grammar.bin")
    contents = {"grammar.bin": pack_grammar(grammar)}
    return write_bundle(folder / f"{intent}.edge", manifest, contents, machine_key().sign).source


def home_version(folder: Path, version: str) -> Path:
    """The shipped bundle in English, as another version."""
    home = open_bundle("home")
    student = home.manifest.student
    assert student is not None
    manifest = msgspec.structs.replace(home.manifest, hearing={}, languages=("en",), card=version)
    contents = {name: home.read(name) for name in (student.program, "lexicon/en.json")}
    return write_bundle(folder / f"{version}.edge", manifest, contents, machine_key().sign).source


def install_as_working(source: Path, name: str) -> None:
    install_bundle(source)
    with start(name):
        open_bundle(name)


def check(name: str, text: str) -> str:
    """The assistant works, a version that works is whole in a slot, and no other files are there; the one in use."""
    done = edge("parse", "--bundle", name, text)
    assert (done.returncode, done.stderr) == (0, "")
    assert rows(done.stdout)[0]["intent"] is not None
    state = read_state(name)
    assert any(state.versions[slot].works for slot in state.order)
    for slot in state.order:
        assert open_path(slot_path(name, slot)).manifest_sha256 == state.versions[slot].manifest_sha256
    assert {path.name for path in bundle_folder().iterdir()} == {name}
    slots = {f"{slot}.edge" for slot in state.versions}
    assert {path.name for path in (bundle_folder() / name).iterdir()} - slots == {"state"}
    cache = Path(os.environ["XDG_CACHE_HOME"])
    assert not [path for path in cache.rglob("*") if path.name.startswith(".")]
    return open_bundle(name).manifest_sha256


def killed_at_each_step(arguments: list[str]) -> Iterator[int]:
    """The command, killed at its first step, at its second, and so on until it ends."""
    for at in range(1, 500):
        command = [sys.executable, "-c", KILLED_AT, str(at), str(bundle_folder()), *arguments]
        code = subprocess.run(command, cwd=CHECKOUT, capture_output=True).returncode
        yield code
        if code != -signal.SIGKILL:
            return


@pytest.mark.timeout(0)
@pytest.mark.parametrize("action", ["install", "rollback"])
def test_every_step_can_be_the_last(tmp_path: Path, action: str) -> None:
    good, new, other = (small_version(tmp_path, intent) for intent in ("Good", "New", "Other"))
    known = {open_path(path).manifest_sha256 for path in (good, new, other)}
    install_as_working(good, "tiny")
    arguments = ["bundle", "install", str(new)]
    if action == "rollback":
        install_as_working(new, "tiny")
        arguments = ["bundle", "rollback", "tiny"]
    ends = Counter[int]()
    for code in killed_at_each_step(arguments):
        ends[code] += 1
        assert check("tiny", "hello") in known
        if action == "rollback":
            install_as_working(good, "tiny")
            install_as_working(new, "tiny")
        else:  # the version before is kept while one that never worked is replaced
            install_bundle(other)
    assert ends[0] == 1
    assert ends[-signal.SIGKILL] > 10


@pytest.mark.timeout(0)
def test_kills_at_random_moments_lose_nothing(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    versions = [home_version(tmp_path, version) for version in "ABC"]
    begun = time.monotonic()
    assert edge("bundle", "install", versions[0]).returncode == 0
    longest_s = 1.2 * (time.monotonic() - begun)
    install_as_working(versions[0], "home")
    ends = Counter[str]()
    for number in range(KILLS):
        action = ["rollback", "home"] if rng.random() < 0.3 else ["install", str(rng.choice(versions))]
        process = subprocess.Popen(
            [sys.executable, "-m", "edge", "bundle", *action],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        time.sleep(rng.uniform(0.0, longest_s))
        process.kill()
        _, told = process.communicate()
        assert b"Traceback" not in told
        ends["killed" if process.returncode == -signal.SIGKILL else "ended"] += 1
        if not read_state("home").order:  # rolled back to the shipped one
            ends["shipped"] += 1
            assert edge("parse", "turn on the kitchen light").returncode == 0
            install_as_working(rng.choice(versions), "home")
        check("home", "turn on the kitchen light")
        if number % 50 == 49:
            print(number + 1, dict(ends), flush=True)  # noqa: T201
    assert ends["killed"] > KILLS // 4
