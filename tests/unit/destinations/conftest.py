"""A stand-in for the HTTP client, and a way to call actions."""

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
import pytest

from onward.destinations.definition import Action, Call
from onward.destinations.outcome import Outcome
from onward.egress.http import EgressError, Request, Response


class FakeClient:
    """Answers what it is told to, in turn, and then 200."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[Response | EgressError] = []

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.answers.append(Response(status=status, headers=headers, body=body))

    async def send(self, request: Request) -> Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else Response(status=200, headers={}, body=b"ok")
        if isinstance(answer, EgressError):
            raise answer
        return answer

    async def close(self) -> None: ...

    @property
    def bodies(self) -> list[Any]:
        return [orjson.loads(request.body) for request in self.requests]


class Run:
    def __init__(self, http: FakeClient) -> None:
        self.http = http
        self.call = Call(
            settings={},
            http=http,
            timeout=7.0,
            workspace_id="ws",
            source_id="src",
            destination_id="dst",
        )

    async def __call__(
        self, action: Action, payloads: Sequence[dict], events: Sequence[dict] | None = None, **call: Any
    ) -> Outcome | list[Outcome]:
        events = [{"messageId": f"m{n}"} for n in range(len(payloads))] if events is None else events
        return await action.perform(msgspec.structs.replace(self.call, events=events, **call), payloads)


@pytest.fixture
def http() -> FakeClient:
    return FakeClient()


@pytest.fixture
def run(http) -> Run:
    return Run(http)
