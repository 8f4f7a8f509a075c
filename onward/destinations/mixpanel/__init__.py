"""Mixpanel (`actions-mixpanel`): events, people and groups, with the requests that Segment's destination
makes (its version 3.497.0; `tests/conformance/test_native_destinations.py` compares them).

Events of a batch have outcomes of their own, which Segment's has behind a flag (`mixpanel-multistatus`).
"""

from onward.destinations.definition import Action, Call, Definition, Field, Preset
from onward.destinations.exchange import ask, encode, problem
from onward.destinations.listings import listing, previous_names
from onward.destinations.mixpanel import events, fields, profiles, upload

SLUG = "actions-mixpanel"
ID = "615c7438d93d9b61b1e9e192"
NAME = "Mixpanel (Actions)"
REGIONS = tuple(upload.SERVERS)


def _track_action(
    slug: str, title: str, description: str, build: events.Build, own: dict[str, Field]
) -> Action:
    return Action(
        slug=slug,
        title=title,
        description=description,
        perform=upload.performer(build),
        default_trigger='type = "track"',
        fields=own,
        batches=True,
        max_batch_size=2000,
        default_batch_size=1000,
        timeout=60.0,
    )


TRACK_EVENT = _track_action(
    "trackEvent",
    "Track Event",
    "Send an event to Mixpanel.",
    events.track,
    {"event": fields.EVENT_NAME, **fields.EVENT},
)
TRACK_PURCHASE = _track_action(
    "trackPurchase",
    "Track Purchase",
    "Send an order to Mixpanel, and an event for each of its products.",
    events.purchase,
    {
        "generatePurchaseEventPerProduct": Field(
            label="An event per product",
            description="Send `Product Purchased` for each product of the order.",
            type="boolean",
            default=True,
        ),
        **fields.EVENT,
        "products": fields.PRODUCTS,
        "event": fields.EVENT_NAME,
    },
)
IDENTIFY_USER = Action(
    slug="identifyUser",
    title="Identify User",
    description="Set the user ID of an anonymous person, and the properties of the profile.",
    perform=profiles.identify,
    default_trigger='type = "identify"',
    timeout=20.0,
    fields={
        "ip": fields.IP,
        "user_id": fields.USER_ID,
        "anonymous_id": fields.ANONYMOUS_ID,
        "traits": Field(
            label="User properties",
            description="Properties of the profile.",
            type="object",
            default=fields.path("$.traits"),
        ),
    },
)
GROUP_IDENTIFY_USER = Action(
    slug="groupIdentifyUser",
    title="Group Identify User",
    description="Set properties of a group's profile, which is made if there is none.",
    perform=profiles.identify_group,
    default_trigger='type = "group"',
    fields={
        "group_key": Field(
            label="Group key",
            description="The group key of the project's settings; `$group_id` if empty.",
        ),
        "group_id": Field(
            label="Group ID",
            description="The id of the group. A trait under the group key wins.",
            required=True,
            default=fields.path("$.groupId"),
        ),
        "traits": Field(
            label="Group properties",
            description="Properties of the group's profile.",
            type="object",
            default=fields.path("$.traits"),
        ),
    },
)
ALIAS = Action(
    slug="alias",
    title="Alias",
    description="Give a person another id, in projects with Mixpanel's older identity management.",
    perform=profiles.alias,
    fields={
        "alias": Field(
            label="Alias",
            description="The new id.",
            allow_null=True,
            default=fields.either("$.userId", "$.anonymousId"),
        ),
        "distinct_id": Field(
            label="Distinct ID",
            description="The id that the person has.",
            default=fields.path("$.previousId"),
        ),
    },
)
INCREMENT_PROPERTIES = Action(
    slug="incrementProperties",
    title="Increment Properties",
    description="Add to numbers of a person's profile.",
    perform=profiles.increment,
    default_trigger='type = "track"',
    fields={
        "ip": fields.IP,
        "user_id": fields.USER_ID,
        "anonymous_id": fields.ANONYMOUS_ID,
        "increment": Field(
            label="Increments",
            description="Properties and what is added to them, such as {purchases: 1}; 20 at most.",
            type="object",
            required=True,
            presentation="keyvalue",
            default=fields.path("$.properties.increment"),
        ),
    },
)
ACTIONS = (TRACK_EVENT, IDENTIFY_USER, GROUP_IDENTIFY_USER, ALIAS, TRACK_PURCHASE, INCREMENT_PROPERTIES)


def _preset(name: str, trigger: str, action: Action, **other: object) -> Preset:
    defaults = {key: field.default for key, field in action.fields.items()}
    mapping = {key: value for key, value in defaults.items() if value is not None} | other
    return Preset(name=name, action=action.slug, trigger=trigger, mapping=mapping)


_VIEWED = {"@template": "Viewed {{name}}"}


async def test(call: Call) -> str | None:
    """Asks Mixpanel whether secret and token belong together."""
    keys = {"api_secret": call.settings.get("apiSecret"), "project_token": call.settings.get("projectToken")}
    url = "https://mixpanel.com/api/app/validate-project-credentials/"
    # The type that JavaScript gives to a body of plain text.
    return problem(await ask(call, url, encode(keys), {"content-type": "text/plain;charset=UTF-8"}))


PRESETS = (
    _preset("Track Calls", 'type = "track" and event != "Order Completed"', TRACK_EVENT),
    _preset("Order Completed Calls", 'type = "track" and event = "Order Completed"', TRACK_PURCHASE),
    _preset("Page Calls", 'type = "page"', TRACK_EVENT, event=_VIEWED),
    _preset("Screen Calls", 'type = "screen"', TRACK_EVENT, event=_VIEWED),
    _preset("Identify Calls", 'type = "identify"', IDENTIFY_USER),
    _preset("Group Calls", 'type = "group"', GROUP_IDENTIFY_USER),
)

DEFINITION = Definition(
    slug=SLUG,
    id=ID,
    name=NAME,
    description="Send events, people and groups to Mixpanel.",
    previous_names=previous_names(ID, SLUG, NAME),
    listing=listing(ID, SLUG, [preset.trigger for preset in PRESETS]),
    settings={
        "projectToken": Field(
            label="Project token", description="Of the Mixpanel project's settings.", required=True
        ),
        "apiSecret": Field(
            label="Secret key",
            description="Of the Mixpanel project's settings.",
            type="password",
            required=True,
            secret=True,
        ),
        "apiRegion": Field(
            label="Data residency",
            description="Where the project's data lives.",
            choices=REGIONS,
            default=REGIONS[0],
        ),
        "sourceName": Field(
            label="Source name",
            description="Sent with every event as segment_source_name, if it is not empty.",
        ),
        "strictMode": Field(
            label="Strict mode",
            description="With 1, Mixpanel checks every event and says which it refuses; with 0 it does not.",
            choices=("1", "0"),
            default="1",
        ),
    },
    actions={action.slug: action for action in ACTIONS},
    presets=PRESETS,
    test=test,
)
