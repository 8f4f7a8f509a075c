"""What of a warehouse's sources is synced, and when (spec §14.5). Kept; nothing is synced yet."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal
from zoneinfo import available_timezones

import msgspec
from sqlalchemy.orm import Session

from onward.workspace import audit
from onward.workspace.entities import SelectiveSync, Source, Warehouse
from onward.workspace.errors import Invalid
from onward.workspace.store import Editor
from onward.workspace.warehouses import is_connected, overrides_of, record

MAX_OVERRIDES = 10_000
MAX_LENGTH = 255
SORT_KEY = "received_at"
"""The column that warehouses sort by: a sync without it fails (spec §14.4)."""

Json = dict[str, Any]


class Override(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Whether something is synced: a source, or a collection of it, or a property of that."""

    source_id: str
    enabled: bool
    collection: str | None = None
    property: str | None = None


class Time(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    hour_of_day: int
    """0 to 23."""
    enabled: bool


class Schedule(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    times: list[Time]
    timezone: str
    """Of the TZ database, such as `Europe/Berlin`."""


def select(
    editor: Editor, warehouse: Warehouse, overrides: Sequence[Override]
) -> tuple[Literal["UPDATED", "UNCHANGED"], list[str]]:
    """Apply the overrides; what came of it, and warnings. Raises `Invalid`, and then nothing is changed."""
    there = {_key(row): row for row in overrides_of(editor.session, warehouse)}
    if len(there) + len(overrides) > MAX_OVERRIDES:
        raise Invalid(f"a warehouse can have {MAX_OVERRIDES} overrides", field="syncOverrides")
    before = [_told(row) for row in there.values()]
    warnings: list[str] = []
    for index, override in enumerate(overrides):
        source = _check(editor, override, f"syncOverrides[{index}]")
        if not is_connected(editor.session, warehouse, source):
            warnings.append(f"the source {source.slug} is not connected to this warehouse")
        if override.property == SORT_KEY and not override.enabled:
            warnings.append(
                f"without {SORT_KEY} the collection {override.collection} of {source.slug} can't be synced"
            )
        key = (override.source_id, override.collection or "", override.property or "")
        if key in there:
            there[key].enabled = override.enabled
        else:
            there[key] = SelectiveSync(
                warehouse_id=warehouse.id,
                source_id=key[0],
                collection=key[1],
                property=key[2],
                enabled=override.enabled,
            )
            editor.session.add(there[key])
    editor.session.flush()
    after = [_told(row) for row in overrides_of(editor.session, warehouse)]
    if before == after:
        return "UNCHANGED", list(dict.fromkeys(warnings))
    record(editor, warehouse, selective_sync=(before, after))
    return "UPDATED", list(dict.fromkeys(warnings))


def forget_others(editor: Editor, warehouse: Warehouse, kept: Sequence[Override]) -> None:
    """Forget what was selected but for what these are about: it is synced again."""
    keys = {(each.source_id, each.collection or "", each.property or "") for each in kept}
    there = overrides_of(editor.session, warehouse)
    gone = [row for row in there if _key(row) not in keys]
    if not gone:
        return
    before = [_told(row) for row in there]
    for row in gone:
        editor.session.delete(row)
    editor.session.flush()
    after = [_told(row) for row in overrides_of(editor.session, warehouse)]
    record(editor, warehouse, selective_sync=(before, after))


def items(session: Session, warehouse: Warehouse, source: Source) -> list[Json]:
    """What was selected of a source, by collection: `{"collection", "enabled", "properties"}`.

    A collection is synced if neither it nor the source was switched off.
    """
    rows = [row for row in overrides_of(session, warehouse) if row.source_id == source.id]
    whole = all(row.enabled for row in rows if not row.collection)
    found: dict[str, Json] = {}
    for row in rows:
        if row.collection:
            item = found.setdefault(
                row.collection, {"collection": row.collection, "enabled": whole, "properties": {}}
            )
            if row.property:
                item["properties"][row.property] = row.enabled
            else:
                item["enabled"] = whole and row.enabled
    if not whole and not found:
        return [{"collection": "", "enabled": False, "properties": {}}]
    return list(found.values())


def set_schedule(editor: Editor, warehouse: Warehouse, enabled: bool, schedule: Schedule | None) -> None:
    """Replace the schedule; raises `Invalid`."""
    if schedule is None:
        if enabled:
            raise Invalid("to be enabled it needs times and a timezone", field="schedule")
    else:
        _check_schedule(schedule)
    before = audit.state(warehouse)
    kept = {} if schedule is None else {"schedule": msgspec.to_builtins(schedule)}
    warehouse.schedule = {"enabled": enabled, **kept}
    editor.modified(warehouse, before)


def _check(editor: Editor, override: Override, where: str) -> Source:
    source = editor.session.get(Source, override.source_id)
    if source is None or source.workspace_id != editor.workspace.id:
        raise Invalid(f"there is no source {override.source_id}", field=f"{where}.sourceId")
    if override.property is not None and not override.collection:
        raise Invalid("a property is one of a collection; name it", field=f"{where}.collection")
    for name in ("collection", "property"):
        text = getattr(override, name)
        if text is not None and not (text.strip() and len(text) <= MAX_LENGTH):
            raise Invalid(f"this must be a text of 1 to {MAX_LENGTH} characters", field=f"{where}.{name}")
    return source


def _check_schedule(schedule: Schedule) -> None:
    hours: set[int] = set()
    for index, time in enumerate(schedule.times):
        where = f"schedule.times[{index}].hourOfDay"
        if not 0 <= time.hour_of_day <= 23:
            raise Invalid("this must be a whole number from 0 to 23", field=where)
        if time.hour_of_day in hours:
            raise Invalid(f"the hour {time.hour_of_day} is there twice", field=where)
        hours.add(time.hour_of_day)
    check_timezone(schedule.timezone, "schedule.timezone")


def check_timezone(name: str, where: str) -> None:
    """Raises `Invalid`."""
    if name not in _timezones():
        raise Invalid(f"the TZ database has no timezone {name[:80]}", field=where)


@cache
def _timezones() -> set[str]:
    return available_timezones()


def _key(row: SelectiveSync) -> tuple[str, str, str]:
    return row.source_id, row.collection, row.property


def _told(row: SelectiveSync) -> Json:
    """For the audit trail."""
    return {
        "source": row.source_id,
        "collection": row.collection,
        "property": row.property,
        "enabled": row.enabled,
    }
