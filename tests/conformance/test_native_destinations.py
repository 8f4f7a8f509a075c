"""Amplitude, Mixpanel and Google Analytics 4 in Python against Segment's in JavaScript: the same definitions,
and the same requests or the same refusal for the same event, mapping and settings.

Differences that are meant:

- Amplitude's log actions have two fields more (`enable_batching`, `batch_size`).
- Amplitude's preset `Browser Session Tracking` is missing: its action is a plugin in browsers.
- Requests say that they come from Onward (`User-Agent`).
- A key or id of Google Analytics with reserved characters is escaped in the address.
- Events that are made of one at Mixpanel share one random insert id if none is mapped; Segment's have two.
- An event whose context is null stops Segment's core before its action; here it is one without a context.
- (Those of the engines: integers beyond 2^53 keep their digits, half a surrogate pair is U+FFFD.)
"""

import asyncio
import copy
import random
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from conformance import shop
from conformance.events import Events
from conformance.reference import canonical
from conformance.segment_destinations import NOW, RANDOM, Destinations, comparable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.destinations import amplitude, google_analytics_4, mixpanel
from onward.destinations.bridge import definitions
from onward.destinations.definition import Action, Call, Definition, Field
from onward.destinations.outcome import Outcome
from onward.egress.http import Request, Response
from onward.pipeline import payloads
from onward.pipeline.mapping import MappingError
from onward.settings import Settings

Json = dict[str, Any]
OURS = {
    "amplitude": amplitude.DEFINITION,
    "mixpanel": mixpanel.DEFINITION,
    "google-analytics-4": google_analytics_4.DEFINITION,
}
"""By the directory of Segment's."""
ACTIONS = [
    pytest.param(directory, action, id=f"{directory}-{action.slug}")
    for directory, definition in OURS.items()
    for action in definition.actions.values()
]
SETTINGS: dict[str, list[Json]] = {
    "amplitude": [
        {"apiKey": "key", "secretKey": "secret", "endpoint": "north_america"},
        {"apiKey": "kéy~*&=", "secretKey": "s:s", "endpoint": "europe"},
        {"apiKey": "key", "secretKey": "secret"},
    ],
    "mixpanel": [
        {"projectToken": "token", "apiSecret": "secret", "apiRegion": region, **more}
        for region, more in (
            ("US 🇺🇸", {"strictMode": "1"}),
            ("EU 🇪🇺", {"strictMode": "0", "sourceName": "shop é"}),
            ("IN 🇮🇳", {}),
        )
    ],
    "google-analytics-4": [
        {"apiSecret": "secret", "measurementId": "G-1"},
        {"apiSecret": "secret", "firebaseAppId": "1:23:android:4f"},
        *[{"apiSecret": "secret", "measurementId": "G-1", "firebaseAppId": "1:23:ios:4f"}] * 3,
    ],
}
OWN_FIELDS = {"amplitude": {"enable_batching", "batch_size"}}
PATHS = (
    "$.properties.products",
    "$.properties",
    "$.traits",
    "$.context",
    "$.event",
    "$.timestamp",
    "$.userId",
)
LITERALS: tuple[Any, ...] = (
    *("", " ", "x", "USD", "eur", "EURO", "analytics.js", "iOS", "my android", "1700000000000", "soon"),
    *("2026-01-31T10:20:30+02:00", "31 Jan 2026", "2026-02-30T10:20:30Z", 0, 1, -3, 2.5, 1700000000000),
    *(True, False, None, [], {}, {"a": 1, "b": None, "c": "", "$set": {"x": 1}, "utm_properties": 1}),
    *([{"item_id": "1", "currency": "USD"}, {"name": "x"}], {"items": [1], "a": "b"}, {"a": [1]}, {"a": "7"}),
    {f"p{n}": n for n in range(21)},
)


@pytest.fixture(scope="module")
def theirs() -> Iterator[Destinations]:
    with Destinations() as running:
        yield running


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clock and dice as in the other process."""
    clock = SimpleNamespace(time=lambda: float(NOW))
    monkeypatch.setattr("onward.destinations.mixpanel.events.time", clock)
    monkeypatch.setattr("onward.destinations.amplitude.people.time", clock)
    dice = SimpleNamespace(token_hex=lambda size: RANDOM)
    monkeypatch.setattr("onward.destinations.mixpanel.events.secrets", dice)


class Recorder:
    def __init__(self) -> None:
        self.requests: list[str] = []

    async def send(self, request: Request) -> Response:
        self.requests.append(comparable(request.method, request.url, request.headers, request.body.decode()))
        return Response(status=200, headers={}, body=b'{"code":200}')

    async def close(self) -> None: ...


def perform(action: Action, events: list[Json], mapping: Json, given: Json) -> tuple[list[str], list[bool]]:
    """Requests, and for each event whether it was refused: by the engine or the action."""
    http = Recorder()
    call = Call(
        settings=given,
        http=http,
        timeout=5.0,
        workspace_id="w",
        source_id="s",
        destination_id="d",
    )
    build = payloads.compile(mapping, action.fields, batches=action.batches)
    refused = [True] * len(events)
    built: list[tuple[int, Json]] = []
    for place, event in enumerate(events):
        with suppress(MappingError):
            built.append((place, build(event)))
    if built:
        outcome = asyncio.run(action.perform(call, [payload for _, payload in built]))
        outcomes = [outcome] * len(built) if isinstance(outcome, Outcome) else outcome
        for (place, _), each in zip(built, outcomes, strict=True):
            refused[place] = each.kind == "discarded"
    return http.requests, refused


def recorded(answer: Json) -> list[str]:
    return [comparable(r["method"], r["url"], r["headers"], r["body"]) for r in answer["requests"]]


def mappings(definition: Definition, action: Action, dice: random.Random) -> Json:
    """The action's defaults or one of its presets, as they are or changed here and there."""
    presets = [preset.mapping for preset in definition.presets if preset.action == action.slug]
    defaults = {
        name: field.default
        for name, field in action.fields.items()
        if field.default is not None and name not in ("enable_batching", "batch_size")
    }
    chosen: Json = copy.deepcopy(dice.choice([defaults, *presets]))
    for name in ("group_type", "group_value"):
        if name in action.fields:
            chosen[name] = {"@path": f"$.traits.{name}"} if dice.random() < 0.5 else name
    changes = dice.choice((0, 0, 0.02, 0.1))
    for name, field in action.fields.items():
        if name in ("enable_batching", "batch_size"):
            chosen.pop(name, None)
            continue
        if dice.random() < changes:
            chosen[name] = _another(field, dice)
        elif dice.random() < changes / 2:
            chosen.pop(name, None)
    return chosen


def _another(field: Field, dice: random.Random) -> Any:
    likely: list[Any] = [*field.choices]
    if field.type == "boolean":
        likely += [True, False]
    if field.type in ("number", "integer"):
        likely += [1, 0, -2, 7]
    if likely and dice.random() < 0.7:
        return dice.choice(likely)
    if dice.random() < 0.3:
        return {"@path": dice.choice(PATHS)}
    return copy.deepcopy(dice.choice(LITERALS))


def happening(mapping: Json, seed: str, dice: random.Random) -> Json:
    """What a shop's sources send; now and then what suits the mapping, whatever it is."""
    event = shop.event(seed) if dice.random() < 0.9 else Events(mapping, seed).event()
    if event.get("context", {}) is None:
        del event["context"]
    return event


def compare(theirs: Destinations, directory: str, action: Action, seed: int) -> bool:
    """Whether anything was sent; fails if not all is the same."""
    dice = random.Random(seed)
    mapping = mappings(OURS[directory], action, dice)
    event = happening(mapping, f"{action.slug} {seed}", dice)
    chosen = dice.choice(SETTINGS[directory])
    requests, (refused,) = perform(action, [event], mapping, chosen)
    answer = theirs.ask("action", directory, action.slug, event, mapping, chosen)
    assert (requests, refused) == (recorded(answer), "error" in answer), (seed, mapping, event, answer)
    return bool(requests)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("directory", "action"), ACTIONS)
def test_the_same_requests(theirs: Destinations, directory: str, action: Action) -> None:
    sent = sum(compare(theirs, directory, action, seed) for seed in range(60))
    assert sent >= 8, f"only {sent} of 60 events were sent: what is compared here are refusals"

    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32))
    def others(seed: int) -> None:
        compare(theirs, directory, action, seed)

    others()


BATCHED = ["trackEvent", "trackPurchase"]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("slug", BATCHED)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32))
def test_the_same_batches(theirs: Destinations, slug: str, seed: int) -> None:
    dice = random.Random(seed)
    action = mixpanel.DEFINITION.actions[slug]
    mapping = mappings(mixpanel.DEFINITION, action, dice) | {"enable_batching": True}
    events = [happening(mapping, f"{slug} {seed} {n}", dice) for n in range(dice.randrange(1, 5))]
    chosen = dice.choice(SETTINGS["mixpanel"])
    requests, refused = perform(action, events, mapping, chosen)
    answer = theirs.ask("batch", "mixpanel", slug, events, mapping, chosen, {})
    assert "error" not in answer
    assert requests == recorded(answer)
    assert refused == [node["status"] == 400 for node in answer["value"]]


@pytest.mark.parametrize("directory", OURS)
def test_the_same_definition(theirs: Destinations, directory: str) -> None:
    ours = OURS[directory]
    segments = definitions.load(Settings().catalog_folder)[ours.slug]
    assert (ours.slug, ours.id, ours.name) == (segments.slug, segments.id, segments.name)
    assert shape(ours.settings) == shape(segments.settings)
    assert ours.actions.keys() == segments.actions.keys()
    for slug, action in ours.actions.items():
        other = segments.actions[slug]
        assert action.title == other.title
        assert action.default_trigger.split() == other.default_trigger.split()
        assert action.hidden == other.hidden
        own = OWN_FIELDS.get(directory, set()) if action.batches else set()
        assert shape({k: v for k, v in action.fields.items() if k not in own}) == shape(other.fields), slug
        if not own:
            assert action.batches == other.batches
            assert (action.default_batch_size, action.max_batch_size) == (
                (other.default_batch_size, other.max_batch_size) if action.batches else (1000, 1000)
            )
    expected = [preset for preset in segments.presets if preset.action in segments.actions]
    assert [(p.name, p.action, p.trigger, p.automatic, p.mapping) for p in ours.presets] == [
        (p.name, p.action, p.trigger, p.automatic, p.mapping) for p in expected
    ]
    assert (ours.test is None, ours.on_delete is None) == (segments.test is None, segments.on_delete is None)
    assert (ours.listing, ours.previous_names) == (segments.listing, segments.previous_names)


def shape(fields: dict[str, Field] | Any) -> Json:
    """What fields are, but for the words that people read."""
    return {
        name: {
            "type": field.type,
            "required": field.required,
            "default": canonical(field.default),
            "choices": list(field.choices),
            "multiple": field.multiple,
            "secret": field.secret,
            "limits": (field.minimum, field.maximum),
            "format": field.format,
            "allow_null": field.allow_null,
            "properties": None if field.properties is None else shape(field.properties),
            "additional": field.additional_properties,
            "depends_on": field.depends_on,
            "presentation": field.presentation,
            "hidden": field.hidden,
        }
        for name, field in fields.items()
    }


@pytest.mark.parametrize("directory", OURS)
def test_the_same_connection_test(theirs: Destinations, directory: str) -> None:
    for chosen in SETTINGS[directory]:
        for answers in ([], [{"status": 403, "body": "no"}]):
            http = Recorder()
            if answers:
                http.send = refusing(http)  # type: ignore[method-assign]
            call = Call(
                settings=chosen, http=http, timeout=5, workspace_id="w", source_id="s", destination_id="d"
            )
            test = OURS[directory].test
            assert test
            problem = asyncio.run(test(call))
            answer = theirs.ask("test", directory, chosen, answers)
            assert http.requests == recorded(answer)
            assert (problem is not None) == ("error" in answer)


def refusing(http: Recorder) -> Any:
    async def send(request: Request) -> Response:
        await Recorder.send(http, request)
        return Response(status=403, headers={}, body=b"no")

    return send


def test_the_same_deletion(theirs: Destinations) -> None:
    for chosen in SETTINGS["amplitude"]:
        http = Recorder()
        call = Call(
            settings=chosen, http=http, timeout=5, workspace_id="w", source_id="s", destination_id="d"
        )
        forget = amplitude.DEFINITION.on_delete
        assert forget
        assert asyncio.run(forget(call, "u 1", "a")).kind == "delivered"
        event = {"type": "delete", "userId": "u 1", "anonymousId": "a"}
        assert http.requests == recorded(theirs.ask("delete", "amplitude", event, chosen))
