"""The fields of the actions: Segment's keys, types and defaults."""

from dataclasses import replace
from typing import Any

from onward.destinations.definition import Field

UTM = ("source", "medium", "campaign", "term", "content")


def path(at: str) -> dict[str, str]:
    return {"@path": at}


def either(first: str, second: str) -> dict[str, Any]:
    """The first of two paths that has a value."""
    return {"@if": {"exists": path(first), "then": path(first), "else": path(second)}}


def _utm_path(name: str) -> dict[str, str]:
    return path(f"$.context.campaign.{'name' if name == 'campaign' else name}")


def _utm(prefix: str = "") -> dict[str, Field]:
    label = "Initial UTM" if prefix else "UTM"
    return {f"{prefix}utm_{name}": Field(label=f"{label} {name}") for name in UTM}


def _utm_defaults(prefix: str = "") -> dict[str, Any]:
    return {f"{prefix}utm_{name}": _utm_path(name) for name in UTM}


def _text(label: str, description: str, at: str | None = None) -> Field:
    return Field(label=label, description=description, default=path(at) if at else None)


USER_ID = Field(
    label="User ID",
    description="Your own id of the person. This or the device ID is required.",
    allow_null=True,
    default=path("$.userId"),
)
DEVICE_ID = Field(
    label="Device ID",
    description="The id of the device or the browser. This or the user ID is required.",
    default=either("$.context.device.id", "$.anonymousId"),
)
GROUPS = Field(
    label="Groups",
    description="Groups that the person belongs to, five at most (with Amplitude's Accounts add-on).",
    type="object",
)
INSERT_ID = Field(
    label="Insert ID",
    description="Amplitude takes only one event with an insert ID within seven days.",
)
MIN_ID_LENGTH = Field(
    label="Minimum ID length",
    description="Amplitude refuses user and device IDs of fewer than 5 characters, or of fewer than this.",
    type="integer",
    allow_null=True,
)
USER_AGENT_DATA = Field(
    label="User agent data",
    description="Client hints of the browser; they win over what the user agent says.",
    type="object",
    properties={"model": Field(label="Model"), "platformVersion": Field(label="Platform version")},
    default={
        "model": path("$.context.userAgentData.model"),
        "platformVersion": path("$.context.userAgentData.platformVersion"),
    },
)

DEVICE: dict[str, Field] = {
    "app_version": _text("App version", "The version of your app.", "$.context.app.version"),
    "platform": _text(
        "Platform",
        "The device's platform; `Web` if empty and the event is of analytics.js.",
        "$.context.device.type",
    ),
    "os_name": _text("OS name", "The system, or the browser.", "$.context.os.name"),
    "os_version": _text(
        "OS version", "The version of the system, or of the browser.", "$.context.os.version"
    ),
    "device_brand": _text("Device brand", "The brand of the device.", "$.context.device.brand"),
    "device_manufacturer": _text(
        "Device manufacturer", "Who makes the device.", "$.context.device.manufacturer"
    ),
    "device_model": _text("Device model", "The model of the device.", "$.context.device.model"),
    "carrier": _text("Carrier", "The mobile network.", "$.context.network.carrier"),
    "country": _text("Country", "The country that the person is in.", "$.context.location.country"),
    "region": _text("Region", "The region that the person is in.", "$.context.location.region"),
    "city": _text("City", "The city that the person is in.", "$.context.location.city"),
    "dma": _text("Designated market area", "The market area that the person is in."),
    "language": _text("Language", "The language of the device or the browser.", "$.context.locale"),
}

_PRICE = "The price of one item; negative for refunds. Revenue is price times quantity where both are known."
REVENUE = ("revenue", "price", "productId", "quantity", "revenueType")

EVENT: dict[str, Field] = {
    "user_id": USER_ID,
    "device_id": DEVICE_ID,
    "event_type": Field(
        label="Event type",
        description="The name of the event.",
        required=True,
        default=path("$.event"),
    ),
    "session_id": Field(
        label="Session ID",
        description="When the session began, in milliseconds or as a date. Browsers send it by themselves.",
        type="datetime",
        default=path("$.integrations.Actions Amplitude.session_id"),
    ),
    "time": Field(
        label="Timestamp",
        description="When it happened. The time at which Amplitude gets it, if empty.",
        type="datetime",
        default=path("$.timestamp"),
    ),
    "event_properties": Field(
        label="Event properties",
        description="The properties of the event, at most 40 levels deep.",
        type="object",
        default=path("$.properties"),
    ),
    "user_properties": Field(
        label="User properties",
        description="Properties of the person, at most 40 levels deep.",
        type="object",
        default=path("$.traits"),
    ),
    "groups": GROUPS,
    **DEVICE,
    "price": Field(label="Price", description=_PRICE, type="number", default=path("$.properties.price")),
    "quantity": Field(
        label="Quantity", description="How many items.", type="integer", default=path("$.properties.quantity")
    ),
    "revenue": Field(
        label="Revenue",
        description="What it brought in; negative for refunds. Price times quantity wins if both are known.",
        type="number",
        default=path("$.properties.revenue"),
    ),
    "productId": _text("Product ID", "The id of the item; it needs a revenue.", "$.properties.productId"),
    "revenueType": _text(
        "Revenue type", "The kind of revenue; it needs a revenue.", "$.properties.revenueType"
    ),
    "location_lat": Field(
        label="Latitude",
        description="The latitude that the person is at.",
        type="number",
        default=path("$.context.location.latitude"),
    ),
    "location_lng": Field(
        label="Longitude",
        description="The longitude that the person is at.",
        type="number",
        default=path("$.context.location.longitude"),
    ),
    "ip": _text(
        "IP address",
        "Where Amplitude finds the place from; `$remote` stands for the address of the request.",
        "$.context.ip",
    ),
    "idfa": Field(
        label="Identifier for advertisers (IDFA)",
        description="Of an iOS device.",
        default=either("$.context.device.advertisingId", "$.context.device.idfa"),
    ),
    "idfv": _text("Identifier for vendors (IDFV)", "Of an iOS device.", "$.context.device.id"),
    "adid": Field(
        label="Google Play advertising ID",
        description="Of an Android device.",
        default=either("$.context.device.advertisingId", "$.context.device.idfa"),
    ),
    "android_id": _text("Android ID", "Of an Android device; not its advertising ID."),
    "event_id": Field(
        label="Event ID",
        description="A growing number that keeps events of one person and one moment apart.",
        type="integer",
    ),
    "insert_id": INSERT_ID,
    "library": Field(
        label="Library",
        description="The name of the library that sent the event.",
        default=path("$.context.library.name"),
        hidden=True,
    ),
    "library2": Field(
        label="Library settings",
        description=(
            "What Amplitude is told as the library: the mapped value with the behaviour `use_mapping`, and "
            "otherwise `segment`."
        ),
        type="object",
        presentation="keyvalue",
        properties={
            "behavior": Field(
                label="Behaviour",
                description="Where the value comes from.",
                choices=("auto", "use_mapping"),
                choice_labels=("Automatic", "The mapped value"),
            ),
            "mapping": Field(label="Library", description="The value with the behaviour `use_mapping`."),
        },
        default={"behavior": "use_mapping", "mapping": path("$.context.library.name")},
    ),
}

PRODUCTS = Field(
    label="Products",
    description="The items of the order.",
    type="object",
    multiple=True,
    additional_properties=True,
    properties={
        "price": Field(label="Price", description=_PRICE, type="number"),
        "quantity": Field(label="Quantity", description="How many of it.", type="integer"),
        "revenue": Field(label="Revenue", description="What it brought in.", type="number"),
        "productId": Field(label="Product ID", description="The id of the item."),
        "revenueType": Field(label="Revenue type", description="The kind of revenue."),
    },
    default={
        "@arrayPath": [
            "$.properties.products",
            {name: path(name) for name in ("price", "revenue", "quantity", "productId", "revenueType")},
        ]
    },
)

_NEEDED = {
    "match": "any",
    "conditions": [{"fieldKey": name, "operator": "is", "value": ""} for name in ("price", "quantity")],
}
"""A form asks for the revenue of an item of an order only where it can't be worked out."""
ORDERED_PRODUCTS = replace(
    PRODUCTS,
    properties={
        **(PRODUCTS.properties or {}),
        "revenue": Field(
            label="Revenue", description="What it brought in.", type="number", depends_on=_NEEDED
        ),
    },
)

ENDPOINT: dict[str, Field] = {
    "use_batch_endpoint": Field(
        label="Use the batch endpoint",
        description="Send to /batch instead of /httpapi: Amplitude throttles it later.",
        type="boolean",
        default=False,
    )
}

AGENT: dict[str, Field] = {
    "userAgent": _text("User agent", "The user agent of the device.", "$.context.userAgent"),
    "userAgentParsing": Field(
        label="Read the user agent",
        description="Tell Amplitude the system, the maker and the model that the user agent names.",
        type="boolean",
        default=True,
    ),
    "includeRawUserAgent": Field(
        label="Send the user agent",
        description="Send the user agent as it is, as `user_agent`.",
        type="boolean",
        default=False,
    ),
}

ORIGIN: dict[str, Field] = {
    "utm_properties": Field(
        label="UTM properties",
        description="The campaign that the person came from, kept as the last and as the first one.",
        type="object",
        properties=_utm(),
        default=_utm_defaults(),
    ),
    "referrer": _text(
        "Referrer",
        "The page that the person came from, kept as the last and as the first one.",
        "$.context.page.referrer",
    ),
}

OPERATIONS: dict[str, Field] = {
    "setOnce": Field(
        label="Set once",
        description="User properties that are set only if they have no value yet.",
        type="object",
        additional_properties=True,
        properties={
            "initial_referrer": Field(
                label="Initial referrer", description="The page that the person came from."
            ),
            **_utm("initial_"),
        },
        default={"initial_referrer": path("$.context.page.referrer"), **_utm_defaults("initial_")},
    ),
    "setAlways": Field(
        label="Set always",
        description="User properties that every event sets.",
        type="object",
        additional_properties=True,
        properties={"referrer": Field(label="Referrer"), **_utm()},
        default={"referrer": path("$.context.page.referrer"), **_utm_defaults()},
    ),
    "add": Field(
        label="Add",
        description="Numbers that are added to user properties, which count as 0 while they have no value.",
        type="object",
        additional_properties=True,
        presentation="keyvalue",
    ),
}

CLOSING: dict[str, Field] = {"min_id_length": MIN_ID_LENGTH, "userAgentData": USER_AGENT_DATA}

BATCHING: dict[str, Field] = {
    "enable_batching": Field(
        label="Batch events",
        description="Send many events in one request. Amplitude still takes or refuses each by itself.",
        type="boolean",
        default=False,
    ),
    "batch_size": Field(
        label="Batch size",
        description="The most events in one request: 1,000 if empty.",
        type="number",
        minimum=1,
        maximum=2000,
        hidden=True,
    ),
}
"""Onward's own: Segment sends each event by itself."""
