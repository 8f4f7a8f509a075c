"""With what a call signs in: the settings, and the newest access token where there is one.

One refresh at a time for a destination, whoever wants it; who comes with a token that is no longer the newest
gets the newest. What it brings is written down before anyone uses it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog

from onward.destinations.bridge.errors import ActionFailed, Failure
from onward.destinations.bridge.tokens import PREFIX, Tokens, TokenStore
from onward.destinations.bridge.worker import Configuration
from onward.destinations.definition import Call

log = structlog.get_logger("onward.catalogue")

NOBODY: dict[str, Any] = {}
"""The `auth` of destinations that use no tokens."""
LOOKS = 10
LOOK_EVERY = 0.1
"""Seconds between looks for the tokens that another process gets at the same time."""
MOST = 2_000
"""Destinations whose credentials are kept made up."""

Refresh = Callable[[str, Configuration, Call], Awaitable[Any]]
"""`(directory, configuration, call)` → `{accessToken, refreshToken?}`, or nothing."""


class _Signed(msgspec.Struct, frozen=True):
    """What was made of a destination's settings, and is used as long as they are the same object."""

    entered: Mapping[str, Any]
    tokens: Tokens
    settings: Mapping[str, Any]
    """Without the credentials."""
    auth: dict[str, Any]
    client: dict[str, Any]


class Credentials:
    def __init__(self, store: TokenStore | None, refresh: Refresh) -> None:
        self._store = store
        self._refresh = refresh
        self._signed: dict[str, _Signed] = {}
        self._renewing: dict[str, asyncio.Task[None]] = {}

    def plain(self, call: Call) -> Configuration:
        return Configuration(call.settings, call.mapping, NOBODY)

    def signed(self, call: Call) -> Configuration:
        signed = self._signed.get(call.destination_id)
        if signed is None or signed.entered is not call.settings:
            known = signed.tokens if signed and signed.entered == call.settings else None
            signed = self._keep(call, known or self._newest(call))
        return Configuration(signed.settings, call.mapping, signed.auth, signed.client)

    async def renewed(self, directory: str, call: Call, refused: Configuration) -> Configuration:
        """Newer credentials than those that the tool has refused. Raises `BridgeError` if there are none."""
        current = self.signed(call)
        if current.auth is not refused.auth and current.auth != refused.auth:
            return current
        task = self._renewing.get(call.destination_id)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._renew(directory, call, current))
            self._renewing[call.destination_id] = task
            task.add_done_callback(lambda done: self._renewed(call.destination_id, done))
        await asyncio.shield(task)
        return self.signed(call)

    def _renewed(self, destination_id: str, task: "asyncio.Task[None]") -> None:
        self._renewing.pop(destination_id, None)
        if not task.cancelled():
            task.exception()  # whoever waits sees it; they may all have gone

    async def _renew(self, directory: str, call: Call, current: Configuration) -> None:
        before = self._signed[call.destination_id].tokens
        if self._another_was_first(call, before):
            return
        try:
            got = await self._refresh(directory, current, call)
        except ActionFailed as error:
            refused = _refused(error)
            # Another process may have used our refresh token, and be about to write down what it got for it.
            for _ in range(LOOKS if refused is not error and self._store is not None else 0):
                if self._another_was_first(call, before):
                    return
                await asyncio.sleep(LOOK_EVERY)
            raise refused from error
        access = got.get("accessToken") if isinstance(got, dict) else None
        if not isinstance(access, str) or not access:
            raise ActionFailed(
                Failure(
                    code="OAUTH_REFRESH_FAILED",
                    status=401,
                    message="the tool gave no new access token; connect the account again",
                ),
                answered=True,
                after=None,
            )
        tokens = Tokens(access, got.get("refreshToken") or before.refresh)
        if self._store is not None:
            self._store.put(call.destination_id, call.settings, tokens)
        self._keep(call, tokens)
        log.info("access token refreshed", destination=call.destination_id)

    def _another_was_first(self, call: Call, before: Tokens) -> bool:
        """Whether another process has newer tokens; they are then used."""
        newest = self._newest(call)
        if newest.access == before.access:
            return False
        self._keep(call, newest)
        return True

    def _newest(self, call: Call) -> Tokens:
        if self._store is not None:
            return self._store.get(call.destination_id, call.settings)
        known = self._signed.get(call.destination_id)
        if known is not None and _entered(known.entered) == _entered(call.settings):
            return known.tokens
        return Tokens(call.settings.get("oauth_access_token"), call.settings.get("oauth_refresh_token"))

    def _keep(self, call: Call, tokens: Tokens) -> _Signed:
        entered = call.settings
        signed = self._signed[call.destination_id] = _Signed(
            entered,
            tokens,
            {key: value for key, value in entered.items() if not key.startswith(PREFIX)},
            {
                "accessToken": tokens.access,
                "refreshToken": tokens.refresh,
                "refreshTokenUrl": entered.get("oauth_refresh_token_url"),
            },
            {
                "clientId": entered.get("oauth_client_id"),
                "clientSecret": entered.get("oauth_client_secret"),
            },
        )
        if len(self._signed) > MOST:
            del self._signed[next(iter(self._signed))]
        return signed

    def forget(self, destination_id: str) -> None:
        self._signed.pop(destination_id, None)
        if self._store is not None:
            self._store.forget(destination_id)

    def close(self) -> None:
        for task in self._renewing.values():
            task.cancel()
        if self._store is not None:
            self._store.close()


def _entered(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key.startswith(PREFIX)}


def _refused(error: ActionFailed) -> ActionFailed:
    """Why there is no new token: the error itself, unless the token server has refused to give one (400, RFC
    6749 §5.2), which means: connect again."""
    failure = error.failure
    if failure.status is None or not 400 <= failure.status < 500 or failure.status in (408, 423, 429):
        return error
    failure = msgspec.structs.replace(failure, status=401, code="OAUTH_REFRESH_FAILED")
    return ActionFailed(failure, error.answered, error.after)
