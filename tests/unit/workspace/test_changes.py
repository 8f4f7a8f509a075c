"""Editing a workspace: rules, spans, versions, audit, and what the data plane sees of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select

from onward.settings import Settings
from onward.workspace import compile, destinations, filters, sources, subscriptions
from onward.workspace.bootstrap import bootstrap
from onward.workspace.delivery import Delivery
from onward.workspace.entities import AuditEvent, Destination, Source, StoredSnapshot, Subscription
from onward.workspace.errors import Conflict, Invalid, NotFound, SecretError
from onward.workspace.ids import write_key
from onward.workspace.secrets import MASK
from onward.workspace.snapshot import DeliveryPolicy
from onward.workspace.store import Editor, Store
from onward.workspace.watch import SnapshotWatcher

from .conftest import ACTOR, Clock

URL = {"url": "https://example.com"}
Change = Callable[[Callable[[Editor], Any]], Any]


@pytest.fixture
def change(store: Store, workspace_id: str) -> Change:
    """Runs a function as one change and returns its result."""

    def run(function: Callable[[Editor], Any]) -> Any:
        with store.changing(workspace_id, ACTOR) as editor:
            return function(editor)

    return run


@pytest.fixture
def source_id(change: Change) -> str:
    return change(lambda editor: sources.create_source(editor, slug="web", kind="javascript").id)


@pytest.fixture
def destination_id(change: Change, source_id: str) -> str:
    return change(lambda editor: _hook(editor, source_id).id)


@pytest.fixture
def watcher(settings: Settings, store: Store) -> SnapshotWatcher:
    return SnapshotWatcher(store.engine, store.cipher)


def _hook(editor: Editor, source_id: str, **given: Any) -> Destination:
    source = editor.session.get_one(Source, source_id)
    return destinations.create_destination(
        editor, source, **({"definition": "hook", "settings": URL} | given)
    )


def _destination(editor: Editor, id: str) -> Destination:
    return editor.session.get_one(Destination, id)


def _audit(store: Store) -> list[AuditEvent]:
    with store.reading() as session:
        return list(session.scalars(select(AuditEvent).order_by(AuditEvent.version, AuditEvent.timestamp)))


def test_everything_is_created_disabled(change: Change, source_id: str) -> None:
    def create(editor: Editor) -> None:
        destination = _hook(editor, source_id)
        assert not destination.enabled and destination.active == []
        made = subscriptions.apply_presets(editor, destination)
        assert [each.name for each in made] == ["Send tracks"] and not made[0].enabled
        made_filter = filters.create_filter(
            editor, destination, title="f", condition="all", actions=[{"type": "DROP"}]
        )
        assert not made_filter.enabled

    change(create)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5000)), min_size=1, max_size=12))
@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_spans_are_the_times_in_which_it_was_enabled(
    store: Store, workspace_id: str, clock: Clock, change: Change, steps: list[tuple[bool, int]]
) -> None:
    source = change(lambda editor: sources.create_source(editor, slug=write_key(), kind="go").id)
    id = change(lambda editor: _hook(editor, source).id)
    times: list[tuple[int, bool]] = []
    for enabled, wait in steps:
        clock.now += 1 + wait / 1000
        change(
            lambda editor, on=enabled: destinations.update_destination(
                editor, _destination(editor, id), enabled=on
            )
        )
        times.append((store.now(), enabled))
    with store.reading() as session:
        spans = session.get_one(Destination, id).active
    assert all(until is None or start <= until for start, until in spans)
    assert all(until is not None for _, until in spans[:-1])
    for (at, enabled), (next_at, _) in zip(times, [*times[1:], (store.now() + 10, False)], strict=True):
        middle = (at + next_at) // 2
        inside = any(start <= middle and (until is None or middle < until) for start, until in spans)
        assert inside == enabled
    change(lambda editor: sources.delete_source(editor, editor.session.get_one(Source, source)))
    clock.now += 1


def test_the_data_plane_sees_a_change_with_secrets_and_defaults(
    change: Change, source_id: str, watcher: SnapshotWatcher
) -> None:
    before = watcher.current.version
    assert not watcher.refresh()
    change(
        lambda editor: _hook(
            editor,
            source_id,
            enabled=True,
            settings=URL | {"token": "s3cret", "signing": {"key": [1, None]}},
            delivery=Delivery(max_retries=3),
        )
    )
    assert watcher.refresh()
    assert not watcher.refresh()
    assert watcher.current.version == before + 1
    (seen,) = watcher.current.destinations
    assert seen.settings == URL | {"token": "s3cret", "signing": {"key": [1, None]}, "mode": "safe"}
    assert seen.policy == DeliveryPolicy(max_retries=3)
    assert len(seen.active) == 1 and seen.active[0][1] is None


def test_secrets_are_nowhere_in_clear(
    change: Change, source_id: str, settings: Settings, store: Store
) -> None:
    needle = "s3cret-needle"
    id = change(lambda editor: _hook(editor, source_id, settings=URL | {"token": needle}).id)
    change(
        lambda editor: destinations.update_destination(
            editor, _destination(editor, id), settings={"token": needle + "2"}
        )
    )
    for file in settings.data.iterdir():
        assert needle.encode() not in file.read_bytes(), file
    told = json.dumps([[event.before, event.after] for event in _audit(store)], ensure_ascii=False)
    assert needle not in told and f"{MASK} (changed)" in told


def test_a_mask_keeps_the_secret_and_null_removes_it(
    change: Change, source_id: str, watcher: SnapshotWatcher
) -> None:
    id = change(lambda editor: _hook(editor, source_id, settings=URL | {"token": "x"}).id)

    def update(**given: Any) -> None:
        change(
            lambda editor: destinations.update_destination(editor, _destination(editor, id), settings=given)
        )

    update(token=MASK, mode="fast")
    watcher.refresh()
    assert watcher.current.destinations[0].settings == URL | {"token": "x", "mode": "fast"}
    update(token=None, mode=None)
    watcher.refresh()
    assert watcher.current.destinations[0].settings == URL | {"mode": "safe"}
    with pytest.raises(Invalid, match="mask of a secret, but none is stored") as failure:
        update(token=MASK)
    assert failure.value.field == "settings.token"


def test_a_secret_of_another_record_does_not_open(change: Change, source_id: str) -> None:
    first = change(lambda editor: _hook(editor, source_id, name="a", settings=URL | {"token": "x"}).id)
    second = change(lambda editor: _hook(editor, source_id, name="b").id)

    def steal(editor: Editor) -> None:
        thief = _destination(editor, second)
        thief.secrets = _destination(editor, first).secrets
        destinations.update_destination(editor, thief, enabled=True)

    with pytest.raises(SecretError, match="damaged or of another record"):
        change(steal)


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"nope": 1}, "settings.nope", "Hook has no setting nope; it has: url,"),
        ({"url": None}, "settings.url", "Hook needs the setting url"),
        ({"url": ""}, "settings.url", "Hook needs the setting url"),
        ({"url": 1}, "settings.url", "must be a text"),
        ({"mode": "slow"}, "settings.mode", "must be one of: fast, safe"),
        ({"retries": True}, "settings.retries", "must be a whole number"),
        ({"retries": 1.5}, "settings.retries", "must be a whole number"),
        ({"retries": 11}, "settings.retries", "must be at most 10"),
        ({"retries": -1}, "settings.retries", "must be at least 0"),
        ({"ratio": "1"}, "settings.ratio", "must be a number"),
        ({"verbose": "yes"}, "settings.verbose", "must be true or false"),
        ({"tags": "a"}, "settings.tags", "must be a list"),
        ({"tags": ["a", 1]}, "settings.tags[1]", "must be a text"),
        ({"since": "yesterday"}, "settings.since", "must be a time in ISO 8601"),
        ({"extra": []}, "settings.extra", "must be an object"),
        ({"token": 1}, "settings.token", "must be a text"),
    ],
)
def test_settings_are_checked_against_the_definition(
    change: Change, source_id: str, given: dict[str, Any], field: str, says: str
) -> None:
    with pytest.raises(Invalid, match=says) as failure:
        change(lambda editor: _hook(editor, source_id, settings=URL | given, enabled=True))
    assert failure.value.field == field


def test_only_an_enabled_destination_needs_all_settings(change: Change, source_id: str) -> None:
    id = change(lambda editor: _hook(editor, source_id, settings={}).id)

    def update(**given: Any) -> None:
        change(lambda editor: destinations.update_destination(editor, _destination(editor, id), **given))

    update(settings={"mode": "fast"})
    with pytest.raises(Invalid, match="Hook needs the setting url"):
        update(enabled=True)
    update(enabled=True, settings=URL)
    with pytest.raises(Invalid, match="Hook needs the setting url"):
        update(settings={"url": None})
    update(enabled=False, settings={"url": None})


def test_a_failed_change_leaves_nothing(change: Change, store: Store, watcher: SnapshotWatcher) -> None:
    audited = len(_audit(store))

    def fail(editor: Editor) -> None:
        source = sources.create_source(editor, slug="new", kind="python")
        _hook(editor, source.id)
        _hook(editor, source.id, settings={"nope": 1})

    with pytest.raises(Invalid):
        change(fail)
    assert not watcher.refresh()
    assert len(_audit(store)) == audited
    with store.reading() as session:
        assert session.scalars(select(Source).where(Source.slug == "new")).all() == []


def test_a_change_of_nothing_makes_no_version(
    change: Change, destination_id: str, watcher: SnapshotWatcher, store: Store
) -> None:
    watcher.refresh()
    audited = len(_audit(store))
    changed = change(
        lambda editor: destinations.update_destination(
            editor,
            _destination(editor, destination_id),
            enabled=False,
            settings=URL,
            delivery=Delivery(timeout=10.0),
        )
    )
    assert changed is False
    assert not watcher.refresh() and len(_audit(store)) == audited


@pytest.mark.parametrize(("old", "new"), [(True, 1), (1, 1.0), (0, False), ({"a": 1}, {"a": True})])
def test_json_types_are_differences(
    change: Change, destination_id: str, watcher: SnapshotWatcher, old: Any, new: Any
) -> None:
    def set_extra(value: Any) -> None:
        change(
            lambda editor: destinations.update_destination(
                editor, _destination(editor, destination_id), settings={"extra": {"v": value}}
            )
        )
        watcher.refresh()

    set_extra(old)
    set_extra(new)
    assert repr(watcher.current.destinations[0].settings["extra"]["v"]) == repr(new)


def test_limits(change: Change, source_id: str, destination_id: str) -> None:
    def fill(editor: Editor) -> None:
        for number in range(24):
            _hook(editor, source_id, name=f"n{number}")
        with pytest.raises(Conflict, match="has 25 instances of Hook"):
            _hook(editor, source_id, name="one more")
        destination = _destination(editor, destination_id)
        for number in range(10):
            filters.create_filter(
                editor, destination, title=str(number), condition="all", actions=[{"type": "DROP"}]
            )
        with pytest.raises(Conflict, match="has 10 filters"):
            filters.create_filter(editor, destination, title="x", condition="all", actions=[{"type": "DROP"}])
        for number in range(50):
            subscriptions.create_subscription(
                editor, destination, name=str(number), action="drop", trigger='type = "track"'
            )
        with pytest.raises(Conflict, match="has 50 subscriptions"):
            subscriptions.create_subscription(
                editor, destination, name="x", action="drop", trigger='type = "track"'
            )

    change(fill)


def test_names_are_unique_per_source(change: Change, source_id: str) -> None:
    def create(editor: Editor) -> None:
        assert [_hook(editor, source_id).name for _ in range(3)] == ["Hook", "Hook 2", "Hook 3"]
        with pytest.raises(Conflict, match="has a destination named Hook already"):
            _hook(editor, source_id, name="Hook")
        other = sources.create_source(editor, slug="other", kind="python")
        assert _hook(editor, other.id, name="Hook").name == "Hook"
        with pytest.raises(Conflict, match="there is a source with the slug web"):
            sources.create_source(editor, slug="web", kind="python")

    change(create)


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"trigger": "type = "}, "trigger", "expected a text"),
        ({"trigger": ""}, "trigger", "the trigger is empty"),
        ({"action": "nope"}, "action", "Hook has no action nope; it has: send, drop"),
        ({"mapping": {}, "enabled": True}, "mapping.data", "the action send needs the field data"),
        ({"mapping": {"data": {}, "x": 1}}, "mapping.x", "the action send has no field x"),
        ({"mapping": {"data": {"@path": 1}}}, "mapping.data.@path", "should be a string"),
        ({"name": " "}, "name", "the name is empty"),
    ],
)
def test_subscriptions_are_checked(
    change: Change, destination_id: str, given: dict[str, Any], field: str, says: str
) -> None:
    right = {
        "name": "n",
        "action": "send",
        "trigger": 'type = "track"',
        "mapping": {"data": {"@path": "$.properties"}},
    }
    with pytest.raises(Invalid, match=says) as failure:
        change(
            lambda editor: subscriptions.create_subscription(
                editor, _destination(editor, destination_id), **(right | given)
            )
        )
    assert failure.value.field == field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"condition": "a b"}, "condition"),
        ({"condition": " "}, "condition"),
        ({"actions": []}, "actions"),
        ({"actions": [{"type": "DROP"}, {"type": "SAMPLE", "percent": 2}]}, "actions[1]"),
        ({"title": "x" * 65}, "title"),
    ],
)
def test_filters_are_checked(change: Change, destination_id: str, given: dict[str, Any], field: str) -> None:
    right: dict[str, Any] = {"title": "t", "condition": "all", "actions": [{"type": "DROP"}]}
    with pytest.raises(Invalid) as failure:
        change(
            lambda editor: filters.create_filter(
                editor, _destination(editor, destination_id), **(right | given)
            )
        )
    assert failure.value.field == field


def test_write_keys_come_and_go_but_one_stays(
    change: Change, source_id: str, watcher: SnapshotWatcher
) -> None:
    def edit(editor: Editor) -> str:
        source = editor.session.get_one(Source, source_id)
        (first,) = (key.key for key in source.write_keys)
        second = sources.add_write_key(editor, source)
        sources.remove_write_key(editor, source, first)
        with pytest.raises(Invalid, match="the only write key"):
            sources.remove_write_key(editor, source, second)
        with pytest.raises(NotFound):
            sources.remove_write_key(editor, source, first)
        with pytest.raises(Conflict, match="belongs to a source already"):
            sources.add_write_key(editor, source, second)
        return second

    second = change(edit)
    watcher.refresh()
    assert watcher.current.source_by_write_key.keys() == {second}


def test_deleting_a_source_takes_its_destinations(
    change: Change, source_id: str, destination_id: str, watcher: SnapshotWatcher, store: Store
) -> None:
    change(lambda editor: sources.delete_source(editor, editor.session.get_one(Source, source_id)))
    watcher.refresh()
    assert watcher.current.sources == () and watcher.current.destinations == ()
    assert {event.type for event in _audit(store)[-2:]} == {"Integration Deleted", "Source Deleted"}


def test_audit_events_say_who_did_what(change: Change, destination_id: str, store: Store) -> None:
    for enabled in (True, False):
        change(
            lambda editor, on=enabled: destinations.update_destination(
                editor, _destination(editor, destination_id), enabled=on
            )
        )
    change(
        lambda editor: destinations.update_destination(
            editor, _destination(editor, destination_id), name="New"
        )
    )
    change(lambda editor: destinations.delete_destination(editor, _destination(editor, destination_id)))
    events = _audit(store)
    assert [event.type for event in events] == [
        "Token Created",
        "Source Created",
        "Integration Created",
        "Destination Enabled",
        "Integration Disabled",
        "Destination Modified",
        "Integration Deleted",
    ]
    modified = events[5]
    assert modified.before is not None and modified.after is not None
    assert (modified.before["name"], modified.after["name"]) == ("Hook", "New")
    assert {event.actor for event in events[1:]} == {"test"}
    assert [event.version for event in events] == [1, 2, 3, 4, 5, 6, 7]


def test_past_snapshots_are_kept_until_their_time_is_over(
    change: Change, store: Store, clock: Clock, destination_id: str
) -> None:
    def rename(name: str) -> None:
        change(
            lambda editor: destinations.update_destination(
                editor, _destination(editor, destination_id), name=name
            )
        )

    for name in ("a", "b"):
        clock.now += 3600
        rename(name)
    with store.reading() as session:
        names = {
            row.version: snapshot.destinations[0].name
            for row in compile.stored_versions(session)
            if (snapshot := compile.stored_snapshot(session, store.cipher, row.version))
            and snapshot.destinations
        }
    assert names == {3: "Hook", 4: "a", 5: "b"}
    clock.now += 168 * 3600 - 1800  # "b" is current all the while; "a" ended half an hour before the limit
    rename("c")
    with store.reading() as session:
        assert session.scalars(select(StoredSnapshot.version).order_by(StoredSnapshot.version)).all() == [
            4,
            5,
            6,
        ]


def test_a_new_version_needs_the_same_key(settings: Settings, change: Change, source_id: str) -> None:
    (settings.data / "secret.key").unlink()
    with pytest.raises(SecretError, match="sealed with another secret key"):
        SnapshotWatcher.open(settings)
    with pytest.raises(SecretError, match="sealed with another secret key"):
        bootstrap(settings)


def test_a_draft_is_kept_but_not_enabled_before_it_is_complete(change: Change, destination_id: str) -> None:
    def edit(editor: Editor) -> None:
        draft = subscriptions.create_subscription(
            editor,
            _destination(editor, destination_id),
            name="draft",
            action="send",
            trigger='type = "track"',
            mapping={},
        )
        with pytest.raises(Invalid, match="needs the field data to be enabled"):
            subscriptions.update_subscription(editor, draft, enabled=True)
        subscriptions.update_subscription(editor, draft, enabled=True, mapping={"data": {}})

    change(edit)


def test_a_mapping_can_be_disabled_when_the_catalogue_has_its_destination_no_more(
    store: Store, workspace_id: str, change: Change, destination_id: str
) -> None:
    id = change(
        lambda editor: subscriptions.apply_presets(editor, _destination(editor, destination_id))[0].id
    )
    change(
        lambda editor: subscriptions.update_subscription(
            editor, _subscription(editor, id), enabled=True, mapping={"data": {}}
        )
    )
    store.catalogue = {}
    change(
        lambda editor: subscriptions.update_subscription(
            editor, _subscription(editor, id), name="Off", enabled=False
        )
    )
    with pytest.raises(Invalid, match="the catalogue has no destination hook"):
        change(
            lambda editor: subscriptions.update_subscription(editor, _subscription(editor, id), enabled=True)
        )


def _subscription(editor: Editor, id: str) -> Subscription:
    return editor.session.get_one(Subscription, id)
