"""Who vouches for a bundle: Ed25519 signatures of its manifest in the format of minisign, and the keys that count here.

The manifest holds the hash of every file, so its signature covers all of them. ``minisign -V`` reads what this module
writes, and ``minisign -S`` writes what it reads. A bundle inside the package needs no signature: whoever could change
it could change this module as well. So its use never loads the cryptographic library, which takes 2 MiB.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from edge.bundle.archive import opened_file
from edge.bundle.format import SHIPPED, Bundle, open_path
from edge.errors import BundleError, ConfigError

_ALGORITHM, _PREHASHED, _PLAIN, _CHECKSUM = b"Ed", b"ED", b"\0\0", b"B2"
_ID_BYTES, _KEY_BYTES, _SIGNATURE_BYTES, _CHECKSUM_BYTES = 8, 32, 64, 32
_SECRET_AT = 54
"""Place of id, key and checksum in a secret key: after three algorithms, a salt and two limits of its password."""
_SECRET_BYTES = _SECRET_AT + _ID_BYTES + 2 * _KEY_BYTES + _CHECKSUM_BYTES
_MAX_KEY_FILE_BYTES = 4096
_MAX_KEYS = 256
_COMMENT, _TRUSTED = "untrusted comment: ", "trusted comment: "
_SYSTEM_KEYS = Path("/etc/edge/trusted")


class PublicKey(NamedTuple):
    """What a signature is checked with; ``name`` is its file's, for people."""

    name: str
    id: bytes
    key: bytes


class SecretKey(NamedTuple):
    """What signs: a seed and the public key, as libsodium has them."""

    id: bytes
    pair: bytes

    def sign(self, data: bytes) -> bytes:
        """Signature file of ``data``, with the time in its trusted comment."""
        from nacl.bindings import crypto_sign

        signature = crypto_sign(_digest(data), self.pair)[:_SIGNATURE_BYTES]
        comment = f"timestamp:{int(time.time())}\tfile:manifest.json\thashed"
        whole = crypto_sign(signature + comment.encode(), self.pair)[:_SIGNATURE_BYTES]
        first = f"{_COMMENT}signature of an edge bundle by key {_shown(self.id)}"
        body = base64.b64encode(_PREHASHED + self.id + signature).decode()
        return f"{first}\n{body}\n{_TRUSTED}{comment}\n{base64.b64encode(whole).decode()}\n".encode()


class Voucher(NamedTuple):
    """Who vouches for a bundle, in words; ``trusted`` is False where nobody does."""

    words: str
    trusted: bool


def key_folder() -> Path:
    """Where this machine's own key is: ``$XDG_CONFIG_HOME/edge/keys``."""
    return _config_folder() / "keys"


def trusted_folders() -> tuple[Path, Path]:
    """Where trusted public keys are: ``$XDG_CONFIG_HOME/edge/trusted`` of the user, ``/etc/edge/trusted`` of all."""
    return _config_folder() / "trusted", _SYSTEM_KEYS


def generate(secret: Path, public: Path) -> PublicKey:
    """Make a key pair; never replaces one.

    Raises:
        ConfigError: a file is there already, or cannot be written.
    """
    from nacl.bindings import crypto_sign_keypair

    key, pair = crypto_sign_keypair()
    key_id = os.urandom(_ID_BYTES)
    stored = _ALGORITHM + _PLAIN + _CHECKSUM + bytes(_SECRET_AT - 6) + key_id + pair + bytes(_CHECKSUM_BYTES)
    _write_key(secret, f"edge secret key {_shown(key_id)}, keep it to yourself", stored, 0o600)
    _write_public(public, key_id, key)
    return PublicKey(public.stem, key_id, key)


def machine_key() -> SecretKey:
    """This machine's key, which signs what is built here and is trusted here; made when it is first needed.

    Raises:
        ConfigError: it is damaged or cannot be written.
    """
    secret, public = key_folder() / "machine.key", trusted_folders()[0] / "machine.pub"
    try:
        if not secret.exists():
            generate(secret, public)
    except ConfigError:
        if not secret.exists():  # else another process was faster
            raise
    key = read_secret_key(secret)
    if not public.exists():
        _write_public(public, key.id, key.pair[_KEY_BYTES:])
    return key


def read_secret_key(path: Path) -> SecretKey:
    """A secret key without a password, of ``edge bundle keygen`` or ``minisign -G -W``.

    Raises:
        ConfigError: it cannot be read, is damaged, or has a password.
    """
    data = _read_key(path, _SECRET_BYTES)
    if data[2:4] != _PLAIN:
        raise ConfigError(f"{path} has a password: sign with minisign itself (docs/bundles.md), or make a key without")
    from nacl.bindings import crypto_sign_seed_keypair

    # Of a key without a password minisign leaves the checksum empty: the public half tells damage.
    key_id, pair = data[_SECRET_AT : _SECRET_AT + _ID_BYTES], data[_SECRET_AT + _ID_BYTES : -_CHECKSUM_BYTES]
    if data[:2] != _ALGORITHM or crypto_sign_seed_keypair(pair[:_KEY_BYTES])[1] != pair:
        raise ConfigError(f"{path} is damaged, or no secret key: make one with edge bundle keygen")
    return SecretKey(key_id, pair)


def read_public_key(path: Path) -> PublicKey:
    """A public key of ``edge bundle keygen`` or ``minisign -G``; raises ConfigError where it is none."""
    data = _read_key(path, 2 + _ID_BYTES + _KEY_BYTES)
    if data[:2] != _ALGORITHM:
        raise ConfigError(f"{path} is no public key of minisign: take the .pub file of edge bundle keygen")
    return PublicKey(path.stem, data[2:10], data[10:])


def trusted_keys() -> Iterator[PublicKey]:
    """Every ``.pub`` file of the folders of trusted keys; one that is damaged raises ConfigError."""
    for folder in trusted_folders():
        with suppress(OSError):
            for path in sorted(folder.glob("*.pub"))[:_MAX_KEYS]:
                yield read_public_key(path)


def voucher(bundle: Bundle) -> Voucher:
    """Who vouches for a bundle: the package that it is part of, a key that is trusted here, or nobody.

    Raises:
        BundleError: it has a signature that is false or damaged.
    """
    if is_shipped(bundle):
        return Voucher("part of this package", True)
    text = bundle.signature()
    if text is None:
        return Voucher("not signed", False)
    key_id, signature, comment, whole = _parse_signature(bundle.source, text)
    keys = [key for key in trusted_keys() if key.id == key_id]
    if not keys:
        return Voucher(f"signed by key {_shown(key_id)}, which is not trusted here", False)
    from nacl.bindings import crypto_sign_open
    from nacl.exceptions import BadSignatureError

    digest = _digest(bundle.manifest_bytes())
    for key in keys:
        with suppress(BadSignatureError):
            crypto_sign_open(signature + digest, key.key)
            crypto_sign_open(whole + signature + comment, key.key)
            return Voucher(f"signed by key {_shown(key.id)} ({key.name})"[:80], True)
    raise BundleError(f"the signature of {bundle.source} is false: its manifest was changed; do not use it")


def require_voucher(bundle: Bundle, allow_unsigned: bool) -> Voucher:
    """``voucher``, which must be trusted unless ``allow_unsigned``.

    Raises:
        BundleError: nobody trusted vouches for the bundle.
    """
    found = voucher(bundle)
    if not (found.trusted or allow_unsigned):
        signed = bundle.signature() is not None
        way = f"put its maker's .pub file into {trusted_folders()[0]}" if signed else "sign it (edge bundle sign)"
        raise BundleError(
            f"{bundle.source} is {found.words}: {way}, or add --allow-unsigned if you know where it comes from"
        )
    return found


def is_shipped(bundle: Bundle) -> bool:
    """Whether this is a bundle of the package, or a copy of one."""
    if bundle.source.resolve().parent == SHIPPED.resolve():
        return True
    own = SHIPPED / f"{bundle.manifest.name}.edge"
    return own.is_file() and open_path(own).manifest_sha256 == bundle.manifest_sha256


def _config_folder() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "edge"


def _shown(key_id: bytes) -> str:
    """A key's id as minisign writes it."""
    return key_id[::-1].hex().upper()


def _digest(data: bytes) -> bytes:
    from nacl.bindings import crypto_generichash_blake2b_salt_personal

    return crypto_generichash_blake2b_salt_personal(data, digest_size=_SIGNATURE_BYTES)


def _parse_signature(source: Path, data: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Key id, signature, trusted comment and the signature of both."""
    try:
        lines = data.decode().split("\n")
        body, whole = base64.b64decode(lines[1], validate=True), base64.b64decode(lines[3], validate=True)
        comment = lines[2].removeprefix(_TRUSTED).encode()
    except (ValueError, IndexError) as error:
        raise BundleError(f"the signature of {source} is damaged; sign the bundle again") from error
    sizes = len(body) == 2 + _ID_BYTES + _SIGNATURE_BYTES and len(whole) == _SIGNATURE_BYTES
    if not sizes or body[:2] != _PREHASHED or not lines[2].startswith(_TRUSTED):
        raise BundleError(f"the signature of {source} is damaged or of an old minisign; sign the bundle again")
    return body[2 : 2 + _ID_BYTES], body[2 + _ID_BYTES :], comment, whole


def _write_public(path: Path, key_id: bytes, key: bytes) -> None:
    _write_key(path, f"edge public key {_shown(key_id)}", _ALGORITHM + key_id + key, 0o644)


def _write_key(path: Path, comment: str, data: bytes, mode: int) -> None:
    if path.exists():
        raise ConfigError(f"{path} is there already and is not replaced: choose another --out")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(f"{_COMMENT}{comment}\n{base64.b64encode(data).decode()}\n".encode())
            file.flush()
            os.fsync(handle)
    except OSError as error:
        way = "choose another --out, or set XDG_CONFIG_HOME"
        raise ConfigError(f"cannot write {path}: {error.strerror}; {way}") from error


def _read_key(path: Path, size: int) -> bytes:
    try:
        with opened_file(path, _MAX_KEY_FILE_BYTES) as file:
            data = base64.b64decode(file.read().splitlines()[1], validate=True)
    except BundleError as error:
        raise ConfigError(f"cannot read the key {path}: name a file of edge bundle keygen") from error
    except (binascii.Error, IndexError) as error:
        raise ConfigError(f"{path} is no key: make one with edge bundle keygen, or remove it") from error
    if len(data) != size:
        raise ConfigError(f"{path} is no key of this kind: make one with edge bundle keygen, or remove it")
    return data
