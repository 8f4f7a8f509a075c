"""Access tokens, kept until they expire.

Invariants:
- One request at a time for each credentials and scopes: whoever needs the same token waits for it.
- A token is used until `MARGIN` seconds before it expires. One that an API refuses is forgotten and asked
  for again, once.
- Tokens are in memory only, for each event loop. If the process dies they are asked for again.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

import msgspec
import orjson

from onward.destinations.definition import Call
from onward.destinations.google.credentials import Credentials
from onward.destinations.outcome import Outcome, discarded, from_error, is_retryable, retry, retry_after
from onward.egress.http import EgressError, Request, Response

MARGIN = 60.0
"""Seconds; a request that takes long must not outlive its token."""
MOST = 1_000
"""Tokens that are kept."""


class TokenError(Exception):
    """There is no token. `outcome` is what this means for the payloads: a retry if the endpoint is at fault,
    else a discard."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


class _Token(msgspec.Struct):
    text: str
    expires: float
    """On the clock of the event loop."""


_Key = tuple[Credentials, tuple[str, ...]]


class _Kept:
    def __init__(self) -> None:
        self.tokens: dict[_Key, _Token] = {}
        self.asking: dict[_Key, asyncio.Task[str]] = {}


_kept: WeakKeyDictionary[asyncio.AbstractEventLoop, _Kept] = WeakKeyDictionary()


async def access_token(call: Call, credentials: Credentials, scopes: Sequence[str]) -> str:
    """A token that is good for `MARGIN` seconds at least; raises `TokenError`."""
    loop = asyncio.get_running_loop()
    kept = _kept.setdefault(loop, _Kept())
    key = (credentials, tuple(scopes))
    token = kept.tokens.get(key)
    if token is not None and token.expires - MARGIN > loop.time():
        return token.text
    task = kept.asking.get(key)
    if task is None:
        task = kept.asking[key] = loop.create_task(_ask(kept, call, key))
        task.add_done_callback(lambda done: _asked(kept, key, done))
    return await asyncio.shield(task)


def forget(credentials: Credentials, scopes: Sequence[str], refused: str) -> None:
    """Do not use the token `refused` again; a newer one stays."""
    kept = _kept.get(asyncio.get_running_loop())
    key = (credentials, tuple(scopes))
    if kept is not None and (token := kept.tokens.get(key)) is not None and token.text == refused:
        del kept.tokens[key]


async def authorized(
    call: Call, credentials: Credentials, scopes: Sequence[str], request: Request
) -> Response:
    """`request` with a token, and once more with a fresh one if it is answered 401.

    Raises `TokenError` and `EgressError`.
    """
    for last in (False, True):
        token = await access_token(call, credentials, scopes)
        headers = {**request.headers, "authorization": f"Bearer {token}"}
        response = await call.http.send(msgspec.structs.replace(request, headers=headers))
        if response.status != 401 or last:
            break
        forget(credentials, scopes, token)
    return response


async def _ask(kept: _Kept, call: Call, key: _Key) -> str:
    credentials, scopes = key
    loop = asyncio.get_running_loop()
    try:
        # In a thread: reading and checking an RSA key takes 60 ms.
        form = await asyncio.to_thread(credentials.form, scopes, time.time())
    except ValueError as error:
        raise TokenError(discarded("INVALID_SETTINGS", str(error))) from None
    request = Request(
        url=credentials.token_uri,
        headers={"content-type": "application/x-www-form-urlencoded", "accept": "application/json"},
        body=urlencode(form).encode(),
        timeout=call.timeout,
        follow_307=False,
    )
    asked = loop.time()
    try:
        response = await call.http.send(request)
    except EgressError as error:
        raise TokenError(from_error(error)) from None
    answer = _json(response.body)
    if not 200 <= response.status < 300:
        raise TokenError(_refusal(response, answer))
    text, seconds = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(text, str) or not text:
        raise TokenError(retry("RETRY", f"{credentials.token_uri} answered without an access_token"))
    lifetime = float(seconds) if isinstance(seconds, int | float) else 0.0
    if len(kept.tokens) >= MOST:
        kept.tokens.pop(next(iter(kept.tokens)))
    kept.tokens[key] = _Token(text, asked + lifetime)
    return text


def _asked(kept: _Kept, key: _Key, task: asyncio.Task[str]) -> None:
    kept.asking.pop(key, None)
    if not task.cancelled():
        task.exception()  # Looked at, also if those who asked have given up.


def _refusal(response: Response, answer: dict[str, Any]) -> Outcome:
    """RFC 6749 §5.2: `error` is a word, `error_description` a sentence."""
    said = ": ".join(str(answer[name]) for name in ("error", "error_description") if answer.get(name))
    said = said or response.body[:200].decode("utf-8", "replace")
    if is_retryable(response.status):
        after = retry_after(response.headers.get("retry-after"), time.time())
        return retry(str(response.status), f"Google gives no access token: {said}", after)
    return discarded("401", f"Google refuses the credentials: {said}")


def _json(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
