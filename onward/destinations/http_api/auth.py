"""How requests sign in: all credentials are settings, encrypted at rest and never shown."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import msgspec

from onward.destinations.definition import Call
from onward.destinations.oauth import Application, authorized
from onward.egress.http import Request, Response

KINDS = ("none", "basic", "bearer", "api_key_header", "api_key_query", "oauth2")
SIGNATURE = "x-signature"

Settings = Mapping[str, Any]


async def send(call: Call, request: Request) -> Response:
    """The request, signed in. Raises ValueError if the settings lack something, `TokenError` and
    `EgressError`."""
    settings = call.settings
    request = _signed(settings, request)
    kind = settings.get("auth") or "none"
    if kind == "none":
        return await call.http.send(request)
    if kind == "oauth2":
        scopes = str(settings.get("scope") or "").split()
        scheme = str(settings.get("auth_scheme") or "Bearer")
        return await authorized(call, _application(settings), scopes, request, scheme=scheme)
    if kind == "api_key_query":
        name, key = _need(settings, "api_key_name"), _need(settings, "api_key")
        mark = "&" if "?" in request.url else "?"
        url = f"{request.url}{mark}{quote_plus(name)}={quote_plus(key)}"
        return await call.http.send(msgspec.structs.replace(request, url=url))
    return await call.http.send(
        msgspec.structs.replace(request, headers={**request.headers, **_header(settings, str(kind))})
    )


def _header(settings: Settings, kind: str) -> dict[str, str]:
    if kind == "basic":
        pair = f"{settings.get('username') or ''}:{settings.get('password') or ''}"
        if pair == ":":
            raise ValueError("username and password are both empty, and auth is basic")
        return {"authorization": "Basic " + b64encode(pair.encode()).decode("ascii")}
    if kind == "bearer":
        return {"authorization": f"{settings.get('auth_scheme') or 'Bearer'} {_need(settings, 'token')}"}
    if kind == "api_key_header":
        return {_need(settings, "api_key_name").lower(): _need(settings, "api_key")}
    raise ValueError(f"auth is {kind!r:.50}; it may be {', '.join(KINDS)}")


def _application(settings: Settings) -> Application:
    return Application(
        issuer="the token endpoint",
        token_uri=_need(settings, "token_url"),
        client_id=_need(settings, "client_id"),
        client_secret=_need(settings, "client_secret"),
        refresh_token=str(settings.get("refresh_token") or ""),
        in_body=settings.get("client_authentication") == "body",
        parameters=_pairs(settings, "token_parameters"),
        extra_headers=_pairs(settings, "token_headers"),
    )


def _pairs(settings: Settings, name: str) -> tuple[tuple[str, str], ...]:
    given = settings.get(name) or {}
    if not isinstance(given, Mapping) or not all(isinstance(each, str) for each in given.values()):
        raise ValueError(f"{name} is not an object of texts")
    return tuple(sorted(given.items()))


def _signed(settings: Settings, request: Request) -> Request:
    """X-Signature: HMAC-SHA256 of the body, in hexadecimal. A mapped header can't stand in for it."""
    secret = settings.get("signing_secret")
    if not secret:
        return request
    signature = hmac.digest(str(secret).encode(), request.body, "sha256").hex()
    return msgspec.structs.replace(request, headers={**request.headers, SIGNATURE: signature})


def _need(settings: Settings, name: str) -> str:
    value = settings.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is empty, and auth is {settings.get('auth')}")
    return value
