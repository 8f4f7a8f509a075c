"""Who may do what: permissions, and the roles that bundle them (spec §17.1). Pure.

A permission is about one kind of resource, and is had for all of that kind in the workspace or for some.
Roles are additive; which role someone has, and for what, is a `Grant` (`onward.workspace.access`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from onward.workspace.ids import derived_id


class Permission(StrEnum):
    NONE = "none"
    """Nobody needs to be known: signing in itself."""
    ANY = "any"
    """To be somebody who is known is enough."""
    WORKSPACE_READ = "workspace:read"
    WORKSPACE_WRITE = "workspace:write"
    PEOPLE_READ = "people:read"
    PEOPLE_WRITE = "people:write"
    """Users, groups, invitations, and what they may do; tokens."""
    AUDIT_READ = "audit:read"
    USAGE_READ = "usage:read"
    LABEL_WRITE = "label:write"
    SOURCE_READ = "source:read"
    SOURCE_WRITE = "source:write"
    DEBUGGER_READ = "debugger:read"
    DELIVERY_READ = "delivery:read"
    """Events and payloads, with what identifies people masked unless `PII_READ` is had too."""
    PII_READ = "pii:read"
    DESTINATION_READ = "destination:read"
    """Destinations belong to their source: these are had for sources."""
    DESTINATION_WRITE = "destination:write"
    FUNCTION_READ = "function:read"
    FUNCTION_WRITE = "function:write"
    WAREHOUSE_READ = "warehouse:read"
    WAREHOUSE_WRITE = "warehouse:write"
    MODEL_READ = "model:read"
    """Reverse ETL models."""
    MODEL_WRITE = "model:write"
    TRACKING_PLAN_READ = "tracking_plan:read"
    TRACKING_PLAN_WRITE = "tracking_plan:write"
    PRIVACY_READ = "privacy:read"
    """Deletion and suppression of people."""
    PRIVACY_WRITE = "privacy:write"


Kind = Literal["WORKSPACE", "SOURCE", "FUNCTION", "WAREHOUSE", "SPACE"]

P = Permission
SOURCE_READS = {P.SOURCE_READ, P.DESTINATION_READ, P.DEBUGGER_READ, P.DELIVERY_READ, P.MODEL_READ}
SOURCE_WRITES = {P.SOURCE_WRITE, P.DESTINATION_WRITE, P.MODEL_WRITE}
KNOWN = {P.NONE, P.ANY, P.WORKSPACE_READ}


@dataclass(frozen=True, kw_only=True)
class Role:
    slug: str
    name: str
    description: str
    permissions: frozenset[Permission]
    kind: Kind = "WORKSPACE"
    """What it can be granted for, besides the whole workspace."""

    @property
    def id(self) -> str:
        return derived_id("role", self.slug)


def _role(slug: str, name: str, permissions: set[Permission], kind: Kind, description: str) -> Role:
    return Role(
        slug=slug,
        name=name,
        description=description,
        permissions=frozenset(KNOWN | permissions),
        kind=kind,
    )


ROLES: dict[str, Role] = {
    role.slug: role
    for role in (
        _role(
            "owner",
            "Workspace Owner",
            set(Permission),
            "WORKSPACE",
            "Everything, including people, audit trail and privacy.",
        ),
        _role(
            "member",
            "Workspace Member",
            set(),
            "WORKSPACE",
            "Nothing by itself: what else they may do is granted by other roles.",
        ),
        _role(
            "source-admin",
            "Source Admin",
            SOURCE_READS | SOURCE_WRITES,
            "SOURCE",
            "Edit sources, their schema and write keys, and the destinations connected to them.",
        ),
        _role(
            "source-read-only",
            "Source Read-only",
            SOURCE_READS,
            "SOURCE",
            "See sources, their events, and the destinations connected to them.",
        ),
        _role(
            "function-admin",
            "Function Admin",
            {P.FUNCTION_READ, P.FUNCTION_WRITE},
            "FUNCTION",
            "Write, edit and delete functions. To connect or deploy one takes Source Admin as well.",
        ),
        _role("function-read-only", "Function Read-only", {P.FUNCTION_READ}, "FUNCTION", "See functions."),
        _role(
            "warehouse-admin",
            "Warehouse Destination Admin",
            {P.WAREHOUSE_READ, P.WAREHOUSE_WRITE},
            "WAREHOUSE",
            "Edit warehouses and what is synced to them.",
        ),
        _role(
            "warehouse-read-only",
            "Warehouse Destination Read-only",
            {P.WAREHOUSE_READ},
            "WAREHOUSE",
            "See warehouses and their syncs.",
        ),
        _role(
            "tracking-plan-admin",
            "Tracking Plan Admin",
            {P.TRACKING_PLAN_READ, P.TRACKING_PLAN_WRITE},
            "WORKSPACE",
            "Edit tracking plans. To connect one to a source takes Source Admin as well.",
        ),
        _role(
            "tracking-plan-read-only",
            "Tracking Plan Read-only",
            {P.TRACKING_PLAN_READ},
            "WORKSPACE",
            "See tracking plans.",
        ),
        _role(
            "privacy-admin",
            "End User Privacy Admin",
            {P.PRIVACY_READ, P.PRIVACY_WRITE},
            "WORKSPACE",
            "Delete and suppress people.",
        ),
        _role(
            "identity-admin",
            "Identity Admin",
            set(),
            "WORKSPACE",
            "Edit how profiles are put together. Onward keeps no profiles, so this allows what a member may.",
        ),
        _role(
            "pii-access",
            "PII Access",
            {P.PII_READ},
            "SOURCE",
            "See personal data unmasked in what the other roles let one see.",
        ),
        _role(
            "entities-admin",
            "Entities Admin",
            {P.MODEL_READ, P.MODEL_WRITE},
            "WORKSPACE",
            "Edit reverse ETL models.",
        ),
        _role(
            "entities-read-only", "Entities Read-only", {P.MODEL_READ}, "WORKSPACE", "See reverse ETL models."
        ),
    )
}
"""By slug."""

ROLE_BY_ID = {role.id: role for role in ROLES.values()}
