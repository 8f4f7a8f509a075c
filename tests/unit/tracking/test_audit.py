"""Audit events at the door of the source that they are forwarded to."""

import shutil
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from onward.settings import Settings
from onward.tracking import audit
from onward.workspace import audit_forwarding, audit_trail, compile, sources
from onward.workspace.entities import AuditEvent, AuditOutbox
from onward.workspace.snapshot import Snapshot, Source
from onward.workspace.store import Actor, Store

from .door import Door

ADA = Actor(id="ada", email="ada@example.com")


@pytest.fixture
def store(fresh: Path, tmp_path: Path) -> Store:
    return Store.open(Settings(data=shutil.copytree(fresh, tmp_path / "data")), {})


def trail_source(store: Store, enabled: bool = True) -> Source:
    """A source that the audit trail is forwarded to."""
    workspace_id = store.default_workspace_id()
    with store.changing(workspace_id, ADA) as editor:
        made = sources.create_source(editor, slug="trail", kind="http-api", enabled=enabled)
        audit_forwarding.set_forwarding(editor, made)
    return snapshot(store).source_by_id[made.id]


def snapshot(store: Store) -> Snapshot:
    with store.reading() as session:
        return compile.current_snapshot(session, store.cipher)


def waiting(store: Store) -> int:
    with store.reading() as session:
        return len(session.scalars(select(AuditOutbox.id)).all())


async def test_events_arrive_as_track_calls_once(store: Store, tmp_path: Path) -> None:
    source = trail_source(store)
    with store.changing(store.default_workspace_id(), ADA) as editor:
        sources.create_source(editor, slug="other", kind="python", write_keys=["verysecretkey"])
    async with Door(tmp_path, snapshot=snapshot(store)) as door:
        assert await audit.forward(door.tracking, store.engine) == 2
        assert await audit.forward(door.tracking, store.engine) == 0
        forwarded, created = door.stored(source)
        assert forwarded["event"] == "Audit Forwarding Modified"
        assert (created["type"], created["event"], created["userId"]) == ("track", "Source Created", "ada")
        properties = created["properties"]
        assert properties["actorEmail"] == "ada@example.com" and properties["resourceName"] == "other"
        assert properties["before"] is None and properties["after"]["slug"] == "other"
        assert "verysecretkey" not in str(created)
        with store.reading() as session:
            event = session.get_one(AuditEvent, created["messageId"])
        assert event.type == "Source Created" and event.timestamp == properties_time(created)


def properties_time(event: dict[str, str]) -> int:
    return int(datetime.fromisoformat(event["timestamp"]).timestamp() * 1000)


async def test_one_that_dies_after_handing_over_repeats_a_duplicate(store: Store, tmp_path: Path) -> None:
    source = trail_source(store)
    async with Door(tmp_path, snapshot=snapshot(store)) as door:
        with store.reading() as session:
            portion = audit_trail.next_portion(session)
        assert portion is not None
        await door.tracking.hand_in(portion.source_id, portion.events)  # and then nothing more
        assert waiting(store) == 1
        assert await audit.forward(door.tracking, store.engine) == 1
        assert len(door.stored(source)) == 1 and waiting(store) == 0
        assert door.counts(source)["duplicate", "", "track"] == 1


async def test_it_waits_for_a_source_that_the_door_does_not_know_yet(store: Store, tmp_path: Path) -> None:
    trail_source(store)
    async with Door(tmp_path, snapshot=Snapshot(version=0)) as door:
        assert await audit.forward(door.tracking, store.engine) == 0
        assert waiting(store) == 1
        door.snapshot = snapshot(store)
        assert await audit.forward(door.tracking, store.engine) == 1


async def test_a_disabled_source_discards_and_a_deleted_one_ends_it(store: Store, tmp_path: Path) -> None:
    source = trail_source(store, enabled=False)
    async with Door(tmp_path, snapshot=snapshot(store)) as door:
        assert await audit.forward(door.tracking, store.engine) == 1
        assert door.counts(source)["discarded", "source_disabled", "track"] == 1
    with store.changing(store.default_workspace_id(), ADA) as editor:
        sources.delete_source(editor, sources.get_source(editor.session, editor.workspace.id, source.id))
    assert waiting(store) == 0
    with store.reading() as session:
        assert audit_forwarding.forwarding_of(session, store.default_workspace_id()) is None


def test_what_is_too_large_for_an_event_says_only_that_it_changed() -> None:
    event = AuditEvent(
        id="e", workspace_id="w", timestamp=0, type="Function Modified", actor="ada", actor_email=None,
        resource_id="f", resource_type="function", resource_name="F", before={"code": "x" * 20_000},
        after={"code": "y" * 20_000}, version=1,
    )  # fmt: skip
    properties = audit_trail.track_event(event)["properties"]
    assert properties["truncated"] is True and properties["before"] is None and properties["after"] is None
    assert properties["resourceId"] == "f"


async def test_a_plan_that_is_only_shown_forwards_nothing(store: Store) -> None:
    trail_source(store)
    before = waiting(store)
    with store.changing(store.default_workspace_id(), ADA, dry_run=True) as editor:
        sources.create_source(editor, slug="other", kind="python")
    assert waiting(store) == before
