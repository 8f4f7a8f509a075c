"""AWS S3 CSV (`actions-s3-csv`): who is in an audience, into CSV files in a bucket."""

from onward.destinations.aws import s3
from onward.destinations.aws_s3.fields import AUDIENCE, FIELDS
from onward.destinations.aws_s3.send import perform
from onward.destinations.definition import (
    Action,
    Audiences,
    Call,
    Definition,
    HookError,
    Json,
    Preset,
)
from onward.destinations.listings import listing

SLUG = "actions-s3-csv"
ID = "6698df634212816c561d3e6a"

UPLOAD = Action(
    slug="syncAudienceToCSV",
    title="Upload CSV",
    description="Write who entered and left an audience to a CSV file in S3.",
    perform=perform,
    fields=FIELDS,
    batches=True,
    max_batch_size=25_000,
    default_batch_size=25_000,
    max_batch_bytes=s3.MAX_BYTES,
    bulk_from=1,
    by_audience=True,
    timeout=s3.TIMEOUT + 15,
)

_EVENTS = {
    "Entities Audience Membership Changed": "warehouse_audience_membership_changed_identify",
    "Associated Entity Added": "warehouse_entity_added_track",
    "Associated Entity Removed": "warehouse_entity_removed_track",
    "Journeys Step Entered": "journeys_step_entered_track",
}


async def _create(call: Call, name: str, settings: Json) -> str:
    """There is nothing to make in a bucket: an audience goes by its own ID, or by its name without one."""
    context = call.events[0].get("context") if call.events else None
    personas = context.get("personas") if isinstance(context, dict) else None
    computation = personas.get("computation_id") if isinstance(personas, dict) else None
    found = computation or name
    if not isinstance(found, str) or not found:
        raise HookError("an audience needs a name")
    return found


async def _get(call: Call, external_id: str, settings: Json) -> str:
    if not external_id:
        raise HookError("the audience has no external ID")
    return external_id


DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name="AWS S3 CSV",
    description="Write the members of audiences to CSV files in an S3 bucket.",
    listing=listing(ID, SLUG),
    settings=s3.SETTINGS,
    actions={UPLOAD.slug: UPLOAD},
    presets=tuple(
        Preset(
            name=name,
            action=UPLOAD.slug,
            trigger="",
            mapping={key: field.default for key, field in FIELDS.items() if field.default is not None},
            automatic=False,
            event=event,
        )
        for name, event in _EVENTS.items()
    ),
    audiences=Audiences(create=_create, get=_get, fields=AUDIENCE),
    test=s3.test,
)
