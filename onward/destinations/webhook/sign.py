"""Signatures that vouch for a webhook's sender. Pure."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64Error
from functools import lru_cache


def segment_signature(secret: str, body: bytes) -> str:
    """Segment's X-Signature: HMAC-SHA1, hexadecimal (spec §13.1)."""
    return hmac.digest(secret.encode(), body, "sha1").hex()


def standard_signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`webhook-signature` of Standard Webhooks 1.0; raises ValueError if the secret can't be one."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.digest(_key(secret), content, "sha256")).decode("ascii")


def standard_id(destination_id: str, url: str, message_ids: list[str], body: bytes) -> str:
    """`webhook-id`: the same whenever the same destination repeats the same request, and for no other."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (destination_id, url, *message_ids):
        digest.update(f"{len(part)}:{part}".encode("utf-8", "surrogatepass"))
    digest.update(body)
    return f"msg_{digest.hexdigest()}"


@lru_cache(maxsize=1024)
def _key(secret: str) -> bytes:
    text = secret.removeprefix("whsec_")
    try:
        key = b64decode(text, validate=True)
    except (NotBase64Error, ValueError):
        key = b""
    if not key:
        raise ValueError(
            "standardWebhooksSecret is not Base64; it should be whsec_ and then 24 to 64 bytes in Base64"
        )
    return key
