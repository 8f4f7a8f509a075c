from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from unit.destinations.aws.stub import EXTERNAL_ID, KEY, ROLE, SECRET, Stub

from onward.destinations.definition import Action, Call
from onward.destinations.outcome import Outcome
from onward.egress.client import HttpClient
from onward.egress.guard import Guard


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    stub = Stub()
    await stub.start()
    yield stub
    await stub.close()
    assert stub.faults == []
    assert stub.answers == [], "an answer that was prepared was not asked for"


class Aws:
    """Calls of actions and tests through Onward's real egress, to the stub."""

    def __init__(self, stub: Stub, http: HttpClient) -> None:
        self.stub, self.http = stub, http
        self.by_key = {"access_key_id": KEY, "secret_access_key": SECRET, "endpoint_url": stub.url}
        self.by_role = {"iam_role_arn": ROLE, "iam_external_id": EXTERNAL_ID}

    def call(self, settings: dict[str, Any], **more: Any) -> Call:
        return Call(
            settings=settings,
            http=self.http,
            timeout=10.0,
            workspace_id="ws",
            source_id="src",
            destination_id="dst",
            **more,
        )

    async def run(
        self, action: Action, payloads: Sequence[dict], settings: dict[str, Any], **more: Any
    ) -> Outcome | list[Outcome]:
        return await action.perform(self.call(settings, **more), payloads)


@pytest.fixture
async def aws(stub: Stub) -> AsyncIterator[Aws]:
    http = HttpClient(Guard(["127.0.0.0/8"]))
    yield Aws(stub, http)
    await http.close()
