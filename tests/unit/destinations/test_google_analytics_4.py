import pytest

from onward.destinations import google_analytics_4
from onward.destinations.outcome import DELIVERED

ACTIONS = google_analytics_4.DEFINITION.actions
SETTINGS = {"apiSecret": "secret", "measurementId": "G-1", "firebaseAppId": "1:2:ios:3"}


async def test_an_event_as_google_takes_it(run, http):
    order = {
        "data_stream_type": "Mobile App",
        "app_instance_id": "instance",
        "timestamp_micros": "2026-01-31T10:20:30.456Z",
        "currency": "eur",
        "transaction_id": "o-1",
        "items": [{"item_id": "p-1", "price": 2.5}],
        "engagement_time_msec": 1,
        "params": {"tax": 3, "items": ["kept"]},
        "user_properties": {"plan": "pro", "gone": None},
        "ad_user_data_consent": "GRANTED",
    }
    http.answer(204)
    assert await run(ACTIONS["purchase"], [order], settings=SETTINGS) == DELIVERED
    (request,) = http.requests
    assert request.url == (
        "https://www.google-analytics.com/mp/collect?api_secret=secret&firebase_app_id=1:2:ios:3"
    )
    assert http.bodies == [
        {
            "app_instance_id": "instance",
            "events": [
                {
                    "name": "purchase",
                    "params": {
                        "currency": "eur",
                        "transaction_id": "o-1",
                        "items": ["kept"],
                        "engagement_time_msec": 1,
                        "tax": 3,
                    },
                }
            ],
            "user_properties": {"plan": {"value": "pro"}, "gone": {"value": None}},
            "timestamp_micros": 1769854830456000,
            "consent": {"ad_user_data": "GRANTED"},
        }
    ]


@pytest.mark.parametrize(
    ("slug", "payload", "code", "said"),
    [
        ("login", {}, "MESSAGE_REJECTED", "client_id is empty"),
        ("pageView", {}, "MESSAGE_REJECTED", "clientId is empty"),
        ("login", {"data_stream_type": "Mobile App"}, "MESSAGE_REJECTED", "app_instance_id is empty"),
        ("login", {"client_id": "c", "params": {"a": [1]}}, "MESSAGE_REJECTED", "params.a is a list"),
        ("login", {"client_id": "c", "params": {"a": None}}, "MESSAGE_REJECTED", "params.a is null"),
        ("login", {"client_id": "c", "user_properties": {"a": {}}}, "MESSAGE_REJECTED", "a is an object"),
        ("generateLead", {"client_id": "c", "value": 1}, "MESSAGE_REJECTED", "currency must be"),
        ("generateLead", {"client_id": "c", "currency": "EURO"}, "MESSAGE_REJECTED", "EURO is no currency"),
        ("viewItem", {"client_id": "c", "items": [{"price": 1}]}, "MESSAGE_REJECTED", "items[0] has neither"),
        ("viewCart", {"client_id": "c", "items": [{"item_id": "1"}]}, "MESSAGE_REJECTED", "has a currency"),
        ("addPaymentInfo", {"client_id": "c", "items": []}, "MESSAGE_REJECTED", "needs a product"),
    ],
)
async def test_what_google_would_drop_is_refused(run, http, slug, payload, code, said):
    outcome = await run(ACTIONS[slug], [payload], settings=SETTINGS)
    assert (outcome.kind, outcome.code) == ("discarded", code)
    assert said in outcome.message
    assert http.requests == []


async def test_a_stream_must_be_named(run, http):
    outcome = await run(ACTIONS["login"], [{"client_id": "c"}], settings={"apiSecret": "s"})
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert http.requests == []


async def test_keys_cannot_change_the_address(run, http):
    settings = {"apiSecret": "a&b#c d", "measurementId": "G/1?x"}
    await run(ACTIONS["login"], [{"client_id": "c"}], settings=settings)
    assert http.requests[0].url.endswith("?api_secret=a%26b%23c%20d&measurement_id=G%2F1%3Fx")


@pytest.mark.parametrize(
    ("name", "lowercase", "sent"),
    [(" A  b\u3000C ", False, "A__b_C"), ("Sign Up", True, "sign_up")],
)
async def test_names_have_no_spaces(run, http, name, lowercase, sent):
    await run(
        ACTIONS["customEvent"], [{"clientId": "c", "name": name, "lowercase": lowercase}], settings=SETTINGS
    )
    assert http.bodies[0]["events"][0]["name"] == sent


async def test_a_connection_test_wants_a_stream(run):
    assert "both empty" in await google_analytics_4.DEFINITION.test(run.call)
