"""Response bodies: `{"data": {…}}`, pages, and the shapes of Segment's resources (spec §17.3)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict, TypeVar

from onward.api.catalog_shapes import DestinationMetadata, SourceMetadata
from onward.api.context import Paging
from onward.api.running import RunningVersion, running_version
from onward.workspace import delivery
from onward.workspace.definitions import action_id
from onward.workspace.entities import Destination, Filter, Resource, Source, Subscription, Workspace
from onward.workspace.errors import Invalid
from onward.workspace.function_catalogue import is_function
from onward.workspace.pages import Page, make_cursor, parse_cursor
from onward.workspace.secrets import MASK

Json = dict[str, Any]
WEBHOOK = "/v1/functions/"
"""Before a write key: where a source function is called."""
Listed = TypeVar("Listed", bound=Resource)
Item = TypeVar("Item")


def data(**fields: Any) -> Json:
    return {"data": fields}


def paged(name: str, page: Page[Listed], show: Callable[[Listed], Any]) -> Json:
    return data(
        **{name: [show(item) for item in page.items]},
        pagination=pagination(page.current, page.next, page.previous, page.total),
    )


class Pagination(TypedDict):
    current: str
    next: NotRequired[str]
    """Not there on the last page, as with Segment: its Go SDK takes null for a page that is there."""
    previous: NotRequired[str]
    totalEntries: int


def pagination(current: str, next: str | None, previous: str | None, total: int) -> Pagination:
    """Cursors of this page and of those beside it, None where there is none; how many entries in all."""
    made: Pagination = {"current": current, "totalEntries": total}
    if next is not None:
        made["next"] = next
    if previous is not None:
        made["previous"] = previous
    return made


class Done(TypedDict):
    status: Literal["SUCCESS"]


SUCCESS: Json = {"data": {"status": "SUCCESS"}}


class WorkspaceView(TypedDict):
    id: str
    slug: str
    name: str


class LabelView(TypedDict):
    key: str
    value: str
    description: NotRequired[str]


class SourceView(TypedDict):
    id: str
    slug: str
    name: str
    metadata: SourceMetadata
    workspaceId: str
    enabled: bool
    writeKeys: list[str]
    settings: dict[str, Any]
    labels: list[LabelView]
    rateLimit: float | None
    """Ours: accepted requests a second."""
    webhookPath: str | None
    """Ours: where requests to a source function go, on the port of the Tracking API."""
    version: RunningVersion | None
    """Ours: of a source function, the version that runs."""


class DestinationView(TypedDict):
    id: str
    name: str
    enabled: bool
    metadata: DestinationMetadata
    sourceId: str
    settings: dict[str, Any]
    """Secrets show as a mask, which may be sent back to keep them."""
    delivery: dict[str, Any]
    """Ours: how events are delivered, complete with defaults; see `Delivery`."""
    version: RunningVersion | None
    """Ours: of a destination that is a function, the version that runs."""


class SubscriptionView(TypedDict):
    id: str
    name: str
    actionId: str
    actionSlug: str
    destinationId: str
    enabled: bool
    settings: dict[str, Any]
    """The mapping."""
    trigger: str


class FilterActionView(TypedDict):
    type: Literal["ALLOW_PROPERTIES", "DROP", "DROP_PROPERTIES", "SAMPLE"]
    fields: NotRequired[dict[str, Any]]
    """Of ALLOW_PROPERTIES and DROP_PROPERTIES."""
    percent: NotRequired[float]
    """Of SAMPLE: the share that passes, 0 to 1."""
    path: NotRequired[str]
    """Of SAMPLE: what is alike in events that pass or drop together."""


_FilterView = TypedDict("_FilterView", {"if": str})


class FilterView(_FilterView, TypedDict):
    id: str
    sourceId: str
    destinationId: str
    title: str
    actions: list[FilterActionView]
    enabled: bool
    createdAt: str
    updatedAt: str
    description: NotRequired[str]


def workspace_view(workspace: Workspace) -> WorkspaceView:
    return {"id": workspace.id, "slug": workspace.slug, "name": workspace.name}


def subscription_view(subscription: Subscription, definition_id: str) -> SubscriptionView:
    return {
        "id": subscription.id,
        "name": subscription.name,
        "actionId": action_id(definition_id, subscription.action),
        "actionSlug": subscription.action,
        "destinationId": subscription.destination_id,
        "enabled": subscription.enabled,
        "settings": subscription.mapping,
        "trigger": subscription.trigger,
    }


def filter_view(filter: Filter) -> FilterView:
    view: FilterView = {
        "id": filter.id,
        "sourceId": filter.destination.source_id,
        "destinationId": filter.destination_id,
        "title": filter.title,
        "if": filter.condition,
        "actions": filter.actions,
        "enabled": filter.enabled,
        "createdAt": timestamp(filter.created_at),
        "updatedAt": timestamp(filter.updated_at),
    }
    if filter.description is not None:
        view["description"] = filter.description
    return view


def source_view(source: Source, metadata: SourceMetadata) -> SourceView:
    return {
        "id": source.id,
        "slug": source.slug,
        "name": source.name,
        "metadata": metadata,
        "workspaceId": source.workspace_id,
        "enabled": source.enabled,
        "writeKeys": [key.key for key in source.write_keys],
        "settings": source.settings | dict.fromkeys(source.secrets, MASK),
        "labels": source.labels,
        "rateLimit": source.rate_limit,
        "webhookPath": WEBHOOK + source.write_keys[0].key if is_function(source.kind) else None,
        "version": running_version(source),
    }


def destination_view(destination: Destination, metadata: DestinationMetadata) -> DestinationView:
    return {
        "id": destination.id,
        "name": destination.name,
        "enabled": destination.enabled,
        "metadata": metadata,
        "sourceId": destination.source_id,
        "settings": destination.settings | dict.fromkeys(destination.secrets, MASK),
        "delivery": delivery.shown(destination.delivery, destination.definition),
        "version": running_version(destination),
    }


def timestamp(ms: int) -> str:
    """ISO 8601 with milliseconds and Z."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def position(paging: Paging, list: str = "") -> tuple[int, Callable[[int], str]]:
    """Where a page by position starts, and how cursors are made; `list` tells one list from another."""
    start, of = (0, list) if paging.cursor is None else parse_cursor(paging.cursor)
    if start < 0 or of != list:
        raise Invalid("this cursor is of another list", field="pagination.cursor")
    return start, lambda position: make_cursor((position, list))


def numbered_page(
    items: Sequence[Item],
    name: str,
    count: int,
    start: int,
    cursors: Callable[[int], str],
    show: Callable[[Item], Any],
) -> Json:
    """A page of a list that never changes, such as a catalogue, by position."""
    end = start + count
    return data(
        **{name: [show(item) for item in items[start:end]]},
        pagination=pagination(
            cursors(start),
            cursors(end) if end < len(items) else None,
            cursors(max(0, start - count)) if start > 0 else None,
            len(items),
        ),
    )
