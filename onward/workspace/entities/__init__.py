"""What a workspace consists of, as tables (spec §1). Each module holds those of one subject."""

from onward.workspace.entities.alerts import Alert, AlertMessage, AlertState, Notification
from onward.workspace.entities.base import Document, Entity, Json, Resource, same_json
from onward.workspace.entities.connections import (
    Destination,
    Filter,
    Source,
    Subscription,
    Workspace,
    WriteKey,
)
from onward.workspace.entities.functions import EdgeFunction, Function, FunctionVersion, InsertInstance
from onward.workspace.entities.governance import (
    PlanConnection,
    Rule,
    SchemaEvent,
    SchemaSettings,
    TrackingPlan,
    Transformation,
)
from onward.workspace.entities.people import (
    Grant,
    Group,
    GroupMember,
    Invite,
    Label,
    Membership,
    Session,
    User,
)
from onward.workspace.entities.privacy import Regulation, RegulationRetry, RegulationTarget, Suppression
from onward.workspace.entities.storage import ReverseEtlModel, SelectiveSync, Warehouse, WarehouseSource
from onward.workspace.entities.system import (
    AuditEvent,
    AuditForwarding,
    AuditOutbox,
    Revision,
    StoredSnapshot,
    Token,
)

__all__ = [
    "Alert",
    "AlertMessage",
    "AlertState",
    "AuditEvent",
    "AuditForwarding",
    "AuditOutbox",
    "Destination",
    "Document",
    "EdgeFunction",
    "Entity",
    "Filter",
    "Function",
    "FunctionVersion",
    "Grant",
    "Group",
    "GroupMember",
    "InsertInstance",
    "Invite",
    "Json",
    "Label",
    "Membership",
    "Notification",
    "PlanConnection",
    "Regulation",
    "RegulationRetry",
    "RegulationTarget",
    "Resource",
    "ReverseEtlModel",
    "Revision",
    "Rule",
    "SchemaEvent",
    "SchemaSettings",
    "SelectiveSync",
    "Session",
    "Source",
    "StoredSnapshot",
    "Subscription",
    "Suppression",
    "Token",
    "TrackingPlan",
    "Transformation",
    "User",
    "Warehouse",
    "WarehouseSource",
    "Workspace",
    "WriteKey",
    "same_json",
]
