import base64
import hashlib
import hmac

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.destinations.outcome import DELIVERED
from onward.destinations.webhook import SEND
from onward.destinations.webhook.send import _encode_as_javascript
from onward.destinations.webhook.sign import segment_signature, standard_id, standard_signature
from onward.egress.http import EgressError
from onward.pipeline.javascript import stringify

URL = "https://hook.example/x"


def payload(data=None, **more):
    return {"url": URL, "method": "POST", "data": {"a": 1} if data is None else data, **more}


def batch(*data, **more):
    keys = {"enable_batching": True, "batch_keys": ["url", "method", "headers"]}
    return [payload(each, **{**keys, **more}) for each in data]


async def test_sends_the_data_as_json(run, http):
    assert await run(SEND, [payload({"é": [1, None]}, method="PUT", headers={"X-A": "b"})]) == DELIVERED
    (request,) = http.requests
    assert (request.method, request.url, request.timeout, request.follow_307) == ("PUT", URL, 7.0, True)
    assert request.body == '{"é":[1,null]}'.encode()
    assert request.headers == {"content-type": "application/json", "X-A": "b"}


async def test_a_mapped_content_type_wins(run, http):
    await run(SEND, [payload(headers={"Content-Type": "application/cloudevents+json"})])
    assert http.requests[0].headers == {"Content-Type": "application/cloudevents+json"}


async def test_header_values_are_written_as_text(run, http):
    await run(SEND, [payload(headers={"a": 1, "b": 1.5, "c": True, "d": None, "e": ""})])
    assert http.requests[0].headers == {
        "content-type": "application/json",
        "a": "1",
        "b": "1.5",
        "c": "true",
        "e": "",
    }


async def test_without_data_there_is_no_body_and_null_is_null(run, http):
    await run(
        SEND,
        [
            {"url": URL, "method": "POST"},
        ],
    )
    await run(SEND, [payload() | {"data": None}])
    assert [request.body for request in http.requests] == [b"", b"null"]


async def test_the_method_is_post_unless_mapped(run, http):
    await run(SEND, [{"url": URL, "data": {}}])
    assert http.requests[0].method == "POST"


async def test_a_batch_is_an_array_and_shares_its_outcome(run, http):
    http.answer(503, b"busy", **{"retry-after": "9"})
    outcome = await run(SEND, batch({"a": 1}, {"a": 2}, {"a": 3}))
    assert (outcome.kind, outcome.code, outcome.message, outcome.retry_after) == ("retry", "503", "busy", 9.0)
    assert http.requests[0].body == b'[{"a":1},{"a":2},{"a":3}]'


async def test_a_batch_of_one_is_still_an_array(run, http):
    await run(SEND, batch({"a": 1}))
    assert http.bodies == [[{"a": 1}]]


async def test_an_element_without_data_is_null(run, http):
    await run(SEND, [*batch({"a": 1}), {"url": URL, "method": "POST", "enable_batching": True}])
    assert http.bodies == [[{"a": 1}, None]]


async def test_nothing_goes_to_an_address_that_it_did_not_name(run, http):
    payloads = [payload({"n": n}, enable_batching=True) for n in range(6)]
    for place, url in enumerate(["a", "b", "a", "a", "b", "c"]):
        payloads[place]["url"] = f"https://{url}.example/"
    payloads[3]["headers"] = {"x": "y"}
    http.answer(200)
    http.answer(400, b"no")
    outcomes = await run(SEND, payloads)
    assert [(request.url[8], orjson.loads(request.body)) for request in http.requests] == [
        ("a", [{"n": 0}, {"n": 2}]),
        ("b", [{"n": 1}, {"n": 4}]),
        ("a", [{"n": 3}]),
        ("c", [{"n": 5}]),
    ]
    assert [outcome.kind for outcome in outcomes] == [
        "delivered",
        "discarded",
        "delivered",
        "delivered",
        "discarded",
        "delivered",
    ]


async def test_the_first_speaks_for_the_others_in_headers_that_batch_keys_leave_out(run, http):
    payloads = batch({"n": 0}, {"n": 1}, batch_keys=["url"])
    payloads[0]["headers"] = {"x": "first"}
    await run(SEND, payloads)
    assert len(http.requests) == 1
    assert http.requests[0].headers["x"] == "first"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"url": None}, "url is empty"),
        ({"url": ""}, "url is empty"),
        ({"url": 7}, "url is 7"),
        ({"method": "GET"}, "method is 'GET'"),
        ({"method": ["POST"]}, "method is"),
        ({"headers": "x"}, "headers is 'x'"),
        ({"headers": {"a": {}}}, "header a is"),
        ({"headers": {"a": [1]}}, "header a is"),
        ({"data": {"a": 2**70}}, "64-bit"),
        ({"data": {"a": "\ud800"}}, "UTF-8"),
    ],
)
async def test_what_can_not_be_sent_is_discarded_and_says_why(run, http, wrong, message):
    outcome = await run(SEND, [payload() | wrong])
    assert (outcome.kind, outcome.code) == ("discarded", "MESSAGE_REJECTED")
    assert message in outcome.message
    assert http.requests == []


async def test_what_is_not_json_costs_only_itself(run, http):
    http.answer(500)
    outcomes = await run(SEND, batch({"a": 2**70}, {"a": 1}, {"a": "\ud800"}, {"a": 2}))
    assert [outcome.kind for outcome in outcomes] == ["discarded", "retry", "discarded", "retry"]
    assert http.bodies == [[{"a": 1}, {"a": 2}]]
    outcomes = await run(SEND, batch({"a": 2**70}, {"a": 2**70}))
    assert [outcome.kind for outcome in outcomes] == ["discarded"] * 2
    assert len(http.requests) == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [("ECONNREFUSED", "retry"), ("BLOCKED_ADDRESS", "discarded"), ("INVALID_URL", "discarded")],
)
async def test_no_answer_is_an_outcome(run, http, error, kind):
    http.answers.append(EgressError(error, "because"))
    outcome = await run(SEND, [payload()])
    assert (outcome.kind, outcome.code, outcome.message) == (kind, error, "because")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    payloads=st.lists(
        st.dictionaries(
            st.sampled_from(["url", "method", "headers", "data", "enable_batching", "batch_keys"]),
            json_values,
        ),
        min_size=1,
        max_size=4,
    ),
    secret=st.booleans(),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_any_payload_has_an_outcome(run, payloads, secret):
    call_settings = {"sharedSecret": "s", "standardWebhooksSecret": "whsec_AAAA"} if secret else {}
    outcome = await run(SEND, payloads, settings=call_settings)
    outcomes = outcome if isinstance(outcome, list) else [outcome] * len(payloads)
    assert len(outcomes) == len(payloads)
    assert all(each.kind in ("delivered", "retry", "discarded") for each in outcomes)


# -- signatures ---------------------------------------------------------------------------------------


def test_x_signature_is_hmac_sha1_in_hexadecimal():
    # RFC 2202, test case 2.
    assert segment_signature("Jefe", b"what do ya want for nothing?") == (
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    )


def test_standard_webhooks_reference_vector():
    signature = standard_signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_one_event_is_signed_whole(run, http):
    await run(SEND, [payload({"é": 1})], settings={"sharedSecret": "tö"})
    (request,) = http.requests
    expected = hmac.new("tö".encode(), request.body, hashlib.sha1).hexdigest()
    assert request.headers["x-signature"] == expected


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text('aé"\n1'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("b10", max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(json_values)
def test_under_a_shared_secret_bodies_are_what_javascript_writes(value):
    assert _encode_as_javascript(value) == stringify(value).encode()


async def test_a_signature_holds_for_a_body_that_javascript_parsed_and_wrote_again(run, http):
    settings = {"sharedSecret": "s"}
    await run(SEND, [payload({"revenue": 42.0})], settings=settings)
    await run(SEND, batch({"2": 1e21, "1": -0.0}, {"a": 1.0}), settings=settings)
    single, several = http.requests
    assert single.body == b'{"revenue":42}'
    assert single.headers["x-signature"] == segment_signature("s", single.body)
    assert several.body == b'[{"1":0,"2":1e+21},{"a":1}]'
    assert several.headers["x-signature"] == segment_signature("s", b'{"1":0,"2":1e+21}')


async def test_a_batch_is_signed_by_its_first_element(run, http):
    await run(SEND, batch({"a": 2**70}, {"a": 1}, {"a": 2}), settings={"sharedSecret": "s"})
    assert http.requests[0].headers["x-signature"] == segment_signature("s", b'{"a":1}')


async def test_a_mapped_header_can_not_stand_in_for_a_signature(run, http):
    forged = {"X-SIGNATURE": "forged", "Webhook-Signature": "forged", "x": "y"}
    await run(SEND, [payload(headers=forged)], settings={"sharedSecret": "s"})
    await run(SEND, [payload(headers=forged)])
    signed, unsigned = (request.headers for request in http.requests)
    assert signed == {
        "content-type": "application/json",
        "x": "y",
        "x-signature": segment_signature("s", b'{"a":1}'),
    }
    assert unsigned["X-SIGNATURE"] == "forged", "without a secret the headers are the user's"


async def test_standard_webhooks_headers_can_be_verified_and_stay_the_same_over_retries(run, http):
    secret = base64.b64encode(b"k" * 32).decode()
    for _ in range(2):
        await run(SEND, [payload()], settings={"standardWebhooksSecret": f"whsec_{secret}"})
    first, second = (request.headers for request in http.requests)
    assert first["webhook-id"] == second["webhook-id"]
    content = f"{first['webhook-id']}.{first['webhook-timestamp']}.".encode() + http.requests[0].body
    expected = base64.b64encode(hmac.new(b"k" * 32, content, hashlib.sha256).digest()).decode()
    assert first["webhook-signature"] == f"v1,{expected}"


async def test_webhook_ids_differ_where_requests_do(run, http):
    secret = {"standardWebhooksSecret": base64.b64encode(b"k" * 24).decode()}
    await run(SEND, [payload()], [{"messageId": "1"}], settings=secret)
    await run(SEND, [payload()], [{"messageId": "2"}], settings=secret)
    await run(SEND, [payload({"b": 2})], [{"messageId": "1"}], settings=secret)
    await run(SEND, [payload()], [{"messageId": "1"}], settings=secret, destination_id="other")
    await run(SEND, batch({"a": 1}, {"a": 2}), settings=secret)
    await run(SEND, [payload()], [{}], settings=secret)
    await run(SEND, [payload()], [{}], settings=secret)
    assert len({request.headers["webhook-id"] for request in http.requests}) == 7


def test_webhook_ids_do_not_run_together():
    assert standard_id("d", "u", ["ab", "c"], b"") != standard_id("d", "u", ["a", "bc"], b"")


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "é"])
async def test_a_secret_that_is_none_is_a_wrong_setting(run, http, secret):
    outcome = await run(SEND, [payload()], settings={"standardWebhooksSecret": secret})
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert "standardWebhooksSecret" in outcome.message
    assert http.requests == []
