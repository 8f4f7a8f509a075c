"""Who asks Google for an access token: a service account, or an application on behalf of a user. Pure.

Both flows are a form posted to a token endpoint (`token_uri`); see Google's "Using OAuth 2.0 for Server to
Server Applications" (RFC 7523) and "Using OAuth 2.0 for Web Server Applications", "Refreshing an access
token" (RFC 6749 §6), both at developers.google.com/identity/protocols/oauth2.
"""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from onward.destinations.oauth import Grant

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address)
LIFETIME = 3600
"""Seconds that an assertion is valid; Google allows no more."""


@dataclass(frozen=True)
class ServiceAccount(Grant):
    """An account that belongs to an application; its key signs the request for a token."""

    issuer = "Google"
    client_email: str
    private_key: str = field(repr=False)
    """PKCS#8 in PEM."""
    private_key_id: str = ""
    project_id: str = ""
    token_uri: str = TOKEN_URI
    subject: str = ""
    """The user to act for, with domain-wide delegation."""

    @classmethod
    def parse(cls, text: str | bytes, subject: str = "") -> "ServiceAccount":
        """From the JSON of a key file; raises ValueError saying what is missing."""
        try:
            key = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise ValueError("the service account key is not JSON: paste the whole key file") from None
        if not isinstance(key, dict) or key.get("type") != "service_account":
            raise ValueError('this is not the key file of a service account: "type" is not "service_account"')
        for name in ("client_email", "private_key"):
            if not isinstance(key.get(name), str) or not key[name]:
                raise ValueError(f"the service account key has no {name}: paste the whole key file")

        def optional(name: str, default: str = "") -> str:
            return key[name] if isinstance(key.get(name), str) and key[name] else default

        return cls(
            client_email=key["client_email"],
            private_key=key["private_key"],
            private_key_id=optional("private_key_id"),
            project_id=optional("project_id"),
            token_uri=optional("token_uri", TOKEN_URI),
            subject=subject,
        )

    def form(self, scopes: Sequence[str], now: float) -> dict[str, str]:
        return {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": self._assertion(scopes, int(now)),
        }

    def _assertion(self, scopes: Sequence[str], now: int) -> str:
        header = {"alg": "RS256", "typ": "JWT"}
        if self.private_key_id:
            header["kid"] = self.private_key_id
        claims: dict[str, Any] = {
            "iss": self.client_email,
            "scope": " ".join(scopes),
            "aud": self.token_uri,
            "iat": now,
            "exp": now + LIFETIME,
        }
        if self.subject:
            claims["sub"] = self.subject
        signed = f"{_encode(orjson.dumps(header))}.{_encode(orjson.dumps(claims))}"
        return f"{signed}.{_encode(_sign(self.private_key, signed.encode()))}"


@dataclass(frozen=True)
class UserCredentials(Grant):
    """A user's consent, kept as a refresh token."""

    issuer = "Google"
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    token_uri: str = TOKEN_URI

    def form(self, scopes: Sequence[str], now: float) -> dict[str, str]:
        """`scopes` are those that the user agreed to: they are not asked for again."""
        return {
            "grant_type": "refresh_token",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "refresh_token": self.refresh_token,
        }


def _sign(private_key: str, data: bytes) -> bytes:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise ValueError(
            "the service account's private_key is not an RSA key in PEM: paste the whole key file"
        )
    return key.sign(data, PKCS1v15(), SHA256())


def _encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
