"""Deletions at webhooks: an event of the type `delete` to each address (spec §13.1, §16.1)."""

import msgspec
import pytest

from onward.destinations.outcome import DELIVERED
from onward.destinations.webhook import DEFINITION
from onward.pipeline.mapping import MappingError
from onward.workspace.snapshot import Subscription

EVENT = {"type": "delete", "userId": "u 1", "messageId": "delete-1"}


def mapping(url, **more):
    return Subscription(id="s", name="", action="send", trigger="", mapping={"url": url, **more})


@pytest.fixture
def forget(run):
    async def forget(*mappings, **call):
        call = msgspec.structs.replace(run.call, events=[EVENT], subscriptions=mappings, **call)
        return await DEFINITION.on_delete(call, "u 1", None)

    return forget


async def test_each_address_is_told_once_whatever_is_mapped(forget, http):
    mappings = [
        mapping("https://a.example", method="PUT", data={"name": {"@path": "$.event"}}),
        mapping("https://a.example", method="PUT", enable_batching=True),
        mapping({"@template": "https://b.example/{{userId}}"}, headers={"X-Key": "1"}),
    ]
    assert await forget(*mappings) == DELIVERED
    assert [(request.method, request.url) for request in http.requests] == [
        ("PUT", "https://a.example"),
        ("POST", "https://b.example/u 1"),
    ]
    assert http.bodies == [EVENT, EVENT]
    assert http.requests[1].headers["X-Key"] == "1"


async def test_it_is_signed_like_any_other(forget, http):
    await forget(mapping("https://a.example"), settings={"sharedSecret": "s"})
    assert "x-signature" in http.requests[0].headers


@pytest.mark.parametrize(
    ("answers", "kind", "code"),
    [([200, 200], "delivered", ""), ([200, 400], "discarded", "400"), ([400, 503], "retry", "503")],
)
async def test_the_worst_answer_counts(forget, http, answers, kind, code):
    for status in answers:
        http.answer(status)
    outcome = await forget(mapping("https://a.example"), mapping("https://b.example"))
    assert (outcome.kind, outcome.code) == (kind, code)


async def test_without_an_address_nobody_is_told(forget, http):
    outcome = await forget()
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS") and not http.requests
    with pytest.raises(MappingError):
        await forget(mapping({"@nonsense": 1}))
