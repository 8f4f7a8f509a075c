"""People on lists of a tool: whether an event adds or removes them, and many such changes as few. Pure.

In one batch the last word on a person counts: whoever enters and leaves an audience is only removed. So it
does not matter in which order the tool works off the requests for additions and for removals.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from onward.destinations.definition import Field, Payload, SyncMode
from onward.destinations.outcome import DELIVERED, Outcome
from onward.pipeline.types import Event

SYNC_MODE = SyncMode(
    label="How to sync people",
    description="What becomes of the people on the list.",
    choices=("mirror", "add", "delete"),
    choice_labels=("Add and remove them, as the audience says", "Only add them", "Only remove them"),
    default="mirror",
)

OPERATION = Field(
    label="Operation",
    description=(
        "Whether the person is added or removed. With auto, the event says it: by the audience that it is of "
        "(context.personas), as an added, changed or deleted row of a warehouse, or by its name, Audience "
        "Entered or Audience Exited. For other events the sync mode decides."
    ),
    choices=("auto", "add", "remove"),
    default="auto",
)

_COMPUTED = ("audience", "journey_step")
_ROWS = {"new": ("add", "upsert", "mirror"), "updated": ("update", "upsert", "mirror")}
"""Events of reverse ETL that add someone, each with the sync modes in which it does."""


def operation(payload: Payload, event: Event, sync_mode: str | None) -> bool | None:
    """True to add, False to remove; None if neither the payload, the event nor the sync mode says it."""
    asked = payload.get("operation")
    if asked in ("add", "remove"):
        return bool(asked == "add")
    member = membership(event, sync_mode)
    if member is not None or _is_row(event):
        return member
    if sync_mode in ("add", "update", "upsert"):
        return True
    if sync_mode == "delete":
        return False
    name = event.get("event")
    return {"Audience Entered": True, "Audience Exited": False}.get(name) if isinstance(name, str) else None


def membership(event: Event, sync_mode: str | None) -> bool | None:
    """Whether an event makes someone a member, as `resolveAudienceMembership` of Segment's actions-core
    tells it: an audience's own boolean among traits or properties (spec §21), or a changed row (§15).
    """
    kind = event.get("type")
    personas = _object(_object(event.get("context")).get("personas"))
    key = personas.get("computation_key")
    if personas.get("computation_class") in _COMPUTED and isinstance(key, str) and key:
        held = _object(event.get({"identify": "traits", "track": "properties"}.get(str(kind), "")))
        if isinstance(held.get(key), bool):
            return bool(held[key])
    if kind == "track" and sync_mode:
        name = event.get("event")
        if isinstance(name, str) and sync_mode in _ROWS.get(name, ()):
            return True
        if name == "deleted" and sync_mode in ("delete", "mirror"):
            return False
    return None


def _is_row(event: Event) -> bool:
    return event.get("type") == "track" and event.get("event") in ("new", "updated", "deleted")


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


class Change(msgspec.Struct, frozen=True):
    """What one payload asks for."""

    list_id: str
    how: Hashable
    """Added or removed, and whatever else keeps changes of one list out of each other's requests."""
    people: tuple[Hashable, ...]
    """By what the tool knows the person."""


def merge(changes: Iterable[Change]) -> dict[tuple[str, Hashable], list[Hashable]]:
    """People by list and by what is to be done with them, each once for each list: the last word counts."""
    last: dict[tuple[str, Hashable], Hashable] = {}
    for change in changes:
        for person in change.people:
            last.pop((change.list_id, person), None)
            last[change.list_id, person] = change.how
    merged: dict[tuple[str, Hashable], list[Hashable]] = {}
    for (list_id, person), how in last.items():
        merged.setdefault((list_id, how), []).append(person)
    return merged


def outcome_of(change: Change, results: Mapping[tuple[str, Hashable], Outcome]) -> Outcome:
    """What became of a payload, from what became of the people of a list: the worst of it.

    A payload that another one has overruled shares that one's outcome.
    """
    return worst([results[change.list_id, person] for person in change.people])


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """A retry if there is one, as all of it is repeated then; else a discard."""
    for kind in ("retry", "discarded"):
        for outcome in outcomes:
            if outcome.kind == kind:
                return outcome
    return outcomes[0] if outcomes else DELIVERED
