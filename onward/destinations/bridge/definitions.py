"""The installed catalogue as definitions: read from `catalogue.json`, each made when it is asked for."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from onward.destinations.bridge import fields as read
from onward.destinations.bridge.actions import (
    Audience,
    Bridged,
    Choices,
    Delete,
    Perform,
    PerformHook,
    Test,
)
from onward.destinations.bridge.install import read_exported
from onward.destinations.definition import (
    Action,
    Audiences,
    Definition,
    Field,
    Hook,
    Json,
    Preset,
)
from onward.destinations.listings import listing, previous_names

NO_SOCKETS = "it opens connections of its own, which the catalogue's worker has no right to"
OWN_SOCKETS = frozenset({"kafka", "sftp", "s3", "aws-s3", "aws-kinesis", "amazon-eventbridge"})
"""Directories of those that speak a protocol of their own, which the worker has no right to."""
UNSERVED = {
    "segment-profiles": "it delivers to Segment's own profile spaces, which nothing else can reach",
    **dict.fromkeys(OWN_SOCKETS, NO_SOCKETS),
}
"""Directories of those that can't be delivered to, and why."""
UNSERVED_ACTIONS = {("liveramp-audiences", "audienceEnteredSFTP"): NO_SOCKETS}

BULK = frozenset(
    {
        "display-video-360",
        "first-party-dv360",
        "klaviyo",
        "liveramp-audiences",
        "the-trade-desk-crm",
        "snap-audiences",
    }
)
"""Those that get bulk batches (spec §11.5)."""
TAKE_EVENTS = frozenset({"google-data-manager", "google-enhanced-conversions", "klaviyo"})
"""Those with lists of people that also take events which are about no list."""
BATCH = 1_000
LARGEST_BATCH = 10_000
"""Where the action's field does not say more: what one call sends, it waits for in memory."""
LARGEST = 100_000
"""Whatever a field says: this many payloads are 30 to 100 MB in the worker."""

LIMIT = 60.0
"""Seconds for all requests of one call of an action."""
BULK_LIMIT = 300.0

ENABLE_BATCHING = Field(
    label="Batch data",
    description="Send several events in one request.",
    type="boolean",
    default=False,
)
OAUTH = {
    "oauth_access_token": Field(
        label="Access token",
        type="password",
        secret=True,
        description="Of the account to deliver to. When it has expired, a new one is got with the others.",
    ),
    "oauth_refresh_token": Field(label="Refresh token", type="password", secret=True),
    "oauth_client_id": Field(
        label="Client id", description="Of your own OAuth application, which the tokens were made for."
    ),
    "oauth_client_secret": Field(label="Client secret", type="password", secret=True),
    "oauth_refresh_token_url": Field(
        label="Token URL", description="Where new access tokens come from, if the destination leaves it open."
    ),
}


class Definitions(Mapping[str, Definition]):
    """By slug. Each is decoded at the first look at it, and kept."""

    def __init__(self, sources: Mapping[str, msgspec.Raw]) -> None:
        self._sources = sources
        self._made: dict[str, Definition] = {}

    def __getitem__(self, slug: str) -> Definition:
        made = self._made.get(slug)
        if made is None:
            made = self._made[slug] = definition(msgspec.json.decode(self._sources[slug]))
        return made

    def __contains__(self, slug: object) -> bool:
        return slug in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)


def load(folder: Path) -> Mapping[str, Definition]:
    """What is installed in `folder`; nothing if there is nothing."""
    try:
        return Definitions(read_exported(folder).destinations)
    except FileNotFoundError:
        return {}


def definition(source: Json) -> Definition:
    """From the export of one destination (`packages/export.cjs`)."""
    directory, id, slug, name = source["directory"], source["id"], source["slug"], source["name"]
    authentication = source.get("authentication") or {}
    oauth = authentication.get("scheme") in ("oauth2", "oauth-managed")
    of = Bridged(
        directory=directory,
        oauth=oauth,
        refreshes=bool(authentication.get("refresh")),
        reads_events=source["readsEvents"],
        in_turn=source["hasTransactions"],
        unserved=UNSERVED.get(directory, ""),
    )
    actions = {each["slug"]: _action(of, each, bool(source.get("audience"))) for each in source["actions"]}
    # Presets of browser plugins name actions that are none of the server's.
    presets = tuple(_preset(each) for each in source["presets"] if each["partnerAction"] in actions)
    triggers = [preset.trigger for preset in presets if preset.automatic]
    triggers += [action.default_trigger for action in actions.values() if action.default_trigger]
    return Definition(
        slug=slug,
        id=id,
        name=name,
        description=source.get("description") or "",
        settings=read.fields(authentication.get("fields") or {}) | (OAUTH if oauth else {}),
        actions=actions,
        presets=presets,
        previous_names=previous_names(id, slug, name),
        listing=replace(listing(id, slug, triggers), own_sockets=directory in OWN_SOCKETS),
        test=Test(of) if authentication.get("test") else None,
        choices=Choices(of) if any(_has_choices(each) for each in source["actions"]) else None,
        audiences=_audiences(of, source.get("audience")),
        on_delete=Delete(of) if source["onDelete"] else None,
        native=False,
    )


def _action(of: Bridged, source: Json, has_audiences: bool) -> Action:
    slug, batches = source["slug"], source["batches"]
    fields = read.fields(source["fields"])
    own_flag = "enable_batching" in fields
    if batches and fields and not own_flag:  # (without fields, it takes whatever is mapped)
        fields["enable_batching"] = ENABLE_BATCHING
    bulk = batches and of.directory in BULK
    limit = BULK_LIMIT if bulk else LIMIT
    if why := UNSERVED_ACTIONS.get((of.directory, slug)):
        of = replace(of, unserved=why)
    default, most = _batch_sizes(fields.get("batch_size"))
    return Action(
        slug=slug,
        title=source["title"],
        description=source.get("description") or "",
        perform=Perform(of, slug, batches, limit, own_flag),
        fields=fields,
        # Iterable says `==`, which is no operator: nothing would meet such a trigger, and none is saved.
        default_trigger=(source.get("defaultSubscription") or "").replace("==", "="),
        hidden=source["hidden"],
        batches=batches,
        default_batch_size=default,
        max_batch_size=most,
        bulk_from=1 if bulk else None,
        by_audience=has_audiences,
        timeout=limit,
        sync_mode=read.sync_mode(source.get("syncMode")),
        hooks={name: _hook(of, slug, name, each) for name, each in source["hooks"].items()},
    )


def _batch_sizes(field: Field | None) -> tuple[int, int]:
    """The default, and the most."""
    default = int(_number(field and field.default) or BATCH)
    most = int(_number(field and field.maximum) or max(default, LARGEST_BATCH))
    return min(default, LARGEST), min(most, LARGEST)


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and value >= 1 else None


def _preset(source: Json) -> Preset:
    event = source.get("eventSlug") or ""
    # Those that are for events of a kind rather than for a trigger name the type of event last.
    kind = event.rpartition("_")[2]
    return Preset(
        name=source["name"],
        action=source["partnerAction"],
        trigger=source.get("subscribe") or f'type = "{kind}"',
        mapping=source["mapping"],
        automatic=source["type"] == "automatic",
        event=event,
    )


def _hook(of: Bridged, action: str, name: str, source: Json) -> Hook:
    return Hook(
        label=source.get("label") or name,
        description=source.get("description") or "",
        fields=read.fields(source.get("inputFields") or {}),
        outputs=read.fields(source.get("outputTypes") or {}),
        perform=PerformHook(of, action, name),
    )


def _has_choices(action: Json) -> bool:
    inputs = [
        field for hook in action["hooks"].values() for field in (hook.get("inputFields") or {}).values()
    ]
    return bool(action["dynamicFields"]) or any(field.get("dynamic") for field in inputs)


def _audiences(of: Bridged, source: Json | None) -> Audiences | None:
    if not source or not (source["create"] and source["get"]):
        return None
    return Audiences(
        create=Audience(of, "createAudience"),
        get=Audience(of, "getAudience"),
        fields=read.fields(source["fields"]),
        full_sync=bool(source["mode"].get("full_audience_sync")),
        takes_events=of.directory in TAKE_EVENTS,
    )
