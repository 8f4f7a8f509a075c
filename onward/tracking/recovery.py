"""Catching up with the event log: what the dedupe index and the ledger lost in a crash is read again.

Both remember the log offset they cover, in the same write as what they hold. The log is the truth; this
reads it from the lower of the two offsets and tells each what it has not seen.
"""

import logging
from collections import Counter
from collections.abc import Iterator

import orjson

from onward.eventlog.protocol import EventLog, Record
from onward.eventlog.record import CorruptRecord, decode
from onward.tracking import dedupe
from onward.tracking.dedupe import DedupeIndex, Scope
from onward.tracking.ledger import Ledger
from onward.workspace.snapshot import Snapshot

log_ = logging.getLogger(__name__)

SCAN = 64
"""Records at a time: few decoded bodies alive at once."""


def recover(
    log: EventLog, index: DedupeIndex, ledger: Ledger, snapshot: Snapshot, scope: Scope, since: int
) -> int:
    """Bring index and ledger up to the end of the log; the number of records read.

    Ids received before `since` (ms since the epoch) are outside of the window and not indexed again.
    With the scope `workspace`, ids of a source that is no longer configured are not either: no event can
    come to that source any more, and which workspace it was in is not in the log.
    """
    heads = log.heads()
    if ledger.offset() is None:
        ledger.begin(max((head.offset for head in heads.values()), default=0))
    counted = ledger.offset() or 0
    # What lies before the window is skipped for the index, however old its offset is.
    window = min((log.seek(source_id, since).offset for source_id in heads), default=0)
    indexed = max(index.offset(), window)
    read = 0
    for record in _scan(log, min(indexed, counted)):
        read += 1
        try:
            ids, types = contents(record)
        except CorruptRecord as error:
            log_.error(
                "record %d of the event log is damaged, its ids are not indexed: %s", record.offset, error
            )
            continue
        if record.offset > indexed:
            prefix = _scope(record, snapshot, scope)
            if prefix is not None and record.received_at >= since:
                index.record(dedupe.keys(prefix, ids, index.seed), record.received_at // 1000, record.offset)
        if record.offset > counted:
            ledger.recovered(record.source_id, record.received_at, types, record.offset)
    return read


def contents(record: Record) -> tuple[list[str], Counter[str]]:
    """messageIds and types of the accepted events of a record. Raises `CorruptRecord`."""
    envelope, body = decode(record.body)
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise CorruptRecord(f"its body is not JSON: {error}") from error
    events = content["batch"] if envelope.batch else [content]
    skip = set(envelope.skip)
    ids: list[str] = []
    types: Counter[str] = Counter()
    for at, event in enumerate(events):
        if at in skip:
            continue
        if event is None:  # taken out with its user: counted, and its id can't come again
            types[envelope.type or ""] += 1
        else:
            ids.append(envelope.ids.get(at) or event["messageId"])
            types[envelope.type or event.get("type")] += 1
    return ids, types


def _scan(log: EventLog, after: int) -> Iterator[Record]:
    while records := log.scan(after, SCAN):
        yield from records
        after = records[-1].offset


def _scope(record: Record, snapshot: Snapshot, scope: Scope) -> bytes | None:
    source = snapshot.source_by_id.get(record.source_id)
    if source is None and scope == "workspace":
        return None
    return dedupe.prefix(source.workspace_id if source else "", record.source_id, scope)
