"""Destinations."""

from typing import TypedDict

from litestar import Router, delete, get, patch, post
from litestar.params import RawBody
from msgspec import UNSET
from sqlalchemy import select

from onward.api.answers import (
    SUCCESS,
    DestinationView,
    Done,
    Json,
    Pagination,
    destination_view,
    paged,
    subscription_view,
)
from onward.api.answers import data as answer
from onward.api.bodies import ApplyPreset, CreateDestination, UpdateDestination
from onward.api.context import Context, Id, InContext, Pages
from onward.api.function_entries import entry_definition, entry_metadata
from onward.api.functions import allow_connecting
from onward.api.subscriptions import CreatedSubscription
from onward.workspace import destinations as edit
from onward.workspace.entities import Destination, Source
from onward.workspace.errors import Invalid, naming
from onward.workspace.function_catalogue import find_destination_function
from onward.workspace.pages import page
from onward.workspace.roles import Permission
from onward.workspace.shapes import from_json
from onward.workspace.store import Editor
from onward.workspace.subscriptions import apply_preset, apply_presets


class DestinationAnswer(TypedDict):
    destination: DestinationView


class DestinationsAnswer(TypedDict):
    destinations: list[DestinationView]
    pagination: Pagination


@get("/", operation_id="listDestinations", sync_to_thread=True, answer=DestinationsAnswer)
def list_destinations(context: InContext, paging: Pages) -> Json:
    with context.reading() as session:
        query = select(Destination).join(Source).where(Source.workspace_id == context.workspace_id)
        query = context.narrowed(query, Source.id, Permission.DESTINATION_READ)
        found = page(session, query, Destination, paging.count, paging.cursor)
        return paged("destinations", found, lambda each: _view(context, each))


@post(
    "/",
    operation_id="createDestination",
    sync_to_thread=True,
    status_code=200,
    body=CreateDestination,
    answer=DestinationAnswer,
)
def create_destination(context: InContext, body: RawBody) -> Json:
    data = from_json(CreateDestination, body)
    with context.changing() as editor, naming(definition="metadataId", copy_from="copySettingsFrom"):
        source = editor.session.get(Source, data.source_id)
        if source is None or source.workspace_id != context.workspace_id:
            raise Invalid(f"there is no source {data.source_id}", field="sourceId")
        context.access.require(Permission.DESTINATION_WRITE, source.id)
        function = find_destination_function(editor.session, context.workspace_id, data.metadata_id)
        if function is not None:
            allow_connecting(context, function, source.id)
        destination = edit.create_destination(
            editor,
            source,
            definition=data.metadata_id,
            name=data.name,
            enabled=data.enabled,
            settings=data.settings,
            copy_from=_copied(context, editor, data.copy_settings_from),
            delivery=data.delivery,
        )
        if data.apply_presets:
            apply_presets(editor, destination)
        return answer(destination=_view(context, destination))


@get("/{destination_id:str}", operation_id="getDestination", sync_to_thread=True, answer=DestinationAnswer)
def get_destination(context: InContext, destination_id: Id) -> Json:
    with context.reading() as session:
        destination = edit.get_destination(session, context.workspace_id, destination_id)
        return answer(destination=_view(context, destination))


@patch(
    "/{destination_id:str}",
    operation_id="updateDestination",
    sync_to_thread=True,
    body=UpdateDestination,
    answer=DestinationAnswer,
)
def update_destination(context: InContext, destination_id: Id, body: RawBody) -> Json:
    """Settings and delivery are merged into what is there."""
    data = from_json(UpdateDestination, body)
    with context.changing() as editor, naming(definition="metadataId"):
        destination = edit.get_destination(editor.session, context.workspace_id, destination_id)
        edit.update_destination(
            editor,
            destination,
            name=UNSET if data.name is None else data.name,
            enabled=data.enabled,
            settings=data.settings,
            delivery=data.delivery,
        )
        return answer(destination=_view(context, destination))


@delete(
    "/{destination_id:str}",
    operation_id="deleteDestination",
    sync_to_thread=True,
    status_code=200,
    answer=Done,
)
def delete_destination(context: InContext, destination_id: Id) -> Json:
    """With its subscriptions and filters."""
    with context.changing() as editor:
        destination = edit.get_destination(editor.session, context.workspace_id, destination_id)
        edit.delete_destination(editor, destination)
        return SUCCESS


@post(
    "/{destination_id:str}/presets",
    operation_id="applyDestinationPreset",
    sync_to_thread=True,
    status_code=200,
    body=ApplyPreset,
    answer=CreatedSubscription,
)
def apply_a_preset(context: InContext, destination_id: Id, body: RawBody) -> Json:
    """Ours: a disabled subscription by one of the catalogue's presets."""
    data = from_json(ApplyPreset, body)
    with context.changing() as editor, naming(action="actionId"):
        destination = edit.get_destination(editor.session, context.workspace_id, destination_id)
        made = apply_preset(editor, destination, data.name, data.trigger, data.action_id)
        view = subscription_view(made, entry_definition(context, destination).id)
        return answer(destinationSubscription=view)


def _copied(context: Context, editor: Editor, id: str | None) -> Destination | None:
    """The destination whose settings are to be copied; who may not write it may not use its secrets."""
    if id is None:
        return None
    found = editor.session.get(Destination, id)
    if found is None or found.source.workspace_id != context.workspace_id:
        raise Invalid(f"there is no destination {id}", field="copySettingsFrom")
    context.access.require(Permission.DESTINATION_WRITE, found.source_id)
    return found


def _view(context: Context, destination: Destination) -> DestinationView:
    return destination_view(destination, entry_metadata(context, destination))


router = Router(
    "/destinations",
    route_handlers=[
        list_destinations,
        create_destination,
        get_destination,
        update_destination,
        delete_destination,
        apply_a_preset,
    ],
)
