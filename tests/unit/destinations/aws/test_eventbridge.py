import json

import pytest

from onward.destinations.amazon_eventbridge import DEFINITION, SEND
from onward.destinations.definition import HookError
from onward.destinations.outcome import DELIVERED

BUS = {"accountId": "123456789012", "region": "eu-west-1"}


def event(number, **more):
    return {
        "data": {"n": number},
        "detailType": f"track{number}",
        "time": "2026-01-02T03:04:05.678Z",
        **more,
    }


@pytest.fixture
def send(aws):
    async def send(*payloads, mapping=None, **settings):
        return await aws.run(SEND, payloads, {**aws.by_key, **BUS, **settings}, mapping=mapping or {})

    return send


async def test_events_go_to_the_bus_ten_at_a_time(send, stub):
    assert await send(*(event(n) for n in range(20))) == DELIVERED
    assert [len(asked.arguments["Entries"]) for asked in stub.asked] == [10, 10]
    assert sorted(json.loads(each["Detail"])["n"] for each in stub.events) == list(range(20))
    assert stub.events[0] == {
        "Source": "onward",
        "EventBusName": "arn:aws:events:eu-west-1:123456789012:event-bus/default",
        "DetailType": "track0",
        "Detail": '{"n":0}',
        "Resources": [],
        "Time": 1767323045.678,
        "region": "eu-west-1",
    }


async def test_what_the_settings_say(send, stub):
    await send(event(0), event_bus_name="orders", source="shop", region="cn-north-1")
    assert stub.events[-1]["EventBusName"] == "arn:aws-cn:events:cn-north-1:123456789012:event-bus/orders"
    assert stub.events[-1]["Source"] == "shop"
    arn = "arn:aws:events:us-east-1:210987654321:event-bus/theirs"
    await send(event(0), event_bus_name=arn)
    assert stub.events[-1]["EventBusName"] == arn


@pytest.mark.parametrize(
    ("resources", "sent"),
    [(None, []), ("arn:a", ["arn:a"]), (["arn:a", "arn:b"], ["arn:a", "arn:b"]), ("", [])],
)
async def test_resources(send, stub, resources, sent):
    await send(event(0, resources=resources))
    assert stub.events[0]["Resources"] == sent


async def test_without_a_time_it_is_awss(send, stub):
    await send(event(0, time=None))
    assert "Time" not in stub.events[0]


async def test_events_fail_one_by_one(send, stub):
    stub.failing = {
        "track3": ("ThrottlingException", "slow down"),
        "track7": ("MalformedDetail", "Detail is malformed."),
        "track12": ("InternalFailure", ""),
    }
    outcomes = await send(*(event(n) for n in range(15)))
    assert [each.kind for each in outcomes] == [
        {3: "retry", 7: "discarded", 12: "retry"}.get(n, "delivered") for n in range(15)
    ]
    assert [outcomes[n].code for n in (3, 7, 12)] == ["429", "400", "503"]
    assert outcomes[7].message == "MalformedDetail: Detail is malformed."


async def test_what_eventbridge_would_refuse_costs_itself(send, stub):
    outcomes = await send(
        event(0),
        event(1, detailType="x" * 129),
        event(2, detailType=None),
        event(3, data="text"),
        event(4, time="soon"),
        event(5, data={"x": "y" * 1_000_000}),
        event(6, data={"n": 2**70}),
        event(7),
    )
    assert [each.kind for each in outcomes] == ["delivered", *["discarded"] * 6, "delivered"]
    assert len(stub.events) == 2


async def test_a_request_is_no_larger_than_eventbridge_takes(send, stub):
    assert await send(*(event(n, data={"x": "y" * 400_000}) for n in range(5))) == DELIVERED
    assert sorted(len(asked.arguments["Entries"]) for asked in stub.asked) == [1, 2, 2]


async def test_the_whole_request_may_fail(send, stub):
    stub.answer("events", 503, {"__type": "ServiceUnavailable", "message": "later"})
    outcomes = await send(event(0), event(1))
    assert [each.kind for each in outcomes] == ["retry", "retry"]
    stub.answer("events", 400, {"__type": "AccessDeniedException", "message": "no"})
    assert [each.kind for each in await send(event(0), event(1))] == ["discarded", "discarded"]
    stub.answer("events", 200, {"Entries": []})
    assert [each.kind for each in await send(event(0))] == ["retry"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"accountId": "1"}, "twelve digits"),
        ({"region": "here"}, "not a region"),
        ({"secret_access_key": ""}, "together"),
    ],
)
async def test_settings_that_cannot_do_say_so(send, stub, settings, words):
    outcome = await send(event(0), **settings)
    outcome = outcome[0] if isinstance(outcome, list) else outcome
    assert outcome.code == "INVALID_SETTINGS" and words in outcome.message
    assert stub.asked == []


# -- partners ------------------------------------------------------------------------------------------

PARTNER = {"partner_name": "segment.com"}


@pytest.mark.parametrize("hook", ["onMappingSave", "retlOnMappingSave"])
async def test_a_partner_sends_to_the_source_that_its_hook_made(aws, send, stub, hook):
    call = aws.call({**aws.by_key, **BUS, **PARTNER})
    outputs = await SEND.hooks[hook].perform(call, {}, {})
    assert outputs == {"sourceId": "src"}
    assert stub.partner_sources == {"aws.partner/segment.com/src": "123456789012"}
    mapping = {hook: {"outputs": outputs}}
    assert await send(*(event(n) for n in range(20)), mapping=mapping, **PARTNER) == DELIVERED
    assert [asked.operation for asked in stub.asked[-1:]] == ["PutPartnerEvents"]
    assert stub.events[0]["Source"] == "aws.partner/segment.com/src"
    await SEND.hooks[hook].perform(call, {}, {})
    assert [asked.operation for asked in stub.asked].count("CreatePartnerEventSource") == 1


async def test_a_source_that_exists_meanwhile_is_as_good(aws, stub):
    stub.partner_sources["aws.partner/segment.com/src"] = "123456789012"
    stub.answer("events", 200, {"PartnerEventSources": []})
    call = aws.call({**aws.by_key, **BUS, **PARTNER})
    assert await SEND.hooks["onMappingSave"].perform(call, {}, {}) == {"sourceId": "src"}


async def test_a_hook_says_why_it_failed(aws, stub):
    stub.answer("events", 400, {"__type": "OperationDisabledException", "message": "not a partner"})
    call = aws.call({**aws.by_key, **BUS, **PARTNER})
    with pytest.raises(HookError, match="400: OperationDisabledException: not a partner"):
        await SEND.hooks["onMappingSave"].perform(call, {}, {})


async def test_without_a_partners_name_the_hook_asks_nobody(aws, stub):
    hook = SEND.hooks["onMappingSave"]
    assert await hook.perform(aws.call({**aws.by_key, **BUS}), {}, {}) == {"sourceId": "src"}
    assert stub.asked == []


async def test_a_partner_without_a_source_is_told(send, stub):
    outcome = await send(event(0), **PARTNER)
    assert outcome.code == "INVALID_SETTINGS" and "Create Partner Source" in outcome.message


# -- test ----------------------------------------------------------------------------------------------


async def test_the_test_looks_the_bus_up(aws, stub):
    settings = {**aws.by_key, **BUS}
    assert await DEFINITION.test(aws.call(settings)) is None
    problem = await DEFINITION.test(aws.call({**settings, "event_bus_name": "missing"}))
    assert problem == "400: ResourceNotFoundException: Event bus missing does not exist."
    assert await DEFINITION.test(aws.call({**settings, **PARTNER})) is None
    assert "twelve digits" in await DEFINITION.test(aws.call({**settings, "accountId": ""}))
    stub.answer("events", 400, {"__type": "AccessDeniedException", "message": "no"})
    assert "the credentials are right" in await DEFINITION.test(aws.call(settings))
