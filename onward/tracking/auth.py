"""Who is calling: write keys from headers and bodies (spec §3.2).

A header that makes no sense is the same as none: the call is then judged by the key in its body, and
without one it is discarded as `unknown_source`. Bearer tokens (OAuth) come with the key in the body.
"""

import base64
import binascii

from onward.tracking.limits import AUTHORIZATION_BYTES

MAX_KEY_CHARS = 255


def basic_key(authorization: bytes | None) -> str | None:
    """The write key in `Basic base64(key + ":")`; the colon and the padding may be missing."""
    if not authorization or len(authorization) > AUTHORIZATION_BYTES:
        return None
    scheme, _, value = authorization.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return None
    value = value.strip().rstrip(b"=")
    try:
        text = base64.b64decode(value + b"=" * (-len(value) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return text.partition(":")[0] or None


def body_key(value: object) -> str | None:
    """A write key as found in a body, or None if it can't be one."""
    return value if type(value) is str and 0 < len(value) <= MAX_KEY_CHARS else None
