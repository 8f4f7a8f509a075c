import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.settings import Settings
from onward.workspace.errors import SecretError
from onward.workspace.keyring import load_cipher
from onward.workspace.secrets import Cipher

KEY = bytes(range(32))
CIPHER = Cipher(KEY)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(json_values, st.text())
def test_what_is_sealed_opens_for_its_record_only(value: object, identity: str) -> None:
    sealed = CIPHER.seal_value(value, identity)
    assert CIPHER.open_value(sealed, identity) == value
    with pytest.raises(SecretError, match="damaged or of another record"):
        CIPHER.open_value(sealed, identity + "x")


@given(st.binary(max_size=50), st.data())
def test_a_changed_byte_is_noticed(data: bytes, draw: st.DataObject) -> None:
    sealed = bytearray(CIPHER.seal(data, "a"))
    position = draw.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= draw.draw(st.integers(1, 255))
    with pytest.raises(SecretError):
        CIPHER.open(bytes(sealed), "a")


def test_another_key_is_told_apart_from_damage() -> None:
    sealed = CIPHER.seal_value("x", "destination/a/token")
    with pytest.raises(SecretError, match="destination/a/token was sealed with another secret key"):
        Cipher(bytes(32)).open_value(sealed, "destination/a/token")


@pytest.mark.parametrize("sealed", ["", "not base64!", "AAAA"])
def test_what_was_never_sealed_is_an_error(sealed: str) -> None:
    with pytest.raises(SecretError, match="not a sealed value"):
        CIPHER.open_value(sealed, "a")


def test_sealing_twice_gives_different_texts() -> None:
    assert CIPHER.seal_value("x", "a") != CIPHER.seal_value("x", "a")


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        ciphers = list(pool.map(lambda _: load_cipher(settings), range(16)))
    sealed = ciphers[0].seal(b"x", "a")
    assert all(cipher.open(sealed, "a") == b"x" for cipher in ciphers)
    assert [path.name for path in settings.data.iterdir()] == ["secret.key"]
    assert stat.S_IMODE((settings.data / "secret.key").stat().st_mode) == 0o600


def test_the_key_of_the_settings_comes_before_the_file(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, secret_key=base64.b64encode(KEY).decode())
    assert load_cipher(settings).open(CIPHER.seal(b"x", "a"), "a") == b"x"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["short", base64.b64encode(b"x" * 31).decode(), "ü"])
def test_a_key_that_is_no_key_says_what_is_right(tmp_path: Path, key: str) -> None:
    with pytest.raises(SecretError, match=r"ONWARD_SECRET_KEY .* must be 32 bytes in base64"):
        load_cipher(Settings(data=tmp_path, secret_key=key))
