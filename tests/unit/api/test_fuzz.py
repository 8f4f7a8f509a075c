"""Requests that schemathesis makes of the API's own description, right ones and wrong ones, in several roles.

No answer is a 500, or has a status or a shape that is not announced, and nothing wrong is taken for right.
What is made is the same in each run.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings, strategies
from hypothesis.errors import Unsatisfiable
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from onward.api import echo
from onward.api.app import api_state, create_api
from onward.api.rate_limit import RateLimit
from onward.delivery.report import DeliveryReport
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog import open_reader
from onward.settings import Settings
from onward.workspace.bootstrap import bootstrap
from onward.workspace.store import Actor, Store
from onward.workspace.tokens import create_token

from .conftest import CATALOGUE, LINES, TOKEN
from .contract import Contract, contract
from .things import Things, asking, make_things
from .tool import Answering

Json = dict[str, Any]

RIGHT, WRONG = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
ORDER = ("get", "post", "patch", "put", "delete")
"""What deletes comes last, so that there is something to delete."""
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
IDS = {
    "sourceId": "source_id",
    "metadataId": "metadata_id",
    "userGroupId": "user_group_id",
    "groupIds": "user_group_id",
    "userIds": "user_id",
}
"""Fields of bodies and queries that name a thing."""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[Litestar, Things]]:
    """The API on a data folder with one of everything."""
    process = Settings(data=tmp_path, token=TOKEN)
    bootstrap(process)
    state = SqliteStateStore(process.data)
    report = DeliveryReport(state, open_reader(process.data))
    app = create_api(
        api_state(process, CATALOGUE, lambda source, count: LINES[:count], report, http=Answering())
    )
    app.state.rate_limit = RateLimit(10**9)

    async def make() -> Things:
        async with asking(app, TOKEN) as client:
            return await make_things(client)

    yield app, asyncio.run(make())
    state.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for an echo."""

    async def no_time(seconds: float) -> None:
        pass

    monkeypatch.setattr(echo.anyio, "sleep", no_time)


def token_of(app: Litestar, role: str, things: Things) -> str:
    store: Store = app.state.store
    if role == "owner":
        return TOKEN
    resources = [{"type": "SOURCE", "id": things["source_id"]}] if role == "source-admin" else []
    with store.changing(store.default_workspace_id(), Actor(id="test")) as editor:
        create_token(editor, name=role, token=f"token-{role}", role=role, resources=resources)
    return f"token-{role}"


def plain(document: Json) -> Json:
    """With one media type, as all mean the same, and nothing to make up tokens from."""
    shown = json.loads(json.dumps(document))
    del shown["security"], shown["components"]["securitySchemes"]
    described = [each for methods in shown["paths"].values() for each in methods.values()]
    for each in described:
        each.pop("security", None)
    places = [place for each in described for place in (each.get("requestBody"), *each["responses"].values())]
    for place in (*places, *shown["components"]["responses"].values()):
        content = (place or {}).get("content", {})
        for media in [each for each in content if "segment" in each]:
            del content[media]
    return shown


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("role", "right", "wrong", "successes"),
    [("owner", 3, 1, 100), ("source-admin", 2, 0, 30), ("member", 1, 0, 10)],
)
def test_whatever_is_asked_is_answered_as_announced(
    started: tuple[Litestar, Things], role: str, right: int, wrong: int, successes: int, quick: None
) -> None:
    """For each operation so many right requests and wrong ones."""
    app, things = started
    announced = contract(app)
    schema = schemathesis.openapi.from_dict(plain(announced.document))
    described = sorted(
        (
            each.ok()
            for each in schema.get_all_operations()
            # All of the first answer the same; streams are listened to in tests/integration/test_live.py.
            if not each.ok().path.startswith(("/api/spaces", "/api/live"))
        ),
        key=lambda each: ORDER.index(each.method.lower()),
    )
    token = token_of(app, role, things)
    answered: Counter[int] = Counter()
    problems: list[str] = []
    with TestClient(app, base_url="http://onward.local", raise_server_exceptions=False) as client:
        client.headers["authorization"] = f"Bearer {token}"
        for operation in described:
            for mode, examples in ((RIGHT, right), (WRONG, wrong)):
                if not examples or (mode is WRONG and not (operation.body or operation.query)):
                    continue  # any text will do in a path
                try:
                    answered.update(fuzz(operation, mode, examples, client, things, announced))
                except Unsatisfiable:  # nothing can be wrong about it
                    assert mode is WRONG, operation.label
                except (AssertionError, FailureGroup) as problem:
                    problems.append(f"{operation.label}: {problem}")
    assert not problems, "\n\n".join(problems)
    assert answered[200] + answered[201] > successes, answered


def fuzz(
    operation: Any,
    mode: GenerationMode,
    examples: int,
    client: TestClient[Any],
    things: Things,
    announced: Contract,
) -> list[int]:
    """The statuses of the answers."""
    statuses = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(mode), named=strategies.sampled_from([True, True, False]))
    def ask(case: Any, named: bool) -> None:
        if mode is RIGHT and named:
            name_what_is_there(case, things)
        wanted = requests.Request(**case.as_transport_kwargs("http://onward")).prepare()
        reply = client.request(
            str(wanted.method), str(wanted.url), content=wanted.body, headers=dict(wanted.headers)
        )
        statuses.append(reply.status_code)
        if "as asked for" in reply.text:  # an echo
            return
        judge(case, mode, reply, announced)

    ask()
    return statuses


def name_what_is_there(case: Any, things: Things) -> None:
    for name in case.path_parameters or {}:
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        case.path_parameters[name] = things.get(snake, case.path_parameters[name])
    for place in (case.body, case.query):
        for name, thing in IDS.items() if isinstance(place, dict) else ():
            if name in place:
                place[name] = [things[thing]] if isinstance(place[name], list) else things[thing]


def judge(case: Any, mode: GenerationMode, reply: httpx.Response, announced: Contract) -> None:
    announced.check(reply)
    checks = CHECKS + ([negative_data_rejection] if mode is WRONG else [])
    case.validate_response(reply, checks=checks)
