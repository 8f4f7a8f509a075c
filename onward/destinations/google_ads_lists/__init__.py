"""Google Ads Remarketing Lists (`adwords-remarketing-lists`): people on Customer Match lists."""

from onward.destinations.audiences import SYNC_MODE
from onward.destinations.definition import Action, Audiences, Definition, Field, Hook, Listing, Preset
from onward.destinations.google_ads_lists import lists, sync
from onward.destinations.google_ads_lists.fields import BATCH_BYTES, FIELDS, KEY_TYPE
from onward.destinations.google_ads_lists.people import CONSENTS

TRIGGER = 'event = "Audience Entered" or event = "Audience Exited"'

APP_ID = Field(
    label="App id",
    description="Of the mobile app that the ids were collected by; for lists of mobile advertising ids.",
)

SYNC = Action(
    slug="syncAudience",
    title="Sync Audience",
    description="Add people to a Customer Match list, and remove them from it.",
    perform=sync.perform,
    default_trigger=TRIGGER,
    batches=True,
    max_batch_size=10_000,
    default_batch_size=10_000,
    max_batch_bytes=BATCH_BYTES,
    bulk_from=1,
    timeout=300.0,
    sync_mode=SYNC_MODE,
    fields=FIELDS,
    hooks={
        "retlOnMappingSave": Hook(
            label="Connect to a Customer Match list",
            description="When the mapping is saved, the list is looked up, or a new one is made.",
            fields={
                "list_id": Field(
                    label="Existing list id",
                    description="A list that there is already. If empty, a new one is made.",
                    dynamic=True,
                ),
                "list_name": Field(label="List name", description="The name of a new list."),
                "external_id_type": KEY_TYPE,
                "app_id": APP_ID,
            },
            outputs={
                "id": Field(label="List id", description="The list that people are put on."),
                "name": Field(label="List name", description="Its name."),
            },
            perform=lists.made_for_mapping,
        )
    },
)

_MAPPING = {name: field.default for name, field in FIELDS.items() if field.default is not None}

DEFINITION = Definition(
    slug="adwords-remarketing-lists",
    id="5a6b50f1c900fa00011858fd",
    name="Google Ads Remarketing Lists",
    description="Sync audiences to Customer Match lists of a Google Ads account.",
    previous_names=(
        "Google Adwords Remarketing Lists",
        "Google AdWords Remarketing Lists",
        "Google Adwords Remarketing Lists (Customer Match)",
        "Google AdWords Remarketing Lists (Customer Match)",
        "Adwords Remarketing Lists",
        "PERSONAS - Google AdWords",
    ),
    listing=Listing(
        categories=("Advertising",),
        methods=frozenset({"track", "identify"}),
        sources=frozenset({"web", "mobile", "server", "warehouse"}),
        endpoints=("US",),
        website="https://support.google.com/google-ads/answer/2472738?hl=en",
        documentation=(
            "https://developers.google.com/google-ads/api/docs/remarketing/audience-segments/customer-match"
        ),
    ),
    settings={
        "account": Field(
            label="Customer id",
            description="Of the Google Ads account that has the lists: ten digits, such as 123-456-7890.",
            required=True,
        ),
        "login_customer_id": Field(
            label="Login customer id",
            description="Of the manager account, where the account is reached through one.",
        ),
        "client_id": Field(
            label="OAuth client id",
            description="Of a Google Cloud project with access to the Google Ads API.",
        ),
        "client_secret": Field(
            label="OAuth client secret", description="The client's secret.", type="password", secret=True
        ),
        "refresh_token": Field(
            label="Refresh token",
            description="Of a user of the account who agreed to the scope https://www.googleapis.com/auth/adwords.",
            type="password",
            secret=True,
        ),
        "service_account_key": Field(
            label="Service account key",
            description="Instead of the three above: the key file of a service account, as JSON.",
            type="password",
            secret=True,
        ),
        "developer_token": Field(
            label="Developer token",
            description=(
                "Google gave these up in September 2026 and ignores them; later versions of the API may "
                "refuse them. Leave it empty."
            ),
            type="password",
            secret=True,
        ),
        "adUserData": Field(
            label="Ad user data",
            description="Consent to the use of data for ads, where a mapping does not say it of a person.",
            choices=CONSENTS,
            default=CONSENTS[0],
        ),
        "adPersonalization": Field(
            label="Ad personalization",
            description="Consent to personalised ads, where a mapping does not say it of a person.",
            choices=CONSENTS,
            default=CONSENTS[0],
        ),
        "appId": APP_ID,
    },
    actions={"syncAudience": SYNC},
    presets=(
        Preset(name="Sync audiences", action="syncAudience", trigger=TRIGGER, mapping=_MAPPING),
        Preset(
            name="Sync audiences by identify",
            action="syncAudience",
            trigger='type = "identify"',
            mapping=_MAPPING,
            automatic=False,
            event="warehouse_audience_membership_changed_identify",
        ),
    ),
    test=lists.test,
    choices=lists.choices,
    audiences=Audiences(
        create=lists.create, get=lists.get, fields={"external_id_type": KEY_TYPE, "app_id": APP_ID}
    ),
)
