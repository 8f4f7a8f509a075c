"""SFTP (`actions-sftp`): events into files of columns on an SFTP server.

Segment's settings, fields and files, and more: the server's key can be checked (`sftp_host_key`), and nobody
sees a file before it is whole (`sftp_temporary_name`).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from onward.destinations import files
from onward.destinations.definition import Action, Definition, Field
from onward.destinations.listings import listing
from onward.destinations.s3.fields import FIELDS as S3
from onward.destinations.sftp.connect import PORT
from onward.destinations.sftp.send import EXTENSIONS, TIMEOUT, perform, test

SLUG = "actions-sftp"
ID = "6891e1a284d96219f601647b"
MAX_BYTES = 16_000_000
"""Of the payloads of one file, as JSON. Three batches of a destination are in memory at once."""


def _if_auth(kind: str) -> dict[str, Any]:
    return {"conditions": [{"fieldKey": "auth_type", "operator": "is", "value": kind}]}


_COMMON: dict[str, Field] = {
    "filename_prefix": Field(
        label="Filename prefix",
        description="What file names begin with. A time and a digest of the file's events follow.",
        required=True,
    ),
    "file_extension": Field(
        label="File Extension",
        description="The extension of file names.",
        required=True,
        choices=EXTENSIONS,
        default="csv",
    ),
    "delimiter": Field(
        label="Delimiter",
        description="The character between columns.",
        required=True,
        choices=files.DELIMITERS,
        choice_labels=files.DELIMITER_LABELS,
        default=",",
    ),
    "sftp_folder_path": Field(
        label="Folder Path",
        description="The folder on the server that files are written to. It must exist.",
        required=True,
        default={"@template": "/"},
    ),
    "enable_batching": Field(
        label="Enable Batching",
        description="Write many events into one file. Otherwise each gets a file of its own.",
        type="boolean",
        required=True,
        default=True,
        hidden=True,
    ),
    "batch_size": Field(
        label="Batch Size",
        description=(
            "The most rows in one file. Files may have fewer: none waits longer than a minute or holds more "
            "than 16 MB of events."
        ),
        type="number",
        required=True,
        minimum=1,
        maximum=100_000,
        default=100_000,
    ),
    "batch_size_column_name": S3["batch_size_column_name"],
}

EVENTS_FIELDS: dict[str, Field] = {
    "columns": S3["columns"],
    **_COMMON,
    "audience_action_column_name": S3["audience_action_column_name"],
    "traits_or_props": S3["traits_or_props"],
    "computation_key": S3["computation_key"],
}
MODEL_FIELDS: dict[str, Field] = {
    "columns": Field(
        label="Columns",
        description="The columns of the file and what each of them holds.",
        type="object",
        required=True,
        presentation="keyvalue",
        additional_properties=True,
    ),
    **_COMMON,
}


def _action(slug: str, title: str, description: str, fields: Mapping[str, Field]) -> Action:
    kinds = ("identify", "track", "page", "screen", "group")
    return Action(
        slug=slug,
        title=title,
        description=description,
        perform=perform,
        fields=fields,
        default_trigger=" or ".join(f'type = "{kind}"' for kind in kinds),
        batches=True,
        max_batch_size=100_000,
        default_batch_size=100_000,
        max_batch_bytes=MAX_BYTES,
        bulk_from=1,
        timeout=TIMEOUT,
    )


EVENTS = _action(
    "syncEvents",
    "Sync Events",
    "Write events to files, with the columns that events usually have and any others.",
    EVENTS_FIELDS,
)
MODEL = _action(
    "syncModelToSFTP",
    "Sync RETL Model",
    "Write records of a model to files, or events with none but your own columns.",
    MODEL_FIELDS,
)

DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name="SFTP",
    description="Write events to files on an SFTP server, with the columns that you choose.",
    listing=replace(listing(ID, SLUG, (EVENTS.default_trigger,)), own_sockets=True),
    settings={
        "auth_type": Field(
            label="Authentication Type",
            description="What lets Onward in besides the username.",
            required=True,
            choices=("password", "ssh_key"),
            choice_labels=("Username and Password", "Username and SSH Key"),
            default="password",
        ),
        "sftp_host": Field(label="SFTP Host", description="The server's name or address.", required=True),
        "sftp_port": Field(
            label="SFTP Port", description="The server's port: 22 if empty.", type="number", default=PORT
        ),
        "sftp_username": Field(label="Username", description="Who Onward logs in as.", required=True),
        "sftp_password": Field(
            label="Password",
            description="The user's password.",
            type="password",
            secret=True,
            required=_if_auth("password"),
            depends_on=_if_auth("password"),
        ),
        "sftp_ssh_key": Field(
            label="SSH Key",
            description="The user's private key: the whole key file, of a key without a passphrase.",
            type="password",
            secret=True,
            required=_if_auth("ssh_key"),
            depends_on=_if_auth("ssh_key"),
        ),
        "sftp_host_key": Field(
            label="Server's host key",
            description=(
                "The public key that the server must show, as `ssh-keyscan` prints it; several on lines of "
                "their own. If empty, whatever server the name leads to gets the login and the data."
            ),
            type="text",
            placeholder="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA…",
        ),
        "uploadStrategy": Field(
            label="Upload Strategy",
            description="Concurrent is faster over long distances; few servers have trouble with it.",
            choices=("standard", "concurrent"),
            choice_labels=("Standard: one write after the other", "Concurrent: many writes at once"),
            default="standard",
        ),
        "sftp_temporary_name": Field(
            label="Upload under a temporary name",
            description=(
                "Write to `.<name>.part` and rename it when it is whole. Switch it off for a server that "
                "allows no renaming."
            ),
            type="boolean",
            default=True,
        ),
    },
    actions={action.slug: action for action in (EVENTS, MODEL)},
    test=test,
)
