"""Segment's public library of functions runs unmodified: what upstream's own tests ask of it, and more.

It is no part of this project: `FUNCTIONS_LIBRARY` names a folder with it, or it is fetched once, at the
commit that was tried; without either these tests are skipped. Functions of our own with the same habits are
in `test_habits.py`.
"""

import io
import os
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

import orjson
import pytest
from integration.functions.tools import runner, value

from onward.egress.http import Request, Response
from onward.egress.masking import Masking
from onward.functions.errors import Kind
from onward.functions.source import HANDLER
from onward.functions.source import Request as Hook

COMMIT = "aa49c0ef635b5f030806c7fe1a771bbe9ccdac6f"
ARCHIVE = f"https://codeload.github.com/segmentio/functions-library/tar.gz/{COMMIT}"

TRACK = {
    "type": "track",
    "event": "Registered",
    "userId": "test-user-23js8",
    "timestamp": "2019-04-08T01:19:38.931Z",
    "email": "test@example.com",
    "properties": {"plan": "Pro Annual", "accountType": "Facebook"},
}
IDENTIFY = {
    "type": "identify",
    "traits": {"name": "Peter Gibbons", "email": "peter@initech.com", "plan": "premium", "logins": 5},
}
ACCEPTED = {Kind.OK, Kind.UNSUPPORTED_EVENT_TYPE, Kind.MESSAGE_REJECTED}
"""What upstream's tests take for a pass."""
OWN_ERRORS = {"qualtrics identify": "Cannot destructure property 'firstName'"}
"""It reads traits of the empty answer: on Segment's side as well."""
SKIPPED = {"leanplum"}
"""By upstream, too: it is written for an older kind of function."""


class Web:
    """Answers everything with 200 and an empty object."""

    def __init__(self) -> None:
        self.seen: list[Request] = []

    async def send(self, request: Request) -> Response:
        self.seen.append(request)
        return Response(status=200, headers={"content-type": "application/json"}, body=b"{}")

    async def resolve(self, host: str) -> list[str]:
        return []

    async def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if folder := os.environ.get("FUNCTIONS_LIBRARY"):
        return Path(folder)
    try:
        with urllib.request.urlopen(ARCHIVE, timeout=10) as answer:
            packed = answer.read()
    except OSError as error:
        pytest.skip(f"the public library of functions can't be fetched: {error}")
    folder_ = tmp_path_factory.mktemp("library")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder_, filter="data")
    return next(folder_.iterdir())


async def test_its_destinations_run(library: Path) -> None:
    outcomes: dict[str, str] = {}
    requests = 0
    for handler in sorted(library.glob("destinations/*/handler.js")):
        web = Web()
        async with runner(handler.read_text()) as made:
            assert made.handlers, handler
            for event in (TRACK, IDENTIFY):
                name = f"on{event['type'].title()}"
                one = await made.invoke(name, event, {"apiKey": "abcd1234"}, web, Masking(()))
                outcomes[f"{handler.parent.name} {event['type']}"] = (
                    one.ending.kind
                    if one.ending.kind in ACCEPTED
                    else f"{one.ending.kind}: {one.ending.message}"
                )
        requests += len(web.seen)
    failed = {name: said for name, said in outcomes.items() if said not in ACCEPTED}
    assert all(OWN_ERRORS.get(name, "never") in said for name, said in failed.items()), failed
    assert len(outcomes) == 28
    assert requests >= 8


async def test_its_sources_run(library: Path) -> None:
    examples: dict[str, list[tuple[str, Any]]] = {}
    for path in sorted(library.glob("sources/*/webhook-examples/*.json")):
        if path.parent.parent.name not in SKIPPED:
            examples.setdefault(path.parent.parent.name, []).append(
                (path.stem, orjson.loads(path.read_bytes()))
            )
    failed: dict[str, str] = {}
    events = 0
    for source, payloads in examples.items():
        async with runner((library / "sources" / source / "handler.js").read_text()) as made:
            assert "onRequest" in made.handlers, source
            for name, example in payloads:
                given = example["payload"]
                body = given["body"]
                hook = Hook(
                    url="http://localhost/hook",
                    headers=[(key, str(each)) for key, each in (given.get("headers") or {}).items()],
                    body=body if isinstance(body, str) else orjson.dumps(body).decode(),
                )
                settings = example.get("settings") or {}
                one = await made.invoke(HANDLER, hook.frame(), settings, Web(), Masking(()))
                if one.ending.kind not in ACCEPTED:
                    failed[f"{source} {name}"] = one.ending.message
                else:
                    events += len(value(one) or ())
    assert not failed
    assert len(examples) >= 15
    assert events >= 20
