"""One request to a tool's HTTP API and its outcome, with bodies as JavaScript writes them."""

import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus

import orjson

from onward.destinations.definition import Call
from onward.destinations.outcome import Outcome, discarded, from_error, from_response
from onward.egress.http import EgressError, Request, Response
from onward.pipeline.javascript import stringify

JSON: Mapping[str, str] = {"content-type": "application/json"}
FORM: Mapping[str, str] = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}


class Refused(Exception):
    """A payload that the tool would not take, or could not: it is discarded, and nothing is sent."""

    def __init__(self, message: str, code: str = "MESSAGE_REJECTED") -> None:
        super().__init__(message)
        self.outcome = discarded(code, message)


def encode(value: Any) -> bytes:
    """JSON; `NaN` and infinities are null. Raises `Refused` for half a surrogate pair."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        pass  # an integer beyond 64 bits, which JavaScript would write as its nearest double
    try:
        return str(stringify(value)).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused(f"the payload can't be written as JSON: {error}") from None


def form(members: Mapping[str, str]) -> bytes:
    """The body of a form, as URLSearchParams writes it."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in members.items()).encode()


def _quoted(text: str) -> str:
    return quote_plus(text, safe="*").replace("~", "%7E")


@lru_cache(maxsize=1024)
def basic(user: str, password: str = "") -> str:
    """The value of an Authorization header."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode("ascii")


Answer = Response | Outcome
"""What the tool said, or the outcome where it said nothing."""


async def ask(
    call: Call, url: str, body: bytes = b"", headers: Mapping[str, str] = JSON, method: str = "POST"
) -> Answer:
    request = Request(method=method, url=url, headers=dict(headers), body=body, timeout=call.timeout)
    try:
        return await call.http.send(request)
    except EgressError as error:
        return from_error(error)


def outcome_of(answer: Answer) -> Outcome:
    return answer if isinstance(answer, Outcome) else from_response(answer, time.time())


async def post(call: Call, url: str, body: bytes, headers: Mapping[str, str] = JSON) -> Outcome:
    return outcome_of(await ask(call, url, body, headers))


def one_by_one(
    perform: Callable[[Call, dict[str, Any]], Awaitable[Outcome]],
) -> Callable[[Call, Any], Awaitable[Outcome | list[Outcome]]]:
    """The `perform` of an action that sends every payload by itself; `Refused` is its outcome."""

    async def each(call: Call, payloads: list[dict[str, Any]]) -> Outcome | list[Outcome]:
        outcomes = []
        for payload in payloads:
            try:
                outcomes.append(await perform(call, payload))
            except Refused as refusal:
                outcomes.append(refusal.outcome)
        return outcomes[0] if len(outcomes) == 1 else outcomes

    return each


def problem(answer: Answer) -> str | None:
    """Of a connection test: what the tool has against the settings, in one sentence; None if nothing."""
    outcome = outcome_of(answer)
    if outcome.kind == "delivered":
        return None
    return f"{outcome.code}: {outcome.message}" if outcome.message else outcome.code
