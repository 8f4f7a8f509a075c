"""Amazon SQS (`actions-aws-sqs`): events as messages of a queue. Onward's own; Segment has none."""

from onward.destinations.aws.fields import setting_fields
from onward.destinations.aws_sqs.send import LONGEST_DELAY, MOST_BYTES, MOST_MESSAGES, perform, test
from onward.destinations.definition import EVENT_TYPES, Action, Definition, Field, Listing, Preset

ALL_TYPES = " or ".join(f'type = "{name}"' for name in EVENT_TYPES)

SEND = Action(
    slug="send",
    title="Send",
    description="Send events as messages to an SQS queue.",
    perform=perform,
    default_trigger=ALL_TYPES,
    batches=True,
    max_batch_size=MOST_MESSAGES,
    default_batch_size=MOST_MESSAGES,
    max_batch_bytes=MOST_BYTES,
    timeout=30.0,
    fields={
        "message": Field(
            label="Message",
            description="What a message holds, as JSON. By default the whole event.",
            type="object",
            required=True,
            default={"@path": "$."},
        ),
        "queue_url": Field(
            label="Queue URL", description="Another queue than the destination's, for this mapping."
        ),
        "message_attributes": Field(
            label="Message attributes",
            description="Up to ten names and values that consumers can read or filter by.",
            type="object",
            presentation="keyvalue",
            default={"messageId": {"@path": "$.messageId"}, "type": {"@path": "$.type"}},
        ),
        "message_group_id": Field(
            label="Message group ID",
            description=(
                "Messages of one group are taken by one consumer at a time. A FIFO queue needs it, such as "
                "the user's ID."
            ),
        ),
        "message_deduplication_id": Field(
            label="Message deduplication ID",
            description=(
                "FIFO queues only: of messages with the same one within five minutes, the queue keeps the "
                "first, so that retries leave no repeats."
            ),
            default={"@path": "$.messageId"},
        ),
        "delay_seconds": Field(
            label="Delay",
            description="Seconds before consumers see the message, 900 at most; not for FIFO queues.",
            type="integer",
            minimum=0,
            maximum=LONGEST_DELAY,
        ),
        "enable_batching": Field(
            label="Batch data",
            description="Send several messages in one request.",
            type="boolean",
            default=True,
        ),
        "batch_size": Field(
            label="Batch size",
            description="The most messages in one request, 10 at most.",
            type="number",
            minimum=1,
            maximum=MOST_MESSAGES,
            default=MOST_MESSAGES,
        ),
        "batch_keys": Field(
            label="Batch keys",
            description="The fields that events must have in common to share a request.",
            multiple=True,
            default=["queue_url"],
            hidden=True,
        ),
    },
)

DEFINITION = Definition(
    slug="actions-aws-sqs",
    id="6f6e777264207371730a0001",
    name="Amazon SQS",
    description="Send events as messages to an SQS queue, standard or FIFO.",
    listing=Listing(
        categories=("Raw Data",),
        documentation=(
            "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html"
        ),
    ),
    settings={
        "queue_url": Field(
            label="Queue URL",
            description="Such as https://sqs.eu-west-1.amazonaws.com/123456789012/events.",
            required=True,
        ),
        "region": Field(
            label="AWS region",
            description="The queue's region, if its URL does not say it.",
        ),
        **setting_fields(needs="sqs:SendMessage on the queue"),
    },
    actions={SEND.slug: SEND},
    presets=(
        Preset(
            name="Send all events",
            action="send",
            trigger=ALL_TYPES,
            mapping={name: field.default for name, field in SEND.fields.items() if field.default is not None},
        ),
    ),
    test=test,
)
