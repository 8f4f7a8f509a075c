"""The fields of Upload CSV, and the settings of an audience, under Segment's keys."""

from typing import Any

from onward.destinations import files
from onward.destinations.definition import Field


def _path(path: str) -> dict[str, Any]:
    return {"@path": path}


def _first(path: str, other: str) -> dict[str, Any]:
    return {"@if": {"exists": _path(path), "then": _path(path), "else": _path(other)}}


def _hidden(label: str, default: Any, *, kind: Any = "string", required: bool = True) -> Field:
    return Field(
        label=label,
        description=f"{label}, from the event.",
        type=kind,
        required=required,
        default=default,
        hidden=True,
    )


_COLUMNS = {
    "audience_name": Field(
        label="Audience Name column", description="The name of the column for the audience's name."
    ),
    "audience_id": Field(
        label="Audience ID column", description="The name of the column for the audience's ID."
    ),
    "audience_action": Field(
        label="Audience Action column",
        description="The name of the column that says who entered (true) and who left (false).",
    ),
    "email": Field(label="Email column", description="The name of the column for the email address."),
    "user_id": Field(label="User ID column", description="The name of the column for the user ID."),
    "anonymous_id": Field(
        label="Anonymous ID column", description="The name of the column for the anonymous ID."
    ),
    "timestamp": Field(
        label="Timestamp", description="The name of the column for when the user entered or left."
    ),
    "message_id": Field(label="Message ID", description="The name of the column for the message ID."),
    "space_id": Field(label="Space ID", description="The name of the column for the space's ID."),
    "integrations_object": Field(
        label="Integrations Object",
        description="The name of the column for the integrations object, as JSON.",
    ),
    "properties_or_traits": Field(
        label="Properties or Traits",
        description="The name of the column for all properties or traits, as JSON.",
    ),
}

FIELDS: dict[str, Field] = {
    "columns": Field(
        label="Columns",
        description="The names of the file's columns. One without a name is left out.",
        type="object",
        required=True,
        presentation="object",
        properties=_COLUMNS,
        default={name: name for name in _COLUMNS},
    ),
    "audienceName": _hidden("Audience name", _path("$.context.personas.computation_key")),
    "audienceId": _hidden("Audience ID", _path("$.context.personas.computation_id")),
    "email": _hidden("Email", _first("$.traits.email", "$.context.traits.email"), required=False),
    "userId": _hidden("User ID", _path("$.userId"), required=False),
    "anonymousId": _hidden("Anonymous ID", _path("$.anonymousId"), required=False),
    "timestamp": _hidden("Timestamp", _path("$.timestamp"), kind="datetime"),
    "messageId": _hidden("Message ID", _path("$.messageId")),
    "spaceId": _hidden("Space ID", _path("$.context.personas.space_id")),
    "integrationsObject": _hidden("Integrations object", _path("$.integrations"), kind="object"),
    "propertiesOrTraits": _hidden("Properties or traits", _first("$.traits", "$.properties"), kind="object"),
    "additional_identifiers_and_traits_columns": Field(
        label="Additional Identifier and Trait Columns",
        description=(
            "Traits that get columns of their own: the trait's name as the key, the column's as the value."
        ),
        type="object",
        presentation="keyvalue:only",
    ),
    "enable_batching": Field(
        label="Batch data",
        description="Write many events into one file. Otherwise each gets a file of its own.",
        type="boolean",
        required=True,
        default=True,
        hidden=True,
    ),
    "batch_size": Field(
        label="Batch Size",
        description="The most rows in one file. Files may have fewer: none holds more than 16 MB of events.",
        type="number",
        default=25_000,
        hidden=True,
    ),
    "computation_class": Field(
        label="Computation class",
        description="What the event must come from: an audience or a step of a journey.",
        required=True,
        choices=("audience", "journey_step"),
        default=_path("$.context.personas.computation_class"),
        hidden=True,
    ),
}

AUDIENCE: dict[str, Field] = {
    "s3_aws_folder_name": Field(
        label="AWS Subfolder Name",
        description="The folder in the bucket that files are written to, such as events/audiences/.",
    ),
    "filename": Field(
        label="Filename prefix",
        description="What file names begin with: <prefix>_<audience>_<time>_<digest>.csv.",
    ),
    "delimiter": Field(
        label="Delimiter",
        description="The character between columns.",
        required=True,
        choices=files.DELIMITERS,
        choice_labels=files.DELIMITER_LABELS,
        default=",",
    ),
}
