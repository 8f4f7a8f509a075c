"""The fields of Sync to S3, under Segment's keys."""

from typing import Any

from onward.destinations import files
from onward.destinations.definition import Field


def _path(path: str) -> dict[str, Any]:
    return {"@path": path}


def _first(path: str, other: str) -> dict[str, Any]:
    return {"@if": {"exists": _path(path), "then": _path(path), "else": _path(other)}}


_COLUMNS: dict[str, tuple[Field, dict[str, Any]]] = {
    "event_name": (Field(label="Event Name", description="The event's name."), _path("$.event")),
    "event_type": (Field(label="Event Type", description="The event's type."), _path("$.type")),
    "user_id": (Field(label="User ID", description="The user's ID."), _path("$.userId")),
    "anonymous_id": (
        Field(label="Anonymous ID", description="The anonymous ID."),
        _path("$.anonymousId"),
    ),
    "email": (
        Field(label="Email", description="The email address."),
        _first("$.traits.email", "$.context.traits.email"),
    ),
    "properties": (
        Field(label="Properties", description="The event's properties.", type="object"),
        _path("$.properties"),
    ),
    "traits": (
        Field(label="Traits", description="The user's traits.", type="object"),
        _first("$.traits", "$.context.traits"),
    ),
    "context": (
        Field(label="Context", description="The event's context.", type="object"),
        _path("$.context"),
    ),
    "timestamp": (Field(label="Timestamp", description="When it happened."), _path("$.timestamp")),
    "message_id": (
        Field(label="Message ID", description="What identifies the event."),
        _path("$.messageId"),
    ),
    "integrations": (
        Field(label="Integrations Object", description="The integrations object.", type="object"),
        _path("$.integrations"),
    ),
    "audience_name": (
        Field(label="Audience Name", description="The audience's name."),
        _path("$.context.personas.computation_key"),
    ),
    "audience_id": (
        Field(label="Audience ID", description="The audience's ID."),
        _path("$.context.personas.computation_id"),
    ),
    "audience_space_id": (
        Field(label="Audience Space ID", description="The space that the audience belongs to."),
        _path("$.context.personas.space_id"),
    ),
}

FIELDS: dict[str, Field] = {
    "columns": Field(
        label="Columns",
        description="The columns of the file and what each of them holds.",
        type="object",
        required=True,
        presentation="keyvalue",
        additional_properties=True,
        properties={name: field for name, (field, _) in _COLUMNS.items()},
        default={name: default for name, (_, default) in _COLUMNS.items()},
    ),
    "audience_action_column_name": Field(
        label="Audience Action Column Name",
        description=(
            "The column that says whether the user is in the audience (true) or not (false). "
            "No such column if empty."
        ),
        default="audience_action",
    ),
    "batch_size_column_name": Field(
        label="Batch Size Column Name",
        description="The column that holds the number of rows in the file. No such column if empty.",
        default="batch_size",
    ),
    "traits_or_props": Field(
        label="Traits or properties",
        description="Where the audience's value is looked for.",
        type="object",
        default=_first("$.properties", "$.traits"),
        hidden=True,
    ),
    "computation_key": Field(
        label="Audience key",
        description="The name of the audience's value.",
        default=_path("$.context.personas.computation_key"),
        hidden=True,
    ),
    "enable_batching": Field(
        label="Enable Batching",
        description="Write many events into one file. Otherwise each gets a file of its own.",
        type="boolean",
        required=True,
        default=True,
    ),
    "batch_size": Field(
        label="Batch Size",
        description=(
            "The most rows in one file. Files may have fewer: none waits longer than a minute or holds more "
            "than 16 MB of events."
        ),
        type="number",
        default=100_000,
    ),
    "s3_aws_folder_name": Field(
        label="AWS Subfolder Name",
        description="The folder in the bucket that files are written to, such as events/web/.",
    ),
    "filename_prefix": Field(
        label="Filename prefix",
        description="What file names begin with. A time and a digest of the file's events follow.",
    ),
    "delimiter": Field(
        label="Delimiter",
        description="The character between columns.",
        required=True,
        choices=files.DELIMITERS,
        choice_labels=files.DELIMITER_LABELS,
        default=",",
    ),
    "file_extension": Field(
        label="File Extension",
        description="The extension of file names.",
        required=True,
        choices=("csv", "txt"),
        default="csv",
    ),
    "batch_keys": Field(
        label="Batch Keys",
        description="The fields that events must have in common to share a file.",
        multiple=True,
        default=["s3_aws_folder_name"],
        hidden=True,
    ),
}
