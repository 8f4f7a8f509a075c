"""A source's rules at the door: what is stored, counted, shown and handed on."""

import copy
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.eventlog.record import decode
from onward.pipeline.governance.spec import (
    Controls,
    Governance,
    Hash,
    Rule,
    SchemaEvent,
    TrackingPlan,
    Transformation,
)
from onward.pipeline.normalise import normalise
from onward.pipeline.types import Envelope
from onward.tracking import cdn, intake
from onward.tracking.governance import SourceGovernor
from onward.workspace.snapshot import Snapshot, Source

from .door import APP, OFF, OTHER, SITE, Door, track

ORDER = Rule(
    kind="TRACK",
    key="Order Completed",
    schema={"properties": {"properties": {"properties": {"total": {"type": "number"}}}}},
)
PLAN = TrackingPlan(id="tp_1", name="Plan", rules=(ORDER,))
STRICT = Controls(
    allow_unplanned_events=False, allow_events_on_violations=False, allow_unplanned_fields=False
)


def door(folder: Path, governance: Governance, **more: Any) -> Door:
    site = Source(
        id=SITE.id,
        workspace_id="ws_1",
        slug="site",
        name="Site",
        write_keys=("key-a",),
        governance=governance,
    )
    return Door(folder, snapshot=Snapshot(version=1, sources=(site, APP, OTHER, OFF)), **more)


def batch(*events: Any, **shared: Any) -> dict[str, Any]:
    return {"batch": list(events), **shared}


async def test_blocked_events_are_counted_shown_and_not_stored(tmp_path: Path) -> None:
    async with door(tmp_path, Governance(plan=PLAN, track=STRICT)) as site:
        reply = await site.post(
            "/v1/batch",
            batch(
                track("m1"),
                track("m2", event="order_completed"),
                track("m3", properties={"total": "x"}),
                track("m4", properties={"total": 2, "extra": 1}),
                {"type": "track", "userId": "u"},
            ),
        )
        assert reply.status == 200
        assert site.ids() == ["m1", "m4"]
        assert site.counts() == {
            ("accepted", "", "track"): 2,
            ("filtered", "unplanned", "track"): 1,
            ("filtered", "schema_violation", "track"): 1,
            ("discarded", "event_not_defined", "track"): 1,
        }
        lines = {line.message_id: (line.verdict, line.code) for line in site.reader.recent(SITE.id)}
        assert lines["m2"] == ("filtered", "unplanned")
        assert lines["m3"] == ("filtered", "schema_violation")
        assert lines["m4"] == ("accepted", "")
        (sample,) = site.reader.discards(SITE.id, "schema_violation")
        assert sample.message_id == "m3"


async def test_what_is_left_out_is_not_on_the_disk(tmp_path: Path) -> None:
    async with door(tmp_path, Governance(plan=PLAN, track=STRICT)) as site:
        await site.post("/v1/track", track("m1", properties={"total": 1, "secret": "s3cret"}))
        (event,) = site.stored()
        assert event["properties"] == {"total": 1}
        assert event["context"]["protocols"] == {"sourceId": SITE.id, "omitted": ["secret"]}
        (record,) = site.log.read(SITE.id, 0, 10)
        assert b"s3cret" not in decode(record.body)[1]


async def test_a_request_that_is_blocked_as_a_whole_leaves_no_record(tmp_path: Path) -> None:
    async with door(tmp_path, Governance(events=(SchemaEvent(kind="PAGE", enabled=False),))) as site:
        for n in range(2):
            assert (await site.post("/v1/page", {"userId": "u", "messageId": f"m{n}"})).status == 200
        assert site.log.heads() == {}
        assert site.counts() == {("filtered", "event_setting", "page"): 2}


async def test_rules_that_change_nothing_leave_the_body_as_it_came(tmp_path: Path) -> None:
    async with door(tmp_path, Governance(plan=PLAN, track=STRICT)) as site:
        body = orjson.dumps(batch(track("m1"), track("m2", event="Else"), track("m3")))
        await site.post("/v1/batch", body)
        (record,) = site.log.read(SITE.id, 0, 10)
        envelope, stored = decode(record.body)
        assert (stored, envelope.skip, envelope.complete) == (body, (1,), False)


async def test_conditions_see_what_the_batch_shares_and_the_door_adds(tmp_path: Path) -> None:
    rename = Transformation(
        id="t1",
        condition="context.library.name='analytics.js' and channel='browser' and context.ip='203.0.113.7'",
        new_event_name="Renamed",
    )
    context = {"library": {"name": "analytics.js"}}
    async with door(tmp_path, Governance(transformations=(rename,))) as site:
        await site.post(
            "/v1/batch", batch(track("m1"), track("m2", context={"library": {}}), context=context)
        )
        assert [event["event"] for event in site.stored()] == ["Renamed", "Order Completed"]


async def test_a_duplicate_of_a_changed_event_is_one(tmp_path: Path) -> None:
    drop = Transformation(id="t1", condition="all", drop=("x",))
    async with door(tmp_path, Governance(transformations=(drop,))) as site:
        body = batch(track("m1", properties={"x": 1}), track("m2", properties={"y": 1}))
        await site.post("/v1/batch", body)
        await site.post("/v1/batch", batch(*body["batch"], track("m3", properties={"x": 1})))
        assert site.ids() == ["m1", "m2", "m3"]
        assert [event["properties"] for event in site.stored()] == [{}, {"y": 1}, {}]
        assert site.counts()["duplicate", "", "track"] == 2


async def test_an_event_that_could_not_be_transformed_is_discarded(tmp_path: Path) -> None:
    hide = Transformation(id="t1", condition="length(properties.x) > 1", drop=("x",))
    async with door(tmp_path, Governance(transformations=(hide,))) as site:
        await site.post("/v1/batch", batch(track("m1", properties={"x": {}}), track("m2")))
        assert site.ids() == ["m2"]
        assert site.codes() == {"internal": 1}


async def test_what_a_transformation_drops_is_filtered_and_handed_on_to_nobody(tmp_path: Path) -> None:
    gone = Transformation(id="t1", condition="properties.bot = true", drops_event=True)
    async with door(tmp_path, Governance(transformations=(gone,), blocked_to=APP.id)) as site:
        await site.post("/v1/batch", batch(track("m1", properties={"bot": True}), track("m2")))
        assert site.ids() == ["m2"]
        assert site.counts() == {
            ("filtered", "dropped_by_transformation", "track"): 1,
            ("accepted", "", "track"): 1,
        }
        assert site.counts(APP) == {}


async def test_a_source_whose_rules_can_not_be_read_takes_nothing_and_loses_nothing(tmp_path: Path) -> None:
    broken = Transformation(id="t1", condition="event =", drop=("x",))
    async with door(tmp_path, Governance(transformations=(broken,))) as site:
        assert (await site.post("/v1/track", track("m1"))).status == 503
        assert (await site.post("/v1/track", track("m0"), key="key-app")).status == 200
        site.snapshot = Snapshot(version=2, sources=(SITE, APP))
        assert (await site.post("/v1/track", track("m1"))).status == 200
        assert site.ids() == ["m1"]


async def test_new_rules_are_in_force_with_the_next_snapshot(tmp_path: Path) -> None:
    async with Door(tmp_path) as site:
        await site.post("/v1/track", track("m1", event="Else"))
        source = Source(
            id=SITE.id,
            workspace_id="ws_1",
            slug="site",
            name="Site",
            write_keys=("key-a",),
            governance=Governance(plan=PLAN, track=STRICT),
        )
        site.snapshot = Snapshot(version=2, sources=(source,))
        await site.post("/v1/track", track("m2", event="Else"))
        site.snapshot = Snapshot(version=3, sources=(SITE,))
        await site.post("/v1/track", track("m3", event="Else"))
        assert site.ids() == ["m1", "m3"]


async def test_blocked_events_are_handed_on(tmp_path: Path) -> None:
    rules = Governance(plan=PLAN, track=STRICT, blocked_to=APP.id)
    async with door(tmp_path, rules) as site:
        event = track("m1", event="Else", timestamp="2026-01-01T00:00:00.000Z")
        for _ in range(2):
            reply = await site.post(
                "/v1/batch", batch(event, track("m2"), sentAt="2026-01-01T00:00:01.000Z", context={"a": 1})
            )
            assert reply.status == 200
        assert site.ids() == ["m2"]
        (forwarded,) = site.stored(APP)
        assert forwarded["messageId"] == "m1"
        assert forwarded["forwardedFromProject"] == SITE.id
        assert forwarded["context"]["a"] == 1
        assert forwarded["context"]["protocols"] == {"sourceId": SITE.id}
        assert forwarded["originalTimestamp"] == "2026-01-01T00:00:00.000Z"
        assert site.counts(APP) == {("accepted", "", "track"): 1, ("duplicate", "", "track"): 1}


async def test_violations_are_handed_on(tmp_path: Path) -> None:
    rules = Governance(plan=PLAN, violations_to=APP.id)
    async with door(tmp_path, rules) as site:
        bad = track(
            "m1", properties={"total": "x"}, context={"app": {"version": "1.2"}, "library": {"name": "l"}}
        )
        for _ in range(2):
            await site.post("/v1/batch", batch(bad, track("m2")))
        assert site.ids() == ["m1", "m2"]
        (told,) = site.stored(APP)
        assert (told["type"], told["event"], told["userId"]) == (
            "track",
            "Violation Generated",
            "schema-violations",
        )
        assert told["context"] == {"app": {"version": "1.2"}, "library": {"name": "l"}}
        assert told["forwardedFromProject"] == SITE.id
        properties = told["properties"]
        assert properties == {
            "appVersion": "1.2",
            "eventMessageID": "m1",
            "eventName": "Order Completed",
            "eventSentAt": None,
            "eventTimestamp": properties["eventTimestamp"],
            "eventType": "track",
            "sourceID": SITE.id,
            "sourceName": "Site",
            "sourceSlug": "site",
            "trackingPlanID": "tp_1",
            "trackingPlanName": "Plan",
            "violationDescription": "Invalid type. Expected: number, given: string",
            "violationField": "properties.total",
            "violationType": "Invalid Type",
        }


async def test_what_is_handed_on_is_not_judged_again(tmp_path: Path) -> None:
    """As Segment says: an event can't be blocked a second time. So nothing goes round in circles."""
    rules = Governance(plan=PLAN, track=STRICT, blocked_to=APP.id)
    site = door(tmp_path, rules)
    back = Governance(plan=PLAN, track=STRICT, blocked_to=SITE.id)
    app = Source(
        id=APP.id, workspace_id="ws_1", slug="app", name="App", write_keys=("key-app",), governance=back
    )
    site.snapshot = Snapshot(version=1, sources=(site.snapshot.source_by_id[SITE.id], app))
    async with site:
        await site.post("/v1/track", track("m1", event="Else"))
        assert (site.ids(), site.ids(APP)) == ([], ["m1"])


async def test_a_disabled_source_takes_nothing_that_is_handed_on(tmp_path: Path) -> None:
    rules = Governance(plan=PLAN, track=STRICT, blocked_to=OFF.id, violations_to="gone")
    async with door(tmp_path, rules) as site:
        body = batch(track("m1", event="Else"), track("m2", properties={"total": "x"}))
        assert (await site.post("/v1/batch", body)).status == 200
        assert site.stored(OFF) == []
        assert site.counts(OFF) == {("discarded", "source_disabled", "track"): 2}


async def test_blocked_is_only_what_is_safe_on_the_other_side(tmp_path: Path) -> None:
    """The other source's record can't be written: the client is told to come again, nothing is counted."""
    rules = Governance(plan=PLAN, track=STRICT, blocked_to=APP.id)
    async with door(tmp_path, rules) as site:
        append = site.log.append

        def full(drafts: Any) -> Any:
            if any(draft.source_id == APP.id for draft in drafts):
                raise OSError("no space")
            return append(drafts)

        site.log.append = full  # type: ignore[method-assign]
        assert (await site.post("/v1/batch", batch(track("m1", event="Else"), track("m2")))).status == 503
        assert site.ids() == []
        assert site.total("filtered") == 0
        site.log.append = append  # type: ignore[method-assign]
        assert (await site.post("/v1/batch", batch(track("m1", event="Else"), track("m2")))).status == 200
        assert (site.ids(), site.ids(APP), site.total("filtered")) == (["m2"], ["m1"], 1)


async def test_recovery_counts_what_was_changed(tmp_path: Path) -> None:
    drop = Transformation(id="t1", condition="all", drop=("x",))
    first = door(tmp_path, Governance(transformations=(drop,)))
    async with first as site:
        await site.post("/v1/batch", batch(track("m1", properties={"x": 1}), track(properties={"x": 1})))
    (tmp_path / "ingest.db").unlink()
    async with Door(tmp_path, log=first.log) as site:
        await site.post("/v1/track", track("m1"))
        assert site.counts() == {("duplicate", "", "track"): 1}


def test_settings_tell_libraries_what_is_blocked() -> None:
    events = (
        SchemaEvent(kind="TRACK", name="Order Completed", integrations={"Amplitude": False}),
        SchemaEvent(kind="TRACK", name="Else", enabled=False),
        SchemaEvent(kind="IDENTIFY", enabled=False),
    )
    strict = cdn.plan(Governance(plan=PLAN, track=STRICT, events=events))
    assert strict["track"] == {
        "__default": {"enabled": False, "integrations": {}},
        "Order Completed": {"enabled": True, "integrations": {"Amplitude": False}},
        "Else": {"enabled": False, "integrations": {}},
    }
    assert strict["identify"] == {"__default": {"enabled": True, "integrations": {}}}
    loose = cdn.plan(Governance(events=events))
    assert loose["track"]["Else"] == {"enabled": False, "integrations": {}}
    assert loose["track"]["__default"] == {"enabled": True, "integrations": {}}
    assert loose["identify"] == {"__default": {"enabled": False, "integrations": {}}}
    assert cdn.plan(None) == cdn.plan(Governance(plan=PLAN))


# Whatever comes: what is stored is what the same events are without rules, changed as the rules say.

TEXT = st.text(max_size=4)
VALUE = st.none() | st.booleans() | st.integers(-9, 9) | TEXT | st.lists(TEXT, max_size=2)
ITEM = st.fixed_dictionaries(
    {"type": st.sampled_from(["track", "identify", "page", "wrong"]), "userId": st.just("u")},
    optional={
        "event": st.sampled_from(["Order Completed", "Else"]),
        "messageId": st.sampled_from(["a", "b", "c"]),
        "properties": st.dictionaries(st.sampled_from(["total", "x", "email"]), VALUE),
        "traits": st.dictionaries(st.sampled_from(["email"]), VALUE),
        "context": st.none()
        | st.fixed_dictionaries({}, optional={"ip": st.just("9.9.9.9"), "direct": st.just(True)}),
        "timestamp": st.sampled_from(["2026-01-01T00:00:00.000Z", "rubbish"]),
        "integrations": st.dictionaries(st.sampled_from(["All", "X"]), st.booleans()),
    },
)
RULES = st.builds(
    Governance,
    plan=st.none() | st.just(PLAN),
    track=st.builds(
        Controls,
        allow_unplanned_events=st.booleans(),
        allow_unplanned_fields=st.booleans(),
        allow_events_on_violations=st.booleans(),
        allow_fields_on_violations=st.booleans(),
    ),
    events=st.sampled_from(
        [
            (),
            (SchemaEvent(kind="TRACK", name="Else", enabled=False), SchemaEvent(kind="PAGE", omitted=("x",))),
        ]
    ),
    transformations=st.sampled_from(
        [
            (),
            (Transformation(id="a", condition="event='Else'", new_event_name="Order Completed"),),
            (Transformation(id="b", condition="all", hash=Hash(algorithm="MD5", paths=("email",))),),
            (Transformation(id="c", condition="context.ip='9.9.9.9'", drop=("x",)),),
        ]
    ),
)
ENVELOPE = Envelope(1_770_000_000_000, True, ip="203.0.113.9", user_agent="Agent")


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(ITEM, min_size=1, max_size=5),
    st.fixed_dictionaries(
        {},
        optional={
            "context": st.fixed_dictionaries({"page": st.just({"path": "/"})}),
            "sentAt": st.just("2026-01-01T00:00:05.000Z"),
            "integrations": st.just({"All": True}),
        },
    ),
    RULES,
)
def test_rules_change_what_they_say_and_nothing_else(
    items: list[Any], shared: dict[str, Any], rules: Governance
) -> None:
    source = Source(id="s", workspace_id="w", slug="s", name="S", governance=rules)
    body = orjson.dumps({"batch": items, **shared})
    taken = intake.batch(body)
    taken.validate()
    before = copy.deepcopy(taken.events)
    plain = dict(zip(taken.standing(), _read(taken, body), strict=True))
    handed_on = list(SourceGovernor(source).judge(taken, _envelope(taken)))
    assert handed_on == []
    assert taken.events == before
    assert taken.body == body
    assert len(taken.message_ids) == len(taken.standing())
    if taken.stored is None:
        stored = _read(taken, body)
    else:
        skip = tuple(taken.discards)
        stored = normalise(Envelope(1, True, skip=skip, complete=True), taken.stored, taken.count)
    assert [event["messageId"] for event in stored] == taken.message_ids  # type: ignore[index]
    judge = SourceGovernor(source)._governor
    for at, event in zip(taken.standing(), stored, strict=True):
        assert event == orjson.loads(orjson.dumps(judge(plain[at]).event))
    for at, event in plain.items():
        assert judge(event).code == taken.discards.get(at)


def _envelope(taken: intake.Intake) -> Envelope:
    return Envelope(ENVELOPE.received_at, True, ip=ENVELOPE.ip, user_agent=ENVELOPE.user_agent, ids=taken.ids)


def _read(taken: intake.Intake, body: bytes) -> list[Any]:
    skip = tuple(taken.discards)
    envelope = Envelope(
        ENVELOPE.received_at, True, ip=ENVELOPE.ip, user_agent=ENVELOPE.user_agent, ids=taken.ids, skip=skip
    )
    return normalise(envelope, body, taken.count)


@pytest.mark.parametrize("path", ["/v1/track", "/v1/batch"])
async def test_an_assigned_id_stays_with_the_changed_event(tmp_path: Path, path: str) -> None:
    drop = Transformation(id="t1", condition="all", drop=("x",))
    async with door(tmp_path, Governance(transformations=(drop,))) as site:
        event = track(properties={"x": 1})
        await site.post(path, event if path == "/v1/track" else batch(event))
        (stored,) = site.stored()
        site.ledger.flush()
        (line,) = site.reader.recent(SITE.id)
        assert stored["messageId"] == line.message_id
