"""The guide's example is what it says: under fifty lines of code, taken by the catalogue, and it delivers."""

import json
import re
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from harness import Sink
from rig import QUICK, Rig

from onward.delivery.plan import Plan
from onward.destinations.catalog import NATIVE, Catalogue
from onward.destinations.definition import Definition
from onward.destinations.docs import destination_page
from onward.egress.client import HttpClient
from onward.settings import Settings
from onward.workspace import yaml
from onward.workspace.bootstrap import bootstrap
from onward.workspace.store import Actor, Store
from onward.workspace.watch import SnapshotWatcher

GUIDE = (Path(__file__).parents[2] / "docs/native-destinations.md").read_text()
CODE = re.findall(r"^```python\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)[0]

WORKSPACE = """
sources:
  - {slug: web, type: javascript}
destinations:
  - name: Chirps
    source: web
    type: chirp
    enabled: true
    settings: {token: t0ken}
"""


@pytest.fixture
def definition() -> Definition:
    module = ModuleType("chirp")
    exec(compile(CODE, "docs/native-destinations.md", "exec"), module.__dict__)
    found = module.__dict__["DEFINITION"]
    assert isinstance(found, Definition)
    return found


def test_it_is_under_fifty_lines() -> None:
    code = [line for line in CODE.splitlines() if line.strip()]
    assert len(code) < 50
    assert max(map(len, code)) <= 110


def test_it_has_a_page(definition: Definition) -> None:
    page = destination_page(definition)
    assert page.startswith("<!--") and "# Chirp" in page and "${CHIRP_TOKEN}" in page


async def test_it_delivers(definition: Definition, sink_factory, tmp_path: Path) -> None:
    sink: Sink = sink_factory("--body", json.dumps({"refused": {"1": "no such channel"}})).start()
    settings = Settings(
        data=tmp_path / "data",
        egress_allow=("127.0.0.0/8",),
        egress_override=(f"api.chirp.example=http://127.0.0.1:{sink.port}",),
    )
    catalogue = Catalogue(native=(*NATIVE, definition))
    rig = Rig(tmp_path / "state")
    http = HttpClient.of(settings)
    rig.plan, rig.http = configured(settings, catalogue), http
    rig.append(5)
    async with rig.running():
        books = await rig.settled()
    await http.close()
    assert (books.delivered, books.discarded) == (4, 1)
    (discard,) = rig.store.discards("d", 10)
    assert (discard.code, discard.message) == ("MESSAGE_REJECTED", "no such channel")
    (request,) = sink.requests()
    assert (request["method"], request["path"]) == ("POST", "/v1/messages")
    assert request["headers"]["authorization"] == "Bearer t0ken"
    assert json.loads(request["body"]) == [{"channel": "general", "text": "E"}] * 5


def configured(settings: Settings, catalogue: Catalogue) -> Plan:
    """What the engine makes of a workspace with the destination in it, its preset applied and enabled."""
    workspace_id = bootstrap(settings).workspace_id
    store = Store.open(settings, catalogue)
    (preset,) = catalogue["chirp"].presets
    subscription = {
        "name": preset.name,
        "action": preset.action,
        "trigger": preset.trigger,
        "enabled": True,
        "mapping": preset.mapping,
    }
    document = f"{WORKSPACE}    subscriptions: {json.dumps([subscription])}\n"
    plan = yaml.plan(store, workspace_id, document, {})
    yaml.apply(store, workspace_id, plan, Actor(id="test"))
    snapshot = SnapshotWatcher.open(settings).current
    (destination,) = snapshot.destinations
    source = snapshot.source_by_id[destination.source_id]
    destination = msgspec.structs.replace(
        destination, id="d", source_id="s", active=((0, None),), policy=QUICK
    )
    return Plan.of(destination, source, catalogue)
