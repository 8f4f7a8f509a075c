"""The action Sync to S3: a batch into one file, with a column for each that the mapping names."""

from collections.abc import Sequence

from onward.destinations import files
from onward.destinations.aws import s3
from onward.destinations.aws.batches import Outcomes, gather, grouped
from onward.destinations.aws.text import cell
from onward.destinations.definition import Call, Payload
from onward.destinations.outcome import Outcome, discarded

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
    between = files.separator(first.get("delimiter"))
    membership = first.get("audience_action_column_name") or None
    size = first.get("batch_size_column_name") or None
    columns = [*files.columns_of(call, payloads, places), *(name for name in (membership, size) if name)]
    header = between.join(str(column).replace(between, "") for column in columns)

    def row(place: int) -> str:
        payload = payloads[place]
        values = payload.get("columns")
        if not isinstance(values, dict):
            raise ValueError("columns is not an object; check its mapping")
        cells = []
        for column in columns:
            if column == membership:
                value = files.membership(payload)
            elif column == size:
                value = len(places)
            else:
                value = values.get(column)
            cells.append(cell(value))
        return between.join(cells)

    body, sha256, unreadable = await files.table(header, places, row)
    for place, outcome in unreadable.items():
        outcomes[place] = outcome
    written = [place for place in places if place not in unreadable]
    if written:
        stamp = files.stamp(call, written, sha256)
        name = file_name(str(first.get("filename_prefix") or ""), extension, stamp)
        key = s3.in_folder(first.get("s3_aws_folder_name"), name)
        outcomes.fill(written, await s3.put(call, s3.File(key, body, sha256, CONTENT_TYPES[extension])))


def file_name(prefix: str, extension: str, stamp: str) -> str:
    """`<prefix>_<stamp>.csv`. A prefix that ends with its extension keeps its dot, as at Segment."""
    if prefix.endswith(f".{extension}"):
        return f"{prefix[: -len(extension)]}_{stamp}.{extension}"
    return f"{prefix}_{stamp}.{extension}" if prefix else f"{stamp}.{extension}"
