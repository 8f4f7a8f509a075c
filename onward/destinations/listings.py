"""Where a destination belongs in the catalogue: facts from `listings.json` (spec §8.1, §8.2, §8.6, §19.1).

The file is made by `tools/listings.py` from the data of Segment's documentation and names its source. What it
lacks of an entry is taken from the entry's own triggers. All of it is told, none of it enforced: Onward
delivers what a mapping's trigger takes, from whatever source.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from pathlib import Path
from typing import Literal

import msgspec

from onward.destinations.definition import EVENT_TYPES, Listing
from onward.pipeline.triggers import Condition, Group, TriggerError, parse

FILE = Path(__file__).parent / "listings.json"

ALL_TYPES = frozenset(EVENT_TYPES)
DEVICES = ("web", "mobile", "server")

STORAGE = frozenset({"amazon-s3", "aws-s3", "google-cloud-storage"})
"""Those of `warehouse.yml` in the same data; warehouses are no destinations of it."""

NO_IP_ALLOWLIST = frozenset(
    {
        "actions-liveramp-audiences",
        "actions-the-trade-desk-crm",
        "actions-aws-kinesis",
        "amazon-kinesis",
        "amazon-kinesis-firehose",
    }
)
"""LiveRamp, The Trade Desk and Amazon Kinesis, which no IP allowlist is possible for (§19.1)."""

REPLAY_DAYS = {
    "actions-google-analytics-4": 3,  # developers.google.com: Measurement Protocol, 72 hours
    "actions-facebook-conversions-api": 7,  # developers.facebook.com: Conversions API, event_time
    "actions-linkedin-conversions": 90,  # the destination's own check of conversionHappenedAt
    "actions-snap-conversions": 37,  # marketingapi.snapchat.com: Conversions API
}
"""How old an event may be, where the tool's documentation says so."""


class Facts(msgspec.Struct, frozen=True):
    """A line of the file; what is left out has the value that most have."""

    id: str
    slug: str
    names: tuple[str, ...]
    """What the integrations object may call it, the current name first."""
    categories: tuple[str, ...] = ()
    methods: frozenset[str] | None = None
    """None where nothing is known."""
    sources: frozenset[str] = frozenset(DEVICES)
    cloud: frozenset[str] = frozenset(DEVICES)
    device: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ("us-west-2", "eu-west-1")
    endpoints: tuple[str, ...] = ("US",)
    website: str = ""
    status: Literal["PUBLIC", "PUBLIC_BETA"] = "PUBLIC"
    partner_owned: bool = False


class _File(msgspec.Struct):
    source: str
    listings: list[Facts]


@dataclass(frozen=True)
class _Index:
    by_id: dict[str, Facts]
    by_slug: dict[str, Facts]

    def find(self, id: str, slug: str) -> Facts | None:
        return self.by_id.get(id) or self.by_slug.get(slug)


def listing(id: str, slug: str, triggers: Iterable[str] = ()) -> Listing:
    """What is known of a destination, by its metadata id or else its slug.

    `triggers` are those of its presets and actions. They say the methods where the file has none, and add
    those that they name: the data tells `screen` of one Actions destination in 160.
    """
    facts = _index().find(id, slug) or Facts(id=id, slug=slug, names=(), status="PUBLIC_BETA")
    return Listing(
        kind=_kind(facts),
        categories=facts.categories,
        methods=_methods(facts, list(triggers)),
        sources=facts.sources,
        cloud=facts.cloud,
        device=facts.device,
        regions=facts.regions,
        endpoints=facts.endpoints,
        # Any destination in cloud mode that honours timestamps; the data's own flag says less (§22.17).
        replay=bool(facts.cloud) or "warehouse" in facts.sources,
        replay_days=REPLAY_DAYS.get(slug),
        ip_allowlist=slug not in NO_IP_ALLOWLIST,
        status=facts.status,
        website=facts.website,
        partner_owned=facts.partner_owned,
    )


def previous_names(id: str, slug: str, name: str = "") -> tuple[str, ...]:
    """What the integrations object may call a destination besides `name` (spec §6.1)."""
    facts = _index().find(id, slug)
    return tuple(each for each in facts.names if each != name) if facts else ()


def _methods(facts: Facts, triggers: Sequence[str]) -> frozenset[str]:
    if facts.methods is None:
        return methods_of(triggers)
    return facts.methods.union(*(_named(trigger) for trigger in triggers))


def methods_of(triggers: Iterable[str]) -> frozenset[str]:
    """The event types that any of the triggers can take; all of them if there is none to go by."""
    found = frozenset().union(*(_types(trigger) for trigger in triggers))
    return found or ALL_TYPES


def _types(trigger: str) -> frozenset[str]:
    try:
        return _types_of(parse(trigger))
    except TriggerError:
        return frozenset()


def _named(trigger: str) -> frozenset[str]:
    """The types that a trigger asks for by name."""
    try:
        return _named_in(parse(trigger))
    except TriggerError:
        return frozenset()


def _named_in(node: Group | Condition) -> frozenset[str]:
    if isinstance(node, Group):
        return frozenset().union(*(_named_in(child) for child in node.children))
    named = node.type == "event-type" and node.operator == "="
    return ALL_TYPES & {str(node.value)} if named else frozenset()


def _types_of(node: Group | Condition) -> frozenset[str]:
    if isinstance(node, Condition):
        if node.type == "event-type":
            named = ALL_TYPES & {str(node.value)}
            return {"=": named, "!=": ALL_TYPES - named}.get(node.operator, ALL_TYPES)
        return frozenset({"track"}) if node.type == "event" and node.operator == "=" else ALL_TYPES
    parts = [_types_of(child) for child in node.children]
    if node.operator == "and":
        return reduce(frozenset.intersection, parts, ALL_TYPES)
    return reduce(frozenset.union, parts, frozenset())


def _kind(facts: Facts) -> Literal["event_stream", "storage", "reverse_etl"]:
    if facts.slug in STORAGE:
        return "storage"
    return "reverse_etl" if facts.sources == {"warehouse"} else "event_stream"


@cache
def _index() -> _Index:
    listings = msgspec.json.decode(FILE.read_bytes(), type=_File).listings
    return _Index({each.id: each for each in listings}, {each.slug: each for each in listings})
