"""The web process: tracking, Public API, web app, health and metrics behind one port.

It owns the event log's only writer. State: none of its own; see `onward.tracking` for what waits in
memory (nothing that was answered 200). On SIGTERM it stops accepting, answers what it has taken, commits
and closes; a kill at any point is tracking's crash story.

Served by Granian inside this process's event loop, so that there is no process between the supervisor
and the one that does the work. Its own process manager was no faster (38,000 against 34,000 bare
requests/s on 2 cores) and would hide crashes from the supervisor.
"""

import asyncio
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from importlib.resources import files
from typing import Any, cast

import msgspec
import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from onward import __version__, eventlog
from onward.alerts import Alerts
from onward.api.app import api_state, create_api
from onward.delivery.report import DeliveryReport
from onward.delivery.state.sqlite import SqliteStateStore
from onward.delivery.trace import EventTracer
from onward.destinations.bridge.host import Bridge
from onward.destinations.catalog import open_catalogue
from onward.egress.client import HttpClient
from onward.eventlog.protocol import EventLog
from onward.functions.pool import Pool, PoolLimits
from onward.functions.previews import PreviewRequests
from onward.functions.workshop import Workshop
from onward.health import readiness
from onward.metering.functions import FunctionMeter, FunctionStore, quotas_of
from onward.metering.store import UsageStore
from onward.metrics import CONTENT_TYPE, Metrics
from onward.roles import Heartbeat
from onward.settings import Settings
from onward.status import StatusPage
from onward.tracking import audit, function_usage
from onward.tracking.app import Tracking
from onward.tracking.dedupe import RocksDedupe
from onward.tracking.door_functions import DoorFunctions
from onward.tracking.forget import forget
from onward.tracking.ledger import Ledger, LedgerReader
from onward.tracking.source_functions import OF_ONE, PREFIX, SourceFunctions
from onward.tracking.source_inserts import SourceInserts
from onward.webapp import WebApp
from onward.workspace.configuration import REFRESH_EVERY, Configuration
from onward.workspace.database import open_engine
from onward.workspace.function_catalogue import is_source_function
from onward.workspace.function_code import DeployedCode
from onward.workspace.keyring import load_cipher
from onward.workspace.store import Store
from onward.workspace.suppressed import Suppressed
from onward.workspace.watch import SnapshotWatcher

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

FORGET_EVERY = 1.0
FORWARD_EVERY = 1.0
PRUNE_EVERY = 60.0
PATIENCE = 3.0
"""Seconds that requests in flight are given when the server stops."""
BACKLOG = 4096
CONNECTIONS = 16_384
"""Handled at once; more wait in the backlog."""

LIVE_SECONDS = 300.0
"""How long a live stream goes on before the browser has to ask again."""

OWN = ("/healthz", "/readyz", "/metrics", "/status", "/status.json")
"""Never a page of the web app."""

FUNCTIONS = PoolLimits(budget_mb=1024, queue=OF_ONE, queue_for=10.0)
"""Processes of sources' functions, beside those of the delivery processes."""

log = structlog.get_logger("onward.web")


class Pages:
    """What the web process itself answers."""

    def __init__(
        self, settings: Settings, configuration: Configuration, metrics: Metrics, status: StatusPage
    ) -> None:
        self._settings = settings
        self._configuration = configuration
        self._metrics = metrics
        self._status = status
        self._app = WebApp.open()
        # Where there is no web app:
        text = files("onward").joinpath("landing.html").read_text()
        self._landing = text.replace("VERSION", __version__).encode()
        self._invite = files("onward").joinpath("invite.html").read_bytes()
        self._rendering = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1003})
            return
        if scope["method"] not in ("GET", "HEAD"):
            await answer(send, 405, b"only GET is possible here\n", b"text/plain")
            return
        path, head = scope["path"], scope["method"] == "HEAD"
        if self._app is not None and path not in OWN:
            found = self._app.answer(path, scope["headers"])
            if found is not None:
                headers, body = found
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                await send({"type": "http.response.body", "body": b"" if head else body})
                return
        status, body, kind = await self._page(path)
        await answer(send, status, b"" if head else body, kind)

    async def _page(self, path: str) -> tuple[int, bytes, bytes]:
        match path:
            case "/":
                return 200, self._landing, b"text/html; charset=utf-8"
            case "/invite":
                return 200, self._invite, b"text/html; charset=utf-8"
            case "/healthz":
                return 200, b'{"alive":true}', b"application/json"
            case "/readyz":
                configuration = self._configuration
                state = await asyncio.to_thread(
                    readiness, self._settings, configuration.error, configuration.current.version
                )
                return 200 if state["ready"] else 503, msgspec.json.encode(state), b"application/json"
            case "/status" | "/status.json" if self._settings.status_page:
                if path == "/status":
                    return 200, await asyncio.to_thread(self._status.page), b"text/html; charset=utf-8"
                return 200, await asyncio.to_thread(self._status.json), b"application/json"
            case "/metrics":
                async with self._rendering:
                    body = await asyncio.to_thread(self._metrics.render, self._configuration.current)
                return 200, body, CONTENT_TYPE
        return 404, b"there is nothing here; see /\n", b"text/plain"


async def answer(send: Send, status: int, body: bytes, kind: bytes) -> None:
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def dispatch(
    tracking: Application, functions: Application, api: Application, pages: Application
) -> Application:
    """One application: by the first part of the path, the hottest first."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path.startswith("/v1/"):
            await (functions if path.startswith(PREFIX) else tracking)(scope, receive, send)
        elif path.startswith("/api/") or path == "/api":
            await api(scope, receive, send)
        else:
            await pages(scope, receive, send)

    return application


async def prune(event_log: EventLog) -> None:
    """Keep to the event log's retention."""
    while True:
        try:
            freed = await asyncio.to_thread(event_log.prune, int(time.time() * 1000))
            if freed:
                log.info("event log pruned", freed_bytes=freed)
        except (OSError, sqlite3.Error) as error:
            log.error("event log can't be pruned; trying again", error=str(error))
        await asyncio.sleep(PRUNE_EVERY)


async def follow_suppressed(suppressed: Suppressed) -> None:
    """Learn who is suppressed as soon as that changes."""
    while True:
        await asyncio.sleep(REFRESH_EVERY)
        try:
            await asyncio.to_thread(suppressed.refresh)
        except sqlite3.Error as error:
            log.error("suppressions can't be read; trying again", error=str(error))


async def forget_people(ledger: Ledger, engine: Engine) -> None:
    """Do the front door's part of deletions."""
    while True:
        await asyncio.sleep(FORGET_EVERY)
        try:
            await asyncio.to_thread(forget, ledger, engine)
        except (sqlite3.Error, SQLAlchemyError) as error:
            log.error("samples can't be erased; trying again", error=str(error))


async def forward_audit_trail(tracking: Tracking, engine: Engine) -> None:
    """Hand audit events to the sources that are set for them."""
    while True:
        await asyncio.sleep(FORWARD_EVERY)
        try:
            await audit.forward(tracking, engine)
        except (sqlite3.Error, SQLAlchemyError) as error:
            log.error("the audit trail can't be forwarded; trying again", error=str(error))


async def serve(settings: Settings) -> None:
    """Run until SIGTERM. Raises `LogUnavailable`, `WorkspaceError` or OSError if it can't start."""
    loop = asyncio.get_running_loop()
    event_log = eventlog.open_writer(settings)
    configuration = Configuration(SnapshotWatcher.open(settings))
    suppressed = Suppressed.open(settings)
    ledger_path = settings.data / "ingest.db"
    ledger = Ledger(ledger_path, discard_retention_ms=int(settings.discard_retention_hours * 3_600_000))
    http = HttpClient.of(settings)
    workshop = Workshop(http, trusted=settings.functions_trusted)
    books = FunctionStore(settings.data)
    meter = FunctionMeter(books, lambda: quotas_of(settings, configuration.current))
    functions = DoorFunctions(
        Pool(workshop.confinement, http, FUNCTIONS),
        workshop.gate,
        DeployedCode(open_engine(settings)),
        meter.locked_out,
    )
    tracking = Tracking(
        event_log,
        RocksDedupe(settings.data / "dedupe", settings.dedupe_hours),
        ledger,
        configuration.snapshot,
        settings,
        newest=configuration.newest,
        suppressed=suppressed.scopes,
        inserts=SourceInserts(functions).apply,
    )
    previews = PreviewRequests()
    reader = LedgerReader(ledger_path)
    store = SqliteStateStore(settings.data)
    metrics_log = eventlog.open_reader(settings.data)
    catalogue = open_catalogue(settings.catalog_folder)
    pages = Pages(
        settings,
        configuration,
        Metrics(settings.data, metrics_log, store, reader),
        StatusPage(store.questions(), configuration.snapshot, catalogue),
    )
    # Litestar spells the ASGI types out more narrowly than they are.
    report = DeliveryReport(store, metrics_log)
    bridge = Bridge.of(settings)
    api = cast(
        Application,
        create_api(
            api_state(
                settings,
                catalogue,
                reader.recent,
                report,
                http=http,
                runtime=bridge,
                workshop=workshop,
                previews=previews,
                failed=reader.failed,
                door=reader.outcomes,
                refused=reader.refused,
                refusals=reader.discards,
                tail=reader.tail,
                live_seconds=LIVE_SECONDS,
                tracer=EventTracer(
                    eventlog.open_reader(settings.data),
                    store,
                    open_engine(settings),
                    load_cipher(settings),
                    catalogue,
                    tracking.first_seen,
                    int(settings.discard_retention_hours * 3_600_000),
                ),
            ),
        ),
    )
    webhooks = SourceFunctions(
        tracking,
        ledger,
        functions,
        previews,
        partial(is_source_function, open_engine(settings)),
    )
    # The embedded server's classes carry no types.
    server: Any = Server(
        dispatch(tracking, webhooks, api, pages),
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        log_enabled=False,
    )
    alerts = Alerts(
        settings,
        open_engine(settings),
        load_cipher(settings),
        configuration.snapshot,
        report,
        UsageStore(settings.data),
        FunctionStore(settings.data),
        http,
    )
    heartbeat = Heartbeat(settings.data, "web", loop)
    heartbeat.functions = functions.report
    await tracking.start()
    heartbeat.start()
    log.info("listening", host=settings.host, port=settings.port)
    chores = [
        loop.create_task(chore)
        for chore in (
            configuration.follow(),
            prune(event_log),
            follow_suppressed(suppressed),
            forget_people(ledger, open_engine(settings)),
            forward_audit_trail(tracking, open_engine(settings)),
            alerts.forever(),
            workshop.gate.keep(),
            function_usage.follow(functions, meter, books, Store.open(settings, catalogue)),
        )
    ]
    try:
        await until_stopped(server, chores)
    finally:
        await functions.close()
        await tracking.stop()
        await bridge.close()
        await http.close()
        event_log.close()
        metrics_log.close()
        store.close()
        heartbeat.stop()


async def until_stopped(server: Any, chores: list["asyncio.Task[None]"]) -> None:
    """Serve until SIGTERM, then answer what has arrived whole; raises what ended a chore."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    serving = loop.create_task(server.serve())
    stopped = loop.create_task(stop.wait())
    done, _ = await asyncio.wait([serving, stopped, *chores], return_when=asyncio.FIRST_COMPLETED)
    server.stop()
    for chore in chores:
        chore.cancel()
    # A client that sends its request slowly, or never to the end, must not hold us up.
    _, hanging = await asyncio.wait([serving], timeout=PATIENCE)
    if hanging:  # the server's own stop comes to a loop that has ended, and complains
        loop.set_exception_handler(lambda *_: None)
    await asyncio.gather(*chores, return_exceptions=True)
    for task in done - {stopped}:
        task.result()


def run(settings: Settings) -> None:
    """The process: blocking, until SIGTERM."""
    uvloop.run(serve(settings))
