"""The action Sync to S3: a batch into one file, with a column for each that the mapping names."""

from collections.abc import Sequence
from typing import Any

from onward.destinations.aws import s3
from onward.destinations.aws.batches import Outcomes, gather, grouped
from onward.destinations.aws.text import cell
from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import Outcome, discarded
from onward.pipeline.javascript import entries, truthy

CONTENT_TYPES = {"csv": "text/csv", "txt": "text/plain"}
_OF_THE_FILE = (
    "s3_aws_folder_name",
    "filename_prefix",
    "file_extension",
    "delimiter",
    "audience_action_column_name",
    "batch_size_column_name",
)


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome | list[Outcome]:
    """One file for all payloads that agree on where and what it is; they share its outcome."""
    outcomes = Outcomes(len(payloads))
    groups = grouped(
        len(payloads), lambda place: tuple(str(payloads[place].get(name)) for name in _OF_THE_FILE)
    )
    await gather(_write(call, payloads, places, outcomes) for places in groups)
    return outcomes.result()


async def _write(call: Call, payloads: Sequence[Payload], places: list[int], outcomes: Outcomes) -> None:
    first = payloads[places[0]]
    extension = first.get("file_extension") or "csv"
    if extension not in CONTENT_TYPES:
        outcomes.fill(
            places,
            discarded("MESSAGE_REJECTED", f"file_extension is {extension!r}; it may be csv or txt"),
        )
        return
    between = s3.separator(first.get("delimiter"))
    membership = first.get("audience_action_column_name") or None
    size = first.get("batch_size_column_name") or None
    columns = [*_columns(call, payloads, places), *(name for name in (membership, size) if name)]
    header = between.join(str(column).replace(between, "") for column in columns)

    def row(place: int) -> str:
        payload = payloads[place]
        values = payload.get("columns")
        if not isinstance(values, dict):
            raise ValueError("columns is not an object; check its mapping")
        cells = []
        for column in columns:
            if column == membership:
                value = _membership(payload)
            elif column == size:
                value = len(places)
            else:
                value = values.get(column)
            cells.append(cell(value))
        return between.join(cells)

    body, sha256, unreadable = await s3.table(header, places, row)
    for place, outcome in unreadable.items():
        outcomes[place] = outcome
    written = [place for place in places if place not in unreadable]
    if written:
        stamp = s3.stamp(call, written, sha256)
        name = file_name(str(first.get("filename_prefix") or ""), extension, stamp)
        key = s3.in_folder(first.get("s3_aws_folder_name"), name)
        outcomes.fill(written, await s3.put(call, s3.File(key, body, sha256, CONTENT_TYPES[extension])))


def _columns(call: Call, payloads: Sequence[Payload], places: list[int]) -> list[str]:
    """Those that the mapping names, filled or not, so that all files of a mapping have the same.

    A mapping that takes the columns as they come names none; then it is those of the payloads.
    """
    mapped = call.mapping.get("columns")
    if isinstance(mapped, dict) and not any(name.startswith("@") for name in mapped):
        return [name for name, value in entries(mapped) if value != ""]
    found: dict[str, None] = {}
    for place in places:
        columns = payloads[place].get("columns")
        if isinstance(columns, dict):
            found.update(dict.fromkeys(name for name, _ in entries(columns)))
    return list(found)


def _membership(payload: Payload) -> Any:
    """Whether the person is in the audience: the trait or property that is named after it."""
    values, key = payload.get("traits_or_props"), payload.get("computation_key")
    return values.get(key) if isinstance(values, dict) and truthy(key) else None


def file_name(prefix: str, extension: str, stamp: str) -> str:
    """`<prefix>_<stamp>.csv`. A prefix that ends with its extension keeps its dot, as at Segment."""
    if prefix.endswith(f".{extension}"):
        return f"{prefix[: -len(extension)]}_{stamp}.{extension}"
    return f"{prefix}_{stamp}.{extension}" if prefix else f"{stamp}.{extension}"
