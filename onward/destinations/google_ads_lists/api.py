"""The Google Ads API over REST: addresses, headers, and what its errors mean.

Sources: github.com/googleapis/googleapis, google/ads/googleads/v25 (services, errors, enums; the protos of
v26 were not to be had, its reference pages were); developers.google.com/google-ads/api/rest/auth;
developers.google.com/google-ads/api/docs/api-policy/developer-token (tokens of developers are ignored since
September 2026, and access belongs to the Google Cloud project of the OAuth client).
"""

import re
import time
from collections.abc import Mapping
from typing import Any

import msgspec
import orjson

from onward.destinations.definition import Call, Json
from onward.destinations.google import Credentials as Grant
from onward.destinations.google import ServiceAccount, TokenError, UserCredentials, authorized
from onward.destinations.outcome import Outcome, discarded, from_error, from_response, retry
from onward.egress.http import EgressError, Request, Response

VERSION = "v26"
"""The newest version that is documented; Google retires each after about a year."""
BASE = "https://googleads.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/adwords",)

TRANSIENT = frozenset(
    {
        "CONCURRENT_MODIFICATION",
        "INTERNAL_ERROR",
        "TRANSIENT_ERROR",
        "DEADLINE_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "RESOURCE_TEMPORARILY_EXHAUSTED",
    }
)
"""Error codes (of DatabaseError, InternalError and QuotaError) that mean to try again, whatever the
status."""

_CUSTOMER = re.compile(r"[0-9]{10}")
_LIST = re.compile(r"[0-9]{1,19}")


class Refused(Exception):
    """Google gave no answer that is of use; `outcome` says what this means for payloads."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def is_list_id(text: str) -> bool:
    return _LIST.fullmatch(text) is not None


def customer(settings: Mapping[str, Any], name: str = "account") -> str:
    """A customer id without its dashes. Raises `Refused`."""
    text = str(settings.get(name) or "").replace("-", "").strip()
    if not _CUSTOMER.fullmatch(text):
        raise Refused(
            discarded("INVALID_SETTINGS", f"{name} is not a customer id: ten digits, such as 123-456-7890")
        )
    return text


async def ask(call: Call, path: str, body: bytes, *, keep: int | None = None) -> Json:
    """The answer of `POST /{version}/{path}`; all that is used here are POSTs. Raises `Refused`."""
    headers = {"content-type": "application/json", "accept": "application/json"}
    if call.settings.get("login_customer_id"):
        headers["login-customer-id"] = customer(call.settings, "login_customer_id")
    if call.settings.get("developer_token"):
        headers["developer-token"] = str(call.settings["developer_token"])
    request = Request(
        url=f"{BASE}/{VERSION}/{path}", headers=headers, body=body, timeout=call.timeout, keep=keep
    )
    try:
        response = await authorized(call, _grant(call.settings), SCOPES, request)
    except EgressError as error:
        raise Refused(from_error(error)) from None
    except TokenError as error:
        raise Refused(error.outcome) from None
    answer = _json(response.body)
    if not 200 <= response.status < 300:
        raise Refused(_refusal(response, answer or {}))
    if answer is None:
        raise Refused(retry("RETRY", f"the answer to {path.rpartition('/')[2]} is not whole, or not JSON"))
    return answer


def errors(status: Any) -> list[Json]:
    """The errors of a `google.rpc.Status` whose details are a GoogleAdsFailure."""
    details = status.get("details") if isinstance(status, dict) else None
    found: list[Json] = []
    for detail in details if isinstance(details, list) else ():
        listed = detail.get("errors") if isinstance(detail, dict) else None
        found += [error for error in listed if isinstance(error, dict)] if isinstance(listed, list) else []
    return found


def outcome_of(error: Json, code: str = "MESSAGE_REJECTED") -> Outcome:
    """What one GoogleAdsError means; `code` is for those that are final."""
    codes = error.get("errorCode")
    word = str(next(iter(codes.values()), "")) if isinstance(codes, dict) else ""
    message = ": ".join(filter(None, (word, str(error.get("message") or ""))))
    if word in TRANSIENT:
        return retry("RETRY", message, _delay(error))
    return discarded(code, message)


def _refusal(response: Response, answer: Json) -> Outcome:
    outcome = from_response(response, time.time())
    status = answer.get("error")
    told = [outcome_of(error, outcome.code) for error in errors(status)]
    said = "; ".join(dict.fromkeys(each.message for each in told))
    if not said and isinstance(status, dict) and isinstance(status.get("message"), str):
        said = status["message"]
    transient = next((each for each in told if each.kind == "retry"), None)
    if transient is not None and outcome.kind != "retry":
        return msgspec.structs.replace(transient, message=said)
    after = outcome.retry_after
    if after is None and transient is not None:
        after = transient.retry_after
    return msgspec.structs.replace(
        outcome, message=said or outcome.message or f"Google answered {response.status}", retry_after=after
    )


def _delay(error: Json) -> float | None:
    """QuotaErrorDetails.retry_delay, a duration such as `30s`."""
    details = error.get("details")
    quota = details.get("quotaErrorDetails") if isinstance(details, dict) else None
    delay = quota.get("retryDelay") if isinstance(quota, dict) else None
    if isinstance(delay, str) and re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?s", delay):
        return float(delay[:-1])
    return None


def _grant(settings: Mapping[str, Any]) -> Grant:
    key = settings.get("service_account_key")
    if key:
        try:
            return ServiceAccount.parse(str(key))
        except ValueError as error:
            raise Refused(discarded("INVALID_SETTINGS", f"service_account_key: {error}")) from None
    names = ("client_id", "client_secret", "refresh_token")
    given = {name: str(settings.get(name) or "") for name in names}
    missing = [name for name in names if not given[name]]
    if missing:
        raise Refused(
            discarded(
                "INVALID_SETTINGS",
                f"there is nothing to sign in with: {', '.join(missing)} missing, and no service_account_key",
            )
        )
    return UserCredentials(**given)


def _json(body: bytes) -> Json | None:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return answer if isinstance(answer, dict) else None
