"""The Public API as an ASGI application under `/api` (spec §17.3).

Handlers are short: they check, change or read, and shape the answer; the rules are in
`onward.workspace`. All database work happens in threads, never on the event loop.
"""

import re
import time
from collections.abc import Mapping

import msgspec
from litestar import Litestar, Router
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.middleware import DefineMiddleware
from litestar.types import Message, Scope
from sqlalchemy.exc import OperationalError

from onward.api import (
    alerts,
    audit,
    catalog,
    connections,
    deliverability,
    delivery_overview,
    destinations,
    docs,
    echo,
    edge_functions,
    engage,
    event_delivery,
    filters,
    function_deployment,
    function_logs,
    function_previews,
    function_templates,
    function_tests,
    function_usage,
    function_versions,
    functions,
    funnel,
    health,
    iam,
    insert_functions,
    installation,
    labels,
    live,
    oidc,
    openapi,
    redrive,
    regulations,
    reverse_etl,
    schema,
    selective_sync,
    session,
    sources,
    subscriptions,
    testing,
    tokens,
    tools,
    trace,
    tracking_plans,
    transformations,
    trigger_form,
    usage,
    warehouses,
    workspaces,
)
from onward.api.auth import Authentication, check_permission
from onward.api.context import Delivery, Recent, Tail, provide_context, provide_paging
from onward.api.delivery import router as delivery_routes
from onward.api.errors import (
    database_error,
    http_error,
    nested_too_deeply,
    no_json,
    unexpected_error,
    workspace_error,
)
from onward.api.function_logs import Refusals, nothing_kept
from onward.api.metadata import Metadata
from onward.api.numbers import (
    Door,
    Failed,
    Numbers,
    Refused,
    nothing_came,
    nothing_failed,
    nothing_refused,
)
from onward.api.preconditions import tagged
from onward.api.rate_limit import RateLimit, limited, tell_standing
from onward.api.recently import Recently
from onward.api.throttle import Throttle
from onward.destinations.definition import Definition, Runtime
from onward.egress.client import HttpClient
from onward.egress.http import Client
from onward.functions.previews import PreviewRequests
from onward.functions.workshop import Workshop
from onward.metering.functions import FunctionStore
from onward.metering.store import UsageStore
from onward.metering.tracing import Tracer
from onward.settings import Settings
from onward.workspace.errors import WorkspaceError
from onward.workspace.function_code import unchecked
from onward.workspace.store import Store

PREFIX = "/api"
MAX_BODY = 4 * 1024 * 1024
JSON = "application/json"
VENDOR_TYPE = re.compile(r"application/vnd\.segment\.v1(?:alpha|beta)?\+json")


def api_state(
    settings: Settings,
    catalogue: Mapping[str, Definition],
    recent: Recent,
    delivery: Delivery,
    *,
    http: Client | None = None,
    runtime: Runtime | None = None,
    workshop: Workshop | None = None,
    previews: PreviewRequests | None = None,
    failed: Failed = nothing_failed,
    door: Door = nothing_came,
    refused: Refused = nothing_refused,
    refusals: Refusals = nothing_kept,
    tracer: Tracer | None = None,
    tail: Tail | None = None,
    live_seconds: float = 0.0,
) -> State:
    """What the application works with, on the data folder of `settings`, which `bootstrap` has set up.

    `recent` is the source debugger's tail, `delivery` what became of events. `http` (by default the egress
    of `settings`) and `runtime` are for testers, which call destinations' tools; `workshop` checks and tries
    functions. `failed`, `door` and `refused` count what the front door did, `refusals` are samples of what it
    discarded.
    """
    return State(
        {
            "store": Store.open(settings, catalogue, workshop.check_code if workshop else unchecked),
            "settings": settings,
            "previews": previews or PreviewRequests(),
            "throttle": Throttle(time.monotonic),
            "rate_limit": RateLimit(settings.api_requests_per_minute),
            "metadata": Metadata(catalogue),
            "recent": recent,
            "delivery": delivery,
            "http": http or HttpClient.of(settings),
            "runtime": runtime,
            "tracer": tracer,
            "tail": tail or live.latest_alone(recent),
            "live": live.Live(live_seconds),
            "workshop": workshop,
            "inserted": Recently(),
            "refusals": refusals,
            "function_books": FunctionStore(settings.data),
            "numbers": Numbers(UsageStore(settings.data), failed, delivery.counters, door, refused),
        }
    )


def create_api(state: State) -> Litestar:
    """The application. Give it requests with the whole path (`/api/sources`)."""
    return Litestar(
        route_handlers=[
            Router(
                PREFIX,
                route_handlers=[
                    *workspaces.ROUTES,
                    installation.get_installation,
                    echo.echo,
                    openapi.get_openapi,
                    docs.get_docs,
                    *iam.ROUTES,
                    *labels.ROUTES,
                    *session.ROUTES,
                    *oidc.ROUTES,
                    *audit.ROUTES,
                    *tokens.ROUTES,
                    *regulations.ROUTES,
                    *delivery_overview.ROUTES,
                    connections.get_connections,
                    *usage.ROUTES,
                    catalog.router,
                    sources.router,
                    *schema.ROUTES,
                    tracking_plans.router,
                    transformations.router,
                    destinations.router,
                    subscriptions.router,
                    filters.router,
                    delivery_routes,
                    *event_delivery.ROUTES,
                    *funnel.ROUTES,
                    trace.trace_events,
                    health.get_health,
                    deliverability.get_deliverability,
                    *live.ROUTES,
                    redrive.router,
                    *alerts.ROUTES,
                    testing.preview_trigger,
                    trigger_form.get_form,
                    trigger_form.generate_trigger,
                    testing.get_sample_event,
                    testing.router,
                    tools.router,
                    function_tests.router,
                    function_templates.router,
                    functions.router,
                    function_deployment.router,
                    function_logs.list_logs,
                    function_versions.router,
                    *function_usage.ROUTES,
                    *function_previews.ROUTES,
                    insert_functions.router,
                    *edge_functions.ROUTES,
                    *warehouses.ROUTES,
                    selective_sync.router,
                    *reverse_etl.ROUTES,
                    *engage.ROUTES,
                ],
            )
        ],
        middleware=[limited, DefineMiddleware(Authentication), tagged],
        guards=[check_permission],
        dependencies={
            "context": Provide(provide_context, sync_to_thread=False),
            "paging": Provide(provide_paging, sync_to_thread=False),
        },
        exception_handlers={
            HTTPException: http_error,
            WorkspaceError: workspace_error,
            OperationalError: database_error,
            msgspec.DecodeError: no_json,
            UnicodeDecodeError: no_json,
            RecursionError: nested_too_deeply,
            Exception: unexpected_error,
        },
        before_send=[answer_in_kind, tell_standing],
        state=state,
        request_max_body_size=MAX_BODY,
        openapi_config=None,
        logging_config=None,
    )


async def answer_in_kind(message: Message, scope: Scope) -> None:
    """Answer in Segment's media type if the request asks for it by name."""
    if message["type"] != "http.response.start":
        return
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"").decode("latin-1")
    headers = MutableScopeHeaders(message)
    if (asked := VENDOR_TYPE.search(accept)) and headers.get("content-type", "").startswith(JSON):
        headers["content-type"] = asked[0]
