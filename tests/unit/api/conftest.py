"""The Public API in process, on a data folder of its own."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from harness import TOKEN
from litestar import Litestar
from litestar.datastructures import State
from sqlalchemy import select

from onward.api.app import api_state, create_api
from onward.delivery.report import DeliveryReport
from onward.delivery.state.sqlite import SqliteStateStore
from onward.destinations.catalog import NATIVE, Catalogue
from onward.eventlog import open_reader
from onward.settings import Settings
from onward.workspace.access import add_grants
from onward.workspace.entities import Workspace
from onward.workspace.roles import ROLES
from onward.workspace.store import Actor, Store
from onward.workspace.tokens import create_token, generate

from .contract import contract
from .tool import TOOL, Answering

CATALOGUE = Catalogue(native=(*NATIVE, TOOL))


class Line(NamedTuple):
    """A line of the source debugger, as tracking writes them."""

    received_at: int
    type: str
    message_id: str | None
    verdict: str
    code: str
    payload: bytes


LINES = [
    Line(1_700_000_000_123, "track", "m2", "accepted", "", b'{"type":"track","event":"A"}'),
    Line(1_700_000_000_000, "track", None, "discarded", "id_not_string", b"{broken"),
    Line(1_699_999_999_999, "track", "m3", "accepted", "", b'{"event":"B","anonymousId":"a"}'),
]


@pytest.fixture(scope="session")
def application() -> Litestar:
    """The routes, which take long to make and hold nothing; `app` gives them something to work with."""
    return create_api(State())


@pytest.fixture
def settings(fresh: Path, tmp_path: Path) -> Settings:
    shutil.copytree(fresh, tmp_path, dirs_exist_ok=True)
    return Settings(data=tmp_path, token=TOKEN)


@pytest.fixture
def catalogue() -> Catalogue:
    """What the API knows; modules may have one of their own."""
    return CATALOGUE


@pytest.fixture
def store(settings: Settings, catalogue: Catalogue) -> Store:
    return Store.open(settings, catalogue)


@pytest.fixture
def member_token(store: Store) -> str:
    with store.reading() as session:
        workspace_id = session.scalars(select(Workspace.id)).one()
    with store.changing(workspace_id, Actor(id="test")) as editor:
        create_token(editor, name="member", token="member-token", role="member")
    return "member-token"


@pytest.fixture
def state(settings: Settings) -> Iterator[SqliteStateStore]:
    """The state store, as the delivery processes write it."""
    state = SqliteStateStore(settings.data)
    yield state
    state.close()


@pytest.fixture
def http() -> Answering:
    """The way out, for testers: a client that answers what it is told to."""
    return Answering()


@pytest.fixture
def app(
    application: Litestar,
    settings: Settings,
    catalogue: Catalogue,
    state: SqliteStateStore,
    http: Answering,
) -> Iterator[Litestar]:
    report = DeliveryReport(state, open_reader(settings.data))
    given = api_state(settings, catalogue, lambda source_id, count: LINES[:count], report, http=http)
    application.state.update(given)
    yield application
    application.state.clear()


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """An owner's. Each answer that it gets is held against the API's own description."""
    announced = contract(app)

    async def hold_against(response: httpx.Response) -> None:
        await response.aread()
        announced.check(response)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://onward/api",
        headers={"authorization": f"Bearer {TOKEN}"},
        event_hooks={"response": [hold_against]},
    ) as client:
        yield client


Call = Callable[..., Awaitable[Any]]


@pytest.fixture
def call(client: httpx.AsyncClient) -> Call:
    """Makes a request, checks its status, and returns `data`, or the errors where one is expected."""

    async def request(method: str, path: str, body: Any = None, *, status: int = 200, **more: Any) -> Any:
        response = await client.request(method, path, json=body, **more)
        assert response.status_code == status, response.text
        return response.json()["data" if status < 300 else "errors"]

    return request


ClientOf = Callable[[dict[str, list[Any]]], httpx.AsyncClient]


@pytest.fixture
def client_of(app: Litestar, store: Store) -> ClientOf:
    """A client with a token that has roles, each for resources, or for the whole workspace if for none."""

    def make(roles: dict[str, list[Any]]) -> httpx.AsyncClient:
        token = generate()
        with store.changing(store.default_workspace_id(), Actor(id="test")) as editor:
            made = create_token(editor, name="roles", token=token, role="member")
            given = [(ROLES[role], resources) for role, resources in roles.items()]
            add_grants(editor.session, editor.workspace.id, made.id, given)
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://onward/api",
            headers={"authorization": f"Bearer {token}"},
        )

    return make


@pytest.fixture
async def source(call: Call) -> dict[str, Any]:
    created = await call("POST", "/sources", {"slug": "web", "metadataId": "IqDTy1TpoU"}, status=201)
    return dict(created["source"])


@pytest.fixture
async def destination(call: Call, source: dict[str, Any]) -> dict[str, Any]:
    body = {"sourceId": source["id"], "metadataId": "actions-webhook", "settings": {}}
    return dict((await call("POST", "/destinations", body))["destination"])
