"""Google Analytics 4 (`actions-google-analytics-4`): events by the Measurement Protocol, with the requests
that Segment's destination makes (its version 3.497.0; `tests/conformance/test_native_destinations.py`
compares them).

One event a request: those of one person could share one, but hardly ever wait together. Google answers 204
whatever it thinks of the event, so what it is known not to take is refused here.
"""

from onward.destinations.definition import Call, Definition, Field
from onward.destinations.google_analytics_4.actions import ACTIONS
from onward.destinations.listings import listing, previous_names

SLUG = "actions-google-analytics-4"
ID = "60ad61f9ff47a16b8fb7b5d9"
NAME = "Google Analytics 4 Cloud"


async def test(call: Call) -> str | None:
    """Google tells nobody whether a secret is right; what can be seen is whether a stream is named."""
    if call.settings.get("measurementId") or call.settings.get("firebaseAppId"):
        return None
    return "measurementId (of a web stream) and firebaseAppId (of an app's) are both empty; set one of them"


DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name=NAME,
    description="Send events to Google Analytics 4 from servers.",
    previous_names=previous_names(ID, SLUG, NAME),
    listing=listing(ID, SLUG, [action.default_trigger for action in ACTIONS]),
    settings={
        "measurementId": Field(
            label="Measurement ID",
            description="Of a web stream: Admin, Data streams. Web streams require it.",
        ),
        "firebaseAppId": Field(
            label="Firebase app ID",
            description="Of an app's stream: the app ID of Firebase's project settings. They require it.",
        ),
        "apiSecret": Field(
            label="API secret",
            description="Made in Admin, Data streams, the stream, Measurement Protocol API secrets.",
            type="password",
            required=True,
            secret=True,
        ),
    },
    actions={action.slug: action for action in ACTIONS},
    test=test,
)
