"""The action Upload CSV: who entered and left an audience, a batch into one file.

What Segment keeps with an audience (folder, file name, delimiter) comes with its events, as
`context.personas.audience_settings`; without them it is a comma, and the bucket's root.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from onward.destinations import files
from onward.destinations.aws import s3
from onward.destinations.aws.batches import Outcomes, gather, grouped
from onward.destinations.aws.text import cell, to_json
from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import Outcome, discarded
from onward.pipeline.javascript import entries, to_string

_HELD_BY = {
    "audience_name": "audienceName",
    "audience_id": "audienceId",
    "audience_action": "propertiesOrTraits",
    "email": "email",
    "user_id": "userId",
    "anonymous_id": "anonymousId",
    "timestamp": "timestamp",
    "message_id": "messageId",
    "space_id": "spaceId",
    "integrations_object": "integrationsObject",
    "properties_or_traits": "propertiesOrTraits",
}
"""The columns in their order, and the fields that they are filled from."""
ORDER = tuple(_HELD_BY)
_JSON = frozenset({"integrations_object", "properties_or_traits"})


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    """One file for each audience; its payloads share its outcome."""
    outcomes = Outcomes(len(payloads))

    def key(place: int) -> Any:
        payload = payloads[place]
        parts = [audience_settings(call, place), payload.get("audienceName"), payload.get("columns")]
        try:
            return to_json(parts)
        except ValueError:
            return place

    await gather(_write(call, payloads, places, outcomes) for places in grouped(len(payloads), key))
    return outcomes.result()


def audience_settings(call: Call, place: int) -> Mapping[str, Any]:
    found: Any = call.events[place] if place < len(call.events) else {}
    for name in ("context", "personas", "audience_settings"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


async def _write(call: Call, payloads: Sequence[Payload], places: list[int], outcomes: Outcomes) -> None:
    settings, first = audience_settings(call, places[0]), payloads[places[0]]
    try:
        between = _separator(settings)
        columns, header = _header(first, between)
    except ValueError as error:
        outcomes.fill(places, discarded("MESSAGE_REJECTED", str(error)))
        return

    body, sha256, unreadable = await files.table(
        header, places, lambda place: between.join(_cells(payloads[place], columns))
    )
    for place, outcome in unreadable.items():
        outcomes[place] = outcome
    written = [place for place in places if place not in unreadable]
    if written:
        stamp = files.stamp(call, written, sha256)
        name = file_name(str(settings.get("filename") or ""), str(first.get("audienceName") or ""), stamp)
        key = s3.in_folder(settings.get("s3_aws_folder_name"), name)
        outcomes.fill(written, await s3.put(call, s3.File(key, body, sha256, "text/csv")))


def _separator(settings: Mapping[str, Any]) -> str:
    delimiter = settings.get("delimiter") or ","
    if delimiter not in files.DELIMITERS:
        raise ValueError(
            f"the audience's delimiter is {str(delimiter)[:20]!r}; it may be {' '.join(files.DELIMITERS)}"
        )
    return files.separator(delimiter)


def _header(first: Payload, between: str) -> tuple[list[str], str]:
    """The columns to fill, and the file's first line. Raises ValueError."""
    named = first.get("columns")
    if not isinstance(named, dict):
        raise ValueError("columns is not an object; check its mapping")
    columns = [name for name in ORDER if named.get(name) not in (None, "")]
    headers = [str(named[name]) for name in columns] + [to_string(name) for _, name in _more(first)]
    for header in headers:
        if between in header:
            raise ValueError(f"the column name {header!r} holds the delimiter")
    return columns, between.join(headers)


def _more(payload: Payload) -> list[tuple[str, Any]]:
    """The further columns: the trait's name and the column's."""
    more = payload.get("additional_identifiers_and_traits_columns")
    return list(entries(more)) if isinstance(more, dict) else []


def _cells(payload: Payload, columns: list[str]) -> list[str]:
    values = payload.get("propertiesOrTraits")
    if not isinstance(values, dict):
        raise ValueError("propertiesOrTraits is not an object; check its mapping")
    cells = []
    for column in columns:
        if column == "audience_action":
            cells.append(cell(_text(values.get(payload.get("audienceName")))))
        elif column in _JSON:
            found = payload.get(_HELD_BY[column])
            cells.append(cell("" if found is None else to_json(found).decode()))
        else:
            cells.append(cell(_text(payload.get(_HELD_BY[column]))))
    return cells + [cell(_text(values.get(trait))) for trait, _ in _more(payload)]


def _text(value: Any) -> str:
    """As JavaScript's String has it, so that an object is `[object Object]`; nothing for what is missing."""
    return "" if value is None else to_string(value)


def file_name(prefix: str, audience: str, stamp: str) -> str:
    """`<prefix>_<audience>_<stamp>.csv`; a prefix that ends with .csv stands for the audience as well."""
    if prefix.endswith(".csv"):
        return f"{prefix.removesuffix('.csv')}_{stamp}.csv"
    return "_".join([*([prefix] if prefix else []), audience.lower(), stamp]) + ".csv"
