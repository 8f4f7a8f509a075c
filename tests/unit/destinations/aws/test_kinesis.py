import base64
import json

import pytest

from onward.destinations.aws_kinesis import DEFINITION, SEND
from onward.destinations.outcome import DELIVERED


def record(number, **more):
    return {
        "payload": {"messageId": f"m{number}", "n": number},
        "partitionKey": f"m{number}",
        "streamName": "events",
        "awsRegion": "eu-west-1",
        **more,
    }


@pytest.fixture
def send(aws):
    async def send(*payloads, **settings):
        return await aws.run(SEND, payloads, {**aws.by_key, **settings})

    return send


async def test_a_batch_is_one_request(send, stub):
    assert await send(*(record(n) for n in range(500))) == DELIVERED
    assert len(stub.asked) == 1
    assert [json.loads(base64.b64decode(each["Data"]))["n"] for each in stub.records] == list(range(500))
    assert stub.records[7]["PartitionKey"] == "m7"
    assert {each["region"] for each in stub.records} == {"eu-west-1"}


async def test_data_is_the_payloads_json(send, stub):
    await send(record(1, payload={"a": 1.0, "ü": "日本", "z": None}))
    assert base64.b64decode(stub.records[0]["Data"]) == '{"a":1,"ü":"日本","z":null}'.encode()


async def test_a_request_is_no_larger_than_kinesis_takes(send, stub):
    payloads = [record(n, payload={"x": "y" * 900_000}) for n in range(12)]
    assert await send(*payloads) == DELIVERED
    assert len(stub.records) == 12
    assert sorted(len(asked.arguments["Records"]) for asked in stub.asked) == [2, 5, 5]


async def test_streams_and_regions_have_requests_of_their_own(send, stub):
    payloads = [record(0), record(1, streamName="other"), record(2, awsRegion="us-east-1"), record(3)]
    assert await send(*payloads) == DELIVERED
    found = {(each["StreamName"], each["region"], each["PartitionKey"]) for each in stub.records}
    assert found == {
        ("events", "eu-west-1", "m0"),
        ("other", "eu-west-1", "m1"),
        ("events", "us-east-1", "m2"),
        ("events", "eu-west-1", "m3"),
    }
    assert len(stub.asked) == 3


async def test_records_fail_one_by_one(send, stub):
    stub.failing = {
        "m3": ("ProvisionedThroughputExceededException", "Rate exceeded for shard 1"),
        "m7": ("InternalFailure", "Internal Service Failure"),
        "m8": ("KMSAccessDeniedException", "no key"),
    }
    outcomes = await send(*(record(n) for n in range(10)))
    assert [each.kind for each in outcomes] == [
        {3: "retry", 7: "retry", 8: "discarded"}.get(n, "delivered") for n in range(10)
    ]
    assert (outcomes[3].code, outcomes[7].code, outcomes[8].code) == ("429", "503", "403")
    assert outcomes[3].message == "ProvisionedThroughputExceededException: Rate exceeded for shard 1"
    assert len(stub.records) == 7


async def test_what_kinesis_would_refuse_costs_itself(send, stub):
    outcomes = await send(
        record(0),
        record(1, partitionKey=""),
        record(2, partitionKey="k" * 257),
        record(3, payload={"x": "y" * 1_100_000}),
        record(4, payload={"n": 2**70}),
        record(5, streamName="no/stream"),
        record(6, awsRegion="eu-west-1.evil.com"),
        record(7, awsRegion=None),
        record(8),
    )
    assert [each.kind for each in outcomes] == ["delivered", *["discarded"] * 7, "delivered"]
    assert {each.code for each in outcomes[1:8]} == {"MESSAGE_REJECTED"}
    assert len(stub.records) == 2


async def test_the_whole_request_may_fail(send, stub):
    stub.answer(
        "kinesis", 400, {"__type": "ProvisionedThroughputExceededException", "message": "Rate exceeded"}
    )
    outcomes = await send(record(0), record(1))
    assert [(each.kind, each.code) for each in outcomes] == [("retry", "429")] * 2
    stub.answer("kinesis", 400, {"__type": "AccessDeniedException", "Message": "User: x is not authorized"})
    outcomes = await send(record(0), record(1))
    assert [(each.kind, each.message) for each in outcomes] == [
        ("discarded", "AccessDeniedException: User: x is not authorized")
    ] * 2
    (outcome,) = await send(record(0, streamName="missing"))
    assert outcome.kind == "discarded" and outcome.message.startswith("ResourceNotFoundException: Stream")


@pytest.mark.parametrize(
    "answer", [b"<html>", b"[]", b"{}", b'{"Records": [{}]}', b'{"Records": [{}, {}, {}]}']
)
async def test_an_answer_that_is_none_is_tried_again(send, stub, answer):
    stub.answer("kinesis", 200, answer)
    outcomes = await send(record(0), record(1))
    assert [each.kind for each in outcomes] == ["retry", "retry"]


async def test_credentials_that_ran_out_are_replaced(aws, stub, monkeypatch):
    for name, value in {"AWS_ACCESS_KEY_ID": "AKIAONWARD", "AWS_ENDPOINT_URL_STS": stub.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "onwards/own+secret")
    settings = {
        "iamRoleArn": aws.by_role["iam_role_arn"],
        "iamExternalId": aws.by_role["iam_external_id"],
        "endpoint_url": stub.url,
    }
    stub.answer("kinesis", 400, {"__type": "ExpiredTokenException", "message": "old"})
    (outcome,) = await aws.run(SEND, [record(0)], settings)
    assert outcome.kind == "retry"
    assert await aws.run(SEND, [record(0)], settings) == DELIVERED
    assert [asked.key for asked in stub.of("kinesis")] == ["ASIA1", "ASIA2"]


async def test_a_service_that_is_gone_is_tried_again(send, stub):
    (outcome,) = await send(record(0), endpoint_url="http://127.0.0.1:9")
    assert (outcome.kind, outcome.code) == ("retry", "ECONNREFUSED")


async def test_the_test_asks_who_we_are(aws, stub):
    assert await DEFINITION.test(aws.call(aws.by_key)) is None
    bad = {"iamRoleArn": "role/x", "iamExternalId": "e"}
    assert "is not the ARN of an IAM role" in await DEFINITION.test(aws.call(bad))
    stub.answer("sts", 403, b"<Error><Code>InvalidClientTokenId</Code><Message>no such key</Message></Error>")
    assert await DEFINITION.test(aws.call(aws.by_key)) == "403: InvalidClientTokenId: no such key"


async def test_aws_itself(run, http):
    http.answer(200, b'{"FailedRecordCount":0,"Records":[{}]}')
    settings = {"access_key_id": "A", "secret_access_key": "S"}
    assert await run(SEND, [record(0, awsRegion="cn-north-1")], settings=settings) == DELIVERED
    assert http.requests[0].url == "https://kinesis.cn-north-1.amazonaws.com.cn/"
