"""Operation → the permission that it needs. The only table of its kind (spec §17.1).

Operations have the names of Segment's Public API; every route names its operation, and a route whose
operation is missing here can't be called by anyone.

What the permission is needed for follows from the path: `SCOPES` says which of its parameters names a
resource that permissions are had for. Where the path has none, it is enough to have the permission for
anything: lists then show what the caller may see, and what creates something asks `Context.access` itself.
"""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.api.segment import UNAVAILABLE
from onward.workspace.entities import (
    Destination,
    Function,
    InsertInstance,
    ReverseEtlModel,
    Source,
    Transformation,
    Warehouse,
)
from onward.workspace.roles import Permission

OPERATIONS: dict[str, Permission] = {
    **dict.fromkeys((operation for _, _, operation in UNAVAILABLE), Permission.ANY),
    "echo": Permission.ANY,
    "getWorkspace": Permission.WORKSPACE_READ,
    "updateWorkspace": Permission.WORKSPACE_WRITE,
    "listWorkspaces": Permission.ANY,
    "createWorkspace": Permission.WORKSPACE_WRITE,
    "getInstallation": Permission.WORKSPACE_WRITE,
    "getOpenApi": Permission.NONE,
    "getApiDocs": Permission.NONE,
    "listUsers": Permission.PEOPLE_READ,
    "getUser": Permission.PEOPLE_READ,
    "deleteUsers": Permission.PEOPLE_WRITE,
    "listUserGroupsFromUser": Permission.PEOPLE_READ,
    "addPermissionsToUser": Permission.PEOPLE_WRITE,
    "replacePermissionsForUser": Permission.PEOPLE_WRITE,
    "listUserGroups": Permission.PEOPLE_READ,
    "createUserGroup": Permission.PEOPLE_WRITE,
    "getUserGroup": Permission.PEOPLE_READ,
    "updateUserGroup": Permission.PEOPLE_WRITE,
    "deleteUserGroup": Permission.PEOPLE_WRITE,
    "listUsersFromUserGroup": Permission.PEOPLE_READ,
    "listInvitesFromUserGroup": Permission.PEOPLE_READ,
    "addPermissionsToUserGroup": Permission.PEOPLE_WRITE,
    "replacePermissionsForUserGroup": Permission.PEOPLE_WRITE,
    "addUsersToUserGroup": Permission.PEOPLE_WRITE,
    "replaceUsersInUserGroup": Permission.PEOPLE_WRITE,
    "removeUsersFromUserGroup": Permission.PEOPLE_WRITE,
    "listInvites": Permission.PEOPLE_READ,
    "createInvites": Permission.PEOPLE_WRITE,
    "deleteInvites": Permission.PEOPLE_WRITE,
    "listRoles": Permission.PEOPLE_READ,
    "signIn": Permission.NONE,
    "listSignInMethods": Permission.NONE,
    "startOidc": Permission.NONE,
    "finishOidc": Permission.NONE,
    "readInvite": Permission.NONE,
    "acceptInvite": Permission.NONE,
    "getSession": Permission.ANY,
    "signOut": Permission.ANY,
    "changePassword": Permission.ANY,
    "listTokens": Permission.PEOPLE_READ,
    "createToken": Permission.PEOPLE_WRITE,
    "deleteToken": Permission.PEOPLE_WRITE,
    "listAuditEvents": Permission.AUDIT_READ,
    "exportAuditEvents": Permission.AUDIT_READ,
    "getAuditForwarding": Permission.AUDIT_READ,
    "updateAuditForwarding": Permission.WORKSPACE_WRITE,
    "listLabels": Permission.WORKSPACE_READ,
    "createLabel": Permission.LABEL_WRITE,
    "deleteLabel": Permission.LABEL_WRITE,
    "addLabelsToSource": Permission.SOURCE_WRITE,
    "replaceLabelsInSource": Permission.SOURCE_WRITE,
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
    "streamSourceDebuggerEvents": Permission.DEBUGGER_READ,
    "streamRates": Permission.SOURCE_READ,
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
    "duplicateDestinationSubscription": Permission.DESTINATION_WRITE,
    "applyDestinationPreset": Permission.DESTINATION_WRITE,
    "testDestinationConnection": Permission.DESTINATION_WRITE,
    "testDestinationSubscription": Permission.DESTINATION_WRITE,
    "testDestinationMapping": Permission.DESTINATION_WRITE,
    "testDestinationEvent": Permission.DESTINATION_WRITE,
    "previewDestination": Permission.DESTINATION_READ,
    "previewTrigger": Permission.DESTINATION_READ,
    "getTriggerForm": Permission.DESTINATION_READ,
    "generateTrigger": Permission.DESTINATION_READ,
    "getSampleEvent": Permission.ANY,
    "listFieldChoices": Permission.DESTINATION_WRITE,
    "runSubscriptionHook": Permission.DESTINATION_WRITE,
    "createDestinationAudience": Permission.DESTINATION_WRITE,
    "getDestinationAudience": Permission.DESTINATION_WRITE,
    "getConnections": Permission.SOURCE_READ,
    "getDestinationDelivery": Permission.DESTINATION_READ,
    "listDestinationDiscards": Permission.DELIVERY_READ,
    "getEventDeliveryFromDestination": Permission.DESTINATION_READ,
    "listDeliverySamplesFromDestination": Permission.DELIVERY_READ,
    "listDeliveryReasons": Permission.ANY,
    "getDeliveryFunnel": Permission.SOURCE_READ,
    "getDeliverySideBySide": Permission.SOURCE_READ,
    "listAlertTypes": Permission.ANY,
    "listAlerts": Permission.WORKSPACE_WRITE,
    "createAlert": Permission.WORKSPACE_WRITE,
    "getAlert": Permission.WORKSPACE_WRITE,
    "updateAlert": Permission.WORKSPACE_WRITE,
    "deleteAlert": Permission.WORKSPACE_WRITE,
    "testAlert": Permission.WORKSPACE_WRITE,
    "listNotifications": Permission.SOURCE_READ,
    "redriveDestinationDiscards": Permission.DESTINATION_WRITE,
    "listDestinationRedrives": Permission.DELIVERY_READ,
    "getDeliverability": Permission.DESTINATION_READ,
    "getConnectionHealth": Permission.SOURCE_READ,
    "traceEvents": Permission.DELIVERY_READ,
    "getPendingRetryFromDeliveryOverview": Permission.DESTINATION_READ,
    "listSchemaSettingsInSource": Permission.SOURCE_READ,
    "updateSchemaSettingsInSource": Permission.SOURCE_WRITE,
    "listSchemaEventsInSource": Permission.SOURCE_READ,
    "updateSchemaEventsInSource": Permission.SOURCE_WRITE,
    "listTrackingPlans": Permission.TRACKING_PLAN_READ,
    "createTrackingPlan": Permission.TRACKING_PLAN_WRITE,
    "getTrackingPlan": Permission.TRACKING_PLAN_READ,
    "updateTrackingPlan": Permission.TRACKING_PLAN_WRITE,
    "deleteTrackingPlan": Permission.TRACKING_PLAN_WRITE,
    "listRulesFromTrackingPlan": Permission.TRACKING_PLAN_READ,
    "replaceRulesInTrackingPlan": Permission.TRACKING_PLAN_WRITE,
    "updateRulesInTrackingPlan": Permission.TRACKING_PLAN_WRITE,
    "removeRulesFromTrackingPlan": Permission.TRACKING_PLAN_WRITE,
    "listSourcesFromTrackingPlan": Permission.TRACKING_PLAN_READ,
    "addSourceToTrackingPlan": Permission.TRACKING_PLAN_WRITE,
    "removeSourceFromTrackingPlan": Permission.TRACKING_PLAN_WRITE,
    "listTransformations": Permission.SOURCE_READ,
    "createTransformation": Permission.SOURCE_WRITE,
    "getTransformation": Permission.SOURCE_READ,
    "updateTransformation": Permission.SOURCE_WRITE,
    "deleteTransformation": Permission.SOURCE_WRITE,
    "createWorkspaceRegulation": Permission.PRIVACY_WRITE,
    "createSourceRegulation": Permission.PRIVACY_WRITE,
    "createCloudSourceRegulation": Permission.PRIVACY_WRITE,
    "listWorkspaceRegulations": Permission.PRIVACY_READ,
    "listRegulationsFromSource": Permission.PRIVACY_READ,
    "getRegulation": Permission.PRIVACY_READ,
    "deleteRegulation": Permission.PRIVACY_WRITE,
    "listSuppressions": Permission.PRIVACY_READ,
    "getIngressSuccessMetricsFromDeliveryOverview": Permission.SOURCE_READ,
    "getIngressFailedMetricsFromDeliveryOverview": Permission.SOURCE_READ,
    "getFilteredAtSourceMetricsFromDeliveryOverview": Permission.SOURCE_READ,
    "getFilteredAtDestinationMetricsFromDeliveryOverview": Permission.DESTINATION_READ,
    "getEgressFailedMetricsFromDeliveryOverview": Permission.DESTINATION_READ,
    "getEgressSuccessMetricsFromDeliveryOverview": Permission.DESTINATION_READ,
    "listDeliveryMetricsSummaryFromDestination": Permission.DESTINATION_READ,
    "getEventsVolumeFromWorkspace": Permission.SOURCE_READ,
    "getDailyWorkspaceAPICallsUsage": Permission.USAGE_READ,
    "getDailyPerSourceAPICallsUsage": Permission.USAGE_READ,
    "getDailyWorkspaceMTUUsage": Permission.USAGE_READ,
    "getDailyPerSourceMTUUsage": Permission.USAGE_READ,
    "listFunctions": Permission.FUNCTION_READ,
    "createFunction": Permission.FUNCTION_WRITE,
    "getFunction": Permission.FUNCTION_READ,
    "updateFunction": Permission.FUNCTION_WRITE,
    "deleteFunction": Permission.FUNCTION_WRITE,
    "createFunctionDeployment": Permission.FUNCTION_WRITE,
    "getFunctionVersionDiff": Permission.FUNCTION_READ,
    "listFunctionTemplates": Permission.FUNCTION_READ,
    "getFunctionsUsage": Permission.USAGE_READ,
    "listFunctionPreviewRequests": Permission.FUNCTION_WRITE,
    "testFunction": Permission.FUNCTION_WRITE,
    "previewFunction": Permission.FUNCTION_WRITE,
    "listFunctionInstances": Permission.FUNCTION_READ,
    "listFunctionLogs": Permission.FUNCTION_READ,
    "listFunctionVersions": Permission.FUNCTION_READ,
    "getFunctionVersion": Permission.FUNCTION_READ,
    "restoreFunctionVersion": Permission.FUNCTION_WRITE,
    "listInsertFunctionInstances": Permission.FUNCTION_READ,
    "createInsertFunctionInstance": Permission.FUNCTION_WRITE,
    "getInsertFunctionInstance": Permission.FUNCTION_READ,
    "updateInsertFunctionInstance": Permission.FUNCTION_WRITE,
    "deleteInsertFunctionInstance": Permission.FUNCTION_WRITE,
    "getLatestFromEdgeFunctions": Permission.SOURCE_READ,
    "createEdgeFunctions": Permission.SOURCE_WRITE,
    "disableEdgeFunctions": Permission.SOURCE_WRITE,
    "generateUploadURLForEdgeFunctions": Permission.SOURCE_WRITE,
    "getWarehousesCatalog": Permission.ANY,
    "getWarehouseMetadata": Permission.ANY,
    "listWarehouses": Permission.WAREHOUSE_READ,
    "createWarehouse": Permission.WAREHOUSE_WRITE,
    "getWarehouse": Permission.WAREHOUSE_READ,
    "updateWarehouse": Permission.WAREHOUSE_WRITE,
    "deleteWarehouse": Permission.WAREHOUSE_WRITE,
    "createValidationInWarehouse": Permission.WAREHOUSE_WRITE,
    "getConnectionStateFromWarehouse": Permission.WAREHOUSE_READ,
    "listConnectedSourcesFromWarehouse": Permission.WAREHOUSE_READ,
    "addConnectionFromSourceToWarehouse": Permission.WAREHOUSE_WRITE,
    "removeSourceConnectionFromWarehouse": Permission.WAREHOUSE_WRITE,
    "listConnectedWarehousesFromSource": Permission.SOURCE_READ,
    "listSelectiveSyncsFromWarehouseAndSource": Permission.WAREHOUSE_READ,
    "updateSelectiveSyncForWarehouse": Permission.WAREHOUSE_WRITE,
    "listSyncsFromWarehouse": Permission.WAREHOUSE_READ,
    "listSyncsFromWarehouseAndSource": Permission.WAREHOUSE_READ,
    "getAdvancedSyncScheduleFromWarehouse": Permission.WAREHOUSE_READ,
    "replaceAdvancedSyncScheduleForWarehouse": Permission.WAREHOUSE_WRITE,
    "listReverseEtlModels": Permission.MODEL_READ,
    "createReverseEtlModel": Permission.MODEL_WRITE,
    "getReverseEtlModel": Permission.MODEL_READ,
    "updateReverseEtlModel": Permission.MODEL_WRITE,
    "deleteReverseEtlModel": Permission.MODEL_WRITE,
    "getReverseETLSyncFromModel": Permission.MODEL_READ,
    "createReverseETLManualSync": Permission.MODEL_WRITE,
}

Scope = Callable[[Session, str, str], str | None]
"""`(session, workspace, the path's parameter)` → what the permission is needed for; None if there is no
such thing in the workspace, as the handler will say."""


def _source(session: Session, workspace_id: str, id: str) -> str | None:
    return session.scalar(select(Source.id).where(Source.id == id, Source.workspace_id == workspace_id))


def _source_of_destination(session: Session, workspace_id: str, id: str) -> str | None:
    query = select(Source.id).join(Destination, Destination.source_id == Source.id)
    return session.scalar(query.where(Destination.id == id, Source.workspace_id == workspace_id))


def _source_of_transformation(session: Session, workspace_id: str, id: str) -> str | None:
    query = select(Source.id).join(Transformation, Transformation.source_id == Source.id)
    return session.scalar(query.where(Transformation.id == id, Source.workspace_id == workspace_id))


def _source_of_model(session: Session, workspace_id: str, id: str) -> str | None:
    query = select(Source.id).join(ReverseEtlModel, ReverseEtlModel.source_id == Source.id)
    return session.scalar(query.where(ReverseEtlModel.id == id, Source.workspace_id == workspace_id))


def _function(session: Session, workspace_id: str, id: str) -> str | None:
    return session.scalar(select(Function.id).where(Function.id == id, Function.workspace_id == workspace_id))


def _function_of_instance(session: Session, workspace_id: str, id: str) -> str | None:
    query = select(Function.id).join(InsertInstance, InsertInstance.function_id == Function.id)
    return session.scalar(query.where(InsertInstance.id == id, Function.workspace_id == workspace_id))


def _warehouse(session: Session, workspace_id: str, id: str) -> str | None:
    return session.scalar(
        select(Warehouse.id).where(Warehouse.id == id, Warehouse.workspace_id == workspace_id)
    )


SCOPES: dict[str, Scope] = {
    "source_id": _source,
    "transformation_id": _source_of_transformation,
    "destination_id": _source_of_destination,
    "model_id": _source_of_model,
    "function_id": _function,
    "instance_id": _function_of_instance,
    "warehouse_id": _warehouse,
}
"""By the name of a path's parameter."""

KINDS = {"function_id": "function", "instance_id": "function", "warehouse_id": "warehouse"}
"""Parameters of paths that name what only permissions of this kind are had for; others are about sources."""


def concerns(permission: Permission, parameter: str) -> bool:
    """Whether the permission is had for what the parameter names: one for a warehouse is not for sources."""
    kind = permission.partition(":")[0]
    return KINDS.get(parameter) == (kind if kind in KINDS.values() else None)
