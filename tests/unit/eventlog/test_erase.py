"""Taking people out of the log: what is left reads and counts as before (spec §16.1)."""

import sqlite3
import uuid
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.eventlog.blank import FEW, blank, message_ids
from onward.eventlog.protocol import Draft
from onward.eventlog.record import CorruptRecord, decode, encode
from onward.eventlog.sqlite import SqliteEraser, SqliteLog, SqliteReader
from onward.pipeline.normalise import USER_DELETED, Undecodable, normalise
from onward.pipeline.types import Envelope

# With characters that JSON escapes, or may.
USERS = st.sampled_from(["a", "b", "é", 'quo"te', "back\\slash", "new\nline", "a b", "\u2028"])
EVENT = st.fixed_dictionaries(
    {"userId": st.one_of(USERS, st.none()), "messageId": st.uuids().map(str), "type": st.just("track")},
    optional={"properties": st.dictionaries(USERS, USERS, max_size=2)},
)


@given(
    events=st.lists(EVENT, min_size=1, max_size=6),
    deleted=st.frozensets(USERS, min_size=1),
    skip=st.sets(st.integers(0, 5)),
    many=st.booleans(),
    escaped=st.booleans(),
)
def test_just_their_events_are_gone(events, deleted, skip, many, escaped):
    import json

    skip = tuple(sorted(at for at in skip if at < len(events)))
    body = json.dumps({"batch": events, "context": {"x": 1}}, ensure_ascii=escaped).encode()
    envelope = Envelope(received_at=5, batch=True, skip=skip, ip="1.2.3.4")
    wanted = deleted | {f"{n}" for n in range(FEW + 1)} if many else deleted
    kept = len(events) - len(skip)
    before = normalise(envelope, body, kept)
    found = blank(encode(envelope, body), wanted)
    if found is None:
        assert not any(event["userId"] in deleted for event in events)
        return
    theirs = [event["messageId"] for event in events if event["userId"] in deleted]
    assert list(message_ids(encode(envelope, body), wanted)) == theirs
    after = normalise(*decode(found), kept)
    assert len(after) == len(before)
    for old, new in zip(before, after, strict=True):
        if old["userId"] in deleted:
            assert isinstance(new, Undecodable) and new.code == USER_DELETED
        else:
            assert new == old
    rest = orjson.loads(decode(found)[1])
    assert not any(event and event["userId"] in deleted for event in rest["batch"])
    assert all(rest["batch"][at] is None for at in skip)
    if not any(rest["batch"]):
        assert rest.keys() == {"batch"} and decode(found)[0].ip is None


@pytest.mark.parametrize("complete", [False, True])
def test_one_event_alone(complete):
    envelope = Envelope(received_at=5, batch=False, type="track", ip="1.2.3.4", user_agent="x", ids={0: "m"})
    found = blank(encode(envelope, b'{"userId":"a","event":"E"}'), frozenset({"a"}))
    (event,) = normalise(*decode(found))
    assert isinstance(event, Undecodable) and event.code == USER_DELETED
    assert decode(found) == (Envelope(received_at=5, batch=False, type="track"), b"null")
    assert blank(found, frozenset({"a"})) is None


def test_what_can_not_be_read_is_left_and_said():
    with pytest.raises(CorruptRecord):
        blank(b"\x01nonsense", frozenset({"a"}))
    envelope = Envelope(received_at=5, batch=True)
    for body in (b'{"batch": "a"}', b'["a"]', b'{"a"', b'"a"', b'{"batch":[["a"],"a",{"userId":["a"]}]}'):
        assert blank(encode(envelope, body), frozenset({"a"})) is None


def filled(folder: Path, secret: str) -> SqliteLog:
    """Three slices, the last of which is being written to."""
    log = SqliteLog(folder, slice_ms=1000, reserve_bytes=0)
    for at in (100, 1500, 2600):
        for user in ("kept", secret):
            body = orjson.dumps({"userId": user, "messageId": "m", "type": "track", "at": at})
            log.append([Draft("s", at, 1, encode(Envelope(received_at=at, batch=False), body))])
    return log


def test_records_are_rewritten_where_they_stand(tmp_path):
    secret = uuid.uuid4().hex
    log = filled(tmp_path, secret)
    reader, eraser = SqliteReader(tmp_path, relist_seconds=0), SqliteEraser(tmp_path)
    before = reader.read("s", 0, 100)
    heads = reader.heads()
    bodies = [(r.offset, body) for r in eraser.scan(0, 100) if (body := blank(r.body, frozenset({secret})))]
    assert len(bodies) == 3
    old = [record.body for record in before if record.offset in dict(bodies)]
    eraser.replace(bodies)
    eraser.finish()
    after = reader.read("s", 0, 100)
    assert [(r.offset, r.first_seq, r.count, r.received_at) for r in after] == [
        (r.offset, r.first_seq, r.count, r.received_at) for r in before
    ]
    assert [secret in str(decode(record.body)) for record in after] == [False] * 6
    assert reader.heads() == heads
    # What stood there is not on the disk any more, in free pages or in journals.
    disk = b"".join(path.read_bytes() for path in sorted(tmp_path.iterdir()) if ".db" in path.name)
    assert all(body[20:] not in disk for body in old)
    # The writer goes on as if nothing had been.
    (end,) = log.append([Draft("s", 2700, 1, encode(Envelope(received_at=2700, batch=False), b"{}"))])
    assert end.seq == 7 and len(reader.read("s", 0, 100)) == 7
    log.close()
    again = SqliteLog(tmp_path, slice_ms=1000, reserve_bytes=0)
    assert len(again.read("s", 0, 100)) == 7
    for each in (again, reader, eraser):
        each.close()


def test_what_retention_took_needs_no_erasing(tmp_path):
    log = filled(tmp_path, "secret")
    eraser = SqliteEraser(tmp_path)
    records = eraser.scan(0, 100)
    for path in list(tmp_path.glob("*"))[:]:
        if path.name.startswith(f"{records[0].offset:016d}"):
            path.unlink()
    eraser.replace([(record.offset, b"\x01") for record in records[:2]])
    eraser.finish()
    assert len(SqliteReader(tmp_path).read("s", 0, 100)) == 4
    eraser.close()
    log.close()


def test_a_damaged_file_is_an_error_and_not_done(tmp_path):
    log = filled(tmp_path, "secret")
    eraser = SqliteEraser(tmp_path)
    records = eraser.scan(0, 100)
    blocker = sqlite3.connect(next(path for path in sorted(tmp_path.glob("*.db"))), isolation_level=None)
    blocker.execute("DROP TABLE record")
    with pytest.raises(sqlite3.OperationalError):
        eraser.replace([(records[0].offset, b"\x01")])
    blocker.close()
    eraser.close()
    log.close()
