"""Segment Connections (`actions-segment`): events on to another source (spec §13.6)."""

from onward.destinations.definition import Action, Definition, Field, Listing, Preset
from onward.destinations.segment import events, fields, send
from onward.destinations.segment.events import Build


def _action(kind: str, build: Build, **own: Field) -> Action:
    name = kind.title()
    return Action(
        slug=f"send{name}",
        title=f"Send {name}",
        description=f"Send {kind} calls to the Tracking API of another source.",
        perform=send.performer(build),
        default_trigger=f'type = "{kind}"',
        fields={**own, **fields.COMMON, **fields.BATCHING},
        batches=True,
        max_batch_size=2500,
        default_batch_size=100,
        max_batch_bytes=450_000,
    )


ACTIONS = (
    _action(
        "track",
        events.track,
        event_name=fields.EVENT_NAME,
        properties=fields.PROPERTIES,
        traits=fields.TRAITS_OF_EVENT,
        group_id=fields.GROUP_OF_EVENT,
    ),
    _action(
        "identify",
        events.identify,
        traits=fields.TRAITS,
        address=fields.ADDRESS,
        group_id=fields.GROUP_OF_EVENT,
    ),
    _action(
        "page",
        events.page,
        page_name=fields.PAGE_NAME,
        page_category=fields.CATEGORY,
        properties=fields.PROPERTIES,
        group_id=fields.GROUP_OF_EVENT,
    ),
    _action(
        "screen",
        events.screen,
        screen_name=fields.SCREEN_NAME,
        properties=fields.PROPERTIES,
        group_id=fields.GROUP_OF_EVENT,
    ),
    _action("group", events.group, group_id=fields.GROUP_ID, traits=fields.TRAITS),
    _action("alias", events.alias, previous_id=fields.PREVIOUS_ID, group_id=fields.GROUP_OF_EVENT),
)


def _preset(action: Action) -> Preset:
    mapping = {name: field.default for name, field in action.fields.items() if field.default is not None}
    return Preset(name=action.title, action=action.slug, trigger=action.default_trigger, mapping=mapping)


DEFINITION = Definition(
    slug="actions-segment",
    id="6371eee1ae5e324869aa8b1b",
    name="Segment Connections",
    description="Send events on to another source, of this or another Onward, or of Segment.",
    previous_names=("Segment",),
    listing=Listing(categories=("Raw Data",), sources=frozenset({"web", "mobile", "server", "warehouse"})),
    settings={
        "source_write_key": Field(
            label="Source write key",
            description="The write key of the source that the events go to.",
            type="password",
            required=True,
            secret=True,
        ),
        "endpoint": Field(
            label="Endpoint",
            description=(
                "The Tracking API's address up to /v1, such as http://127.0.0.1:8080/v1 for an Onward. "
                "Segment in North America if empty; https://events.eu1.segmentapis.com/v1 in Europe."
            ),
            default=send.DEFAULT_ENDPOINT,
        ),
    },
    actions={action.slug: action for action in ACTIONS},
    presets=tuple(_preset(action) for action in ACTIONS),
    test=send.test,
)
