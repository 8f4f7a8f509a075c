"""Roles: with whose key they are assumed, how often, and what is kept."""

import asyncio
import time

import pytest
from unit.destinations.aws.stub import BASE_KEY, BASE_SECRET, EXTERNAL_ID, KEY, ROLE, SECRET

from onward.destinations.aws import credentials as module
from onward.destinations.aws.credentials import credentials, forget, who_am_i
from onward.destinations.aws.errors import AwsError

REGION = "eu-west-1"


@pytest.fixture
def environment(stub, monkeypatch):
    values = {
        "AWS_ACCESS_KEY_ID": BASE_KEY,
        "AWS_SECRET_ACCESS_KEY": BASE_SECRET,
        "AWS_ENDPOINT_URL_STS": stub.url,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


async def test_a_key_is_used_as_it_is(aws, stub):
    found = await credentials(aws.call(aws.by_key), REGION)
    assert (found.access_key_id, found.secret_access_key) == (KEY, SECRET)
    assert stub.asked == []


async def test_a_role_is_assumed_with_onwards_own_key(aws, stub, environment):
    found = await credentials(aws.call(aws.by_role), REGION)
    assert found.session_token == "token+1=="
    (asked,) = stub.asked
    assert asked.key == BASE_KEY
    assert asked.arguments == {
        "Action": "AssumeRole",
        "Version": "2011-06-15",
        "RoleArn": ROLE,
        "RoleSessionName": "onward-dst",
        "ExternalId": EXTERNAL_ID,
    }


async def test_kinesis_has_other_names_for_the_same_settings(aws, environment):
    settings = {"iamRoleArn": ROLE, "iamExternalId": EXTERNAL_ID}
    assert (await credentials(aws.call(settings), REGION)).session_token


async def test_a_role_is_assumed_with_the_destinations_key_where_it_has_one(aws, stub):
    found = await credentials(aws.call({**aws.by_key, "iam_role_arn": ROLE}), REGION)
    assert found.session_token
    (asked,) = stub.asked
    assert asked.key == KEY
    assert "ExternalId" not in asked.arguments


async def test_any_number_of_calls_wait_for_one_request(aws, stub, environment):
    calls = [credentials(aws.call(aws.by_role), REGION) for _ in range(50)]
    found = await asyncio.gather(*calls)
    assert len(set(found)) == 1 and stub.given == 1
    await credentials(aws.call(aws.by_role), REGION)
    assert stub.given == 1


async def test_a_caller_that_gives_up_does_not_take_the_others_with_it(aws, stub, environment):
    first = asyncio.create_task(credentials(aws.call(aws.by_role), REGION))
    await asyncio.sleep(0)
    second = asyncio.create_task(credentials(aws.call(aws.by_role), REGION))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).session_token
    assert stub.given == 1


async def test_they_are_renewed_before_they_end(aws, stub, environment):
    stub.session_seconds = module.EARLY - 5
    await credentials(aws.call(aws.by_role), REGION)
    await credentials(aws.call(aws.by_role), REGION)
    assert stub.given == 2
    stub.session_seconds = module.EARLY + 60
    await credentials(aws.call(aws.by_role), REGION)
    await credentials(aws.call(aws.by_role), REGION)
    assert stub.given == 3


async def test_what_is_forgotten_is_asked_for_again(aws, stub, environment):
    await credentials(aws.call(aws.by_role), REGION)
    forget(aws.call(aws.by_role))
    await credentials(aws.call(aws.by_role), REGION)
    assert stub.given == 2


async def test_a_refusal_costs_one_request_in_a_while(aws, stub, environment, monkeypatch):
    wrong = {**aws.by_role, "iam_external_id": "wrong"}
    for _ in range(5):
        with pytest.raises(AwsError) as caught:
            await credentials(aws.call(wrong), REGION)
        assert caught.value.outcome.kind == "discarded"
        assert caught.value.outcome.code == "403"
        assert caught.value.outcome.message.startswith("AccessDenied: User: x is not authorized")
    assert len(stub.asked) == 1
    later = time.time() + module.REFUSED + 1
    monkeypatch.setattr(module.time, "time", lambda: later)
    with pytest.raises(AwsError):
        await credentials(aws.call(wrong), REGION)
    assert len(stub.asked) == 2


async def test_an_sts_that_fails_is_tried_again(aws, stub, environment):
    stub.answer("sts", 503, b"<Error><Code>ServiceUnavailable</Code><Message>later</Message></Error>")
    with pytest.raises(AwsError) as caught:
        await credentials(aws.call(aws.by_role), REGION)
    assert caught.value.outcome.kind == "retry"


async def test_an_answer_without_credentials_is_tried_again(aws, stub, environment):
    stub.answer("sts", 200, b"<AssumeRoleResponse/>")
    with pytest.raises(AwsError) as caught:
        await credentials(aws.call(aws.by_role), REGION)
    assert caught.value.outcome.kind == "retry"
    assert ROLE in caught.value.outcome.message


async def test_onwards_own_key_goes_to_no_endpoint_of_a_destination(aws, stub, environment):
    """Whoever adds a destination must not get a request signed by it."""
    elsewhere = {**aws.by_role, "endpoint_url": "http://127.0.0.1:1"}
    assert (await credentials(aws.call(elsewhere), REGION)).session_token
    assert stub.given == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "neither an IAM role nor an access key"),
        ({"endpoint_url": "http://127.0.0.1:1"}, "neither an IAM role nor an access key"),
        ({"access_key_id": "A"}, "needed together"),
        ({"secret_access_key": "A"}, "needed together"),
        ({"iam_role_arn": ROLE}, "external ID"),
        ({"iam_role_arn": "arn:aws:iam::1:role/x", "iam_external_id": "e"}, "is not the ARN"),
    ],
)
async def test_settings_that_cannot_do_say_so(aws, stub, environment, settings, words):
    with pytest.raises(AwsError, match=words) as caught:
        await credentials(aws.call(settings), REGION)
    assert caught.value.outcome.code == "INVALID_SETTINGS"
    assert stub.asked == []


async def test_a_role_needs_a_key_from_somewhere(aws, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(AwsError, match="start it with AWS_ACCESS_KEY_ID"):
        await credentials(aws.call(aws.by_role), REGION)


async def test_who_am_i(aws, stub):
    assert await who_am_i(aws.call(aws.by_key), REGION) == "arn:aws:iam::1:user/me"
    wrong = {**aws.by_key, "secret_access_key": "wrong"}
    with pytest.raises(AwsError, match="SignatureDoesNotMatch") as caught:
        await who_am_i(aws.call(wrong), REGION)
    assert "canonical" not in caught.value.outcome.message
    stub.faults.clear()
