"""The action Publish: payloads as messages of a topic, by `projects.topics.publish`.

https://docs.cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish. A request holds messages
of one topic and one ordering key, as the API asks for, and is taken or refused as a whole. So one that is
refused for what is in it (400) is halved until the message at fault stands alone.

What if the process dies here? Messages whose answer was not seen are published again: at least once, as
Pub/Sub itself delivers. Subscribers can tell repeats by an attribute such as the messageId.
"""

import asyncio
import re
import time
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import orjson

from onward.destinations.aws.batches import Entry, gather, grouped, split
from onward.destinations.aws.text import to_json
from onward.destinations.definition import Call, Page, Payload
from onward.destinations.google import ServiceAccount, TokenError, authorized
from onward.destinations.outcome import Outcome, discarded, from_error, from_response, retry
from onward.egress.http import EgressError, Request, Response
from onward.pipeline.javascript import to_string

SCOPE = "https://www.googleapis.com/auth/pubsub"
ENDPOINT = "https://pubsub.googleapis.com"
MOST_MESSAGES = 1000
MOST_BYTES = 9_900_000
"""Of a request, of the 10 MB that Google allows; also of one message
(docs.cloud.google.com/pubsub/quotas#resource_limits)."""
MOST_ATTRIBUTES, LONGEST_NAME, LONGEST_VALUE, LONGEST_KEY = 100, 256, 1024, 1024
"""The last three in bytes."""
REQUEST_TIMEOUT = 30.0
TIMEOUT = 60.0
"""Seconds for all requests of a call; what is left then is retried."""

_TOPIC = re.compile(r"(?:projects/(?P<project>[^/]+)/topics/)?(?P<id>[A-Za-z][A-Za-z0-9._~+%-]{2,254})")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9.:-]{2,60}")
_RETRIED = frozenset({"ABORTED", "CANCELLED", "UNKNOWN", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"})
"""Of google.rpc.Code, besides those whose status says it (INTERNAL, UNAVAILABLE): see Pub/Sub's own client
libraries, and docs.cloud.google.com/pubsub/docs/reference/error-codes."""


class SettingsError(ValueError):
    """Names the setting at fault."""


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    try:
        account = _account(call.settings)
        base = _endpoint(call.settings)
    except SettingsError as error:
        return discarded("INVALID_SETTINGS", str(error))
    outcomes: dict[int, Outcome] = {}
    made: list[tuple[str, str, Entry]] = []
    for place, payload in enumerate(payloads):
        try:
            topic = _topic(call.settings, account, payload.get("topic"))
            made.append((topic, *_message(place, payload)))
        except SettingsError as error:
            outcomes[place] = discarded("INVALID_SETTINGS", str(error))
        except ValueError as error:
            outcomes[place] = discarded("MESSAGE_REJECTED", str(error))
    deadline = asyncio.get_running_loop().time() + TIMEOUT

    async def publish(group: list[int]) -> None:
        url = f"{base}/v1/{made[group[0]][0]}:publish"
        for messages in split([made[place][2] for place in group], MOST_MESSAGES, MOST_BYTES):
            await _publish(call, account, url, messages, deadline, outcomes)

    # One after the other where the order counts, which it does for a key of a topic.
    await gather(publish(group) for group in grouped(len(made), lambda place: made[place][:2]))
    return [outcomes[place] for place in range(len(payloads))]


async def test(call: Call) -> str | None:
    """Asks for a topic of the project. An account that may only publish is told 403, which is as good: it
    has been let in."""
    try:
        response = await _list(call, None, 1)
    except (SettingsError, TokenError, EgressError) as error:
        return str(error)
    outcome = _outcome(response)
    return None if outcome.kind == "delivered" or outcome.code == "403" else outcome.message


async def choices(call: Call, action: str, field: str, payload: Payload, page: str | None) -> Page:
    """The project's topics."""
    try:
        response = await _list(call, page, 100)
    except (SettingsError, TokenError, EgressError) as error:
        return Page(error=str(error))
    outcome = _outcome(response)
    if outcome.kind != "delivered":
        return Page(error=outcome.message)
    answer = _json(response)
    topics = [str(topic.get("name") or "") for topic in answer.get("topics") or ()]
    return Page(
        choices=[{"label": name.rpartition("/")[2], "value": name} for name in topics],
        next_page=answer.get("nextPageToken") or None,
    )


async def _publish(
    call: Call,
    account: ServiceAccount,
    url: str,
    messages: Sequence[Entry],
    deadline: float,
    outcomes: dict[int, Outcome],
) -> None:
    if asyncio.get_running_loop().time() >= deadline:
        outcome = retry(
            "ETIMEDOUT", f"not sent within {TIMEOUT:g} s, as so many requests were refused before"
        )
    else:
        body = b'{"messages":[' + b",".join(message.body for message in messages) + b"]}"
        outcome = await _post(call, account, url, body)
    if outcome.kind == "discarded" and outcome.code == "400" and len(messages) > 1:
        middle = len(messages) // 2
        for half in (messages[:middle], messages[middle:]):
            await _publish(call, account, url, half, deadline, outcomes)
        return
    outcomes.update((message.place, outcome) for message in messages)


async def _post(call: Call, account: ServiceAccount, url: str, body: bytes) -> Outcome:
    request = Request(
        url=url,
        headers={"content-type": "application/json"},
        body=body,
        timeout=max(call.timeout, REQUEST_TIMEOUT),
    )
    try:
        return _outcome(await authorized(call, account, [SCOPE], request))
    except TokenError as error:
        return error.outcome
    except EgressError as error:
        return from_error(error)


async def _list(call: Call, page: str | None, size: int) -> Response:
    account = _account(call.settings)
    project = _project(call.settings, account)
    url = f"{_endpoint(call.settings)}/v1/projects/{project}/topics?pageSize={size}"
    if page:
        url += f"&pageToken={quote(page, safe='')}"
    return await authorized(call, account, [SCOPE], Request(method="GET", url=url, timeout=call.timeout))


def _message(place: int, payload: Payload) -> tuple[str, Entry]:
    """The ordering key and the message as JSON; raises ValueError."""
    message: dict[str, Any] = {}
    if payload.get("data") is not None:
        message["data"] = b64encode(to_json(payload["data"])).decode()
    attributes = _attributes(payload.get("attributes"))
    if attributes:
        message["attributes"] = attributes
    if not message:
        raise ValueError("a message needs data or attributes; check their mappings")
    key = payload.get("ordering_key") or ""
    if key:
        if _bytes(key) > LONGEST_KEY:
            raise ValueError(f"ordering_key is longer than {LONGEST_KEY} bytes")
        message["orderingKey"] = key
    try:
        body = orjson.dumps(message)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"it can't be written as JSON: {error}") from None
    if len(body) > MOST_BYTES:
        raise ValueError(f"the message has {len(body):,} bytes; Pub/Sub takes 10 MB")
    return key, Entry(place, len(body) + 1, body)


def _attributes(mapped: Any) -> dict[str, str]:
    if mapped is None:
        return {}
    if not isinstance(mapped, dict):
        raise ValueError("attributes is not an object; check its mapping")
    attributes: dict[str, str] = {}
    for name, value in mapped.items():
        if value is None:
            continue
        text = to_json(value).decode() if isinstance(value, dict | list) else to_string(value)
        if not name or _bytes(name) > LONGEST_NAME or name.startswith("goog"):
            raise ValueError(
                f"{name[:50]!r} can't be an attribute's name: at most {LONGEST_NAME} bytes, and not goog…"
            )
        if _bytes(text) > LONGEST_VALUE:
            raise ValueError(f"the attribute {name[:50]!r} is longer than {LONGEST_VALUE} bytes")
        attributes[name] = text
    if len(attributes) > MOST_ATTRIBUTES:
        raise ValueError(f"there are {len(attributes)} attributes; Pub/Sub takes {MOST_ATTRIBUTES}")
    return attributes


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _topic(settings: Mapping[str, Any], account: ServiceAccount, named: Any) -> str:
    """`projects/…/topics/…`, as a part of a URL; raises ValueError."""
    match = _TOPIC.fullmatch(str(named or "").strip())
    if match is None or match["id"].startswith("goog"):
        raise ValueError(
            f"topic is {str(named)[:100]!r}; it should be a topic's ID, or projects/<project>/topics/<topic>"
        )
    project = match["project"] or _project(settings, account)
    return f"projects/{quote(project, safe='')}/topics/{quote(match['id'], safe='')}"


def _project(settings: Mapping[str, Any], account: ServiceAccount) -> str:
    project = str(settings.get("project_id") or account.project_id).strip()
    if not _PROJECT.fullmatch(project):
        raise SettingsError(f"project_id is {project[:70]!r}, not the ID of a project")
    return quote(project, safe="")


def _account(settings: Mapping[str, Any]) -> ServiceAccount:
    try:
        return ServiceAccount.parse(str(settings.get("credentials") or ""))
    except ValueError as error:
        raise SettingsError(f"credentials: {error}") from None


def _endpoint(settings: Mapping[str, Any]) -> str:
    endpoint = str(settings.get("endpoint") or ENDPOINT).strip().rstrip("/")
    if not endpoint.startswith(("https://", "http://")):
        raise SettingsError(f"endpoint is {endpoint[:100]!r}; it should be such as {ENDPOINT}")
    return endpoint


def _outcome(response: Response) -> Outcome:
    """By the status, or the error that the body names (google.rpc.Status); the message is Google's."""
    outcome = from_response(response, time.time())
    error = _json(response).get("error")
    if outcome.kind == "delivered" or not isinstance(error, dict):
        return outcome
    message = f"{error.get('message') or response.status} ({error.get('status') or response.status})"
    if error.get("status") in _RETRIED:
        return retry(outcome.code, message, outcome.retry_after)
    return Outcome(outcome.kind, outcome.code, message, outcome.retry_after)


def _json(response: Response) -> dict[str, Any]:
    try:
        answer = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
