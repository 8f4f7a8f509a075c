"""Changing the secret key."""

import base64
import os
from pathlib import Path

import pytest

from onward.settings import Settings
from onward.workspace import keyring
from onward.workspace.errors import SecretError
from onward.workspace.keyring import load_cipher, rotate, settle
from onward.workspace.secrets import Cipher

OLD, NEW = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))


@pytest.mark.parametrize("fresh", [False, True])
def test_what_was_sealed_opens_after_any_number_of_changes(tmp_path: Path, fresh: bool) -> None:
    settings = Settings(data=tmp_path)
    sealed = [load_cipher(settings).seal(b"0", "a")]
    keys = {(tmp_path / "secret.key").read_text()}
    for number in range(1, 4):
        rotate(settings, fresh_data_key=fresh)
        keys.add((tmp_path / "secret.key").read_text())
        sealed.append(load_cipher(settings).seal(str(number).encode(), "a"))
    assert len(keys) == 4
    assert [load_cipher(settings).open(each, "a") for each in sealed] == [b"0", b"1", b"2", b"3"]
    assert (tmp_path / "keyring.json").stat().st_mode & 0o777 == 0o600


def test_a_fresh_data_key_opens_nothing_that_it_did_not_seal_and_the_old_key_nothing_at_all(
    tmp_path: Path,
) -> None:
    settings = Settings(data=tmp_path)
    load_cipher(settings)
    old = base64.b64decode((tmp_path / "secret.key").read_text())
    rotate(settings, fresh_data_key=True)
    sealed = load_cipher(settings).seal(b"x", "a")
    with pytest.raises(SecretError):
        Cipher(old).open(sealed, "a")
    (tmp_path / "secret.key").write_text(base64.b64encode(old).decode())
    with pytest.raises(SecretError, match="the keyring was sealed with another secret key"):
        load_cipher(settings)


def test_a_key_of_the_environment_works_until_the_new_one_is_used(tmp_path: Path) -> None:
    before, after = Settings(data=tmp_path, secret_key=OLD), Settings(data=tmp_path, secret_key=NEW)
    sealed = load_cipher(before).seal(b"x", "a")
    with pytest.raises(SecretError, match="ONWARD_NEW_SECRET_KEY"):
        rotate(before)
    rotate(before, NEW)
    assert load_cipher(before).open(sealed, "a") == load_cipher(after).open(sealed, "a") == b"x"
    settle(before)  # another command with the old key, say
    assert load_cipher(after).open(sealed, "a") == b"x"
    settle(after)
    assert load_cipher(after).open(sealed, "a") == b"x"
    with pytest.raises(SecretError, match="another secret key"):
        load_cipher(before)


def test_a_file_needs_no_new_key(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="give none"):
        rotate(Settings(data=tmp_path), NEW)


@pytest.mark.parametrize("dies_at", [1, 2, 3])
def test_whenever_it_dies_the_key_in_place_opens_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    settings = Settings(data=tmp_path)
    sealed = load_cipher(settings).seal(b"x", "a")
    rename, calls = os.replace, []

    def replace(source: str, target: Path) -> None:
        calls.append(target)
        if len(calls) == dies_at:
            raise KeyboardInterrupt
        rename(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(keyring.os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            rotate(settings)
    assert load_cipher(settings).open(sealed, "a") == b"x"
    settle(settings)
    rotate(settings)
    assert load_cipher(settings).open(sealed, "a") == b"x"


def test_a_damaged_keyring_is_told(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    rotate(settings)
    (tmp_path / "keyring.json").write_text("{")
    with pytest.raises(SecretError, match=r"keyring.json can't be read"):
        load_cipher(settings)
