"""Signatures: in minisign's format, of keys that this machine trusts, over all of a bundle."""

from __future__ import annotations

import base64
import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from edge.bundle.format import SIGNATURE, Bundle, copy_bundle, open_bundle, open_path, sign_bundle
from edge.bundle.install import install_bundle, verify_bundle
from edge.bundle.signing import (
    SecretKey,
    generate,
    key_folder,
    machine_key,
    read_public_key,
    read_secret_key,
    trusted_folders,
    voucher,
)
from edge.errors import BundleError, ConfigError
from tests.command import CHECKOUT

from .conftest import Write
from .test_manifest import with_manifest


def key_pair(folder: Path, name: str = "release") -> SecretKey:
    """A new key pair; nobody trusts it yet."""
    generate(folder / f"{name}.key", folder / f"{name}.pub")
    return read_secret_key(folder / f"{name}.key")


def trust(public: Path) -> None:
    """Put a public key where this machine's trusted ones are."""
    folder = trusted_folders()[0]
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(public, folder)


def test_the_machines_own_key_is_made_once_and_trusted(write: Write) -> None:
    bundle = write("one", sign=machine_key().sign)
    assert voucher(bundle).trusted
    assert "machine" in voucher(bundle).words
    assert machine_key() == machine_key()
    assert stat.S_IMODE((key_folder() / "machine.key").stat().st_mode) == 0o600


def test_a_bundle_of_a_trusted_key_is_installed(write: Write, tmp_path: Path) -> None:
    key = key_pair(tmp_path)
    bundle = write("one", sign=key.sign)
    with pytest.raises(BundleError, match=r"which is not trusted here.*--allow-unsigned"):
        install_bundle(bundle.source)
    trust(tmp_path / "release.pub")
    install_bundle(bundle.source)
    assert verify_bundle("tiny")[1].words.endswith("(release)")


def test_an_unsigned_bundle_needs_the_flag(write: Write) -> None:
    bundle = write("one")
    for use in (install_bundle, verify_bundle):
        with pytest.raises(BundleError, match=r"not signed.*--allow-unsigned"):
            use(bundle.source)
        use(bundle.source, allow_unsigned=True)


def test_a_self_consistent_change_breaks_the_signature(write: Write) -> None:
    bundle = write("TurnOn", sign=machine_key().sign)
    other = write("TurnOff")
    with zipfile.ZipFile(bundle.source) as archive:
        signature = archive.read(SIGNATURE)
    with zipfile.ZipFile(other.source, "a") as archive:
        archive.writestr(SIGNATURE, signature)
    for allow_unsigned in (False, True):
        with pytest.raises(BundleError, match="signature of .* is false"):
            install_bundle(other.source, allow_unsigned=allow_unsigned)


def test_a_trusted_comment_cannot_be_exchanged(write: Write) -> None:
    bundle = write("one", sign=machine_key().sign)
    text = (bundle.signature() or b"").replace(b"timestamp:", b"timestamp:9")
    sign_bundle(bundle, lambda _: text)
    with pytest.raises(BundleError, match="false"):
        voucher(open_path(bundle.source))


@pytest.mark.parametrize("text", [b"", b"\n\n\n\n", b"a\nRWQ=\ntrusted comment: x\nAAAA\n", b"\xff" * 300, b"x" * 5000])
def test_a_damaged_signature_is_told(write: Write, text: bytes) -> None:
    bundle = write("one")
    sign_bundle(bundle, lambda _: text)
    with pytest.raises(BundleError, match=r"damaged|longer"):
        voucher(open_path(bundle.source))


def test_shipped_bundles_and_their_copies_need_no_signature(tmp_path: Path) -> None:
    shipped = open_bundle("home")
    assert voucher(shipped).trusted
    copy = tmp_path / "copy.edge"
    shutil.copy(shipped.source, copy)
    assert voucher(open_path(copy)).trusted
    copy_bundle(shipped, tmp_path / "folder")
    assert voucher(open_path(tmp_path / "folder")).trusted
    changed = shipped.manifest_bytes().replace(b'"quantization"', b' "quantization"')
    assert not voucher(open_path(with_manifest(copy, changed))).trusted


def test_a_folder_keeps_its_signature(write: Write, tmp_path: Path) -> None:
    bundle = write("one", sign=machine_key().sign)
    copy_bundle(bundle, tmp_path / "folder")
    folder = open_path(tmp_path / "folder")
    assert voucher(folder).trusted
    (tmp_path / "folder" / SIGNATURE).unlink()
    assert not voucher(folder).trusted
    sign_bundle(folder, machine_key().sign)
    assert voucher(folder).trusted


def test_keys_are_never_replaced(tmp_path: Path) -> None:
    key = key_pair(tmp_path)
    with pytest.raises(ConfigError, match="not replaced"):
        key_pair(tmp_path)
    assert read_secret_key(tmp_path / "release.key") == key


@pytest.mark.parametrize("data", [b"", b"comment\n", b"comment\nAAAA\n", os.urandom(200), b"x" * 9000])
def test_a_damaged_key_is_told(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.pub"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=str(path)):
        read_public_key(path)
    with pytest.raises(ConfigError, match=str(path)):
        read_secret_key(path)


def test_a_flipped_bit_of_a_secret_key_is_seen(tmp_path: Path) -> None:
    key_pair(tmp_path)
    path = tmp_path / "release.key"
    comment, body = path.read_text().splitlines()
    stored = bytearray(base64.b64decode(body))
    stored[80] ^= 1
    path.write_text(f"{comment}\n{base64.b64encode(stored).decode()}\n")
    with pytest.raises(ConfigError, match="damaged"):
        read_secret_key(path)


def test_the_project_holds_no_secret_key(tmp_path: Path) -> None:
    key_pair(tmp_path)
    begins = (tmp_path / "release.key").read_bytes().splitlines()[1][:8]
    with_password = base64.b64encode(b"EdScB2")
    done = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, check=True)
    files = [CHECKOUT / os.fsdecode(name) for name in done.stdout.split(b"\0") if name]
    assert len(files) > 100
    found = [
        path for path in files if path.is_file() and any(key in path.read_bytes() for key in (begins, with_password))
    ]
    assert found == []


minisign = pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign is not installed")


def manifest_and_signature(bundle: Bundle, folder: Path) -> Path:
    """The manifest with its signature beside it, as minisign wants them."""
    (folder / "manifest.json").write_bytes(bundle.manifest_bytes())
    (folder / SIGNATURE).write_bytes(bundle.signature() or b"")
    return folder / "manifest.json"


@minisign
def test_minisign_reads_our_signatures(write: Write, tmp_path: Path) -> None:
    bundle = write("one", sign=key_pair(tmp_path).sign)
    manifest = manifest_and_signature(bundle, tmp_path)
    command = ["minisign", "-V", "-p", tmp_path / "release.pub", "-m", manifest]
    assert subprocess.run(command, capture_output=True).returncode == 0
    manifest.write_bytes(manifest.read_bytes() + b" ")
    assert subprocess.run(command, capture_output=True).returncode != 0


@minisign
def test_we_read_the_signatures_and_keys_of_minisign(write: Write, tmp_path: Path) -> None:
    bundle = write("one", sign=machine_key().sign)
    manifest = manifest_and_signature(bundle, tmp_path)
    secret, public = tmp_path / "m.key", tmp_path / "m.pub"
    subprocess.run(["minisign", "-G", "-W", "-s", secret, "-p", public], check=True, capture_output=True)
    subprocess.run(["minisign", "-S", "-s", secret, "-m", manifest], check=True, capture_output=True, input=b"")
    sign_bundle(bundle, lambda _: (tmp_path / SIGNATURE).read_bytes())
    assert not voucher(bundle).trusted
    trust(public)
    assert voucher(bundle).trusted
    sign_bundle(bundle, read_secret_key(secret).sign)
    assert voucher(bundle).trusted


@minisign
def test_minisign_signs_with_our_keys(write: Write, tmp_path: Path) -> None:
    key_pair(tmp_path)
    bundle = write("one", sign=machine_key().sign)
    manifest = manifest_and_signature(bundle, tmp_path)
    command = ["minisign", "-S", "-s", tmp_path / "release.key", "-m", manifest]
    subprocess.run(command, check=True, capture_output=True, input=b"")
    sign_bundle(bundle, lambda _: (tmp_path / SIGNATURE).read_bytes())
    trust(tmp_path / "release.pub")
    assert voucher(bundle).words.endswith("(release)")
