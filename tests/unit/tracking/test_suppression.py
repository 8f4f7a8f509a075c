"""Suppressed people at the door, and deleted ones in its samples (spec §16.1)."""

from pathlib import Path

import orjson
import pytest
from msgspec.structs import replace

from onward.eventlog.blank import blank
from onward.eventlog.memory import MemoryLog
from onward.eventlog.record import decode
from onward.metering.query import Question
from onward.pipeline.governance.spec import Governance, SchemaEvent
from onward.pipeline.normalise import Undecodable
from onward.pipeline.types import Envelope
from onward.tracking.dedupe import MemoryDedupe
from onward.tracking.intake import Intake
from onward.tracking.ledger import Report
from onward.tracking.limits import BATCH_EVENTS, EVENT_BYTES
from onward.workspace.snapshot import DeployedFunction, Snapshot, Source

from .door import APP, OFF, OTHER, SITE, Door, track

HIDDEN = {SITE.id: {"hidden", "also hidden"}}
ALWAYS = Question(start=0, end=1 << 50, bucket=1440, groups=("discardReason", "eventName"), limit=50)


async def test_their_events_are_answered_200_and_only_counted(tmp_path: Path) -> None:
    async with Door(tmp_path, suppressed=HIDDEN) as door:
        mixed = [
            track("1"),
            track("2", userId="hidden", properties={"secret": 1}),
            track("3", event=7),
            track("4"),
        ]
        assert (await door.post("/v1/batch", {"batch": mixed, "context": {"x": 1}})).status == 200
        assert (await door.post("/v1/track", track("5", userId="also hidden"))).status == 200
        assert (await door.post("/v1/batch", {"batch": [track("6", userId="hidden")]})).status == 200
        await door.post("/v1/track", track("7", userId="hidden"), key="key-app")
        assert door.ids() == ["1", "4"] and door.ids(APP) == ["7"]
        assert [event["context"]["x"] for event in door.stored()] == [1, 1]
        assert door.counts() == {
            ("accepted", "", "track"): 2,
            ("discarded", "USER_SUPPRESSED", "track"): 3,
            ("discarded", "event_not_string", "track"): 1,
        }
        # The log stores requests as they came, but not what is suppressed in them.
        stored = [decode(record.body)[1] for record in door.log.scan(0, 10) if record.source_id == SITE.id]
        assert b"hidden" not in b"".join(stored) and b"secret" not in b"".join(stored)
        assert {line.message_id for line in door.reader.recent(SITE.id)} == {"1", "3", "4"}
        assert [line.code for line in door.reader.discards(SITE.id)] == ["event_not_string"]
        failed = door.reader.failed(SITE.id, ["unplanned"], ALWAYS, other=True)
        assert {each.group["discardReason"]: each.total for each in failed.series} == {
            "USER_SUPPRESSED": 3,
            "event_not_string": 1,
        }
        assert door.reader.failed(SITE.id, ["USER_SUPPRESSED"], ALWAYS, other=False).total == 3


async def test_no_sample_shows_them_whatever_else_is_wrong(tmp_path: Path) -> None:
    off = {OFF.id: {"hidden"}}
    async with Door(tmp_path, suppressed=HIDDEN | off) as door:
        nameless = {"type": "track", "userId": "hidden"}
        huge = track("2", userId="hidden", properties={"x": "y" * EVENT_BYTES})
        await door.post("/v1/batch", {"batch": [nameless, huge, track("3")]})
        await door.post(
            "/v1/batch", {"batch": [track(str(n), userId="hidden") for n in range(BATCH_EVENTS + 1)]}
        )
        await door.post("/v1/batch", b'{"batch": [{"type": "page", "userId": "hidden", "x": 1e999}]}')
        await door.post("/v1/track", track("4", userId="hidden"), key="key-off")
        assert door.ids() == ["3"]
        assert door.codes() == {"USER_SUPPRESSED": BATCH_EVENTS + 3, "BAD_REQUEST": 1}, (
            "one too many to look at"
        )
        assert [line.message_id for line in door.reader.recent(SITE.id)] == ["3"]
        assert (
            door.reader.discards(SITE.id) == door.reader.recent(OFF.id) == door.reader.discards(OFF.id) == []
        )
        stored = [decode(record.body)[1] for record in door.log.scan(0, 10)]
        assert b"hidden" not in b"".join(stored)


async def test_who_is_found_out_by_an_insert_function_is_suppressed_too(tmp_path: Path) -> None:
    async def insert(taken: Intake, source: Source, envelope: Envelope) -> None:
        taken.changed = [event | {"userId": event["properties"]["owner"]} for event in taken.events]
        taken.stored = orjson.dumps({"batch": taken.changed})

    function = DeployedFunction(id="f", instance="i", name="F", version="v")
    site = replace(SITE, inserted=function)
    snapshot = Snapshot(version=1, sources=(site, APP, OTHER, OFF))
    async with Door(tmp_path, suppressed=HIDDEN, snapshot=snapshot, inserts=insert) as door:
        owned = [track(str(n), properties={"owner": owner}) for n, owner in enumerate(["hidden", "u2"])]
        await door.post("/v1/batch", {"batch": owned})
        assert door.ids() == ["1"] and door.counts()["discarded", "USER_SUPPRESSED", "track"] == 1
        stored = [decode(record.body)[1] for record in door.log.scan(0, 10)]
        assert b"hidden" not in b"".join(stored)
        assert [line.message_id for line in door.reader.recent(SITE.id)] == ["1"]


async def test_what_another_source_hands_on_is_suppressed_by_the_source_that_gets_it(tmp_path: Path) -> None:
    block = Governance(
        events=(SchemaEvent(kind="TRACK", name="Order Completed", enabled=False),), blocked_to=APP.id
    )
    snapshot = Snapshot(version=1, sources=(replace(SITE, governance=block), APP, OTHER, OFF))
    async with Door(tmp_path, suppressed={APP.id: {"hidden"}}, snapshot=snapshot) as door:
        await door.post("/v1/batch", {"batch": [track("1", userId="hidden"), track("2")]})
        assert [event["userId"] for event in door.stored(APP)] == ["u1"]
        await door.post("/v1/track", track("3", userId="hidden"))
        assert len(door.stored(APP)) == 1
        assert door.counts(APP)["discarded", "USER_SUPPRESSED", "track"] == 2
        assert len(door.reader.recent(APP.id)) == 1


@pytest.mark.parametrize("user", [None, "", 7, ["hidden"], {"hidden": 1}])
async def test_ids_of_any_kind_do_no_harm(tmp_path: Path, user: object) -> None:
    async with Door(tmp_path, suppressed=HIDDEN) as door:
        event = {"type": "page", "userId": user, "anonymousId": "hidden"}
        assert (await door.post("/v1/batch", {"batch": [event]})).status == 200
        assert ("discarded", "USER_SUPPRESSED", "page") not in door.counts()


async def test_samples_of_deleted_people_go(tmp_path: Path) -> None:
    async with Door(tmp_path) as door:
        await door.post("/v1/batch", {"batch": [track("1", userId="her"), track("2", userId="his")]})
        await door.post(
            "/v1/batch", {"batch": [track("3", userId="her", event=7), track("4", userId="his", event=7)]}
        )
        await door.post("/v1/batch", b'{"batch": [{"userId": "her", "x": 1e999}]}')
        await door.post("/v1/track", track("5", userId="her"), key="key-other")
        await door.post("/v1/track", track("6", userId="her"), key="no key of ours")
        await door.post("/v1/batch", {"batch": {"userId": "her"}})
        await door.post("/v1/batch", [{"userId": "her"}])
        webhook = {"type": "request", "request": {"url": "", "headers": {}, "body": {"customer": "her"}}}
        door.ledger.discarded(Report(SITE.id, 1, None, [webhook], {0: "lambda_err"}))
        later = 1 << 50
        door.ledger.erase(lambda source_id: source_id == SITE.id, {"her"}, 0)  # received before then: nothing
        assert len(door.reader.recent(SITE.id)) == 8
        door.ledger.erase(lambda source_id: source_id in (SITE.id, ""), {"her"}, later)
        assert {line.message_id for line in door.reader.recent(SITE.id)} == {"2", "4"}
        assert {line.message_id for line in door.reader.discards(SITE.id)} == {"4"}
        assert door.reader.discards("") == [] and door.reader.recent("") == []
        assert [line.message_id for line in door.reader.recent("src_other")] == ["5"]
        counted = sum(door.counts().values())
        await door.post("/v1/track", track("8", userId="her"))
        assert sum(door.counts().values()) == counted + 1
        assert door.reader.recent(SITE.id)[0].message_id == "8"


async def test_a_start_reads_a_log_that_people_were_taken_from(tmp_path: Path) -> None:
    log = MemoryLog()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    async with Door(tmp_path / "a", log=log) as door:
        await door.post("/v1/batch", {"batch": [track("1", userId="her"), track("2")]})
        await door.post("/v1/track", track("3", userId="her"))
    bodies = [(record.offset, blank(record.body, {"her"}) or b"") for record in log.scan(0, 10)]
    log.replace(bodies)
    async with Door(tmp_path / "b", log=log, index=MemoryDedupe()) as door:
        await door.post("/v1/track", track("2"))
        assert door.total("duplicate") == 1
        assert [type(event) for event in door.stored()] == [Undecodable, dict, Undecodable]
