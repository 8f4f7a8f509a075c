"""Access tokens of OAuth 2.0 (RFC 6749), kept until they expire.

Invariants:
- One request at a time for each grant and scopes: whoever needs the same token waits for it.
- A token is used until `MARGIN` seconds before it expires. One that an API refuses is forgotten and asked
  for again, once.
- Some servers give a new refresh token with each access token (RFC 6749 §6). The newest is used as long as
  the process lives.
- Tokens are in memory only, for each event loop. If the process dies they are asked for again, with the
  refresh token of the settings: it must live on beside its successors.
"""

import asyncio
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote_plus, urlencode
from weakref import WeakKeyDictionary

import msgspec
import orjson

from onward.destinations.definition import Call
from onward.destinations.outcome import Outcome, discarded, from_error, is_retryable, retry, retry_after
from onward.egress.http import EgressError, Request, Response

MARGIN = 60.0
"""Seconds; a request that takes long must not outlive its token."""
LIFETIME = 3600.0
"""Seconds that a token is used if its server does not say how long it is good for."""
MOST = 1_000
"""Tokens that are kept."""


class Grant:
    """What a token can be had for. Hashable: equal grants share a token."""

    issuer: str
    """Who gives the tokens, for messages."""
    token_uri: str

    def form(self, scopes: Sequence[str], now: float) -> dict[str, str]:
        """The form that asks for a token; raises ValueError if the grant can't be used."""
        raise NotImplementedError

    def headers(self) -> dict[str, str]:
        """Of the request for a token, beside its content type."""
        return {}

    def renewed(self, refresh_token: str) -> "Grant | None":
        """The same with a newer refresh token; None where there are none."""
        return None


@dataclass(frozen=True, kw_only=True)
class Application(Grant):
    """An application that shows its id and secret: for itself (RFC 6749 §4.4), or for a user who agreed to
    it, if there is a refresh token (§6)."""

    issuer: str
    token_uri: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    in_body: bool = False
    """Whether id and secret go into the form rather than into the Basic header (§2.3.1)."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What the server wants in the form besides, such as an audience."""
    extra_headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def form(self, scopes: Sequence[str], now: float) -> dict[str, str]:
        form = {"grant_type": "refresh_token" if self.refresh_token else "client_credentials"}
        if self.refresh_token:
            form["refresh_token"] = self.refresh_token
        if scopes:
            form["scope"] = " ".join(scopes)
        if self.in_body:
            form |= {"client_id": self.client_id, "client_secret": self.client_secret}
        return form | dict(self.parameters)

    def headers(self) -> dict[str, str]:
        headers = dict(self.extra_headers)
        if not self.in_body:
            # Both parts are form-encoded before they are joined (§2.3.1).
            pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
            headers["authorization"] = "Basic " + b64encode(pair.encode()).decode("ascii")
        return headers

    def renewed(self, refresh_token: str) -> "Application | None":
        return replace(self, refresh_token=refresh_token) if self.refresh_token else None


class TokenError(Exception):
    """There is no token. `outcome` is what this means for the payloads: a retry if the server is at fault,
    else a discard."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


class _Token(msgspec.Struct):
    text: str
    expires: float
    """On the clock of the event loop."""


_Key = tuple[Grant, tuple[str, ...]]


class _Kept:
    def __init__(self) -> None:
        self.tokens: dict[_Key, _Token] = {}
        self.asking: dict[_Key, asyncio.Task[str]] = {}
        self.renewed: dict[_Key, Grant] = {}
        """What to ask with, where the server gave a newer refresh token."""


_kept: WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept] = WeakKeyDictionary()


async def access_token(call: Call, grant: Grant, scopes: Sequence[str] = ()) -> str:
    """A token that is good for `MARGIN` seconds at least; raises `TokenError`."""
    loop = asyncio.get_running_loop()
    kept = _kept.setdefault(loop, _Kept())
    key = (grant, tuple(scopes))
    token = kept.tokens.get(key)
    if token is not None and token.expires - MARGIN > loop.time():
        return token.text
    task = kept.asking.get(key)
    if task is None:
        task = kept.asking[key] = loop.create_task(_ask(kept, call, key))
        task.add_done_callback(lambda done: _asked(kept, key, done))
    return await asyncio.shield(task)


def forget(grant: Grant, scopes: Sequence[str], refused: str) -> None:
    """Do not use the token `refused` again; a newer one stays."""
    kept = _kept.get(asyncio.get_running_loop())
    key = (grant, tuple(scopes))
    if kept is not None and (token := kept.tokens.get(key)) is not None and token.text == refused:
        del kept.tokens[key]


async def authorized(
    call: Call, grant: Grant, scopes: Sequence[str], request: Request, *, scheme: str = "Bearer"
) -> Response:
    """`request` with a token, and once more with a fresh one if it is answered 401.

    Raises `TokenError` and `EgressError`.
    """
    for last in (False, True):
        token = await access_token(call, grant, scopes)
        headers = {**request.headers, "authorization": f"{scheme} {token}"}
        response = await call.http.send(msgspec.structs.replace(request, headers=headers))
        if response.status != 401 or last:
            break
        forget(grant, scopes, token)
    return response


async def _ask(kept: _Kept, call: Call, key: _Key) -> str:
    loop = asyncio.get_running_loop()
    asked = loop.time()
    try:
        answer = await _grant(call, kept.renewed.get(key, key[0]), key[1])
    except TokenError as error:
        # A refresh token may have been replaced in the meantime: then that of the settings is the right one.
        if error.outcome.kind == "retry" or kept.renewed.pop(key, None) is None:
            raise
        answer = await _grant(call, *key)
    text = answer.get("access_token")
    if not isinstance(text, str) or not text:
        raise TokenError(retry("RETRY", f"{key[0].token_uri} answered without an access_token"))
    if len(kept.tokens) >= MOST:
        oldest = next(iter(kept.tokens))
        del kept.tokens[oldest]
        kept.renewed.pop(oldest, None)
    kept.tokens[key] = _Token(text, asked + _lifetime(answer.get("expires_in")))
    refresh_token = answer.get("refresh_token")
    if isinstance(refresh_token, str) and refresh_token:
        newer = key[0].renewed(refresh_token)
        if newer is not None:
            kept.renewed[key] = newer
    return text


async def _grant(call: Call, grant: Grant, scopes: Sequence[str]) -> dict[str, Any]:
    """The server's answer; raises `TokenError`."""
    try:
        # In a thread: reading and checking an RSA key takes 60 ms.
        form = await asyncio.to_thread(grant.form, scopes, time.time())
    except ValueError as error:
        raise TokenError(discarded("INVALID_SETTINGS", str(error))) from None
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    request = Request(
        url=grant.token_uri,
        headers={**headers, **grant.headers()},
        body=urlencode(form).encode(),
        timeout=call.timeout,
        follow_307=False,
    )
    try:
        response = await call.http.send(request)
    except EgressError as error:
        raise TokenError(from_error(error)) from None
    answer = _json(response.body)
    if not 200 <= response.status < 300:
        raise TokenError(_refusal(grant, response, answer))
    return answer


def _asked(kept: _Kept, key: _Key, task: asyncio.Task[str]) -> None:
    kept.asking.pop(key, None)
    if not task.cancelled():
        task.exception()  # Looked at, also if those who asked have given up.


def _lifetime(expires_in: Any) -> float:
    try:
        return LIFETIME if expires_in is None else float(expires_in)
    except (TypeError, ValueError):
        return LIFETIME


def _refusal(grant: Grant, response: Response, answer: dict[str, Any]) -> Outcome:
    """RFC 6749 §5.2: `error` is a word, `error_description` a sentence."""
    said = ": ".join(str(answer[name]) for name in ("error", "error_description") if answer.get(name))
    said = said or response.body[:200].decode("utf-8", "replace")
    if is_retryable(response.status):
        after = retry_after(response.headers.get("retry-after"), time.time())
        return retry(str(response.status), f"{grant.issuer} gives no access token: {said}", after)
    return discarded("401", f"{grant.issuer} refuses the credentials: {said}")


def _json(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
