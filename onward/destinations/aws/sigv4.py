"""AWS Signature Version 4: the headers that vouch for a request. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

The path comes percent-encoded, as the request line will hold it. S3 signs it as it is; all other services
sign it encoded once more. Paths are not normalised: none that Onward sends holds `..` but S3's, where it is
part of the key.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

import msgspec

ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(msgspec.Struct, frozen=True):
    access_key_id: str
    secret_access_key: str
    session_token: str = ""

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id[:4]}…)"


def sign(
    credentials: Credentials,
    *,
    service: str,
    region: str,
    method: str,
    authority: str,
    path: str,
    query: str = "",
    headers: Mapping[str, str],
    body_sha256: str,
    now: float,
) -> dict[str, str]:
    """The headers to add to a request that already has `headers`.

    `authority` is what the Host header will hold; `query` is percent-encoded, without its question mark;
    `body_sha256` is in hexadecimal; `now` is in seconds since the epoch.
    """
    time = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    added = {"x-amz-date": time}
    if service == "s3":
        added["x-amz-content-sha256"] = body_sha256
    if credentials.session_token:
        added["x-amz-security-token"] = credentials.session_token
    signed = {name.lower(): " ".join(value.split()) for name, value in {**headers, **added}.items()}
    signed["host"] = authority
    names = sorted(signed)
    request = "\n".join(
        (
            method,
            path if service == "s3" else quote(path, safe="/~"),
            _canonical_query(query),
            *(f"{name}:{signed[name]}" for name in names),
            "",
            ";".join(names),
            body_sha256,
        )
    )
    scope = f"{time[:8]}/{region}/{service}/aws4_request"
    text = "\n".join((ALGORITHM, time, scope, hashlib.sha256(request.encode()).hexdigest()))
    key = f"AWS4{credentials.secret_access_key}".encode()
    for part in (time[:8], region, service, "aws4_request"):
        key = _hmac(key, part)
    added["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key_id}/{scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={_hmac(key, text).hex()}"
    )
    return added


def encode_path(path: str) -> str:
    """A path as S3 wants it: all but the unreserved characters and slashes percent-encoded, in UTF-8."""
    return quote(path, safe="/~", errors="replace")


def _canonical_query(query: str) -> str:
    """Parameters by name, then by value, in one spelling."""
    pairs = []
    for parameter in query.split("&") if query else ():
        name, _, value = parameter.partition("=")
        pairs.append((_recoded(name), _recoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _recoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe="~")


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
