"""Who may do what: operation → permission, role → permissions. The only table of its kind (spec §17.1).

Operations have the names of Segment's Public API; every route names its operation, and a route whose
operation is missing here can't be called by anyone.
"""

from enum import StrEnum


class Permission(StrEnum):
    ANY = "any"
    """A valid token is enough."""
    WORKSPACE_READ = "workspace:read"
    SOURCE_READ = "source:read"
    SOURCE_WRITE = "source:write"
    DEBUGGER_READ = "debugger:read"
    DELIVERY_READ = "delivery:read"
    """Events and payloads as they are, so personal data."""
    DESTINATION_READ = "destination:read"
    DESTINATION_WRITE = "destination:write"


OPERATIONS: dict[str, Permission] = {
    "echo": Permission.ANY,
    "getWorkspace": Permission.WORKSPACE_READ,
    "getSourcesCatalog": Permission.ANY,
    "getSourceMetadata": Permission.ANY,
    "getDestinationsCatalog": Permission.ANY,
    "getDestinationMetadata": Permission.ANY,
    "getDestinationsCatalogCharts": Permission.ANY,
    "listSources": Permission.SOURCE_READ,
    "createSource": Permission.SOURCE_WRITE,
    "getSource": Permission.SOURCE_READ,
    "updateSource": Permission.SOURCE_WRITE,
    "deleteSource": Permission.SOURCE_WRITE,
    "createWriteKeyForSource": Permission.SOURCE_WRITE,
    "removeWriteKeyFromSource": Permission.SOURCE_WRITE,
    "listConnectedDestinationsFromSource": Permission.DESTINATION_READ,
    "listSourceDebuggerEvents": Permission.DEBUGGER_READ,
    "listDestinations": Permission.DESTINATION_READ,
    "createDestination": Permission.DESTINATION_WRITE,
    "getDestination": Permission.DESTINATION_READ,
    "updateDestination": Permission.DESTINATION_WRITE,
    "deleteDestination": Permission.DESTINATION_WRITE,
    "listSubscriptionsFromDestination": Permission.DESTINATION_READ,
    "createDestinationSubscription": Permission.DESTINATION_WRITE,
    "getSubscriptionFromDestination": Permission.DESTINATION_READ,
    "updateSubscriptionForDestination": Permission.DESTINATION_WRITE,
    "removeSubscriptionFromDestination": Permission.DESTINATION_WRITE,
    "listFiltersFromDestination": Permission.DESTINATION_READ,
    "createFilterForDestination": Permission.DESTINATION_WRITE,
    "getFilterInDestination": Permission.DESTINATION_READ,
    "updateFilterForDestination": Permission.DESTINATION_WRITE,
    "removeFilterFromDestination": Permission.DESTINATION_WRITE,
    "previewDestinationFilter": Permission.DESTINATION_READ,
    "getDestinationDelivery": Permission.DESTINATION_READ,
    "listDestinationDiscards": Permission.DELIVERY_READ,
}

ROLES: dict[str, frozenset[Permission]] = {
    "owner": frozenset(Permission),
    "member": frozenset({Permission.ANY, Permission.WORKSPACE_READ}),
}
"""A member has no rights on resources by itself; they are granted (spec §17.1)."""


def allows(role: str, operation: str | None) -> bool:
    """Whether a role may do an operation; never for an operation or role that is not in the tables."""
    permission = OPERATIONS.get(operation or "")
    return permission is not None and permission in ROLES.get(role, frozenset())
