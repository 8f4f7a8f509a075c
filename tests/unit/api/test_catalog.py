"""The catalogue of destinations: Segment's shapes, our additions, search and charts."""

from collections.abc import Sequence
from typing import Any

import pytest

from onward.api.metadata import Metadata
from onward.destinations.catalog import Catalogue
from onward.destinations.definition import (
    Action,
    Audiences,
    Call,
    Definition,
    Field,
    Hook,
    Listing,
    Payload,
    Preset,
    SyncMode,
)
from onward.destinations.outcome import DELIVERED, Outcome


async def perform(call: Call, payloads: Sequence[Payload]) -> Outcome:
    return DELIVERED


async def create(call: Call, name: str, settings: dict[str, Any]) -> str:
    return name


async def hooked(call: Call, payload: Payload, inputs: Payload) -> dict[str, Any]:
    return {}


RICH = Definition(
    slug="actions-rich",
    id="a" * 24,
    name="Rich (Actions)",
    description="Has one of everything.",
    native=False,
    previous_names=("Rich",),
    settings={
        "key": Field(label="Key", type="password", secret=True, required=True),
        "region": Field(
            label="Region", choices=["us", "eu"], choice_labels=["America", "Europe"], default="us"
        ),
        "host": Field(
            label="Host",
            required={"conditions": [{"fieldKey": "region", "operator": "is", "value": "eu"}]},
            depends_on={"conditions": [{"fieldKey": "region", "operator": "is", "value": "eu"}]},
        ),
    },
    actions={
        "sync": Action(
            slug="sync",
            title="Sync",
            description="Keeps a list of guinea pigs.",
            perform=perform,
            default_trigger='type = "identify"',
            batches=True,
            bulk_from=1000,
            max_batch_size=5000,
            fields={
                "user": Field(
                    label="User",
                    type="object",
                    required=True,
                    properties={"email": Field(label="E-mail", format="email", required=True)},
                ),
                "list": Field(label="List", dynamic=True, allow_null=True, minimum=1),
            },
            sync_mode=SyncMode(label="How", description="", choices=("add", "delete"), default="add"),
            hooks={
                "onMappingSave": Hook(
                    label="Make a list",
                    description="",
                    fields={"name": Field(label="Name")},
                    outputs={"id": Field(label="Id")},
                    perform=hooked,
                )
            },
        ),
        "old": Action(slug="old", title="Old", description="", perform=perform, hidden=True),
    },
    presets=(Preset(name="Sync all", action="sync", trigger='type = "identify"', mapping={"list": "1"}),),
    listing=Listing(
        categories=("CRM", "Email Marketing"),
        methods=frozenset({"identify", "page"}),
        sources=frozenset({"web", "warehouse"}),
        cloud=frozenset({"web"}),
        device=frozenset({"web"}),
        endpoints=("EU",),
        replay_days=7,
        ip_allowlist=False,
        status="PUBLIC_BETA",
        website="https://rich.example",
        partner_owned=True,
    ),
    audiences=Audiences(create=create, get=create, fields={"size": Field(label="Size")}),
)
PLAIN = Definition(
    slug="plain",
    id="b" * 24,
    name="Plain",
    description="Rich in nothing.",
    listing=Listing(methods=frozenset({"track"}), sources=frozenset({"server"}), cloud=frozenset({"server"})),
)
BATCHES = Definition(
    slug="actions-guinea",
    id="c" * 24,
    name="Guinea",
    description="",
    listing=Listing(kind="storage", categories=("CRM",)),
)
CATALOGUE = Catalogue({each.slug: each for each in (RICH, PLAIN, BATCHES)}, native=())

Json = dict[str, Any]


@pytest.fixture
def catalogue():
    return CATALOGUE


async def slugs(call, query: str = "") -> list[str]:
    page = await call("GET", f"/catalog/destinations?{query}")
    assert page["pagination"]["totalEntries"] == len(page["destinationsCatalog"])
    return [each["slug"] for each in page["destinationsCatalog"]]


@pytest.fixture
async def rich(call) -> Json:
    return (await call("GET", "/catalog/destinations/actions-rich"))["destinationMetadata"]


async def test_an_entry_by_id_is_that_by_slug(call, rich) -> None:
    assert (await call("GET", f"/catalog/destinations/{RICH.id}"))["destinationMetadata"] == rich


def test_what_segment_tells_of_a_destination(rich) -> None:
    told = {key: rich[key] for key in rich if key not in ("options", "actions", "presets", "onward")}
    assert told == {
        "id": "a" * 24,
        "name": "Rich (Actions)",
        "slug": "actions-rich",
        "description": "Has one of everything.",
        "logos": {"default": "", "mark": None, "alt": "Rich (Actions)"},
        "status": "PUBLIC_BETA",
        "previousNames": ["Rich"],
        "categories": ["CRM", "Email Marketing"],
        "website": "https://rich.example",
        "components": [{"type": "SERVER", "code": "https://github.com/segmentio/action-destinations"}],
        "supportedFeatures": {
            "cloudModeInstances": "MULTIPLE",
            "deviceModeInstances": "SINGLE",
            "replay": True,
            "browserUnbundling": False,
            "browserUnbundlingPublic": False,
        },
        "supportedMethods": {
            "pageview": True,
            "identify": True,
            "alias": False,
            "track": False,
            "group": False,
            "screen": False,
        },
        "supportedPlatforms": {
            "browser": True,
            "server": False,
            "mobile": False,
            "warehouse": True,
            "cloudAppObject": False,
        },
        "supportedRegions": ["us-west-2", "eu-west-1"],
        "regionEndpoints": ["EU"],
        "multiInstanceSupportedVersion": "CLOUD_ONLY",
        "contacts": [],
        "partnerOwned": True,
    }


def test_what_is_ours_is_marked(rich) -> None:
    size = rich["onward"]["audiences"].pop("fields")
    assert [field["fieldKey"] for field in size] == ["size"]
    assert rich["onward"] == {
        "native": False,
        "kind": "event_stream",
        "connectionModes": {
            "cloud": {"web": True, "mobile": False, "server": False},
            "device": {"web": True, "mobile": False, "server": False},
        },
        "batching": True,
        "bulk": True,
        "replayDays": 7,
        "ipAllowlist": False,
        "ownSockets": False,
        "insertRefusal": "it keeps lists of people",
        "documentation": "",
        "supportedTypes": ["track", "page", "screen", "identify", "group", "alias"],
        "connectionTest": False,
        "deletion": False,
        "audiences": {"fullSync": False},
    }


def test_options(rich) -> None:
    key, region, host = rich["options"]
    assert (key["type"], key["required"]) == ("password", True)
    assert region["type"] == "select" and region["defaultValue"] == "us"
    assert region["choices"] == [{"value": "us", "label": "America"}, {"value": "eu", "label": "Europe"}]
    assert host["required"] is False
    assert host["onward"]["requiredIf"] == host["onward"]["dependsOn"] == RICH.settings["host"].depends_on


def test_actions_and_fields(rich) -> None:
    sync, old = rich["actions"]
    assert (sync["name"], sync["defaultTrigger"], sync["hidden"]) == ("Sync", 'type = "identify"', False)
    assert (old["hidden"], old["defaultTrigger"], old["onward"]["batching"]) == (True, None, None)
    assert sync["onward"]["batching"] == {
        "maxSize": 5000,
        "defaultSize": 1000,
        "maxBytes": 4_000_000,
        "bulkFrom": 1000,
    }
    assert sync["onward"]["syncMode"]["choices"] == [
        {"value": "add", "label": "add"},
        {"value": "delete", "label": "delete"},
    ]
    (hook,) = sync["onward"]["hooks"]
    assert hook["inputFields"][0]["fieldKey"] == "name" and hook["outputFields"][0]["fieldKey"] == "id"
    user, chosen = sync["fields"]
    (email,) = user["onward"]["properties"]
    assert (email["fieldKey"], email["required"], email["onward"]) == ("email", True, {"format": "email"})
    assert (chosen["dynamic"], chosen["allowNull"], chosen["onward"]) == (True, True, {"minimum": 1})
    assert (user["type"], user["sortOrder"], chosen["sortOrder"]) == ("OBJECT", 0, 1)
    ids = [sync["id"], old["id"], user["id"], email["id"], chosen["id"], hook["inputFields"][0]["id"]]
    assert len(set(ids)) == len(ids)


def test_presets(rich) -> None:
    (preset,) = rich["presets"]
    assert preset == {
        "actionId": rich["actions"][0]["id"],
        "name": "Sync all",
        "fields": {"list": "1"},
        "trigger": 'type = "identify"',
        "onward": {"automatic": True, "event": None},
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["actions-guinea", "plain", "actions-rich"]),
        ("search=rich", ["actions-rich", "plain"]),
        ("search=RICH nothing", ["plain"]),
        ("search=guinea", ["actions-guinea", "actions-rich"]),
        (f"search={'b' * 24}", ["plain"]),
        ("search=nobody", []),
        ("category=crm", ["actions-guinea", "actions-rich"]),
        ("category=Other", ["plain"]),
        ("category=CRM&search=rich", ["actions-rich"]),
        ("method=track", ["actions-guinea", "plain"]),
        ("mode=device", ["actions-rich"]),
        ("mode=device&source=server", []),
        ("mode=cloud&source=web", ["actions-guinea", "actions-rich"]),
        ("mode=cloud&source=warehouse", ["actions-rich"]),
        ("source=server", ["actions-guinea", "plain"]),
        ("kind=storage", ["actions-guinea"]),
        ("kind=reverse_etl", []),
        ("search=", ["actions-guinea", "plain", "actions-rich"]),
    ],
)
async def test_search_and_filters(call, query: str, found: list[str]) -> None:
    assert await slugs(call, query) == found


@pytest.mark.parametrize(
    ("query", "field", "told"),
    [
        ("category=Nope", "category", "CRM, Email Marketing, Other"),
        ("method=pageview", "method", "track, page, screen, identify, group, alias"),
        ("mode=web", "mode", "cloud, device"),
        ("kind=streams", "kind", "event_stream, storage, reverse_etl"),
        ("source=ios", "source", "web, mobile, server, warehouse"),
        ("mode=cloud&mode=device", "mode", "once"),
    ],
)
@pytest.mark.parametrize("path", ["/catalog/destinations", "/catalog/destinations/charts"])
async def test_wrong_filters_are_named(call, path: str, query: str, field: str, told: str) -> None:
    (error,) = await call("GET", f"{path}?{query}", status=422)
    assert error["field"] == field
    assert told in error["message"]


async def test_pages_of_a_filtered_list(call) -> None:
    first = await call("GET", "/catalog/destinations?category=CRM&pagination.count=1")
    assert [each["slug"] for each in first["destinationsCatalog"]] == ["actions-guinea"]
    assert first["pagination"]["totalEntries"] == 2
    cursor = first["pagination"].get("next")
    query = f"pagination.count=1&pagination.cursor={cursor}"
    second = await call("GET", f"/catalog/destinations?category=CRM&{query}")
    assert [each["slug"] for each in second["destinationsCatalog"]] == ["actions-rich"]
    assert second["pagination"].get("next") is None
    assert second["pagination"]["previous"] == first["pagination"]["current"]
    for other in ("", "category=Other&", "kind=storage&"):
        (error,) = await call("GET", f"/catalog/destinations?{other}{query}", status=422)
        assert error["field"] == "pagination.cursor"


async def test_charts(call) -> None:
    charts = await call("GET", "/catalog/destinations/charts")
    brief = {"id": "b" * 24, "slug": "plain", "name": "Plain", "status": "PUBLIC"}
    off = {"web": False, "mobile": False, "server": False}
    modes = {"cloud": {**off, "server": True}, "device": off}
    methods = dict.fromkeys(("track", "page", "screen", "identify", "group", "alias"), False)
    assert charts["methods"][1] == {**brief, "methods": {**methods, "track": True}}
    assert charts["connectionModes"][1] == {**brief, "connectionModes": modes}
    assert [each["category"] for each in charts["categories"]] == ["CRM", "Email Marketing", "Other"]
    assert charts["categories"][2]["destinations"] == [{**brief, "connectionModes": modes}]
    assert charts["facets"] == {
        "category": {"CRM": 2, "Email Marketing": 1, "Other": 1},
        "method": {"track": 2, "page": 2, "screen": 1, "identify": 2, "group": 1, "alias": 1},
        "mode": {"cloud": 3, "device": 1},
        "kind": {"event_stream": 2, "storage": 1, "reverse_etl": 0},
        "source": {"web": 2, "mobile": 1, "server": 2, "warehouse": 1},
    }


async def test_charts_of_what_is_looked_for(call) -> None:
    charts = await call("GET", "/catalog/destinations/charts?search=nothing")
    assert [each["slug"] for each in charts["methods"]] == ["plain"]
    assert charts["facets"]["category"] == {"Other": 1}


async def test_an_entry_that_is_gone_is_unavailable(call) -> None:
    (error,) = await call("GET", "/catalog/destinations/actions-gone", status=404)
    assert "actions-gone" in error["message"]


class Counting(dict[str, Definition]):
    """A catalogue that tells which of its definitions were asked for."""

    def __init__(self) -> None:
        super().__init__({each.slug: each for each in (RICH, PLAIN)})
        self.asked: list[str] = []

    def __getitem__(self, slug: str) -> Definition:
        self.asked.append(slug)
        return super().__getitem__(slug)

    def get(self, slug: str, default: Any = None) -> Any:
        self.asked.append(slug)
        return super().get(slug, default)

    def values(self) -> Any:
        self.asked += self
        return super().values()


def test_views_are_made_when_asked_for_and_once() -> None:
    catalogue = Counting()
    metadata = Metadata(catalogue)
    assert catalogue.asked == []
    first = metadata.destination("plain")
    assert set(catalogue.asked) == {"plain"}
    assert metadata.destination("plain") is first
    assert catalogue.asked.count("plain") == 1


def test_a_stored_destination_whose_entry_is_gone_is_unavailable() -> None:
    metadata = Metadata({})
    assert b'"status":"UNAVAILABLE"' in bytes(metadata.destination("actions-gone"))
