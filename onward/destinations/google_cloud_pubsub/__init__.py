"""Google Cloud Pub/Sub (`google-cloud-pubsub`): events as messages of a topic.

Segment has it as a classic destination, whose id and name these are; actions and fields are Onward's own.
"""

from dataclasses import replace

from onward.destinations.definition import EVENT_TYPES, Action, Definition, Field, Preset
from onward.destinations.google_cloud_pubsub.send import (
    ENDPOINT,
    MOST_MESSAGES,
    TIMEOUT,
    choices,
    perform,
    test,
)
from onward.destinations.listings import listing

SLUG = "google-cloud-pubsub"
ID = "5a25e415229c250001a0a402"
ALL_TYPES = " or ".join(f'type = "{name}"' for name in EVENT_TYPES)

PUBLISH = Action(
    slug="publish",
    title="Publish",
    description="Publish events as messages of a topic.",
    perform=perform,
    default_trigger=ALL_TYPES,
    batches=True,
    max_batch_size=MOST_MESSAGES,
    default_batch_size=MOST_MESSAGES,
    # In Base64 they are a third longer, and a request may have 10 MB.
    max_batch_bytes=7_000_000,
    timeout=TIMEOUT,
    fields={
        "topic": Field(
            label="Topic",
            description="The topic's ID, or projects/<project>/topics/<topic> for another project's.",
            required=True,
            dynamic=True,
        ),
        "data": Field(
            label="Data",
            description="What a message holds, as JSON. By default the whole event.",
            type="object",
            default={"@path": "$."},
        ),
        "attributes": Field(
            label="Attributes",
            description="Names and values that subscriptions can filter by: at most 100 of 1 kB each.",
            type="object",
            presentation="keyvalue",
            default={"messageId": {"@path": "$.messageId"}, "type": {"@path": "$.type"}},
        ),
        "ordering_key": Field(
            label="Ordering key",
            description=(
                "Messages with the same one reach subscribers in the order in which Pub/Sub got them, where "
                "the subscription asks for that. Retries may come after newer ones."
            ),
        ),
        "enable_batching": Field(
            label="Batch data",
            description="Publish several messages in one request.",
            type="boolean",
            default=True,
        ),
        "batch_size": Field(
            label="Batch size",
            description="The most messages in one request: 1000 if empty, which is the most that can be.",
            type="number",
            minimum=1,
            maximum=MOST_MESSAGES,
        ),
        "batch_keys": Field(
            label="Batch keys",
            description="The fields that events must have in common to share a request.",
            multiple=True,
            default=["topic", "ordering_key"],
            hidden=True,
        ),
    },
)

DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name="Google Cloud Pub/Sub",
    description="Publish events to a topic of Google Cloud Pub/Sub.",
    previous_names=("Google Cloud PubSub",),
    listing=replace(
        listing(ID, SLUG, (ALL_TYPES,)),
        device=frozenset(),
        documentation="https://docs.cloud.google.com/pubsub/docs/publisher",
    ),
    settings={
        "credentials": Field(
            label="Service account key",
            description=(
                "The whole JSON key file of a service account with the role Pub/Sub Publisher "
                "(roles/pubsub.publisher) on the topic."
            ),
            type="password",
            secret=True,
            required=True,
        ),
        "project_id": Field(
            label="Project ID",
            description="The project of topics that are given by their ID; the service account's if empty.",
        ),
        "endpoint": Field(
            label="Endpoint",
            description=(
                "Another address of the API, such as https://europe-west1-pubsub.googleapis.com, so that "
                "messages stay in a region, or that of an emulator."
            ),
            default=ENDPOINT,
        ),
    },
    actions={PUBLISH.slug: PUBLISH},
    presets=(
        Preset(
            name="Publish all events",
            action=PUBLISH.slug,
            trigger=ALL_TYPES,
            mapping={
                name: field.default for name, field in PUBLISH.fields.items() if field.default is not None
            },
        ),
    ),
    test=test,
    choices=choices,
)
