"""The Pinterest API v5, as far as customer lists need it: addresses, authorisation, answers.

Source: the OpenAPI description 5.23.0, github.com/pinterest/api-description (operations customer_lists/*,
audiences/create, ad_accounts/get and oauth/token).
"""

import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from onward.destinations.definition import Call, Json
from onward.destinations.oauth import Application, TokenError, authorized
from onward.destinations.outcome import Outcome, discarded, from_error, from_response
from onward.egress.http import EgressError, Request, Response

BASE = "https://api.pinterest.com/v5"

_ID = re.compile(r"[0-9]{1,18}")


class Refused(Exception):
    """Pinterest gave no answer that is of use; `outcome` says what this means for payloads."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def is_id(text: str) -> bool:
    """Whether it can be an id of an ad account or a list: digits only, 18 at most."""
    return _ID.fullmatch(text) is not None


async def ask(call: Call, method: str, path: str, body: Json | None = None) -> Json:
    """The answer of an operation below the ad account. Raises `Refused`."""
    request = Request(
        method=method,
        url=f"{BASE}/ad_accounts/{_account(call.settings)}{path}",
        headers={"accept": "application/json"},
        timeout=call.timeout,
    )
    if body is not None:
        headers = {**request.headers, "content-type": "application/json"}
        request = msgspec.structs.replace(request, headers=headers, body=orjson.dumps(body))
    try:
        response = await _send(call, request)
    except EgressError as error:
        raise Refused(from_error(error)) from None
    except TokenError as error:
        raise Refused(error.outcome) from None
    outcome = from_response(response, time.time())
    if outcome.kind != "delivered":
        said = _said(response) or outcome.message or f"it answered {response.status}"
        raise Refused(msgspec.structs.replace(outcome, message=said))
    return _json(response.body)


async def _send(call: Call, request: Request) -> Response:
    grant = _grant(call.settings)
    if grant is not None:
        return await authorized(call, grant, (), request)
    token = call.settings.get("access_token")
    if not isinstance(token, str) or not token:
        raise Refused(
            discarded(
                "INVALID_SETTINGS",
                "there is nothing to sign in with: set client_id, client_secret and refresh_token, "
                "or an access_token",
            )
        )
    headers = {**request.headers, "authorization": f"Bearer {token}"}
    return await call.http.send(msgspec.structs.replace(request, headers=headers))


def _grant(settings: Mapping[str, Any]) -> Application | None:
    names = ("client_id", "client_secret", "refresh_token")
    client_id, client_secret, refresh_token = (str(settings.get(name) or "") for name in names)
    if not (client_id and client_secret and refresh_token):
        return None
    return Application(
        issuer="Pinterest",
        token_uri=f"{BASE}/oauth/token",
        client_id=client_id,
        client_secret=client_secret,
        refresh_token=refresh_token,
    )


def _account(settings: Mapping[str, Any]) -> str:
    account = str(settings.get("account") or "").strip()
    if not is_id(account):
        raise Refused(
            discarded(
                "INVALID_SETTINGS", "account is not an ad account id: digits only, such as 319762813599"
            )
        )
    return account


def _said(response: Response) -> str:
    """The schema Error: `{"code": integer, "message": text}`, the code being Pinterest's own."""
    answer = _json(response.body)
    message = answer.get("message")
    return f"{message} (code {answer.get('code')})" if isinstance(message, str) and message else ""


def _json(body: bytes) -> Json:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
