"""Changing the secret key without sealing everything anew: keys in an envelope.

    secret key (file or environment)  ──wraps──▶  data keys (`keyring.json`)  ──seal──▶  secrets

Until a key is changed for the first time there is no keyring, and the secret key seals by itself. From then
on it only wraps data keys. The first data key seals; the others still open what they sealed.

What if the process dies while a key is being changed? The keyring is first written with wraps under the old
and the new key, then the key file is replaced, then the old wraps are dropped: each step is one rename, and
after each of them one of the two keys, the one that is in place, opens the keyring. A change that was
interrupted is simply made again.
"""

import base64
import json
import os
import secrets
import tempfile
from pathlib import Path

from onward.settings import Settings
from onward.workspace.errors import SecretError
from onward.workspace.secrets import KEY_BYTES, Cipher, key_tag, parse_key, read_key

FILE = "keyring.json"
IDENTITY = "keyring"

Wraps = dict[str, str]
"""Tag of a secret key → a data key that it wraps, sealed; the newest secret key last."""


def load_cipher(settings: Settings) -> Cipher:
    """The cipher of a data folder; makes its key on the first start. Raises `SecretError`."""
    key = read_key(settings)
    path = settings.data / FILE
    return Cipher(*_open(path, key)) if path.exists() else Cipher(key)


def rotate(settings: Settings, new_key: str | None = None, *, fresh_data_key: bool = False) -> None:
    """Put a new secret key in the old one's place.

    `new_key`: in base64, for an installation whose key is in the environment; it is to be started with it
    from then on. Without, a new key file is made. `fresh_data_key`: also seal with a new data key from now
    on, which running processes would not know: only while none run. Raises `SecretError`.
    """
    path, key_file = settings.data / FILE, settings.data / "secret.key"
    if (settings.secret_key is None) != (new_key is None):
        raise SecretError(
            "the secret key is in the environment: give the new one in ONWARD_NEW_SECRET_KEY"
            if new_key is None
            else "the secret key is in a file, of which a new one is made: give none"
        )
    old = read_key(settings)
    new = secrets.token_bytes(KEY_BYTES) if new_key is None else parse_key(new_key, "ONWARD_NEW_SECRET_KEY")
    data_keys = _open(path, old) if path.exists() else [old]
    if fresh_data_key:
        data_keys.insert(0, secrets.token_bytes(KEY_BYTES))
    _write_keyring(path, data_keys, old, new)
    if new_key is None:
        _replace(key_file, base64.b64encode(new) + b"\n")
        _write_keyring(path, data_keys, new)


def settle(settings: Settings) -> None:
    """At a start with the newest key: forget the wraps of the key that it has replaced."""
    path = settings.data / FILE
    if path.exists():
        key = read_key(settings)
        data_keys = _open(path, key)
        wraps = _read(path)[0]
        if len(wraps) > 1 and list(wraps)[-1] == key_tag(key):
            _write_keyring(path, data_keys, key)


def _open(path: Path, key: bytes) -> list[bytes]:
    """The data keys, the one that seals first."""
    cipher, tag = Cipher(key), key_tag(key)
    found = []
    for wraps in _read(path):
        if tag not in wraps:
            raise SecretError(
                "the keyring was sealed with another secret key: start with the ONWARD_SECRET_KEY or the "
                "secret.key file that this data folder had last"
            )
        found.append(cipher.open(base64.b64decode(wraps[tag]), IDENTITY))
    return found


def _read(path: Path) -> list[Wraps]:
    try:
        return list(json.loads(path.read_bytes())["keys"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SecretError(f"{path} can't be read: {error}") from error


def _write_keyring(path: Path, data_keys: list[bytes], *keys: bytes) -> None:
    wraps = [
        {key_tag(key): base64.b64encode(Cipher(key).seal(data_key, IDENTITY)).decode() for key in keys}
        for data_key in data_keys
    ]
    _replace(path, json.dumps({"keys": wraps}, indent=1).encode())


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all, and on disk when this returns."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, path)  # noqa: PTH105
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
