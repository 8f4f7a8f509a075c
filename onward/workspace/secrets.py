"""Secrets at rest: AES-256-GCM, each bound to the record it belongs to.

The key comes from `ONWARD_SECRET_KEY` or from `secret.key` in the data folder, which is made once,
readable by its owner only. What if the process dies while making it? The file is written aside, synced,
and then linked into place, so it is there whole or not at all, and of two processes one wins.

A sealed value is `"1" ‖ key tag (4) ‖ nonce (12) ‖ ciphertext`. The key tag tells a wrong key from a
damaged value. The associated data is the record's identity, such as `destination/<id>/<setting>`: a
value copied to another record does not open there.
"""

import base64
import binascii
import hashlib
import json
import os
import secrets
import tempfile
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from onward.settings import Settings
from onward.workspace.errors import SecretError

KEY_BYTES = 32
FORMAT = b"1"
TAG_BYTES = 4
NONCE_BYTES = 12

MASK = "••••••••"
"""Shown in place of a secret. Given back unchanged, it means: keep the stored one."""


class Cipher:
    """Seals values under one 32-byte key, and opens what was sealed under it or under former ones."""

    def __init__(self, key: bytes, *former: bytes) -> None:
        for each in (key, *former):
            if len(each) != KEY_BYTES:
                raise SecretError(f"the secret key must have {KEY_BYTES} bytes, not {len(each)}")
        self._header = _header(key)
        self._aead = AESGCM(key)
        self._by_header = {_header(each): AESGCM(each) for each in (key, *former)}

    def seal(self, data: bytes, identity: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return self._header + nonce + self._aead.encrypt(nonce, data, identity.encode())

    def open(self, sealed: bytes, identity: str) -> bytes:
        """The data sealed for `identity`; raises `SecretError` if the key or the record is another."""
        start = len(self._header)
        if sealed[:1] != FORMAT:
            raise SecretError(f"{identity}: this is not a sealed value")
        aead = self._by_header.get(sealed[:start])
        if aead is None:
            raise SecretError(
                f"{identity} was sealed with another secret key: start with the ONWARD_SECRET_KEY or the "
                "secret.key file that this data folder was made with"
            )
        nonce = sealed[start : start + NONCE_BYTES]
        try:
            return aead.decrypt(nonce, sealed[start + NONCE_BYTES :], identity.encode())
        except InvalidTag:
            raise SecretError(f"{identity}: the sealed value is damaged or of another record") from None

    def seal_value(self, value: Any, identity: str) -> str:
        """A JSON value, sealed, as text."""
        return base64.b64encode(self.seal(json.dumps(value).encode(), identity)).decode()

    def open_value(self, sealed: str, identity: str) -> Any:
        try:
            data = base64.b64decode(sealed, validate=True)
        except binascii.Error:
            raise SecretError(f"{identity}: this is not a sealed value") from None
        return json.loads(self.open(data, identity))


def _header(key: bytes) -> bytes:
    return FORMAT + hashlib.sha256(b"onward key tag" + key).digest()[:TAG_BYTES]


def key_tag(key: bytes) -> str:
    """What tells keys apart and tells nothing about them."""
    return _header(key)[len(FORMAT) :].hex()


def read_key(settings: Settings) -> bytes:
    """The secret key of a data folder; it is made on the first start. Raises `SecretError`."""
    if settings.secret_key is not None:
        return parse_key(settings.secret_key, "ONWARD_SECRET_KEY (setting secret_key)")
    path = settings.data / "secret.key"
    if not path.exists():
        _make(path)
    try:
        return parse_key(path.read_text(), str(path))
    except OSError as error:
        raise SecretError(f"can't read the secret key: {error}") from error


def parse_key(text: str, origin: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SecretError(
            f"{origin} must be {KEY_BYTES} bytes in base64; `openssl rand -base64 {KEY_BYTES}` makes one"
        )
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".secret.key.")  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(name, path)
        except FileExistsError:
            return  # another process was first; its key is the key
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        Path(name).unlink()
