"""Warehouses with what is synced to them and when, and reverse ETL models (spec §14.5, §15)."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import reverse_etl as model_edits
from onward.workspace import selective_sync as sync_edits
from onward.workspace import warehouses as warehouse_edits
from onward.workspace.entities import ReverseEtlModel, Source, Warehouse
from onward.workspace.errors import Conflict, Invalid, at, naming
from onward.workspace.parts.base import Json, Options, Part, canonical, paired, resolved, written
from onward.workspace.selective_sync import Override, Schedule, Time
from onward.workspace.store import Editor
from onward.workspace.warehouse_catalogue import warehouse_definition

Sources = Mapping[str, Source]
"""By slug."""


class SyncPart(Part):
    """Whether a source, a collection of it, or a property of that is synced."""

    source: str
    """Slug."""
    enabled: bool
    collection: str | None = None
    property: str | None = None


class SchedulePart(Part):
    times: list[Time]
    timezone: str
    enabled: bool = True


class WarehousePart(Part):
    type: str
    """Slug in the catalogue of warehouses."""
    name: str = ""
    enabled: bool | UnsetType = UNSET
    settings: Json = msgspec.field(default_factory=dict)
    sources: list[str] | UnsetType = UNSET
    """Slugs of the sources that are synced to it."""
    selective_sync: list[SyncPart] | UnsetType = UNSET
    schedule: SchedulePart | UnsetType | None = UNSET
    """null for Onward's own pace."""


class ModelPart(Part):
    name: str
    query: str
    identifier_column: str
    description: str = ""
    enabled: bool | UnsetType = UNSET
    schedule_strategy: str = "MANUAL"
    schedule_config: dict[str, Any] = msgspec.field(default_factory=dict)


def warehouse_parts(session: Session, workspace_id: str) -> list[WarehousePart]:
    found = (_warehouse_part(session, each) for each in _warehouses(session, workspace_id))
    return sorted(found, key=canonical(lambda part: part.name))


def converge_warehouses(
    editor: Editor, parts: Sequence[WarehousePart], sources: Sources, options: Options
) -> None:
    there = [
        (_warehouse_part(editor.session, each), each)
        for each in _warehouses(editor.session, editor.workspace.id)
    ]
    found, rest = paired(parts, there, lambda part: part.name)
    if options.prune:
        for leftover in rest:
            warehouse_edits.delete_warehouse(editor, leftover)
    for index, (part, warehouse) in enumerate(zip(parts, found, strict=True)):
        with at(f"warehouses[{index}]"), naming(metadataId="type"):
            _warehouse(editor, part, warehouse, sources, options)


def warehouses_named(session: Session, workspace_id: str, name: str) -> list[Warehouse]:
    return [each for each in _warehouses(session, workspace_id) if each.name == name]


def model_parts(session: Session, source: Source) -> list[ModelPart]:
    found = (_model_part(model) for model in _models(session, source))
    return sorted(found, key=canonical(lambda part: part.name))


def converge_models(editor: Editor, parts: Sequence[ModelPart], source: Source, options: Options) -> None:
    there = [(_model_part(model), model) for model in _models(editor.session, source)]
    found, rest = paired(parts, there, lambda part: part.name)
    if options.prune:
        for leftover in rest:
            model_edits.delete_model(editor, leftover)
    for index, (part, model) in enumerate(zip(parts, found, strict=True)):
        with at(f"models[{index}]"), naming(queryIdentifierColumn="identifierColumn"):
            if model is None:
                model_edits.create_model(
                    editor,
                    source,
                    name=part.name,
                    query=part.query,
                    identifier_column=part.identifier_column,
                    description=part.description,
                    enabled=False if part.enabled is UNSET else part.enabled,
                    schedule_strategy=part.schedule_strategy,
                    schedule_config=part.schedule_config,
                )
            else:
                model_edits.update_model(
                    editor,
                    model,
                    query=part.query,
                    identifier_column=part.identifier_column,
                    description=part.description,
                    enabled=part.enabled,
                    schedule_strategy=part.schedule_strategy,
                    schedule_config=part.schedule_config,
                )


def _warehouse(
    editor: Editor, part: WarehousePart, warehouse: Warehouse | None, sources: Sources, options: Options
) -> None:
    definition = warehouse_definition(part.type)
    secrets = warehouse.secrets if warehouse is not None else {}
    settings = resolved(part.settings, secrets, options, "warehouse", part.name)
    if warehouse is None:
        warehouse = warehouse_edits.create_warehouse(
            editor,
            kind=part.type,
            name=part.name,
            enabled=True if part.enabled is UNSET else part.enabled,
            settings=settings,
        )
    elif warehouse.kind != definition.slug:
        raise Conflict(
            f"the warehouse {part.name} is of the type {warehouse.kind}, which can't be changed", field="type"
        )
    else:
        warehouse_edits.update_warehouse(
            editor, warehouse, enabled=part.enabled, settings=dict.fromkeys(definition.settings) | settings
        )
    if part.sources is not UNSET:
        _connections(editor, warehouse, part.sources, sources, options)
    if part.selective_sync is not UNSET:
        overrides = [
            _override(each, sources, f"selectiveSync[{index}]")
            for index, each in enumerate(part.selective_sync)
        ]
        if options.prune:
            sync_edits.forget_others(editor, warehouse, overrides)
        with naming(syncOverrides="selectiveSync"):
            sync_edits.select(editor, warehouse, overrides)
    if part.schedule is not UNSET and part.schedule != _schedule_part(warehouse):
        if part.schedule is None:
            sync_edits.set_schedule(editor, warehouse, False, None)
        else:
            schedule = Schedule(times=part.schedule.times, timezone=part.schedule.timezone)
            sync_edits.set_schedule(editor, warehouse, part.schedule.enabled, schedule)


def _connections(
    editor: Editor, warehouse: Warehouse, wanted: Sequence[str], sources: Sources, options: Options
) -> None:
    for index, slug in enumerate(wanted):
        warehouse_edits.connect(editor, warehouse, _source(sources, slug, f"sources[{index}]"))
    if options.prune:
        for slug in _connected(editor.session, warehouse):
            if slug not in wanted:
                warehouse_edits.disconnect(editor, warehouse, sources[slug])


def _override(part: SyncPart, sources: Sources, place: str) -> Override:
    source = _source(sources, part.source, f"{place}.source")
    return Override(
        source_id=source.id, enabled=part.enabled, collection=part.collection, property=part.property
    )


def _source(sources: Sources, slug: str, field: str) -> Source:
    if slug not in sources:
        raise Invalid(f"there is no source {slug}", field=field)
    return sources[slug]


def _warehouse_part(session: Session, warehouse: Warehouse) -> WarehousePart:
    synced = [
        SyncPart(
            source=session.get_one(Source, row.source_id).slug,
            enabled=row.enabled,
            collection=row.collection or None,
            property=row.property or None,
        )
        for row in warehouse_edits.overrides_of(session, warehouse)
    ]
    return WarehousePart(
        type=warehouse.kind,
        name=warehouse.name,
        enabled=warehouse.enabled,
        settings=written(warehouse.settings, warehouse.secrets, "warehouse", warehouse.name),
        sources=_connected(session, warehouse),
        selective_sync=sorted(
            synced, key=lambda each: (each.source, each.collection or "", each.property or "")
        ),
        schedule=_schedule_part(warehouse),
    )


def _schedule_part(warehouse: Warehouse) -> SchedulePart | None:
    schedule = warehouse.schedule.get("schedule")
    if schedule is None:
        return None
    return msgspec.convert({**schedule, "enabled": warehouse.schedule["enabled"]}, SchedulePart)


def _model_part(model: ReverseEtlModel) -> ModelPart:
    return ModelPart(
        name=model.name,
        query=model.query,
        identifier_column=model.identifier_column,
        description=model.description,
        enabled=model.enabled,
        schedule_strategy=model.schedule_strategy,
        schedule_config=model.schedule_config,
    )


def _connected(session: Session, warehouse: Warehouse) -> list[str]:
    ids = warehouse_edits.connected_ids(session, warehouse)
    return sorted(session.get_one(Source, id).slug for id in ids)


def _warehouses(session: Session, workspace_id: str) -> Sequence[Warehouse]:
    query = select(Warehouse).where(Warehouse.workspace_id == workspace_id)
    return session.scalars(query.order_by(Warehouse.created_at, Warehouse.id)).all()


def _models(session: Session, source: Source) -> Sequence[ReverseEtlModel]:
    query = select(ReverseEtlModel).where(ReverseEtlModel.source_id == source.id)
    return session.scalars(query.order_by(ReverseEtlModel.created_at, ReverseEtlModel.id)).all()
