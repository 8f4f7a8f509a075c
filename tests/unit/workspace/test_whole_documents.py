"""Everything that a workspace can have goes to a document and back."""

import re
from pathlib import Path

import msgspec
import pytest
import yaml
from harness import TOKEN
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings

from onward.destinations.catalog import Catalogue
from onward.settings import Settings
from onward.workspace import people
from onward.workspace.document import Document
from onward.workspace.entities import User
from onward.workspace.errors import Conflict, Invalid
from onward.workspace.ids import resource_id
from onward.workspace.store import Store
from onward.workspace.tokens import find_token
from onward.workspace.yaml import apply, plan, render_diff

from .conftest import ACTOR, Workspace
from .whole_documents import whole_documents


class AnyVariable(dict[str, str]):
    """An environment in which everything is set, to the same."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "s3cret"


def settle(workspace: Workspace, text: str) -> int:
    diff = plan(workspace.store, workspace.id, text, AnyVariable(), prune=True)
    assert "s3cret" not in render_diff(diff).plain
    return apply(workspace.store, workspace.id, diff, ACTOR)


@given(whole_documents(), whole_documents())
@hypothesis_settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_whatever_there_was_the_workspace_becomes_what_was_exported(
    workspace: Workspace, one: Document, other: Document
) -> None:
    settle(workspace, yaml.safe_dump(msgspec.to_builtins(one), default_style='"'))
    exported = workspace.export()
    assert "s3cret" not in exported
    assert not workspace.plan(exported, prune=True), "an export changes nothing, with no variable set"
    settle(workspace, yaml.safe_dump(msgspec.to_builtins(other), default_style='"'))
    version = settle(workspace, exported)
    assert workspace.export() == exported
    assert settle(workspace, exported) == version == workspace.snapshot().version


EXAMPLE = (Path(__file__).parents[3] / "examples" / "workspace.yaml").read_text()


@pytest.fixture
def shop(settings: Settings) -> Workspace:
    """The workspace of the example, with the catalogue that there is."""
    store = Store.open(settings, Catalogue())
    made = Workspace(store, store.default_workspace_id())
    made.apply(EXAMPLE)
    return made


def test_the_example_shows_every_section(shop: Workspace) -> None:
    exported = yaml.safe_load(shop.export())
    assert all(exported.values()) and exported.keys() == {
        field.encode_name for field in msgspec.structs.fields(Document)
    }
    assert not shop.plan(EXAMPLE, prune=True)
    assert not shop.plan(shop.export(), prune=True)


def test_a_change_shows_names_and_no_ids(shop: Workspace) -> None:
    changed = (
        EXAMPLE.replace("auditForwarding: operations", "auditForwarding: website")
        .replace("allowUnplannedEvents: false", "allowUnplannedEvents: true")
        .replace("Math.floor", "Math.ceil")
        .replace("[revenue]", "[total]")
        .replace("sources: [website]\n    selectiveSync", "sources: [operations]\n    selectiveSync")
    )
    shown = render_diff(shop.plan(changed, prune=True)).plain
    for line in (
        "~ function Loyalty",
        "    code: version 1 → version 2",
        "    deployed: version 1 → version 2",
        "    schema.track.allowUnplannedEvents: false → true",
        "~ tracking plan Shop",
        "    auditForwarding: operations → website",
    ):
        assert line in shown.splitlines(), shown
    assert not re.search(r"\b[A-Za-z0-9]{22}\b", shown), "what looks like an id"


LIST_OF_PEOPLE = """destinations:
  - name: People
    source: website
    type: actions-s3-csv
    insertFunction: {function: Without addresses, name: Without addresses}
"""


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("auditForwarding: operations", "auditForwarding: nope", "workspace.auditForwarding: "),
        ("type: INSERT_DESTINATION", "type: INSERT", "functions[1].type: "),
        ("name: endpoint", "name: ''", "functions[0].settings[0].name: the "),
        ("EventsTo: operations", "EventsTo: website", "sources[0].schema.forwardingBlockedEventsTo: a"),
        ("EventsTo: operations", "EventsTo: nope", "sources[0].schema.forwardingBlockedEventsTo: the"),
        ('event = "order_completed"', "event ==", "sources[0].transformations[0].if: "),
        ("    function: Loyalty", "    function: Nope", "destinations[1].function: there is no D"),
        ("    function: Loyalty", "    enabled: false", "destinations[1].type: give either a type or"),
        ("function: Without", "function: With", "destinations[0].insertFunction.function: there"),
        ("destinations:\n", LIST_OF_PEOPLE, "destinations[0].insertFunction: no insert function can stand"),
        ("sources: [website]\n    rules", "sources: [app]\n    rules", "trackingPlans[0].sources[0]: the"),
        ("type: number", "type: numeral", "trackingPlans[0].rules[0].jsonSchema: this is no JSON Schema"),
        ("type: duckdb", "type: quackdb", "warehouses[0].type: the catalogue has no warehouse quackdb"),
        ("path: shop.duckdb", "path: ../x", "warehouses[0].settings.path: this must be the name of a file"),
        ("- source: website", "- source: app", "warehouses[0].selectiveSync[0].source: there is no"),
        ("email: ada@example.com", "email: ada", "people[0].email: 'ada' is no e-mail address"),
        ("role: owner", "role: king", "people[0].permissions[0].role: there is no role king"),
        ("[bob@example.com]", "[eve@example.com]", "groups[0].emails: eve@example.com is neither a user"),
        ("name: Loyalty\n$", "name: Nope\n", "groups[0].permissions[1].functions[0]: there"),
    ],
)  # fmt: skip
def test_errors_name_the_place(settings: Settings, workspace_id: str, old: str, new: str, error: str) -> None:
    found = re.compile(old if old.endswith("$") else re.escape(old))
    assert found.search(EXAMPLE)
    store = Store.open(settings, Catalogue())
    with pytest.raises(Invalid) as failure:
        plan(store, workspace_id, found.sub(new, EXAMPLE, count=1), {}, prune=True)
    assert str(failure.value).startswith(error), failure.value


def join(workspace: Workspace, email: str) -> None:
    """Accept the invitation."""
    with workspace.store.changing(workspace.id, ACTOR) as editor:
        invite = people.find_invite(editor.session, workspace.id, email)
        assert invite is not None
        user = User(id=resource_id(), email=email, name=email, created_at=1, updated_at=1)
        people.accept(editor, invite, user)


def test_people_are_invited_and_found_again_as_users(shop: Workspace) -> None:
    join(shop, "ada@example.com")
    join(shop, "bob@example.com")
    assert not shop.plan(EXAMPLE, prune=True), "who has joined is who was invited"
    shop.apply(
        EXAMPLE.replace("role: owner", "role: member").replace("role: member\n\ng", "role: owner\n\ng")
    )
    exported = yaml.safe_load(shop.export())["people"]
    assert [each["permissions"][0]["role"] for each in exported] == ["member", "owner"], "handed over at once"
    with pytest.raises(Conflict, match="needs a user who is its owner"):
        shop.plan("people: [{email: bob@example.com, permissions: [{role: member}]}]")
    shop.apply("{people: [{email: bob@example.com}], groups: []}", prune=True)
    exported = yaml.safe_load(shop.export())
    assert [each["email"] for each in exported["people"]] == ["bob@example.com"]
    assert exported["groups"] == []


def test_tokens_are_in_no_document_and_no_document_takes_them_away(shop: Workspace) -> None:
    assert TOKEN not in shop.export() and "ONWARD_TOKEN" not in shop.export()
    everything = {field.encode_name: [] for field in msgspec.structs.fields(Document)} | {
        "workspace": {"name": "x"}
    }
    shop.apply(yaml.safe_dump(everything), prune=True)
    with shop.store.reading() as session:
        assert find_token(session, TOKEN) is not None
    left = yaml.safe_load(shop.export())
    assert {name for name, value in left.items() if value} == {"workspace"}


def test_without_prune_nothing_that_is_left_out_goes(shop: Workspace) -> None:
    before = shop.export()
    assert not shop.plan("sources: [{slug: operations, type: http-api, name: Operations}]")
    assert not shop.plan(
        "{labels: [], functions: [], trackingPlans: [], warehouses: [], people: [], groups: []}"
    )
    assert shop.export() == before


def test_a_label_that_permissions_need_is_not_pruned(shop: Workspace) -> None:
    with pytest.raises(Conflict, match="permissions are granted by the label team:shop"):
        shop.plan("labels: []", prune=True)
    shop.apply("{labels: [], groups: []}", prune=True)
    assert "labels:\n" not in yaml.dump(yaml.safe_load(shop.export())["sources"]), "sources lose it too"
