"""From the Tracking API to AWS through real processes: roles, files with all events, partial failures."""

import asyncio
import csv
import io
import json
import threading
from collections.abc import Iterator

import pytest
from harness import wait_until
from unit.destinations.aws.stub import BASE_KEY, BASE_SECRET, EXTERNAL_ID, KEY, ROLE, SECRET, Stub


@pytest.fixture
def stub() -> Iterator[Stub]:
    """In a thread with a loop of its own, as the harness waits without one."""
    stub, loop = Stub(), asyncio.new_event_loop()
    loop.run_until_complete(stub.start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield stub
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.run_until_complete(stub.close())
    loop.close()
    assert stub.faults == []


@pytest.fixture
def onward(onward_factory, stub, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", BASE_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", BASE_SECRET)
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", stub.url)
    return onward_factory().start()


def connect(onward, source, slug, settings, **mapping):
    """A destination with one mapping: the action's own, changed by `mapping`."""
    body = {"sourceId": source.id, "metadataId": slug, "enabled": False, "settings": settings}
    created = onward.api("POST", "/destinations", body)["destination"]["id"]
    for each in onward.api("GET", f"/destinations/{created}/subscriptions")["subscriptions"]:
        onward.api("DELETE", f"/destinations/{created}/subscriptions/{each['id']}")
    action = mapping.pop("action")
    subscription = {"name": "All", "actionId": action, "trigger": 'type = "track"', "enabled": True}
    onward.api("POST", f"/destinations/{created}/subscriptions", {**subscription, "settings": mapping})
    onward.api("PATCH", f"/destinations/{created}", {"enabled": True})
    return created


def tracks(count):
    return [
        {"type": "track", "event": "Bought", "userId": f"u{n}", "messageId": f"m{n}", "properties": {"n": n}}
        for n in range(count)
    ]


def test_files_hold_every_event_once_though_the_first_answer_is_lost(onward, stub):
    source = onward.create_source("s3")
    stub.answer("s3", 500, b"<Error><Code>InternalError</Code><Message>again</Message></Error>")
    connect(
        onward,
        source,
        "actions-s3",
        {
            "iam_role_arn": ROLE,
            "iam_external_id": EXTERNAL_ID,
            "s3_aws_bucket_name": "events",
            "s3_aws_region": "eu-west-1",
            "endpoint_url": stub.url,
        },
        action="syncToS3",
        columns={"user": {"@path": "$.userId"}, "properties": {"@path": "$.properties"}},
        delimiter=",",
        file_extension="csv",
        filename_prefix="all",
        s3_aws_folder_name={"@template": "{{type}}"},
        enable_batching=True,
        batch_size=20,
        batch_keys=["s3_aws_folder_name"],
    )
    onward.send(source, tracks(100))
    wait_until(lambda: len(stub.objects) >= 5, timeout=60, what="five files")
    assert len({asked.path for asked in stub.of("s3")}) == 5
    assert len(stub.of("s3")) == 6
    rows = [row for body in stub.objects.values() for row in csv.DictReader(io.StringIO(body.decode()))]
    assert sorted(row["user"] for row in rows) == sorted(f"u{n}" for n in range(100))
    assert all(key.startswith("track/all_") for _, key in stub.objects)
    assert stub.given >= 1


def test_messages_that_fail_alone_come_again_alone(onward, stub):
    source = onward.create_source("sqs")
    stub.failing = {'{"n":3}': ("RequestThrottled", "slow"), '{"n":7}': ("InvalidMessageContents", "bad")}
    destination = connect(
        onward,
        source,
        "actions-aws-sqs",
        {
            "access_key_id": KEY,
            "secret_access_key": SECRET,
            "queue_url": f"{stub.url}/123456789012/events",
        },
        action="send",
        message={"@path": "$.properties"},
        enable_batching=True,
        batch_size=10,
    )
    onward.send(source, tracks(10))
    wait_until(lambda: len(stub.messages) == 8, what="eight messages")
    stub.failing = {}
    wait_until(lambda: len(stub.messages) == 9, timeout=60, what="the one that was throttled")
    bodies = sorted(json.loads(each["MessageBody"])["n"] for each in stub.messages)
    assert bodies == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    shown = onward.api("GET", f"/destinations/{destination}")["destination"]["settings"]
    assert SECRET not in json.dumps(shown)


def test_a_destination_needs_a_role_or_a_key(onward):
    source = onward.create_source("none")
    settings = {"s3_aws_bucket_name": "events", "s3_aws_region": "eu-west-1"}
    body = {"sourceId": source.id, "metadataId": "actions-s3", "enabled": True, "settings": settings}
    answer = onward.api("POST", "/destinations", body, expect=422)
    assert "iam_role_arn" in json.dumps(answer)
    for more in ({"access_key_id": KEY}, {"iam_role_arn": ROLE}):
        onward.api("POST", "/destinations", {**body, "settings": {**settings, **more}}, expect=422)
