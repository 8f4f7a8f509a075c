"""Amazon EventBridge (`actions-amazon-eventbridge`): events to an event bus."""

from onward.destinations.amazon_eventbridge.hooks import CREATE_SOURCE
from onward.destinations.amazon_eventbridge.send import (
    HOOKS,
    LONGEST_TYPE,
    MOST_PARTNER_ENTRIES,
    perform,
    test,
)
from onward.destinations.aws.endpoints import REGIONS
from onward.destinations.aws.fields import setting_fields
from onward.destinations.definition import Action, Definition, Field
from onward.destinations.listings import listing, previous_names

SLUG = "actions-amazon-eventbridge"
ID = "67be4b2aef865ee6e0484fe5"

SEND = Action(
    slug="send",
    title="Send",
    description="Send events to an EventBridge bus.",
    perform=perform,
    batches=True,
    max_batch_size=MOST_PARTNER_ENTRIES,
    default_batch_size=MOST_PARTNER_ENTRIES,
    timeout=30.0,
    hooks=dict.fromkeys(HOOKS, CREATE_SOURCE),
    fields={
        "data": Field(
            label="Detail",
            description="What the event holds. By default the whole event.",
            type="object",
            required=True,
            default={"@path": "$."},
        ),
        "detailType": Field(
            label="Detail Type",
            description="What rules tell events apart by; 128 characters at most.",
            required=True,
            maximum=LONGEST_TYPE,
            default={"@path": "$.type"},
        ),
        "resources": Field(
            label="Resources",
            description="The ARNs of what the event is about; there may be none.",
            multiple=True,
        ),
        "time": Field(
            label="Time",
            description="When it happened (ISO 8601). The time of arrival at AWS if empty.",
            format="date-time",
            default={"@path": "$.timestamp"},
        ),
        "enable_batching": Field(
            label="Batch data",
            description="Send several events in one request.",
            type="boolean",
            required=True,
            default=True,
            hidden=True,
        ),
        "batch_size": Field(
            label="Batch size",
            description="The most events taken together; a request to a bus holds ten of them.",
            type="number",
            minimum=1,
            maximum=MOST_PARTNER_ENTRIES,
            default=MOST_PARTNER_ENTRIES,
            hidden=True,
        ),
    },
)

DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name="Amazon Eventbridge",
    description="Send events to an EventBridge bus, and from there to wherever its rules say.",
    previous_names=previous_names(
        "67be4b2aef865ee6e0484fe5", "actions-amazon-eventbridge", "Amazon Eventbridge"
    ),
    listing=listing(ID, SLUG),
    settings={
        "accountId": Field(
            label="AWS Account ID",
            description="The account that the event bus belongs to.",
            required=True,
        ),
        "region": Field(
            label="AWS Region",
            description="The region that the event bus is in.",
            required=True,
            choices=REGIONS,
        ),
        "event_bus_name": Field(label="Event bus", description="The bus's name or ARN.", default="default"),
        "source": Field(
            label="Source",
            description="The source of the events at EventBridge, which rules can ask for.",
            default="onward",
        ),
        "partner_name": Field(
            label="Partner name",
            description=(
                "For SaaS partners of AWS only: the name that AWS knows you by. Events then go to the "
                "partner event source that the mapping's hook makes, instead of to a bus."
            ),
        ),
        **setting_fields(needs="events:PutEvents on the bus"),
    },
    actions={SEND.slug: SEND},
    test=test,
)
