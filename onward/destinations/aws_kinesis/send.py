"""The action Send: payloads as records of a Kinesis data stream, by PutRecords.

A request that succeeds may still have records in it that did not, each with a code of its own
(https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html); only those are tried again.
"""

import os
import re
from base64 import b64encode
from collections.abc import Sequence

from onward.destinations.aws import endpoints
from onward.destinations.aws.batches import Entry, Outcomes, deliver, gather, grouped
from onward.destinations.aws.client import ask
from onward.destinations.aws.credentials import credentials, forget, who_am_i
from onward.destinations.aws.errors import EXPIRED, AwsError, of_code
from onward.destinations.aws.fields import access
from onward.destinations.aws.text import to_json
from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import DELIVERED, Outcome, discarded, retry
from onward.pipeline.javascript import utf16_length

MOST_RECORDS = 500
MOST_BYTES = 5 * 1024 * 1024
"""Of one request: data and partition keys."""
MOST_RECORD_BYTES = 1024 * 1024
"""Of one record. A stream can be set to take larger ones; those that are not refuse the whole request."""
LONGEST_KEY = 256

_STREAM = re.compile(r"[a-zA-Z0-9_.-]{1,128}")


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    outcomes = Outcomes(len(payloads))
    groups = grouped(
        len(payloads),
        lambda place: (str(payloads[place].get("awsRegion")), str(payloads[place].get("streamName"))),
    )
    await gather(_put(call, payloads, places, outcomes) for places in groups)
    return outcomes.result()


async def _put(call: Call, payloads: Sequence[Payload], places: list[int], outcomes: Outcomes) -> None:
    """All to one stream."""
    region, stream = payloads[places[0]].get("awsRegion"), payloads[places[0]].get("streamName")
    if not endpoints.is_region(region) or not isinstance(region, str):
        outcomes.fill(
            places, discarded("MESSAGE_REJECTED", f"awsRegion is {str(region)[:50]!r}, not a region")
        )
        return
    if not isinstance(stream, str) or not _STREAM.fullmatch(stream):
        outcomes.fill(
            places, discarded("MESSAGE_REJECTED", f"streamName is {str(stream)[:150]!r}, not a stream's name")
        )
        return
    entries: list[Entry] = []
    for place in places:
        try:
            entries.append(_record(place, payloads[place]))
        except ValueError as error:
            outcomes[place] = discarded("MESSAGE_REJECTED", str(error))

    async def send(records: Sequence[Entry]) -> list[Outcome]:
        return await _send(call, region, stream, records)

    await deliver(outcomes, entries, most=MOST_RECORDS, room=MOST_BYTES, send=send)


def _record(place: int, payload: Payload) -> Entry:
    """Raises ValueError for what would make the service refuse the records beside it too."""
    key = payload.get("partitionKey")
    if not isinstance(key, str) or not 0 < utf16_length(key) <= LONGEST_KEY:
        raise ValueError(f"partitionKey must be a text of 1 to {LONGEST_KEY} characters; check its mapping")
    data = to_json(payload.get("payload"))
    size = len(data) + len(key.encode("utf-8", "replace"))
    if size > MOST_RECORD_BYTES:
        raise ValueError(f"the record has {size} bytes; Kinesis takes {MOST_RECORD_BYTES}")
    return Entry(place, size, {"Data": b64encode(data).decode("ascii"), "PartitionKey": key})


async def _send(call: Call, region: str, stream: str, records: Sequence[Entry]) -> list[Outcome]:
    signing = await credentials(call, region)
    service = endpoints.service("kinesis", region, access(call.settings).endpoint_url)
    arguments = {"StreamName": stream, "Records": [record.body for record in records]}
    try:
        answer = await ask(call, service, signing, "Kinesis_20131202.PutRecords", arguments)
    except AwsError as error:
        if error.code in EXPIRED:
            forget(call)
        raise
    results = answer.get("Records")
    if not isinstance(results, list) or len(results) != len(records):
        raise AwsError(retry("500", "Kinesis did not answer with a result for each record"))
    return [_outcome(result if isinstance(result, dict) else {}) for result in results]


def _outcome(result: dict[str, object]) -> Outcome:
    code = result.get("ErrorCode")
    if code:
        return of_code(str(code), str(result.get("ErrorMessage") or ""))
    return DELIVERED


async def test(call: Call) -> str | None:
    """Asks AWS who we are: which streams there are, only the mappings know."""
    region = os.environ.get("AWS_REGION", "")
    try:
        await who_am_i(call, region if endpoints.is_region(region) else "us-west-2")
    except AwsError as error:
        return f"{error.outcome.code}: {error.outcome.message}"
    return None
