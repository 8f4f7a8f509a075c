import json

import pytest

from onward.destinations.aws_sqs import DEFINITION, SEND
from onward.destinations.aws_sqs.send import Queue
from onward.destinations.outcome import DELIVERED


def message(number, **more):
    return {"message": {"n": number}, "message_deduplication_id": f"m{number}", **more}


@pytest.fixture
def send(aws, stub):
    async def send(*payloads, queue="events", **settings):
        url = f"{stub.url}/123456789012/{queue}"
        return await aws.run(SEND, payloads, {**aws.by_key, "queue_url": url, **settings})

    return send


async def test_a_batch_is_one_request(send, stub):
    assert await send(*(message(n) for n in range(10))) == DELIVERED
    assert len(stub.asked) == 1
    assert [each["MessageBody"] for each in stub.messages] == [f'{{"n":{n}}}' for n in range(10)]
    assert stub.messages[0]["QueueUrl"] == f"{stub.url}/123456789012/events"
    assert "MessageDeduplicationId" not in stub.messages[0]


async def test_more_than_ten_are_more_requests(send, stub):
    assert await send(*(message(n) for n in range(25))) == DELIVERED
    assert sorted(len(asked.arguments["Entries"]) for asked in stub.asked) == [5, 10, 10]


async def test_a_request_is_no_larger_than_sqs_takes(send, stub):
    assert await send(*(message(n, message={"x": "y" * 400_000}) for n in range(5))) == DELIVERED
    assert sorted(len(asked.arguments["Entries"]) for asked in stub.asked) == [1, 2, 2]


async def test_the_queues_own_endpoint_is_asked_without_another(send, stub, aws):
    settings = {name: value for name, value in aws.by_key.items() if name != "endpoint_url"}
    url = f"{stub.url}/1/q"
    assert (
        await aws.run(SEND, [message(0)], {**settings, "queue_url": url, "region": "eu-north-1"}) == DELIVERED
    )
    assert stub.messages[0]["region"] == "eu-north-1"


async def test_messages_fail_one_by_one(send, stub):
    stub.failing = {
        '{"n":3}': ("AWS.SimpleQueueService.InvalidMessageContents", "bad"),
        '{"n":7}': ("RequestThrottled", "slow"),
        '{"n":8}': ("InternalError", "later"),
    }
    outcomes = await send(*(message(n) for n in range(10)))
    assert [each.kind for each in outcomes] == [
        {3: "discarded", 7: "retry", 8: "retry"}.get(n, "delivered") for n in range(10)
    ]
    assert outcomes[3].message == "InvalidMessageContents: bad"


async def test_a_fault_of_the_service_is_tried_again_whatever_it_is_called(send, stub):
    failed = {"Id": "0", "Code": "Odd", "Message": "?", "SenderFault": False}
    stub.answer("sqs", 200, {"Successful": [], "Failed": [failed]})
    assert [each.kind for each in await send(message(0), message(1))] == ["retry", "retry"]


async def test_what_sqs_would_refuse_costs_itself(send, stub):
    outcomes = await send(
        message(0),
        message(1, message=None),
        message(2, message={"x": "y" * 1_100_000}),
        message(3, message={"n": 2**70}),
        message(4, delay_seconds=901),
        message(5, message_attributes={"no name": 1}),
        message(6, message_attributes={f"a{n}": n for n in range(11)}),
        message(7, message_attributes="x"),
        message(8, message_attributes={"AWS.x": 1}),
        message(9),
    )
    assert [each.kind for each in outcomes] == ["delivered", *["discarded"] * 8, "delivered"]
    assert len(stub.messages) == 2


@pytest.mark.parametrize("text", ["\ufffe\uffff", "\x00\x1f\x7f\x9f", "\ufdd0🎉", "\u2028"])
async def test_characters_that_sqs_refuses_arrive_all_the_same(send, stub, text):
    payload = message(0, message={"x": text}, message_attributes={"a": text + "!"})
    assert await send(payload) == DELIVERED
    assert json.loads(stub.messages[0]["MessageBody"]) == {"x": text}


async def test_attributes(send, stub):
    values = {"type": "track", "n": 5.0, "on": True, "none": None, "empty": "", "more": {"a": 1}}
    await send(message(0, message_attributes=values, delay_seconds=5))
    assert stub.messages[0]["MessageAttributes"] == {
        "type": {"DataType": "String", "StringValue": "track"},
        "n": {"DataType": "Number", "StringValue": "5"},
        "on": {"DataType": "String", "StringValue": "true"},
        "more": {"DataType": "String", "StringValue": '{"a":1}'},
    }
    assert stub.messages[0]["DelaySeconds"] == 5


async def test_a_fifo_queue_gets_groups_and_drops_repeats(send, stub):
    payloads = [message(n, message_group_id="user 1", delay_seconds=5) for n in range(12)]
    assert await send(*payloads, queue="events.fifo") == DELIVERED
    assert [json.loads(each["MessageBody"])["n"] for each in stub.messages] == list(range(12))
    assert stub.messages[0]["MessageDeduplicationId"] == "m0"
    assert len({each["MessageGroupId"] for each in stub.messages}) == 1
    assert " " not in stub.messages[0]["MessageGroupId"]
    assert "DelaySeconds" not in stub.messages[0]
    (outcome,) = await send(message(0), queue="events.fifo")
    assert outcome.kind == "discarded" and "message_group_id is empty" in outcome.message


async def test_a_mapping_may_name_another_queue(send, stub):
    other = f"{stub.url}/123456789012/other"
    assert await send(message(0), message(1, queue_url=other)) == DELIVERED
    assert {each["QueueUrl"].rpartition("/")[2] for each in stub.messages} == {"events", "other"}


async def test_the_whole_request_may_fail(send, stub):
    (outcome,) = await send(message(0), queue="missing")
    assert (outcome.kind, outcome.message) == (
        "discarded",
        "QueueDoesNotExist: The specified queue does not exist.",
    )
    stub.answer("sqs", 403, {"__type": "RequestThrottled", "message": "slow"})
    assert [each.code for each in await send(message(0))] == ["429"]


@pytest.mark.parametrize(
    ("url", "region", "endpoint"),
    [
        ("https://sqs.eu-west-1.amazonaws.com/1/q", "eu-west-1", ""),
        ("https://us-west-2.queue.amazonaws.com/1/q", "us-west-2", ""),
        ("https://queue.amazonaws.com/1/q", "us-east-1", ""),
        ("https://sqs.cn-north-1.amazonaws.com.cn/1/q", "cn-north-1", ""),
        ("http://localhost:4566/1/q.fifo", "us-east-1", "http://localhost:4566"),
        (
            "https://sqs.eu-west-1.amazonaws.com.evil.com/q",
            "us-east-1",
            "https://sqs.eu-west-1.amazonaws.com.evil.com",
        ),
    ],
)
def test_queues(url, region, endpoint):
    queue = Queue({}, url)
    assert (queue.region, queue.endpoint, queue.fifo) == (region, endpoint, url.endswith(".fifo"))


@pytest.mark.parametrize("url", ["", None, "events", "ftp://x/q", "http://", "http://[x/q"])
async def test_a_url_that_is_none_says_so(send, stub, url):
    (outcome,) = await send(message(0), queue_url=url)
    assert outcome.code == "INVALID_SETTINGS" and "the queue's URL is" in outcome.message


async def test_the_test_looks_the_queue_up(aws, stub):
    settings = {**aws.by_key, "queue_url": f"{stub.url}/1/q"}
    assert await DEFINITION.test(aws.call(settings)) is None
    problem = await DEFINITION.test(aws.call({**settings, "queue_url": f"{stub.url}/1/missing"}))
    assert problem == "400: QueueDoesNotExist: The specified queue does not exist."
    assert "the queue's URL" in await DEFINITION.test(aws.call({**settings, "queue_url": "q"}))
    stub.answer("sqs", 403, {"__type": "AccessDeniedException", "message": "no"})
    assert "the credentials are right" in await DEFINITION.test(aws.call(settings))
