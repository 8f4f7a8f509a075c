"""New access tokens when two processes want one at the same time."""

import asyncio
from pathlib import Path

import pytest

from onward.destinations.bridge.credentials import Credentials
from onward.destinations.bridge.errors import ActionFailed, Failure
from onward.destinations.bridge.tokens import Tokens, TokenStore
from onward.destinations.definition import Call
from onward.workspace.secrets import Cipher

ENTERED = {"oauth_access_token": "OLD", "oauth_refresh_token": "R1"}
CALL = Call(settings=ENTERED, http=None, timeout=1.0, workspace_id="w", source_id="s", destination_id="d")  # type: ignore[arg-type]


def refusal(status: int) -> ActionFailed:
    return ActionFailed(Failure(status=status, message="invalid_grant"), True, None)


@pytest.fixture
def store(tmp_path: Path) -> TokenStore:
    return TokenStore(tmp_path, Cipher(bytes(range(32))))


async def test_one_whose_refresh_token_another_has_just_used_waits_for_what_that_one_got(
    store: TokenStore,
) -> None:
    async def refresh(*_: object) -> None:
        # The tool has answered the other process, which has not written it down yet.
        asyncio.get_running_loop().call_later(0.05, store.put, "d", ENTERED, Tokens("NEW", "R2"))
        raise refusal(400)

    credentials = Credentials(store, refresh)
    renewed = await credentials.renewed("tool", CALL, credentials.signed(CALL))
    assert renewed.auth is not None and renewed.auth["accessToken"] == "NEW"


@pytest.mark.parametrize(("answered", "status"), [(400, 401), (503, 503)])
async def test_what_is_refused_or_down_is_said(
    store: TokenStore, monkeypatch: pytest.MonkeyPatch, answered: int, status: int
) -> None:
    monkeypatch.setattr("onward.destinations.bridge.credentials.LOOK_EVERY", 0.0)

    async def refresh(*_: object) -> None:
        raise refusal(answered)

    credentials = Credentials(store, refresh)
    with pytest.raises(ActionFailed) as failed:
        await credentials.renewed("tool", CALL, credentials.signed(CALL))
    assert failed.value.failure.status == status
