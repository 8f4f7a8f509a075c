"""The fields of the actions on events: Segment's keys, types and defaults."""

from typing import Any

from onward.destinations.definition import Field, FieldType

UTM = ("source", "medium", "campaign", "term", "content")


def path(at: str) -> dict[str, str]:
    return {"@path": at}


def either(first: str, second: str) -> dict[str, Any]:
    """The first of two paths that has a value."""
    return {"@if": {"exists": path(first), "then": path(first), "else": path(second)}}


def _at(label: str, description: str, at: str, type: FieldType = "string", **more: Any) -> Field:
    return Field(label=label, description=description, type=type, default=path(at), **more)


def _hint(name: str) -> dict[str, str]:
    return path(f"$.context.userAgentData.{name}")


_HINTS: dict[str, FieldType] = {
    "mobile": "boolean",
    "platform": "string",
    "architecture": "string",
    "bitness": "string",
    "model": "string",
    "platformVersion": "string",
    "uaFullVersion": "string",
    "wow64": "boolean",
}

EVENT_NAME = _at("Event name", "What happened.", "$.event", required=True)

IP = _at("IP address", "Where Mixpanel finds the place from; it does not keep it.", "$.context.ip")
USER_ID = _at("User ID", "Your own id of the person.", "$.userId", allow_null=True)
ANONYMOUS_ID = _at(
    "Anonymous ID", "The id from before the person was known.", "$.anonymousId", allow_null=True
)

EVENT: dict[str, Field] = {
    "distinct_id": Field(
        label="Distinct ID",
        description="Whom the event is of.",
        default=either("$.userId", "$.anonymousId"),
    ),
    "anonymous_id": _at("Anonymous ID", "The id from before the person was known.", "$.anonymousId"),
    "user_id": _at("User ID", "Your own id of the person.", "$.userId"),
    "group_id": _at("Group ID", "The group that did it.", "$.context.groupId"),
    "insert_id": _at(
        "Insert ID", "Mixpanel takes only one event with an insert ID; a random one if empty.", "$.messageId"
    ),
    "time": _at(
        "Timestamp", "When it happened; the time at which it is sent, if empty.", "$.timestamp", "datetime"
    ),
    "app_name": _at("App name", "The name of your app.", "$.context.app.name"),
    "app_namespace": _at("App namespace", "The namespace of your app.", "$.context.app.namespace"),
    "app_build": _at("App build", "The build of your app.", "$.context.app.build"),
    "app_version": _at("App version", "The version of your app.", "$.context.app.version"),
    "os_name": _at("OS name", "The system.", "$.context.os.name"),
    "os_version": _at("OS version", "The version of the system.", "$.context.os.version"),
    "device_id": _at("Device ID", "The id of the device.", "$.context.device.id"),
    "device_type": _at("Device type", "The kind of the device.", "$.context.device.type"),
    "device_name": _at("Device name", "The name of the device.", "$.context.device.name"),
    "device_manufacturer": _at(
        "Device manufacturer", "Who makes the device.", "$.context.device.manufacturer"
    ),
    "device_model": _at("Device model", "The model of the device.", "$.context.device.model"),
    "bluetooth": _at("Bluetooth", "Whether Bluetooth is on.", "$.context.network.bluetooth", "boolean"),
    "carrier": _at("Carrier", "The mobile network.", "$.context.network.carrier"),
    "cellular": _at("Cellular", "Whether the mobile network is on.", "$.context.network.cellular", "boolean"),
    "wifi": _at("Wi-Fi", "Whether Wi-Fi is on.", "$.context.network.wifi", "boolean"),
    "country": _at("Country", "The country that the person is in.", "$.context.location.country"),
    "region": _at("Region", "The region that the person is in.", "$.context.location.region"),
    "language": _at("Language", "The language of the device or the browser.", "$.context.locale"),
    "library_name": _at("Library name", "The library that sent the event.", "$.context.library.name"),
    "library_version": _at("Library version", "Its version.", "$.context.library.version"),
    "ip": IP,
    "idfa": Field(
        label="Identifier for advertisers (IDFA)",
        description="Of an iOS device.",
        default=either("$.context.device.advertisingId", "$.context.device.idfa"),
    ),
    "url": _at("URL", "The address of the page.", "$.context.page.url"),
    "screen_width": _at("Screen width", "In pixels.", "$.context.screen.width", "number"),
    "screen_height": _at("Screen height", "In pixels.", "$.context.screen.height", "number"),
    "screen_density": _at("Screen density", "Density of pixels.", "$.context.screen.density", "number"),
    "referrer": _at("Referrer", "The page that the person came from.", "$.context.page.referrer"),
    "userAgent": _at("User agent", "Where the browser is read from.", "$.context.userAgent"),
    "advertising_id": _at(
        "Advertising ID", "The device's id for advertisers.", "$.context.device.advertisingId"
    ),
    "ad_tracking_enabled": _at(
        "Ad tracking enabled",
        "Whether the device lets advertisers track it.",
        "$.context.device.adTrackingEnabled",
    ),
    "timezone": _at("Timezone", "The person's time zone.", "$.context.timezone"),
    "app_platform": _at("App platform", "The platform of your app.", "$.context.app.platform"),
    "name": Field(
        label="Original name",
        description="What the event was called at its source.",
        default=either("$.event", "$.name"),
    ),
    "event_properties": _at("Event properties", "The properties of the event.", "$.properties", "object"),
    "context": _at(
        "Context", "The event's context, which names integrations.", "$.context", "object", hidden=True
    ),
    "utm_properties": Field(
        label="UTM properties",
        description="The campaign that the person came from.",
        type="object",
        properties={f"utm_{name}": Field(label=f"UTM {name}") for name in UTM},
        default={
            f"utm_{name}": path(f"$.context.campaign.{'name' if name == 'campaign' else name}")
            for name in UTM
        },
    ),
    "enable_batching": Field(
        label="Batch events",
        description="Send many events in one request. Mixpanel still takes or refuses each by itself.",
        type="boolean",
        default=True,
    ),
    "batch_size": Field(
        label="Batch size",
        description="The most events in one request, 2,000 at most.",
        type="number",
        default=1000,
        minimum=1,
        maximum=2000,
    ),
    "userAgentData": Field(
        label="User agent data",
        description="Client hints of the browser.",
        type="object",
        properties={name: Field(label=name, type=type) for name, type in _HINTS.items()},
        default={name: _hint(name) for name in _HINTS},
    ),
}

_PRODUCT: dict[str, tuple[FieldType, str]] = {
    "product_id": ("string", "Its id in your database."),
    "sku": ("string", "Its stock keeping unit."),
    "category": ("string", "Its category."),
    "name": ("string", "Its name."),
    "brand": ("string", "Its brand."),
    "variant": ("string", "Its variant."),
    "price": ("number", "Its price in dollars."),
    "quantity": ("integer", "How many of it."),
    "coupon": ("string", "The coupon that was used for it."),
    "position": ("number", "Its place in the list."),
    "url": ("string", "The address of its page."),
    "image_url": ("string", "The address of its picture."),
}

PRODUCTS = Field(
    label="Products",
    description="The items of the order.",
    type="object",
    multiple=True,
    additional_properties=True,
    properties={
        name: Field(label=name, type=type, description=description)
        for name, (type, description) in _PRODUCT.items()
    },
    default={"@arrayPath": ["$.properties.products", {name: path(name) for name in _PRODUCT}]},
)
