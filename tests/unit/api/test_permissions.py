"""Every operation for every role, with each scope that the role can have: allowed or refused (spec §17.1).

What is expected is written down here by hand, in the words of Segment's table of roles, and not derived from
the code's own: families of operations, and which roles may do what is in them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from litestar import Litestar

from onward.api.openapi import PARAMETER, operations
from onward.api.segment import UNAVAILABLE
from onward.delivery.state.protocol import Changes, Discard
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.protocol import Position
from onward.workspace import access
from onward.workspace.roles import ROLES
from onward.workspace.store import Actor, Editor, Store
from onward.workspace.tokens import create_token, generate

from .conftest import TOKEN, Call
from .contract import contract
from .examples import body_of, query_of
from .things import Things, asking, make_things

Json = dict[str, Any]
ACTOR = Actor(id="test")

SOURCE = "source-admin"
SOURCE_READER = "source-read-only"
FUNCTION, FUNCTION_READER = "function-admin", "function-read-only"
WAREHOUSE, WAREHOUSE_READER = "warehouse-admin", "warehouse-read-only"
PLAN, PLAN_READER = "tracking-plan-admin", "tracking-plan-read-only"
ENTITIES, ENTITIES_READER = "entities-admin", "entities-read-only"
PRIVACY = "privacy-admin"

EVERYBODY = frozenset(ROLES)

Family = tuple[str, frozenset[str], str]
"""For what its roles can be granted, the roles that may do it beside owners, and the operations."""

FAMILIES: dict[str, Family] = {
    "nobody needs to be known": (
        "",
        EVERYBODY,
        "signIn listSignInMethods startOidc finishOidc readInvite acceptInvite getOpenApi getApiDocs",
    ),
    "whoever is known": (
        "",
        EVERYBODY,
        """echo getWorkspace listWorkspaces getSession signOut changePassword listLabels getSampleEvent
        getSourcesCatalog getSourceMetadata getDestinationsCatalog getDestinationMetadata
        getDestinationsCatalogCharts getWarehousesCatalog getWarehouseMetadata listDeliveryReasons
        listAlertTypes""",
    ),
    "owners alone": (
        "",
        frozenset(),
        """updateWorkspace createWorkspace getInstallation listUsers getUser deleteUsers
        listUserGroupsFromUser addPermissionsToUser replacePermissionsForUser listUserGroups createUserGroup
        getUserGroup updateUserGroup deleteUserGroup listUsersFromUserGroup listInvitesFromUserGroup
        addPermissionsToUserGroup replacePermissionsForUserGroup addUsersToUserGroup replaceUsersInUserGroup
        removeUsersFromUserGroup listInvites createInvites deleteInvites listRoles listTokens createToken
        deleteToken listAuditEvents exportAuditEvents getAuditForwarding updateAuditForwarding createLabel
        deleteLabel getDailyWorkspaceAPICallsUsage getDailyPerSourceAPICallsUsage getFunctionsUsage
        getDailyWorkspaceMTUUsage
        getDailyPerSourceMTUUsage listAlerts createAlert getAlert updateAlert deleteAlert testAlert""",
    ),
    "see sources and what is connected": (
        "SOURCE",
        frozenset({SOURCE, SOURCE_READER}),
        """listSources getSource listConnectedDestinationsFromSource listConnectedWarehousesFromSource
        listSourceDebuggerEvents streamSourceDebuggerEvents streamRates
        listDestinations getDestination listSubscriptionsFromDestination
        getSubscriptionFromDestination listFiltersFromDestination getFilterInDestination
        previewDestinationFilter previewDestination previewTrigger getTriggerForm generateTrigger
        getDestinationDelivery getConnections
        listDestinationDiscards getEventDeliveryFromDestination listDeliverySamplesFromDestination
        listNotifications listDestinationRedrives getConnectionHealth getDeliverability
        getDeliveryFunnel getDeliverySideBySide getPendingRetryFromDeliveryOverview traceEvents
        listSchemaSettingsInSource listSchemaEventsInSource listTransformations
        getTransformation getLatestFromEdgeFunctions getIngressSuccessMetricsFromDeliveryOverview
        getIngressFailedMetricsFromDeliveryOverview getFilteredAtSourceMetricsFromDeliveryOverview
        getFilteredAtDestinationMetricsFromDeliveryOverview getEgressFailedMetricsFromDeliveryOverview
        getEgressSuccessMetricsFromDeliveryOverview listDeliveryMetricsSummaryFromDestination
        getEventsVolumeFromWorkspace""",
    ),
    "edit sources and what is connected": (
        "SOURCE",
        frozenset({SOURCE}),
        """createSource updateSource deleteSource createWriteKeyForSource removeWriteKeyFromSource
        addLabelsToSource replaceLabelsInSource createDestination updateDestination deleteDestination
        createDestinationSubscription updateSubscriptionForDestination removeSubscriptionFromDestination
        createFilterForDestination updateFilterForDestination removeFilterFromDestination
        redriveDestinationDiscards duplicateDestinationSubscription applyDestinationPreset
        testDestinationConnection
        testDestinationSubscription testDestinationMapping testDestinationEvent listFieldChoices
        runSubscriptionHook createDestinationAudience getDestinationAudience updateSchemaSettingsInSource
        updateSchemaEventsInSource createTransformation updateTransformation deleteTransformation
        createEdgeFunctions disableEdgeFunctions generateUploadURLForEdgeFunctions""",
    ),
    "see reverse ETL models": (
        "SOURCE",
        frozenset({SOURCE, SOURCE_READER, ENTITIES, ENTITIES_READER}),
        "listReverseEtlModels getReverseEtlModel getReverseETLSyncFromModel",
    ),
    "edit reverse ETL models": (
        "SOURCE",
        frozenset({SOURCE, ENTITIES}),
        "createReverseEtlModel updateReverseEtlModel deleteReverseEtlModel createReverseETLManualSync",
    ),
    "see functions": (
        "FUNCTION",
        frozenset({FUNCTION, FUNCTION_READER}),
        """listFunctions getFunction listFunctionVersions getFunctionVersion getFunctionVersionDiff
        listFunctionInstances listFunctionLogs listFunctionTemplates listInsertFunctionInstances
        getInsertFunctionInstance""",
    ),
    "edit functions": (
        "FUNCTION",
        frozenset({FUNCTION}),
        """createFunction updateFunction deleteFunction restoreFunctionVersion testFunction
        previewFunction listFunctionPreviewRequests""",
    ),
    "connect functions": (
        "FUNCTION",
        frozenset({FUNCTION}),
        """createFunctionDeployment createInsertFunctionInstance updateInsertFunctionInstance
        deleteInsertFunctionInstance""",
    ),
    "see warehouses": (
        "WAREHOUSE",
        frozenset({WAREHOUSE, WAREHOUSE_READER}),
        """listWarehouses getWarehouse getConnectionStateFromWarehouse listConnectedSourcesFromWarehouse
        listSelectiveSyncsFromWarehouseAndSource listSyncsFromWarehouse listSyncsFromWarehouseAndSource
        getAdvancedSyncScheduleFromWarehouse""",
    ),
    "edit warehouses": (
        "WAREHOUSE",
        frozenset({WAREHOUSE}),
        """createWarehouse updateWarehouse deleteWarehouse createValidationInWarehouse
        updateSelectiveSyncForWarehouse replaceAdvancedSyncScheduleForWarehouse""",
    ),
    "connect warehouses": (
        "WAREHOUSE",
        frozenset({WAREHOUSE}),
        "addConnectionFromSourceToWarehouse removeSourceConnectionFromWarehouse",
    ),
    "see tracking plans": (
        "",
        frozenset({PLAN, PLAN_READER}),
        "listTrackingPlans getTrackingPlan listRulesFromTrackingPlan listSourcesFromTrackingPlan",
    ),
    "edit tracking plans": (
        "",
        frozenset({PLAN}),
        """createTrackingPlan updateTrackingPlan deleteTrackingPlan replaceRulesInTrackingPlan
        updateRulesInTrackingPlan removeRulesFromTrackingPlan""",
    ),
    "connect tracking plans": (
        "",
        frozenset({PLAN}),
        "addSourceToTrackingPlan removeSourceFromTrackingPlan",
    ),
    "privacy": (
        "",
        frozenset({PRIVACY}),
        """createWorkspaceRegulation createSourceRegulation createCloudSourceRegulation
        listWorkspaceRegulations listRegulationsFromSource getRegulation deleteRegulation
        listSuppressions""",
    ),
}

ABOUT = {
    "SOURCE": {"source_id", "destination_id", "transformation_id", "model_id"},
    "FUNCTION": {"function_id", "instance_id"},
    "WAREHOUSE": {"warehouse_id"},
    "": set(),
}
"""Parameters of paths by which an operation is about one thing of that kind."""

CONNECTING = {"connect functions", "connect warehouses", "connect tracking plans"}
"""What else these need is said by what they connect."""
ASKS_AGAIN = {
    "createSource",  # for the whole workspace only, as the next two
    "createFunction",
    "createWarehouse",
    "createDestination",
    "createTransformation",
    "createReverseEtlModel",
    "getIngressSuccessMetricsFromDeliveryOverview",
    "getIngressFailedMetricsFromDeliveryOverview",
    "getFilteredAtSourceMetricsFromDeliveryOverview",
    "getFilteredAtDestinationMetricsFromDeliveryOverview",
    "getEgressFailedMetricsFromDeliveryOverview",
    "getEgressSuccessMetricsFromDeliveryOverview",
    "getDeliveryFunnel",
    "getDeliverySideBySide",
    "getPendingRetryFromDeliveryOverview",
    "traceEvents",
    "getEventsVolumeFromWorkspace",
    "listDeliveryMetricsSummaryFromDestination",
} | {name for family in CONNECTING for name in FAMILIES[family][2].split()}
"""What they are about is said by body or query; the tests below look at them one by one."""

LABELS = [{"key": "team", "value": "label-of-b"}]
SCOPES: dict[str, list[tuple[str, Any, bool]]] = {
    "SOURCE": [
        ("this source", {"type": "SOURCE", "id": "{source_id}"}, True),
        ("another source", {"type": "SOURCE", "id": "{other}"}, False),
        ("a label that it bears", {"type": "SOURCE", "id": "", "labels": LABELS}, True),
        ("a label of another", {"type": "SOURCE", "id": "", "labels": [{"key": "a", "value": "b"}]}, False),
    ],
    "FUNCTION": [
        ("this function", {"type": "FUNCTION", "id": "{function_id}"}, True),
        ("another function", {"type": "FUNCTION", "id": "{source_id}"}, False),
    ],
    "WAREHOUSE": [
        ("this warehouse", {"type": "WAREHOUSE", "id": "{warehouse_id}"}, True),
        ("another warehouse", {"type": "WAREHOUSE", "id": "{source_id}"}, False),
    ],
}
"""By what a role can be granted for: a name, the resource, and whether the things asked for are in it."""


def family_of() -> dict[str, str]:
    found: dict[str, str] = {}
    for family, (_, _, names) in FAMILIES.items():
        for name in names.split():
            assert name not in found, f"{name} is in two families"
            found[name] = family
    return found


FAMILY = family_of()
NOT_HERE = {operation for _, _, operation in UNAVAILABLE} | {"generateUploadURLForEdgeFunctions"}
"""What nobody may."""
OF_SESSIONS = {"changePassword"}
"""What only a user can do; `test_session.py` does."""


def test_every_operation_is_in_a_family(app: Litestar) -> None:
    served = {str(handler.operation_id) for _, _, handler in operations(app)} - NOT_HERE
    assert served - FAMILY.keys() == set(), "say above who may do these"


@pytest.fixture
async def things(call: Call, app: Litestar) -> Things:
    """One of everything, on a source that bears a label; and another source."""
    async with asking(app, TOKEN) as client:
        made = await make_things(client)
    await call("POST", f"/sources/{made['source_id']}/labels", {"labels": LABELS})
    other = (await call("POST", "/sources", {"slug": "other", "metadataId": "python"}, status=201))["source"]
    return made | {"other": other["id"]}


def token_with(store: Store, *granted: tuple[str, Any]) -> str:
    token = generate()
    with store.changing(store.default_workspace_id(), ACTOR) as editor:
        role, resource = granted[0]
        made = create_token(editor, name="test", token=token, role=role, resources=_list(resource))
        for role, resource in granted[1:]:
            access.add_grants(editor.session, editor.workspace.id, made.id, [(ROLES[role], _list(resource))])
    return token


def _granted(role: str, which: str, things: Things) -> Any:
    return None if which == "all" else {"type": ROLES[role].kind, "id": things[which]}


def _list(resource: Any) -> list[Any]:
    return [resource] if resource else []


@pytest.fixture
def nothing_stays(app: Litestar, monkeypatch: pytest.MonkeyPatch) -> Any:
    """From when it is called: each change is made and undone, so that all are asked for the same things."""

    def begin() -> None:
        store: Store = app.state.store
        changing = store.changing

        @contextmanager
        def undone(*arguments: Any, **more: Any) -> Iterator[Editor]:
            with changing(*arguments, **more | {"dry_run": True}) as editor:
                yield editor

        monkeypatch.setattr(store, "changing", undone)

    return begin


def cases(things: Things) -> Iterator[tuple[str, str, Any, bool]]:
    """A name, a role, the resource that it is granted for (None: everything), whether `things` are in it."""
    for slug, role in ROLES.items():
        yield slug, slug, None, True
        for name, resource, within in SCOPES.get(role.kind, []):
            filled = resource | {"id": resource["id"].format(**things)}
            yield f"{slug} for {name}", slug, filled, within


async def test_a_role_allows_what_is_its_own_and_nothing_else(
    app: Litestar, store: Store, things: Things, nothing_stays: Any
) -> None:
    document = contract(app).document
    table = [(*each, token_with(store, each[1:3])) for each in cases(things)]
    nothing_stays()
    wrong = []
    for row, role, resource, within, token in table:
        async with asking(app, token) as client:
            for method, path, handler in operations(app):
                name = str(handler.operation_id)
                if name in NOT_HERE | OF_SESSIONS:
                    continue
                kind, roles, _ = FAMILIES[FAMILY[name]]
                if name in ASKS_AGAIN and role in roles:
                    continue
                allowed = role == "owner" or role in roles
                if allowed and resource is not None and ABOUT[kind] & set(PARAMETER.findall(path)):
                    allowed = within
                reply = await _ask(client, document, method, path, name, things)
                if (reply.status_code != 403) != allowed:
                    wrong.append((row, name, "allowed" if allowed else "refused", reply.text[:200]))
                assert reply.status_code < 500, (row, name, reply.text)
    assert wrong == [], "should be"
    assert len(table) > 20


async def _ask(
    client: httpx.AsyncClient, document: Json, method: str, path: str, name: str, things: Things
) -> httpx.Response:
    described = next(
        each for each in document["paths"].values() if each.get(method, {}).get("operationId") == name
    )[method]
    url = PARAMETER.sub(lambda match: things[match[1]], path).removeprefix("/api")
    return await client.request(
        method, url, json=body_of(document, described), params=query_of(document, described, things)
    )


Expectation = tuple[str, str, Json, list[tuple[str, str]], bool]
"""Method, path, body; grants of roles, each for a thing of `things` or `all`; whether they suffice."""
NEW_SOURCE = {"slug": "new", "metadataId": "python"}
NEW_FUNCTION = {"displayName": "New", "resourceType": "DESTINATION", "code": "// new", "settings": []}
RENAMING = {"name": "t", "sourceId": "{source_id}", "enabled": True, "if": "!all", "newEventName": "Newer"}
HOOK = {"sourceId": "{source_id}", "metadataId": "actions-webhook", "name": "Mine"}
PLAN_SOURCE = "/tracking-plans/{tracking_plan_id}/sources"
OF_SOURCE = {"sourceId": "{source_id}"}
DEPLOY = "/functions/{function_id}/deploy"
INSTANCE = "/insert-function-instances/{instance_id}"
SYNCED = "/warehouses/{warehouse_id}/connected-sources/{source_id}"
NEW_WAREHOUSE = {"metadataId": "duckdb", "name": "New", "settings": {}, "disconnectAllSources": True}
SYNC_ALL = NEW_WAREHOUSE | {"disconnectAllSources": False}
NEW_MODEL = {"sourceId": "{source_id}", "name": "n", "query": "SELECT 1 AS id", "queryIdentifierColumn": "id"}
CREATIONS: list[Expectation] = [
    ("POST", "/sources", NEW_SOURCE, [(SOURCE, "all")], True),
    ("POST", "/sources", NEW_SOURCE, [(SOURCE, "source_id")], False),
    ("POST", "/sources", NEW_SOURCE, [(SOURCE_READER, "all")], False),
    ("POST", "/destinations", HOOK, [(SOURCE, "source_id")], True),
    ("POST", "/destinations", HOOK, [(SOURCE, "other")], False),
    ("POST", "/destinations", HOOK, [(SOURCE, "other"), (SOURCE_READER, "all")], False),
    ("POST", "/transformations", RENAMING, [(SOURCE, "source_id")], True),
    ("POST", "/transformations", RENAMING, [(SOURCE, "other")], False),
    ("POST", PLAN_SOURCE, OF_SOURCE, [(PLAN, "all")], False),
    ("POST", PLAN_SOURCE, OF_SOURCE, [(SOURCE, "all")], False),
    ("POST", PLAN_SOURCE, OF_SOURCE, [(PLAN, "all"), (SOURCE, "source_id")], True),
    ("POST", PLAN_SOURCE, OF_SOURCE, [(PLAN, "all"), (SOURCE, "other")], False),
    ("POST", PLAN_SOURCE, OF_SOURCE, [(PLAN_READER, "all"), (SOURCE, "all")], False),
    ("POST", "/functions", NEW_FUNCTION, [(FUNCTION, "all")], True),
    ("POST", "/functions", NEW_FUNCTION, [(FUNCTION, "function_id")], False),
    ("POST", "/functions", NEW_FUNCTION, [(FUNCTION_READER, "all"), (SOURCE, "all")], False),
    ("POST", DEPLOY, {}, [(FUNCTION, "all")], False),
    ("POST", DEPLOY, {}, [(SOURCE, "all")], False),
    ("POST", DEPLOY, {}, [(FUNCTION, "function_id"), (SOURCE, "source_id")], True),
    ("POST", DEPLOY, {}, [(FUNCTION, "function_id"), (SOURCE, "other")], False),
    ("DELETE", INSTANCE, {}, [(FUNCTION, "all")], False),
    ("DELETE", INSTANCE, {}, [(FUNCTION, "function_id"), (SOURCE, "source_id")], True),
    ("DELETE", INSTANCE, {}, [(FUNCTION, "function_id"), (SOURCE, "other")], False),
    ("POST", "/warehouses", NEW_WAREHOUSE, [(WAREHOUSE, "all")], True),
    ("POST", "/warehouses", NEW_WAREHOUSE, [(WAREHOUSE, "warehouse_id")], False),
    ("POST", "/warehouses", SYNC_ALL, [(WAREHOUSE, "all")], False),
    ("POST", "/warehouses", SYNC_ALL, [(WAREHOUSE, "all"), (SOURCE, "source_id")], False),
    ("POST", "/warehouses", SYNC_ALL, [(WAREHOUSE, "all"), (SOURCE, "all")], True),
    ("POST", SYNCED, {}, [(WAREHOUSE, "all")], False),
    ("POST", SYNCED, {}, [(SOURCE, "all")], False),
    ("POST", SYNCED, {}, [(WAREHOUSE, "warehouse_id"), (SOURCE, "source_id")], True),
    ("POST", SYNCED, {}, [(WAREHOUSE, "all"), (SOURCE, "other")], False),
    ("POST", SYNCED, {}, [(WAREHOUSE_READER, "all"), (SOURCE, "all")], False),
    ("POST", "/reverse-etl-models", NEW_MODEL, [(ENTITIES, "all")], True),
    ("POST", "/reverse-etl-models", NEW_MODEL, [(SOURCE, "source_id")], True),
    ("POST", "/reverse-etl-models", NEW_MODEL, [(SOURCE, "other")], False),
]


@pytest.mark.parametrize(("method", "path", "body", "grants", "suffice"), CREATIONS)
async def test_what_is_made_or_connected_takes_roles_for_both_ends(
    app: Litestar,
    store: Store,
    things: Things,
    method: str,
    path: str,
    body: Json,
    grants: list[tuple[str, str]],
    suffice: bool,
) -> None:
    granted = [(role, _granted(role, which, things)) for role, which in grants]
    filled = {key: value.format(**things) if isinstance(value, str) else value for key, value in body.items()}
    async with asking(app, token_with(store, *granted)) as client:
        reply = await client.request(method, path.format(**things), json=filled or None)
    assert reply.is_success if suffice else reply.status_code == 403, reply.text


@pytest.mark.parametrize(
    ("others", "suffice"),
    [
        ([], False),
        ([("pii-access", "all")], True),
        ([("pii-access", "source_id")], True),
        ([("pii-access", "other")], False),
    ],
)
async def test_personal_data_is_masked_for_who_may_not_see_it(
    app: Litestar,
    store: Store,
    state: SqliteStateStore,
    things: Things,
    others: list[tuple[str, str]],
    suffice: bool,
) -> None:
    state.open_destination(things["destination_id"], Position())
    changes = Changes()
    changes.discards = [
        Discard(
            at=1,
            subscription_id="sub",
            message_id="m1",
            event_type="track",
            event_name="Bought",
            received_at=0,
            attempts=1,
            code="400",
            message="ada@example.com is unknown",
            payload={"customer": {"email": "ada@example.com", "plan": "pro"}},
            event={"userId": "u1", "properties": {"phone": "0228", "total": 3}},
        )
    ]
    state.commit([(things["destination_id"], changes)], 1.0)
    granted = [(role, _granted(role, which, things)) for role, which in others]
    mask = "••••••••"
    async with asking(app, token_with(store, (SOURCE_READER, None), *granted)) as client:
        path = f"/destinations/{things['destination_id']}/discards"
        (discard,) = (await client.get(path)).json()["data"]["discards"]
        events = (await client.get(f"/sources/{things['source_id']}/debugger")).json()["data"]["events"]
    assert discard["payload"] == {
        "customer": {"email": "ada@example.com" if suffice else mask, "plan": "pro"}
    }
    assert discard["event"]["properties"] == {"phone": "0228" if suffice else mask, "total": 3}
    assert discard["message"] == ("ada@example.com" if suffice else mask) + " is unknown"
    assert events[0]["payload"] == {"type": "track", "event": "A"}
    assert events[1]["payload"] == ("{broken" if suffice else mask), "what can't be read can't be masked"


async def test_a_user_may_what_their_groups_may_as_well(
    app: Litestar, call: Call, things: Things, store: Store
) -> None:
    user = things["user_id"]
    await call("PUT", f"/users/{user}/permissions", {"permissions": [{"roleId": SOURCE_READER}]})
    path = f"/group/{things['user_group_id']}"
    resource = {"type": "SOURCE", "id": things["source_id"]}
    await call(
        "PUT",
        f"/groups/{things['user_group_id']}/permissions",
        {"permissions": [{"roleId": SOURCE, "resources": [resource]}]},
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward/api") as browser:
        body = {"email": "b@example.com", "password": "correct horse battery"}
        csrf = (await browser.post("/session", json=body)).json()["data"]["session"]["csrf"]

        async def rename(source: str) -> int:
            reply = await browser.patch(
                f"/sources/{source}", json={"name": "New"}, headers={"x-onward-csrf": csrf}
            )
            return reply.status_code

        assert await rename(things["source_id"]) == 403
        await call("POST", f"/groups/{things['user_group_id']}/users", {"emails": ["b@example.com"]})
        assert await rename(things["source_id"]) == 200, "the highest of what the user and the group may"
        assert await rename(things["other"]) == 403
        await call("DELETE", f"{path}/users?emails[0]=b@example.com")
        assert await rename(things["source_id"]) == 403, "at once"
