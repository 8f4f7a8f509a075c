"""The default mappings and presets of the whole catalogue: our payloads against those of `actions-core`.

Each action of each of Segment's open-source destinations, with events that fill in what its mapping asks
for; sent alone and in a batch. Needs the installed catalogue (`onward catalog update`).
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from conformance.events import Events
from conformance.reference import TIMES, Engines, canonical

from onward.destinations.bridge import fields as catalogue_fields
from onward.destinations.bridge.install import read_exported
from onward.pipeline import payloads
from onward.pipeline.fields import FieldSchema, compile_fields
from onward.pipeline.mapping import MappingError
from onward.settings import Settings

EVENTS = 4
"""For each mapping."""


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as running:
        yield running


@pytest.fixture(scope="module")
def destinations() -> list[dict[str, Any]]:
    try:
        exported = read_exported(Settings().catalog_folder)
    except FileNotFoundError:
        pytest.skip("the catalogue is not installed: onward catalog update")
    return [json.loads(bytes(source)) for source in exported.destinations.values()]


def mappings_of(destination: dict[str, Any], action: dict[str, Any]) -> list[dict[str, Any]]:
    """What a new subscription of the action starts with, and the presets for it."""
    defaults = {k: f["default"] for k, f in action["fields"].items() if f.get("default") is not None}
    presets = [
        preset["mapping"]
        for preset in destination["presets"]
        if preset.get("partnerAction") == action["slug"] and preset.get("mapping")
    ]
    unique = {json.dumps(mapping, sort_keys=True): mapping for mapping in (defaults, *presets)}
    return list(unique.values())


def ours(build: payloads.Builder, event: dict[str, Any]) -> tuple[str, str]:
    try:
        return "payload", canonical(build(event))
    except payloads.RejectedError as error:
        return "rejected", str(error)
    except MappingError:
        return "failed", ""


def theirs(answer: dict[str, Any]) -> tuple[str, str]:
    if "failed" in answer:
        return "failed", ""
    return ("rejected", answer["error"]) if "error" in answer else ("payload", canonical(answer["value"]))


@pytest.mark.timeout(0 if TIMES > 1 else 300)
def test_every_action_of_the_catalogue(engines: Engines, destinations: list[dict[str, Any]]) -> None:
    differences: list[Any] = []
    kinds: dict[str, int] = {}
    actions = 0
    for destination in destinations:
        for action in destination["actions"]:
            actions += 1
            name = f"{destination['slug']}/{action['slug']}"
            engines.ask("define", name, action["fields"])
            fields = catalogue_fields.fields(action["fields"])
            for at, mapping in enumerate(mappings_of(destination, action)):
                batched = {**mapping, "enable_batching": True}
                alone = payloads.compile(mapping, fields, batches=False)
                together = payloads.compile(batched, fields, batches=True)
                for event in islice(Events(mapping, f"{name} {at}"), EVENTS * TIMES):
                    before = canonical([mapping, event])
                    expected = map(theirs, engines.ask("act", name, mapping, batched, event))
                    for build, their in zip((alone, together), expected, strict=True):
                        kinds[their[0]] = kinds.get(their[0], 0) + 1
                        if (our := ours(build, event)) != their:
                            differences.append((name, event, our, their))
                    assert canonical([mapping, event]) == before
    assert not differences, f"{len(differences)} differences, for example {differences[:3]}"
    assert actions > 500
    # All that is compared does occur.
    assert kinds["payload"] > actions
    assert kinds["rejected"] > actions


def test_the_catalogues_fields_say_what_its_json_says(destinations: list[dict[str, Any]]) -> None:
    """`compile_fields` takes both spellings, to the same effect."""
    for destination in destinations[::10]:
        for action in destination["actions"]:
            sources = action["fields"]
            read = compile_fields(catalogue_fields.fields(sources))
            written = compile_fields({key: FieldSchema.of(source) for key, source in sources.items()})
            for event in islice(Events({k: {"@path": k} for k in sources}, action["slug"]), 5):
                for batch in (True, False):
                    assert read(event, batch=batch) == written(event, batch=batch)
