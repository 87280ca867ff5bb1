"""``edge bundle``: keys, signatures, flags, and what it says of versions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edge.bundle.format import copy_bundle, open_bundle, open_path
from edge.bundle.signing import trusted_folders, voucher
from edge.commands.cli import main
from tests.command import CHECKOUT, edge, one_line, rows


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without keys and bundles."""
    for name in ("data", "cache", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    """The shipped bundle with another card, as a folder."""
    folder = tmp_path / "mine"
    copy_bundle(open_bundle("home"), folder)
    manifest = folder / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b'"card": "', b'"card": "My own. '))
    return folder


def test_a_release_key_signs_and_is_trusted_where_its_public_half_is(
    unsigned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", "keygen", "--out", str(tmp_path / "release"), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert Path(made["secret key"]).stat().st_mode & 0o077 == 0
    assert main(["bundle", "sign", str(unsigned), "--key", made["secret key"]]) == 0
    assert "not trusted here" in capsys.readouterr().out
    folder = trusted_folders()[0]
    folder.mkdir(parents=True)
    Path(made["public key"]).rename(folder / "release.pub")
    assert main(["bundle", "verify", str(unsigned), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signature"].endswith("(release)")


def test_the_machines_key_is_the_default(unsigned: Path) -> None:
    assert main(["bundle", "keygen"]) == 0
    assert main(["bundle", "sign", str(unsigned)]) == 0
    assert voucher(open_path(unsigned)).trusted


def test_every_use_of_a_path_asks_for_a_signature(unsigned: Path, tmp_path: Path) -> None:
    profile = tmp_path / "board.toml"
    board = '[board]\ntitle = "T"\nsoc = "S"\ncore = "c"\ncores = 1\nclock_mhz = 1000\nram_mib = 1024\n'
    profile.write_text(f'name = "mine"\nbundle = "{unsigned}"\n{board}')
    commands = (
        ["parse", "--bundle", unsigned, "turn on the kitchen light"],
        ["simulate", "--bundle", unsigned, "--text", "turn on the kitchen light"],
        ["simulate", "--profile", profile, "--text", "turn on the kitchen light"],
    )
    for command in commands:
        done = edge(*command)
        assert done.returncode == 2
        assert "is not signed" in one_line(done)
    for command in commands[:2]:
        assert edge(*command, "--allow-unsigned").returncode == 0
    profile.write_text(f'name = "mine"\nbundle = "{unsigned}"\nallow_unsigned = true\n{board}')
    assert edge(*commands[2]).returncode == 0


def test_the_shipped_bundle_needs_no_crypto() -> None:
    code = (
        "import sys\nfrom edge.commands.cli import main\n"
        "main(['parse', 'turn on the kitchen light'])\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('nacl', '_cffi_backend', 'subprocess')])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1] == "[]"


def test_info_tells_the_versions(capsys: pytest.CaptureFixture[str]) -> None:
    shipped = open_bundle("home").source
    assert main(["bundle", "install", str(shipped)]) == 0
    assert main(["bundle", "info", "home", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    (version,) = facts["versions"]
    assert version.startswith("a in use, 0 starts without success, part of this package, built 20")
    assert edge("parse", "turn on the kitchen light").returncode == 0
    assert "a in use, works" in rows(edge("bundle", "info", "home", "--json").stdout)[0]["versions"][0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sign", "home"], "is a name"),
        (["sign", "absent.edge"], "no bundle at"),
        (["sign", "home", "--key", "absent.key"], ""),
        (["rollback", "../home"], "not the name"),
        (["install", "absent.edge"], "no bundle at"),
        (["keygen", "--out", "/dev/null/x"], "cannot write"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], message: str) -> None:
    done = edge("bundle", *arguments)
    assert done.returncode == 2
    assert message in one_line(done)
