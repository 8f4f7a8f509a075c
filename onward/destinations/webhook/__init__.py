"""Webhook (`actions-webhook`): events as JSON to any URL (spec §13.1)."""

from onward.destinations.definition import Action, Definition, Field, Listing, Preset
from onward.destinations.webhook.forget import forget
from onward.destinations.webhook.send import MAX_BATCH, METHODS, perform

ALL_TYPES = " or ".join(
    f'type = "{name}"' for name in ("identify", "track", "page", "screen", "group", "alias")
)

SEND = Action(
    slug="send",
    title="Send",
    description="Send an HTTP request.",
    perform=perform,
    default_trigger=ALL_TYPES,
    batches=True,
    max_batch_size=MAX_BATCH,
    default_batch_size=100,
    bulk_from=1000,
    fields={
        "url": Field(label="URL", description="The address that the data is sent to.", required=True),
        "method": Field(
            label="Method",
            description="The HTTP method.",
            required=True,
            choices=METHODS,
            default="POST",
        ),
        "headers": Field(
            label="Headers",
            description="HTTP headers of each request, in printable ASCII.",
            type="object",
        ),
        "data": Field(
            label="Data",
            description="What is sent, as JSON. By default the whole event.",
            type="object",
            default={"@path": "$."},
        ),
        "enable_batching": Field(
            label="Batch data",
            description="Send several events in one request, as a JSON array.",
            type="boolean",
            default=False,
        ),
        "batch_size": Field(
            label="Batch size",
            description=(
                "The most events in one request: 100 if empty, 4000 at most. From 1000 on, batches are bulk "
                "batches: they wait longer to fill, and keep the same events over all retries."
            ),
            type="number",
            minimum=0,
            maximum=MAX_BATCH,
        ),
        "batch_bytes": Field(
            label="Batch bytes",
            description="The most bytes in one request: 4 MB if empty.",
            type="number",
            minimum=0,
            maximum=4_000_000,
            hidden=True,
        ),
        "batch_keys": Field(
            label="Batch keys",
            description=(
                "The fields that events must have in common to share a request; "
                "the first event speaks for the others in all that is not listed."
            ),
            multiple=True,
            default=["url", "method", "headers"],
            hidden=True,
        ),
    },
)

DEFINITION = Definition(
    slug="actions-webhook",
    id="614a3c7d791c91c41bae7599",
    name="Webhook",
    description="Send events as JSON to any URL, one by one or in batches, signed if you like.",
    previous_names=("Webhooks (Actions)", "Webhook (Actions)"),
    listing=Listing(categories=("Raw Data",), sources=frozenset({"web", "mobile", "server", "warehouse"})),
    settings={
        "sharedSecret": Field(
            label="Shared secret",
            type="password",
            secret=True,
            description=(
                "If set, requests carry X-Signature: the HMAC-SHA1 of the JSON body under this secret, in "
                "hexadecimal. In a batch it covers the first element only."
            ),
        ),
        "standardWebhooksSecret": Field(
            label="Standard Webhooks secret",
            type="password",
            secret=True,
            description=(
                "If set, requests carry the webhook-id, webhook-timestamp and webhook-signature headers of "
                "standardwebhooks.com, signed over the whole body. Base64, with or without whsec_ before it."
            ),
        ),
    },
    actions={"send": SEND},
    on_delete=forget,
    presets=(
        Preset(
            name="Send all events",
            action="send",
            trigger=ALL_TYPES,
            mapping={
                "method": "POST",
                "data": {"@path": "$."},
                "enable_batching": False,
                "batch_keys": ["url", "method", "headers"],
            },
        ),
    ),
)
