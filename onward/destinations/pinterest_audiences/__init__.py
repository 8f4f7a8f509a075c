"""Pinterest Audiences (`pinterest-audiences`): people on customer lists of the Pinterest API v5."""

from onward.destinations.audiences import OPERATION, SYNC_MODE
from onward.destinations.definition import Action, Audiences, Definition, Field, Hook, Listing, Preset
from onward.destinations.pinterest_audiences import lists, sync

TRIGGER = 'event = "Audience Entered" or event = "Audience Exited"'
BATCH_BYTES = 8_000_000

LIST_TYPE = Field(
    label="List type",
    description="What the list's people are known by: e-mail addresses, Apple's IDFA, or Android's MAID.",
    choices=lists.TYPES,
    default=lists.TYPES[0],
)

SYNC = Action(
    slug="syncAudience",
    title="Sync Audience",
    description="Add people to a customer list, and remove them from it.",
    perform=sync.perform,
    default_trigger=TRIGGER,
    batches=True,
    max_batch_size=10_000,
    default_batch_size=10_000,
    max_batch_bytes=BATCH_BYTES,
    bulk_from=1,
    timeout=120.0,
    sync_mode=SYNC_MODE,
    fields={
        "list_id": Field(
            label="List id",
            description=(
                "The customer list. By default that of the audience that the event is of; if empty, the one "
                "that was made for this mapping."
            ),
            default={"@path": "$.context.personas.external_audience_id"},
            dynamic=True,
        ),
        "operation": OPERATION,
        "email": Field(
            label="E-mail address",
            description="It is hashed (SHA-256) unless it is a hash already.",
            default={
                "@if": {
                    "exists": {"@path": "$.context.traits.email"},
                    "then": {"@path": "$.context.traits.email"},
                    "else": {
                        "@if": {
                            "exists": {"@path": "$.traits.email"},
                            "then": {"@path": "$.traits.email"},
                            "else": {"@path": "$.properties.email"},
                        }
                    },
                }
            },
            category="hashedPII",
        ),
        "mobile_advertising_id": Field(
            label="Mobile advertising id",
            description=(
                "IDFA or MAID, for lists of these. It is hashed (SHA-256) as it is spelled, unless it is a "
                "hash already."
            ),
            category="hashedPII",
        ),
        "enable_batching": Field(
            label="Batch people",
            description="Send many people in one request.",
            type="boolean",
            default=True,
        ),
        "batch_size": Field(
            label="Batch size",
            description="The most events in one batch: 10,000 if empty.",
            type="number",
            minimum=1,
            maximum=10_000,
            hidden=True,
        ),
        "batch_bytes": Field(
            label="Batch bytes",
            description="The most bytes of payloads in one batch: 8 MB if empty.",
            type="number",
            minimum=0,
            maximum=BATCH_BYTES,
            hidden=True,
        ),
        "batch_keys": Field(
            label="Batch keys",
            description="The fields that events must have in common to share a batch.",
            multiple=True,
            default=["list_id"],
            hidden=True,
        ),
    },
    hooks={
        "retlOnMappingSave": Hook(
            label="Connect to a customer list",
            description="When the mapping is saved, the list is looked up, or a new one is made.",
            fields={
                "list_id": Field(
                    label="Existing list id",
                    description="A list that there is already. If empty, a new one is made.",
                    dynamic=True,
                ),
                "list_name": Field(label="List name", description="The name of a new list."),
                "list_type": LIST_TYPE,
            },
            outputs={
                "id": Field(label="List id", description="The list that people are put on."),
                "name": Field(label="List name", description="Its name."),
            },
            perform=lists.made_for_mapping,
        )
    },
)

DEFINITION = Definition(
    slug="pinterest-audiences",
    id="5f3ada4acea48a461353d5af",
    name="Pinterest Audiences",
    description="Sync audiences to customer lists of a Pinterest ad account.",
    previous_names=("Pinterest Audiences (Actions)",),
    listing=Listing(
        categories=("Advertising",),
        methods=frozenset({"track", "identify"}),
        sources=frozenset({"mobile", "server", "warehouse"}),
        cloud=frozenset({"mobile", "server"}),
        endpoints=("US",),
        website="https://developers.pinterest.com/docs/redoc/#tag/customer-lists",
        documentation="https://developers.pinterest.com/docs/api/v5/customer_lists-update/",
    ),
    settings={
        "account": Field(
            label="Ad account id",
            description="Digits, such as 319762813599, from the account settings of Pinterest Ads.",
            required=True,
        ),
        "client_id": Field(label="App id", description="Of the Pinterest app that asks for access tokens."),
        "client_secret": Field(
            label="App secret key", description="The app's secret key.", type="password", secret=True
        ),
        "refresh_token": Field(
            label="Refresh token",
            description=(
                "From the app's authorisation by a user with the scopes ads:read and ads:write; the user "
                "needs the role owner, admin or audience manager. Pinterest's refresh tokens live for 60 "
                "days: set a new one before."
            ),
            type="password",
            secret=True,
        ),
        "access_token": Field(
            label="Access token",
            description="Instead of the three above, for trying things out: it expires after 30 days.",
            type="password",
            secret=True,
        ),
    },
    actions={"syncAudience": SYNC},
    presets=(
        Preset(
            name="Sync audiences",
            action="syncAudience",
            trigger=TRIGGER,
            mapping={name: field.default for name, field in SYNC.fields.items() if field.default is not None},
        ),
        Preset(
            name="Sync audiences by identify",
            action="syncAudience",
            trigger='type = "identify"',
            mapping={name: field.default for name, field in SYNC.fields.items() if field.default is not None},
            automatic=False,
            event="warehouse_audience_membership_changed_identify",
        ),
    ),
    test=lists.test,
    choices=lists.choices,
    audiences=Audiences(create=lists.create, get=lists.get, fields={"list_type": LIST_TYPE}),
)
