"""Against a stub of Pub/Sub that checks the documented shapes and limits."""

import re
from base64 import b64decode

import orjson
import pytest
from unit.destinations.google.conftest import Google, error

from onward.destinations.definition import Call
from onward.destinations.google_cloud_pubsub import DEFINITION, PUBLISH
from onward.destinations.outcome import DELIVERED
from onward.egress.http import EgressError, Request, Response

PUBLISH_URL = re.compile(
    r"https://([a-z0-9-]+-)?pubsub\.googleapis\.com/v1/(projects/[^/]+/topics/[^/:]+):publish"
)
SCHEMA = "Message failed schema validation."
TOPIC = "projects/project-1/topics/events"
SCOPE = "https://www.googleapis.com/auth/pubsub"


class PubSub(Google):
    def __init__(self, *args) -> None:
        super().__init__(*args)
        self.messages: list[dict] = []
        self.requests: list[list[dict]] = []
        self.topics = {TOPIC}
        self.may_list = True
        self.troubles: list[Response | Exception] = []
        self.refuses = lambda message: False

    async def serve(self, request: Request) -> Response:
        if self.troubles:
            trouble = self.troubles.pop(0)
            if isinstance(trouble, Exception):
                raise trouble
            return trouble
        if request.method == "GET":
            return self.list(request)
        assert request.method == "POST"
        assert request.headers["content-type"] == "application/json"
        topic = PUBLISH_URL.fullmatch(request.url)[2]
        messages = orjson.loads(request.body)["messages"]
        assert 0 < len(messages) <= 1000 and len(request.body) <= 10_000_000
        for message in messages:
            assert message.keys() <= {"data", "attributes", "orderingKey"}
            assert message.get("data") or message.get("attributes")
            b64decode(message.get("data", ""), validate=True)
            attributes = message.get("attributes", {})
            assert len(attributes) <= 100
            for name, value in attributes.items():
                assert 0 < len(name.encode()) <= 256 and not name.startswith("goog")
                assert isinstance(value, str) and len(value.encode()) <= 1024
        assert len({message.get("orderingKey") for message in messages}) == 1
        if topic not in self.topics:
            return error(404, "NOT_FOUND", f"Resource not found (resource={topic}).")
        if any(self.refuses(message) for message in messages):
            return error(
                400, "INVALID_ARGUMENT", "Invalid data in message: Message failed schema validation."
            )
        self.requests.append(messages)
        self.messages += messages
        answer = {"messageIds": [str(n) for n in range(len(messages))]}
        return Response(status=200, headers={}, body=orjson.dumps(answer))

    def list(self, request: Request) -> Response:
        assert re.fullmatch(
            r"https://pubsub\.googleapis\.com/v1/projects/project-1/topics\?pageSize=\d+(&pageToken=a%2Fb)?",
            request.url,
        )
        if not self.may_list:
            return error(403, "PERMISSION_DENIED", "User not authorized to perform this action.")
        more = {} if "pageToken" in request.url else {"nextPageToken": "a/b"}
        body = {"topics": [{"name": name} for name in sorted(self.topics)], **more}
        return Response(status=200, headers={}, body=orjson.dumps(body))


@pytest.fixture
def pubsub(private_key) -> PubSub:
    return PubSub(private_key.public_key())


@pytest.fixture
def publish(pubsub, key_file):
    async def publish(*payloads: dict, **settings):
        return await PUBLISH.perform(call_of(pubsub, {"credentials": key_file, **settings}), payloads)

    return publish


def call_of(http, settings) -> Call:
    return Call(
        settings=settings, http=http, timeout=5.0, workspace_id="ws", source_id="src", destination_id="dst"
    )


def message(n: int = 0, **more) -> dict:
    return {"topic": "events", "data": {"n": n}, **more}


def data(messages: list[dict]) -> list:
    return [orjson.loads(b64decode(message["data"])) for message in messages]


async def test_payloads_become_messages_of_one_request(pubsub, publish):
    attributes = {"messageId": "m1", "n": 1.0, "t": True, "o": {"a": [1]}, "none": None}
    outcomes = await publish(
        message(1, attributes=attributes), message(2), {"topic": TOPIC, "attributes": {"a": "b"}}
    )
    assert outcomes == [DELIVERED] * 3
    ((first, second, third),) = pubsub.requests
    assert data([first, second]) == [{"n": 1}, {"n": 2}]
    assert first["attributes"] == {"messageId": "m1", "n": "1", "t": "true", "o": '{"a":[1]}'}
    assert third == {"attributes": {"a": "b"}}
    assert pubsub.claims[0]["scope"] == SCOPE


async def test_one_token_serves_all(pubsub, publish):
    for n in range(3):
        assert await publish(message(n)) == [DELIVERED]
    assert len(pubsub.granted) == 1
    pubsub.revoked.add("ya29.0")
    assert await publish(message(3)) == [DELIVERED]
    assert len(pubsub.granted) == 2


async def test_a_request_holds_one_topic_and_one_ordering_key(pubsub, publish):
    other = "projects/project-2/topics/other"
    pubsub.topics.add(other)
    payloads = [message(n, ordering_key=f"user-{n % 2}") for n in range(6)]
    outcomes = await publish(*payloads, {"topic": other, "data": {"n": 6}}, message(7))
    assert outcomes == [DELIVERED] * 8
    assert sorted(
        (request[0].get("orderingKey", ""), [each["n"] for each in data(request)])
        for request in pubsub.requests
    ) == [("", [6]), ("", [7]), ("user-0", [0, 2, 4]), ("user-1", [1, 3, 5])]


async def test_requests_keep_to_the_limits(pubsub, publish):
    assert await publish(*(message(n) for n in range(2500))) == [DELIVERED] * 2500
    assert sorted(len(request) for request in pubsub.requests) == [500, 1000, 1000]
    assert [each["n"] for each in data(pubsub.messages)] == list(range(2500))
    pubsub.requests.clear()
    large = [message(n, data={"x": "y" * 2_000_000}) for n in range(8)]
    assert await publish(*large) == [DELIVERED] * 8
    assert len(pubsub.requests) == 3


async def test_one_that_is_refused_costs_only_itself(pubsub, publish):
    pubsub.refuses = lambda message: data([message])[0]["n"] in (3, 7)
    outcomes = await publish(*(message(n) for n in range(10)))
    assert [place for place, outcome in enumerate(outcomes) if outcome != DELIVERED] == [3, 7]
    assert (outcomes[3].kind, outcomes[3].code) == ("discarded", "400")
    assert outcomes[3].message == f"Invalid data in message: {SCHEMA} (INVALID_ARGUMENT)"
    assert [each["n"] for each in data(pubsub.messages)] == [0, 1, 2, 4, 5, 6, 8, 9]


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        ({"topic": "events"}, "needs data or attributes"),
        ({"topic": "events", "attributes": {"a": None}}, "needs data or attributes"),
        (message(data={"n": 2**70}), "can't be written as JSON"),
        (message(data={"x": "y" * 8_000_000}), "Pub/Sub takes 10 MB"),
        (message(attributes={"googclient": "x"}), "can't be an attribute's name"),
        (message(attributes={"": "x"}), "can't be an attribute's name"),
        (message(attributes={"ü" * 129: "x"}), "can't be an attribute's name"),
        (message(attributes={"a": "ü" * 513}), "longer than 1024 bytes"),
        (message(attributes={f"a{n}": "x" for n in range(101)}), "there are 101 attributes"),
        (message(attributes=["a"]), "attributes is not an object"),
        (message(ordering_key="x" * 1025), "ordering_key is longer"),
        (message(ordering_key="\ud800"), "can't be written as JSON"),
        (message(topic=None), "topic is 'None'"),
        (message(topic="no"), "topic is 'no'"),
        (message(topic="a/b/c"), "topic is 'a/b/c'"),
        (message(topic="goog-topic"), "topic is 'goog-topic'"),
    ],
)
async def test_what_cannot_be_a_message_costs_only_itself(pubsub, publish, payload, problem):
    before, bad, after = await publish(message(1), payload, message(2))
    assert before == after == DELIVERED
    assert (bad.kind, bad.code) == ("discarded", "MESSAGE_REJECTED")
    assert problem in bad.message
    assert data(pubsub.messages) == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (error(429, "RESOURCE_EXHAUSTED", "quota", retry_after="9"), ("retry", "429", 9.0)),
        (error(500, "INTERNAL", "oops"), ("retry", "500", None)),
        (error(503, "UNAVAILABLE", "busy"), ("retry", "503", None)),
        (error(504, "DEADLINE_EXCEEDED", "slow"), ("retry", "504", None)),
        (error(409, "ABORTED", "again"), ("retry", "409", None)),
        (error(499, "CANCELLED", "gone"), ("retry", "499", None)),
        (error(403, "PERMISSION_DENIED", "no"), ("discarded", "403", None)),
        (error(501, "UNIMPLEMENTED", "no"), ("discarded", "501", None)),
        (Response(status=502, headers={}, body=b"<html>"), ("retry", "502", None)),
        (EgressError("ECONNRESET", "reset"), ("retry", "ECONNRESET", None)),
        (EgressError("BLOCKED_ADDRESS", "no"), ("discarded", "BLOCKED_ADDRESS", None)),
    ],
)
async def test_answers_of_google(pubsub, publish, trouble, expected):
    pubsub.troubles.append(trouble)
    outcomes = await publish(message(1), message(2))
    assert {(outcome.kind, outcome.code, outcome.retry_after) for outcome in outcomes} == {expected}
    assert pubsub.messages == []


async def test_a_topic_that_is_not_there_is_final(pubsub, publish):
    (outcome,) = await publish(message(topic="missing"))
    assert (outcome.kind, outcome.code) == ("discarded", "404")
    assert outcome.message == "Resource not found (resource=projects/project-1/topics/missing). (NOT_FOUND)"


async def test_refused_credentials_are_told(pubsub, publish):
    pubsub.answer(400, {"error": "invalid_grant", "error_description": "Invalid grant: account not found"})
    (outcome,) = await publish(message())
    assert (outcome.kind, outcome.code) == ("discarded", "401")
    assert "account not found" in outcome.message


async def test_project_and_endpoint_are_settings(pubsub, publish):
    pubsub.topics = {"projects/other/topics/a%25b"}
    assert await publish(
        message(topic="a%b"), project_id="other", endpoint="https://us-east1-pubsub.googleapis.com/"
    ) == [DELIVERED]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"credentials": ""}, "credentials: the service account key is not JSON"),
        ({"credentials": "{}"}, "credentials: this is not the key file"),
        ({"project_id": "a/b"}, "project_id is 'a/b'"),
        ({"endpoint": "pubsub"}, "endpoint is 'pubsub'"),
    ],
)
async def test_settings_that_cannot_work_are_named(pubsub, key_file, settings, problem):
    call = call_of(pubsub, {"credentials": key_file, **settings})
    outcome = await PUBLISH.perform(call, [message()])
    outcome = outcome[0] if isinstance(outcome, list) else outcome
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert problem in outcome.message
    assert problem in await DEFINITION.test(call)
    assert problem in (await DEFINITION.choices(call, "publish", "topic", {}, None)).error


async def test_the_connection_is_tested_with_what_a_publisher_may_do(pubsub, key_file):
    call = call_of(pubsub, {"credentials": key_file})
    assert await DEFINITION.test(call) is None
    pubsub.may_list = False
    assert await DEFINITION.test(call) is None
    pubsub.troubles.append(error(404, "NOT_FOUND", "Requested project not found."))
    assert await DEFINITION.test(call) == "Requested project not found. (NOT_FOUND)"


async def test_topics_can_be_chosen_from_page_by_page(pubsub, key_file):
    call = call_of(pubsub, {"credentials": key_file})
    page = await DEFINITION.choices(call, "publish", "topic", {}, None)
    assert page.choices == [{"label": "events", "value": TOPIC}]
    page = await DEFINITION.choices(call, "publish", "topic", {}, page.next_page)
    assert (len(page.choices), page.next_page) == (1, None)
    pubsub.may_list = False
    page = await DEFINITION.choices(call, "publish", "topic", {}, None)
    assert page.error == "User not authorized to perform this action. (PERMISSION_DENIED)"
