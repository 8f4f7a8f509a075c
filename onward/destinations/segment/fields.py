"""The fields of the actions: Segment's slugs (spec §13.6), with defaults that forward an event whole."""

from onward.destinations.definition import Field


def _path(path: str) -> dict[str, str]:
    return {"@path": path}


COMMON: dict[str, Field] = {
    "user_id": Field(
        label="User ID",
        description="The user's id in your database. This or the anonymous ID is required.",
        default=_path("$.userId"),
    ),
    "anonymous_id": Field(
        label="Anonymous ID",
        description="Stands in for a user ID that is not known. This or the user ID is required.",
        default=_path("$.anonymousId"),
    ),
    "timestamp": Field(
        label="Timestamp",
        description="When it happened (ISO 8601). The time of arrival if empty.",
        default=_path("$.timestamp"),
    ),
    "context": Field(
        label="Context",
        description="The context; the fields below are written over it.",
        type="object",
        default=_path("$.context"),
    ),
    "application": Field(label="Application", description="context.app", type="object"),
    "campaign_parameters": Field(label="Campaign parameters", description="context.campaign", type="object"),
    "device": Field(label="Device", description="context.device", type="object"),
    "ip_address": Field(label="IP address", description="context.ip"),
    "locale": Field(label="Locale", description="context.locale, such as en-US"),
    "location": Field(label="Location", description="context.location", type="object"),
    "network": Field(label="Network", description="context.network", type="object"),
    "operating_system": Field(label="Operating system", description="context.os", type="object"),
    "page": Field(label="Page", description="context.page", type="object"),
    "screen": Field(label="Screen", description="context.screen", type="object"),
    "user_agent": Field(label="User agent", description="context.userAgent"),
    "timezone": Field(label="Timezone", description="context.timezone, such as Europe/Rome"),
    "message_id": Field(
        label="Message ID",
        description="What the forwarded event's own messageId is derived from.",
        default=_path("$.messageId"),
        hidden=True,
    ),
    "consent": Field(
        label="Consent",
        description="context.consent",
        type="object",
        default=_path("$.context.consent"),
        hidden=True,
    ),
}

CONTEXT_KEYS = {
    "application": "app",
    "campaign_parameters": "campaign",
    "consent": "consent",
    "device": "device",
    "ip_address": "ip",
    "locale": "locale",
    "location": "location",
    "network": "network",
    "operating_system": "os",
    "page": "page",
    "screen": "screen",
    "user_agent": "userAgent",
    "timezone": "timezone",
}
"""Which key of the context a field is written to."""

GROUP_OF_EVENT = Field(label="Group ID", description="context.groupId")
GROUP_ID = Field(
    label="Group ID", description="The group's or account's id.", required=True, default=_path("$.groupId")
)
PREVIOUS_ID = Field(
    label="Previous ID", description="The id to be merged.", required=True, default=_path("$.previousId")
)
EVENT_NAME = Field(
    label="Event name", description="What the user did.", required=True, default=_path("$.event")
)
PAGE_NAME = Field(label="Page name", description="The page that was viewed.", default=_path("$.name"))
SCREEN_NAME = Field(label="Screen name", description="The screen that was viewed.", default=_path("$.name"))
CATEGORY = Field(label="Page category", description="The page's category.", default=_path("$.category"))
PROPERTIES = Field(
    label="Properties",
    description="What else is known of the event.",
    type="object",
    default=_path("$.properties"),
)
TRAITS = Field(
    label="Traits",
    description="What is known of the user or group.",
    type="object",
    default=_path("$.traits"),
)
TRAITS_OF_EVENT = Field(label="Traits", description="context.traits", type="object")
ADDRESS = Field(label="Address", description="traits.address", type="object")

BATCHING: dict[str, Field] = {
    "enable_batching": Field(
        label="Batch data",
        description="Send several events in one request.",
        type="boolean",
        default=True,
    ),
    "batch_size": Field(
        label="Batch size",
        description="The most events in one request: 100 if empty, 2500 at most.",
        type="number",
        minimum=0,
        maximum=2500,
    ),
}
