"""Identifiers, shaped like Segment's: 22 base58 characters for resources, 32 alphanumerics for write keys.

All come from the operating system's random source, so they are unguessable and need no coordination.
"""

import hashlib
import secrets
import string

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ALPHANUMERIC = string.ascii_letters + string.digits

RESOURCE_ID_LENGTH = 22
"""58²² is just above 2¹²⁸: as unique as a UUID."""


def resource_id() -> str:
    """A new id for a workspace, source, destination, subscription, filter, token or audit event."""
    return "".join(secrets.choice(BASE58) for _ in range(RESOURCE_ID_LENGTH))


def write_key() -> str:
    """A new write key: 32 letters and digits, safe in URLs and in Basic authentication."""
    return "".join(secrets.choice(ALPHANUMERIC) for _ in range(32))


def derived_id(*parts: str) -> str:
    """The same parts always give the same resource id; for things that are named but not stored."""
    number = int.from_bytes(hashlib.sha256("\x00".join(parts).encode()).digest())
    digits = []
    for _ in range(RESOURCE_ID_LENGTH):
        number, digit = divmod(number, len(BASE58))
        digits.append(BASE58[digit])
    return "".join(digits)
