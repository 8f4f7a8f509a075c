"""HTTP API (`onward-http`): events to any API that speaks HTTP with JSON, forms or text.

More than the webhook: other methods, addresses with values in them, queries, ways to sign in, shapes of
batches, and results of each event.
"""

from onward.destinations.definition import EVENT_TYPES, Action, Definition, Listing, Preset
from onward.destinations.http_api import send
from onward.destinations.http_api.fields import FIELDS, MAX_BATCH, SETTINGS

ALL_TYPES = " or ".join(f'type = "{name}"' for name in EVENT_TYPES)

SEND = Action(
    slug="send",
    title="Send",
    description="Send an HTTP request.",
    perform=send.perform,
    default_trigger=ALL_TYPES,
    batches=True,
    max_batch_size=MAX_BATCH,
    default_batch_size=100,
    bulk_from=1000,
    timeout=60.0,
    fields=FIELDS,
)

DEFINITION = Definition(
    slug="onward-http",
    id="6f6e776172642d6874747031",
    name="HTTP API",
    description="Send events to any HTTP API, as JSON, forms or text, one by one or in batches.",
    previous_names=("HTTP", "HTTP API (Actions)"),
    listing=Listing(categories=("Raw Data",), sources=frozenset({"web", "mobile", "server", "warehouse"})),
    settings=SETTINGS,
    actions={"send": SEND},
    presets=(
        Preset(
            name="Send all events",
            action="send",
            trigger=ALL_TYPES,
            mapping={name: field.default for name, field in FIELDS.items() if field.default is not None},
        ),
    ),
    test=send.test,
)
