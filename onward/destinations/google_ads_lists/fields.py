"""The fields of Sync Audience; where Segment's action for Customer Match has the like, under the same key."""

from typing import Any

from onward.destinations.audiences import OPERATION
from onward.destinations.definition import Field
from onward.destinations.google_ads_lists.people import CONSENTS, KEY_TYPES

BATCH_BYTES = 8_000_000

PII = "hashedPII"


def _of_person(trait: str) -> dict[str, Any]:
    """A trait, from where events of audiences, calls of identify and tracked events have it."""
    places = (f"$.context.traits.{trait}", f"$.traits.{trait}", f"$.properties.{trait}")
    default: dict[str, Any] = {"@path": places[-1]}
    for place in reversed(places[:-1]):
        path = {"@path": place}
        default = {"@if": {"exists": path, "then": path, "else": default}}
    return default


KEY_TYPE = Field(
    label="Kind of identifier",
    description=(
        "What the list's people are known by: contact data, ids of your own, or mobile advertising ids. A "
        "list takes one kind only."
    ),
    choices=KEY_TYPES,
    default=KEY_TYPES[0],
)

FIELDS = {
    "list_id": Field(
        label="List id",
        description=(
            "The user list. By default that of the audience that the event is of; if empty, the one that was "
            "made for this mapping."
        ),
        default={"@path": "$.context.personas.external_audience_id"},
        dynamic=True,
    ),
    "operation": OPERATION,
    "external_id_type": KEY_TYPE,
    "email": Field(
        label="E-mail address",
        description="It is hashed (SHA-256) unless it is a hash already.",
        default=_of_person("email"),
        category=PII,
    ),
    "phone": Field(
        label="Phone number",
        description="With a country code, such as +15552345678. It is hashed unless it is a hash already.",
        default=_of_person("phone"),
        category=PII,
    ),
    "phone_country_code": Field(
        label="Country code of phone numbers",
        description="Such as +1, for numbers that have none. Without it those are left out.",
    ),
    "first_name": Field(
        label="First name",
        description=(
            "It is hashed unless it is a hash already. A person is known by name only together with last "
            "name, country and postal code."
        ),
        default=_of_person("firstName"),
        category=PII,
    ),
    "last_name": Field(
        label="Last name",
        description="It is hashed unless it is a hash already.",
        default=_of_person("lastName"),
        category=PII,
    ),
    "country_code": Field(label="Country", description="Two letters of ISO 3166-1, such as US."),
    "postal_code": Field(label="Postal code", description="Of the person's address."),
    "crm_id": Field(label="Id of your own", description="For lists of such ids: the person's."),
    "mobile_advertising_id": Field(
        label="Mobile advertising id",
        description="For lists of such ids: IDFA or Google's advertising id.",
        default={"@path": "$.context.device.advertisingId"},
    ),
    "ad_user_data_consent_state": Field(
        label="Consent to the use of data for ads",
        description="Of the person; the setting counts where it is UNSPECIFIED. Nobody is added if DENIED.",
        choices=CONSENTS,
        default=CONSENTS[0],
    ),
    "ad_personalization_consent_state": Field(
        label="Consent to personalised ads",
        description="Of the person; the setting counts where it is UNSPECIFIED. Nobody is added if DENIED.",
        choices=CONSENTS,
        default=CONSENTS[0],
    ),
    "enable_batching": Field(
        label="Batch people", description="Send many people in one job.", type="boolean", default=True
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
}
