"""What a workspace consists of, as tables (spec §1). Each module holds those of one subject."""

from onward.workspace.entities.base import Document, Entity, Json, Resource, same_json
from onward.workspace.entities.connections import (
    Destination,
    Filter,
    Source,
    Subscription,
    Workspace,
    WriteKey,
)
from onward.workspace.entities.system import AuditEvent, Revision, StoredSnapshot, Token

__all__ = [
    "AuditEvent",
    "Destination",
    "Document",
    "Entity",
    "Filter",
    "Json",
    "Resource",
    "Revision",
    "Source",
    "StoredSnapshot",
    "Subscription",
    "Token",
    "Workspace",
    "WriteKey",
    "same_json",
]
