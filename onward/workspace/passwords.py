"""Passwords of users: Argon2id, by the library's recommended cost (RFC 9106, low-memory profile)."""

from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from onward.workspace.errors import Invalid

LEAST, MOST = 10, 256
"""Characters. The upper bound keeps a request from costing more than a hash should."""

_hasher = PasswordHasher(type=Type.ID)


@cache
def _decoy() -> str:
    """A hash that no password fits. Made when first needed: it takes 64 MB, which few processes ever need."""
    return _hasher.hash("nobody's password")


def check(password: str, email: str) -> None:
    """Raises `Invalid` for a password that is too easy to guess (NIST SP 800-63B: length over rules)."""
    if not LEAST <= len(password) <= MOST:
        raise Invalid(f"a password has {LEAST} to {MOST} characters", field="password")
    if len(set(password)) < 4 or password.lower() in (email, email.partition("@")[0]):
        raise Invalid("this password is too easy to guess", field="password")


def hash(password: str) -> str:
    return _hasher.hash(password)


def verify(stored: str | None, password: str) -> bool:
    """Takes as long for who does not exist, or has no password, as for who does."""
    try:
        _hasher.verify(stored or _decoy(), password[: MOST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether it was made at another cost, and should be made anew at the next sign-in."""
    return _hasher.check_needs_rehash(stored)
