"""The fields of the actions: Segment's keys, types and defaults."""

from dataclasses import replace
from typing import Any

from onward.destinations.definition import Field, FieldType

WEB, MOBILE_APP = "Web", "Mobile App"


def path(at: str) -> dict[str, str]:
    return {"@path": at}


def parameter(label: str, description: str, name: str = "", type: FieldType = "string", **more: Any) -> Field:
    """A parameter of the event, by default the event's property `name`."""
    default = path(f"$.properties.{name}") if name else None
    return Field(label=label, description=description, type=type, default=default, **more)


CLIENT_ID = Field(
    label="Client ID",
    description="The person's browser. Web streams require it.",
    default={"@if": {"exists": path("$.userId"), "then": path("$.userId"), "else": path("$.anonymousId")}},
)

FIRST: dict[str, Field] = {
    "data_stream_type": Field(
        label="Data stream type",
        description="Whether the data goes to a web stream, or to one of an iOS or Android app.",
        choices=(WEB, MOBILE_APP),
        default=WEB,
    ),
    "app_instance_id": Field(
        label="Firebase app instance ID",
        description="The app's installation, as Firebase's library tells it. Streams of apps require it.",
    ),
    "client_id": CLIENT_ID,
    "user_id": Field(label="User ID", description="The person across devices."),
    "timestamp_micros": Field(
        label="Event timestamp",
        description="When it happened: a date, or microseconds since 1970; three days ago at most.",
        default=path("$.timestamp"),
    ),
}


def _consent(label: str, description: str) -> Field:
    return Field(
        label=label,
        description=description,
        choices=("GRANTED", "DENIED"),
        choice_labels=("Granted", "Denied"),
    )


LAST: dict[str, Field] = {
    "user_properties": Field(
        label="User properties",
        description="Properties of the person, which need user-scoped custom dimensions in Google Analytics.",
        type="object",
        additional_properties=True,
        presentation="keyvalue",
    ),
    "engagement_time_msec": Field(
        label="Engagement time",
        description="Milliseconds that the person spent. Google counts nobody who spent none.",
        type="number",
        default=1,
    ),
    "params": Field(
        label="Event parameters",
        description="Parameters besides those above, which they win over.",
        type="object",
        additional_properties=True,
        presentation="keyvalue",
    ),
    "ad_user_data_consent": _consent(
        "Consent to ad user data", "Whether the person's data may go to Google for advertising."
    ),
    "ad_personalization_consent": _consent(
        "Consent to personalised ads", "Whether the person may be shown personalised advertising."
    ),
}

CURRENCY = parameter("Currency", "Three letters of ISO 4217.", "currency")
VALUE = parameter("Value", "What it is worth, in the currency.", "value", "number")
TOTAL = parameter("Value", "What it is worth, in the currency.", "total", "number")
COUPON = parameter("Coupon", "The coupon that was used.")
AFFILIATION = parameter("Affiliation", "The shop that it happened in.", "affiliation")
ORDER_ID = parameter("Order ID", "The id of the order.", "order_id", required=True)
SHIPPING = parameter("Shipping", "What shipping costs.", "shipping", "number")
TAX = parameter("Tax", "The order's tax.", type="number")

_ITEM: dict[str, tuple[FieldType, str]] = {
    "item_id": ("string", "Its id. This or the name is required."),
    "item_name": ("string", "Its name. This or the id is required."),
    "affiliation": ("string", "The shop that it is of."),
    "coupon": ("string", "The coupon that was used for it."),
    "currency": ("string", "Three letters of ISO 4217."),
    "discount": ("number", "By how much it was cheaper."),
    "index": ("number", "Its place in the list."),
    "item_brand": ("string", "Its brand."),
    "item_category": ("string", "Its category."),
    **{f"item_category{n}": ("string", f"Its category on level {n}.") for n in (2, 3, 4, 5)},
    "item_list_id": ("string", "The id of the list that it was shown in."),
    "item_list_name": ("string", "The name of the list that it was shown in."),
    "item_variant": ("string", "Its variant."),
    "location_id": ("string", "The place that it is at."),
    "price": ("number", "Its price, in the currency."),
    "quantity": ("integer", "How many of it."),
}
_PROMOTED: dict[str, tuple[FieldType, str]] = {
    "creative_name": ("string", "The name of the creative."),
    "creative_slot": ("string", "The slot of the creative."),
    "promotion_name": ("string", "The name of the promotion."),
    "promotion_id": ("string", "The id of the promotion."),
}
_FROM_SEGMENT = {
    "item_id": "product_id",
    "item_name": "name",
    "affiliation": "affiliation",
    "coupon": "coupon",
    "item_brand": "brand",
    "item_category": "category",
    "item_variant": "variant",
    "price": "price",
    "quantity": "quantity",
}
"""Parameters of an item, and what Segment's e-commerce events call them."""


def _items(at: str, description: str, own: dict[str, str], members: dict[str, Any]) -> Field:
    return Field(
        label="Products",
        description=description,
        type="object",
        multiple=True,
        required=True,
        additional_properties=True,
        properties={
            name: Field(label=name, type=type, description=words) for name, (type, words) in members.items()
        },
        default={"@arrayPath": [at, {name: path(f"$.{key}") for name, key in own.items()}]},
    )


ONE_ITEM = _items("$.properties", "The product that the event is of.", _FROM_SEGMENT, _ITEM)
PROMOTED_ITEM = _items("$.properties", "The product that is promoted.", _FROM_SEGMENT, _ITEM | _PROMOTED)
ITEMS = _items(
    "$.properties.products", "The products of the list.", _FROM_SEGMENT | {"index": "position"}, _ITEM
)


def optional(field: Field) -> Field:
    return replace(field, required=False)


PROMOTION: dict[str, Field] = {
    "creative_name": parameter("Creative name", "The name of the creative."),
    "creative_slot": parameter("Creative slot", "The slot of the creative.", "creative"),
    "location_id": parameter("Location ID", "The place that it is at."),
    "promotion_id": parameter("Promotion ID", "The id of the promotion.", "promotion_id"),
    "promotion_name": parameter("Promotion name", "The name of the promotion.", "name"),
}
