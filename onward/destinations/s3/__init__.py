"""AWS S3 (`actions-s3`): events into files of columns in a bucket."""

from onward.destinations.aws import s3
from onward.destinations.definition import Action, Definition
from onward.destinations.listings import listing
from onward.destinations.s3.fields import FIELDS
from onward.destinations.s3.send import perform

SLUG = "actions-s3"
ID = "66eaa166f650644f04389e2c"

SYNC = Action(
    slug="syncToS3",
    title="Sync to S3",
    description="Write events to a file in S3.",
    perform=perform,
    fields=FIELDS,
    default_trigger='type = "identify" or type = "track"',
    batches=True,
    max_batch_size=100_000,
    default_batch_size=100_000,
    max_batch_bytes=s3.MAX_BYTES,
    bulk_from=1,
    timeout=s3.TIMEOUT + 15,
)

DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name="AWS S3 (Actions)",
    description="Write events to files in an S3 bucket, with the columns that you choose.",
    listing=listing(ID, SLUG, (SYNC.default_trigger,)),
    settings=s3.SETTINGS,
    actions={SYNC.slug: SYNC},
    test=s3.test,
)
