"""The action Send: payloads as messages of an SQS queue, by SendMessageBatch.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from onward.destinations.aws import endpoints
from onward.destinations.aws.batches import Entry, Outcomes, deliver, gather, grouped
from onward.destinations.aws.client import ask
from onward.destinations.aws.credentials import credentials, forget
from onward.destinations.aws.errors import EXPIRED, AwsError, of_code
from onward.destinations.aws.fields import access
from onward.destinations.aws.text import to_json
from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import DELIVERED, Outcome, discarded, retry
from onward.pipeline.javascript import to_string

MOST_MESSAGES = 10
MOST_BYTES = 1024 * 1024
"""Of one request, and so of one message."""
MOST_ATTRIBUTES = 10
LONGEST_DELAY = 900

_ID = re.compile(r"[!-~]{1,128}")
_ATTRIBUTE = re.compile(r"(?!\.)[A-Za-z0-9_.-]{1,256}(?<!\.)")
_HOSTS = (
    re.compile(r"sqs(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.[a-z.]+"),
    re.compile(r"([a-z0-9-]+)\.queue\.amazonaws\.[a-z.]+"),
)
_REFUSED = "\ufffe\uffff"
"""Characters of JSON that SQS takes in no message; escaped they mean the same there."""
_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in _REFUSED})
_UNPRINTABLE = re.compile(rf"[\x00-\x08\x0b\x0c\x0e-\x1f{_REFUSED}]")


class Queue:
    """Where messages go. Raises ValueError if the settings and the payload don't say."""

    def __init__(self, settings: Mapping[str, Any], url: Any) -> None:
        self.url = url.strip() if isinstance(url, str) else ""
        try:
            parts = urlsplit(self.url)
            host = parts.hostname or ""
        except ValueError:
            host = ""
        if not host or parts.scheme not in ("http", "https"):
            raise ValueError(
                f"the queue's URL is {self.url[:100]!r}; it is such as "
                "https://sqs.eu-west-1.amazonaws.com/123456789012/name"
            )
        aws = endpoints.is_aws(self.url)
        found = next((match[1] for each in _HOSTS if aws and (match := each.fullmatch(host))), "")
        self.region = str(settings.get("region") or "").strip() or found or "us-east-1"
        if not endpoints.is_region(self.region):
            raise ValueError(f"region is {self.region[:50]!r}, not a region such as eu-west-1")
        self.fifo = self.url.endswith(".fifo")
        self.endpoint = "" if aws else f"{parts.scheme}://{parts.netloc}"


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    outcomes = Outcomes(len(payloads))

    def url(place: int) -> str:
        return str(payloads[place].get("queue_url") or call.settings.get("queue_url") or "")

    await gather(
        _put(call, url(places[0]), payloads, places, outcomes) for places in grouped(len(payloads), url)
    )
    return outcomes.result()


async def _put(
    call: Call, url: str, payloads: Sequence[Payload], places: list[int], outcomes: Outcomes
) -> None:
    """All to one queue."""
    try:
        queue = Queue(call.settings, url)
    except ValueError as error:
        outcomes.fill(places, discarded("INVALID_SETTINGS", str(error)))
        return
    entries: list[Entry] = []
    for place in places:
        try:
            entries.append(_message(call, queue, place, payloads[place]))
        except ValueError as error:
            outcomes[place] = discarded("MESSAGE_REJECTED", str(error))

    async def send(messages: Sequence[Entry]) -> list[Outcome]:
        return await _send(call, queue, messages)

    await deliver(outcomes, entries, most=MOST_MESSAGES, room=MOST_BYTES, send=send, ordered=queue.fifo)


def _message(call: Call, queue: Queue, place: int, payload: Payload) -> Entry:
    """Raises ValueError."""
    message = payload.get("message")
    if message is None:
        raise ValueError("message is empty; check its mapping")
    body = to_json(message).decode()
    if any(character in body for character in _REFUSED):
        body = body.translate(_ESCAPED)
    entry: dict[str, Any] = {"Id": str(place), "MessageBody": body}
    attributes, size = _attributes(payload.get("message_attributes"))
    if attributes:
        entry["MessageAttributes"] = attributes
    group = payload.get("message_group_id")
    if group not in (None, ""):
        entry["MessageGroupId"] = _identifier(str(group))
    if queue.fifo:
        if "MessageGroupId" not in entry:
            raise ValueError("message_group_id is empty; a FIFO queue needs one, such as the user's ID")
        dedup = payload.get("message_deduplication_id")
        if dedup not in (None, ""):
            entry["MessageDeduplicationId"] = _identifier(str(dedup))
    elif (delay := payload.get("delay_seconds")) is not None:
        if not isinstance(delay, int | float) or not 0 <= delay <= LONGEST_DELAY:
            raise ValueError(f"delay_seconds is {str(delay)[:20]!r}; it may be 0 to {LONGEST_DELAY}")
        entry["DelaySeconds"] = int(delay)
    size += len(body.encode("utf-8", "replace"))
    if size > MOST_BYTES:
        raise ValueError(f"the message has {size} bytes; SQS takes {MOST_BYTES}")
    return Entry(place, size, entry)


def _identifier(text: str) -> str:
    """As it is if SQS takes it, else a digest of it."""
    if _ID.fullmatch(text):
        return text
    return blake2b(text.encode("utf-8", "replace"), digest_size=32).hexdigest()


def _attributes(values: Any) -> tuple[dict[str, Any], int]:
    """Attributes in SQS's form, and the bytes that they count for. Raises ValueError."""
    if values is None:
        return {}, 0
    if not isinstance(values, dict):
        raise ValueError("message_attributes is not an object; check its mapping")
    attributes: dict[str, Any] = {}
    size = 0
    for name, value in values.items():
        if value is None or value == "":
            continue
        if not _ATTRIBUTE.fullmatch(name) or name.lower().startswith(("aws.", "amazon.")):
            raise ValueError(f"{name[:100]!r} is not a name that SQS takes for an attribute")
        text = to_json(value).decode() if isinstance(value, dict | list) else to_string(value)
        text = _UNPRINTABLE.sub("\ufffd", text)
        kind = "Number" if isinstance(value, int | float) and not isinstance(value, bool) else "String"
        attributes[name] = {"DataType": kind, "StringValue": text}
        size += sum(len(each.encode("utf-8", "replace")) for each in (name, kind, text))
    if len(attributes) > MOST_ATTRIBUTES:
        raise ValueError(f"there are {len(attributes)} attributes; SQS takes {MOST_ATTRIBUTES}")
    return attributes, size


async def _send(call: Call, queue: Queue, messages: Sequence[Entry]) -> list[Outcome]:
    answer = await _ask(call, queue, "SendMessageBatch", {"Entries": [message.body for message in messages]})
    outcomes: dict[str, Outcome] = {}
    for each in _objects(answer.get("Successful")):
        outcomes[str(each.get("Id"))] = DELIVERED
    for each in _objects(answer.get("Failed")):
        code = str(each.get("Code") or "").removeprefix("AWS.SimpleQueueService.")
        outcome = of_code(code or "UnknownError", str(each.get("Message") or ""))
        if outcome.kind == "discarded" and each.get("SenderFault") is False:
            outcome = retry("500", outcome.message)
        outcomes[str(each.get("Id"))] = outcome
    unknown = retry("500", "SQS did not answer with a result for this message")
    return [outcomes.get(message.body["Id"], unknown) for message in messages]


def _objects(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


async def _ask(call: Call, queue: Queue, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    signing = await credentials(call, queue.region)
    endpoint = access(call.settings).endpoint_url or queue.endpoint
    service = endpoints.service("sqs", queue.region, endpoint)
    try:
        return await ask(
            call, service, signing, f"AmazonSQS.{operation}", {"QueueUrl": queue.url, **arguments}, "1.0"
        )
    except AwsError as error:
        if error.code in EXPIRED:
            forget(call)
        raise


async def test(call: Call) -> str | None:
    """Looks the queue up."""
    try:
        queue = Queue(call.settings, call.settings.get("queue_url"))
        await _ask(call, queue, "GetQueueAttributes", {"AttributeNames": ["QueueArn"]})
    except ValueError as error:
        return str(error)
    except AwsError as error:
        if error.code in ("AccessDenied", "AccessDeniedException"):
            return (
                f"{error.outcome.message} (the credentials are right; this test needs "
                "sqs:GetQueueAttributes, delivery does not)"
            )
        return f"{error.outcome.code}: {error.outcome.message}"
    return None
