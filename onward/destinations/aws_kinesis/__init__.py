"""AWS Kinesis (`actions-aws-kinesis`): events into Kinesis data streams."""

from onward.destinations.aws.endpoints import REGIONS
from onward.destinations.aws.fields import setting_fields
from onward.destinations.aws_kinesis.send import MOST_RECORDS, perform, test
from onward.destinations.definition import Action, Definition, Field
from onward.destinations.listings import listing

SLUG = "actions-aws-kinesis"
ID = "6909cac9d608c9ad592d7211"

SEND = Action(
    slug="send",
    title="Send",
    description="Send events to a Kinesis data stream.",
    perform=perform,
    default_trigger=" or ".join(
        f'type = "{name}"' for name in ("track", "identify", "page", "screen", "group")
    ),
    batches=True,
    max_batch_size=MOST_RECORDS,
    default_batch_size=MOST_RECORDS,
    max_batch_bytes=5_000_000,
    timeout=30.0,
    fields={
        "payload": Field(
            label="Payload",
            description="What a record holds, as JSON. By default the whole event.",
            type="object",
            required=True,
            default={"@path": "$."},
        ),
        "partitionKey": Field(
            label="Partition Key",
            description="Records with the same key go to the same shard.",
            required=True,
            default={"@path": "$.messageId"},
        ),
        "streamName": Field(
            label="Stream Name", description="The stream that the records go to.", required=True
        ),
        "awsRegion": Field(
            label="AWS Region",
            description="The region that the stream is in.",
            required=True,
            choices=REGIONS,
        ),
        "batch_size": Field(
            label="Max Batch Size",
            description="The most records in one request, 500 at most.",
            type="number",
            minimum=1,
            maximum=MOST_RECORDS,
            default=MOST_RECORDS,
        ),
        "batch_keys": Field(
            label="Batch Keys",
            description="The fields that events must have in common to share a request.",
            multiple=True,
            default=["awsRegion", "streamName"],
            hidden=True,
        ),
        "max_batch_size": Field(
            label="Max Batch Size",
            description="The same under an older name; batch_size decides.",
            type="number",
            required=True,
            minimum=1,
            maximum=MOST_RECORDS,
            default=MOST_RECORDS,
            hidden=True,
        ),
        "enable_batching": Field(
            label="Batch data",
            description="Send several records in one request.",
            type="boolean",
            default=True,
            hidden=True,
        ),
        "batch_bytes": Field(
            label="Batch Bytes",
            description="The most bytes in one request.",
            type="number",
            required=True,
            default=1_000_000,
            hidden=True,
        ),
    },
)

DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name="Aws Kinesis",
    description="Send events to Kinesis data streams, each record with an outcome of its own.",
    listing=listing(ID, SLUG, (SEND.default_trigger,)),
    settings=setting_fields(
        role="iamRoleArn", external_id="iamExternalId", needs="kinesis:PutRecords on the streams"
    ),
    actions={SEND.slug: SEND},
    test=test,
)
