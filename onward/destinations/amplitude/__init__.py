"""Amplitude (`actions-amplitude`): events, people and groups, with the requests that Segment's destination
makes (its version 3.497.0; `tests/conformance/test_native_destinations.py` compares them).

Onward's own: the log actions batch, if the mapping asks for it. Of Segment's presets `Browser Session
Tracking` is left out, which is for a plugin in browsers.
"""

from onward.destinations.amplitude import events, fields, people, upload
from onward.destinations.amplitude.endpoints import REGIONS, address
from onward.destinations.definition import Action, Call, Definition, Field, Preset
from onward.destinations.exchange import ask, problem
from onward.destinations.listings import listing, previous_names

SLUG = "actions-amplitude"
ID = "5f7dd6d21ad74f3842b1fc47"
NAME = "Actions Amplitude"


def _log_action(
    slug: str, title: str, description: str, build: events.Build, own: dict[str, Field]
) -> Action:
    return Action(
        slug=slug,
        title=title,
        description=description,
        perform=upload.performer(build),
        default_trigger='type = "track"',
        fields={**own, **fields.ENDPOINT, **fields.AGENT, **fields.CLOSING, **fields.BATCHING},
        batches=True,
        max_batch_size=2000,
        default_batch_size=1000,
        # The API takes 1 MB, and an event may be somewhat larger than its payload.
        max_batch_bytes=700_000,
        timeout=60.0,
    )


LOG_EVENT = _log_action(
    "logEvent",
    "Log Event",
    "Send an event to Amplitude; campaign and referrer become user properties.",
    events.event,
    {**fields.EVENT, "products": fields.PRODUCTS, **fields.ORIGIN},
)
LOG_EVENT_V2 = _log_action(
    "logEventV2",
    "Log Event V2",
    "Send an event to Amplitude, and set, set once or add to user properties.",
    events.event_v2,
    {**fields.EVENT, "products": fields.PRODUCTS, **fields.OPERATIONS},
)
LOG_PURCHASE = _log_action(
    "logPurchase",
    "Log Purchase",
    "Send an order to Amplitude: an event with its revenue, and one for each of its products.",
    events.purchase,
    {
        "trackRevenuePerProduct": Field(
            label="Revenue per product",
            description="Tell the revenue with each product, rather than once with the order.",
            type="boolean",
            default=False,
        ),
        **fields.EVENT,
        "products": fields.ORDERED_PRODUCTS,
        **fields.ORIGIN,
    },
)
IDENTIFY_USER = Action(
    slug="identifyUser",
    title="Identify User",
    description="Set user properties, or the user ID of a device, without an event.",
    perform=people.identify,
    default_trigger='type = "identify"',
    fields={
        "user_id": fields.USER_ID,
        "device_id": fields.DEVICE_ID,
        "user_properties": Field(
            label="User properties",
            description="Properties of the person, at most 40 levels deep.",
            type="object",
            default=fields.path("$.traits"),
        ),
        "groups": fields.GROUPS,
        **fields.DEVICE,
        "paying": Field(label="Is paying", description="Whether the person pays.", type="boolean"),
        "start_version": Field(
            label="Initial version", description="The version of the app that the person began with."
        ),
        "insert_id": fields.INSERT_ID,
        **fields.AGENT,
        **fields.ORIGIN,
        "min_id_length": fields.MIN_ID_LENGTH,
        "library": Field(
            label="Library",
            description="The name of the library that sent the event.",
            default=fields.path("$.context.library.name"),
        ),
        "userAgentData": fields.USER_AGENT_DATA,
    },
)
MAP_USER = Action(
    slug="mapUser",
    title="Map User",
    description="Make one person of two user IDs.",
    perform=people.map_user,
    default_trigger='type = "alias"',
    fields={
        "user_id": Field(
            label="User ID",
            description="The user ID that becomes part of another.",
            default=fields.path("$.previousId"),
        ),
        "global_user_id": Field(
            label="Global user ID",
            description="The user ID that it becomes part of.",
            default=fields.path("$.userId"),
        ),
        "min_id_length": fields.MIN_ID_LENGTH,
    },
)
GROUP_IDENTIFY_USER = Action(
    slug="groupIdentifyUser",
    title="Group Identify User",
    description="Set properties of a group, and put a person into it. Later events show them.",
    perform=people.identify_group,
    default_trigger='type = "group"',
    timeout=20.0,
    fields={
        "user_id": fields.USER_ID,
        "device_id": fields.DEVICE_ID,
        "insert_id": fields.INSERT_ID,
        "time": Field(
            label="Timestamp",
            description="When it happened. The time at which it is sent, if empty.",
            default=fields.path("$.timestamp"),
        ),
        "group_properties": Field(
            label="Group properties",
            description="Properties of the group.",
            type="object",
            default=fields.path("$.traits"),
        ),
        "group_type": Field(label="Group type", description="The kind of the group.", required=True),
        "group_value": Field(label="Group value", description="The group's name or id.", required=True),
        "min_id_length": fields.MIN_ID_LENGTH,
    },
)
ACTIONS = (LOG_EVENT, IDENTIFY_USER, MAP_USER, GROUP_IDENTIFY_USER, LOG_PURCHASE, LOG_EVENT_V2)


def _preset(name: str, trigger: str, action: Action, **other: object) -> Preset:
    segments = (key for key in action.fields if key not in fields.BATCHING)
    defaults = {key: action.fields[key].default for key in segments}
    mapping = {key: value for key, value in defaults.items() if value is not None} | other
    return Preset(name=name, action=action.slug, trigger=trigger, mapping=mapping)


_VIEWED = {"@template": "Viewed {{name}}"}


async def test(call: Call) -> str | None:
    """Looks for a person, which takes both keys."""
    url = address("usersearch", call.settings) + "?user=testUser@example.com"
    return problem(await ask(call, url, headers=people.credentials(call), method="GET"))


PRESETS = (
    _preset("Track Calls", 'type = "track" and event != "Order Completed"', LOG_EVENT_V2),
    _preset("Order Completed Calls", 'type = "track" and event = "Order Completed"', LOG_PURCHASE),
    _preset("Page Calls", 'type = "page"', LOG_EVENT_V2, event_type=_VIEWED),
    _preset("Screen Calls", 'type = "screen"', LOG_EVENT_V2, event_type=_VIEWED),
    _preset("Identify Calls", 'type = "identify"', IDENTIFY_USER),
)

DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name=NAME,
    description="Send events, people and groups to Amplitude.",
    previous_names=previous_names(ID, SLUG, NAME),
    listing=listing(ID, SLUG, [preset.trigger for preset in PRESETS]),
    settings={
        "apiKey": Field(
            label="API key",
            description="Of the Amplitude project: Settings, Projects, General.",
            type="password",
            required=True,
            secret=True,
        ),
        "secretKey": Field(
            label="Secret key",
            description="Of the Amplitude project, beside the API key.",
            type="password",
            required=True,
            secret=True,
        ),
        "endpoint": Field(
            label="Endpoint region",
            description="Where the project's data lives.",
            format="text",
            choices=REGIONS,
            choice_labels=("North America", "Europe"),
            default=REGIONS[0],
        ),
    },
    actions={action.slug: action for action in ACTIONS},
    presets=PRESETS,
    test=test,
    on_delete=people.forget,
)
