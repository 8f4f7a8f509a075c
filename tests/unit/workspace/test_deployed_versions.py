"""A file and the versions that instances of functions run."""

import pytest
import yaml

from onward.workspace.entities import Function
from onward.workspace.errors import Invalid
from onward.workspace.function_deployment import deploy
from onward.workspace.function_instances import find_instances
from onward.workspace.functions import update_function
from onward.workspace.yaml import render_diff

from .conftest import ACTOR, Workspace

DOCUMENT = """
functions:
  - {name: Send, type: DESTINATION, code: // 1, deployed: true}
  - {name: In, type: INSERT_DESTINATION, code: // 1, deployed: true}
  - {name: Take, type: SOURCE, code: // 1, deployed: true}
sources:
  - {slug: web, type: javascript, writeKeys: [aaaaaaaa]}
  - {slug: one, function: Take, writeKeys: [bbbbbbbb]}
  - {slug: two, function: Take, writeKeys: [cccccccc]}
destinations:
  - {name: one, source: web, function: Send}
  - {name: two, source: web, function: Send}
  - name: hook one
    source: web
    type: hook
    settings: {url: https://example.com, token: t}
    insertFunction: {function: In, name: one}
  - name: hook two
    source: web
    type: hook
    settings: {url: https://example.com, token: t}
    insertFunction: {function: In, name: two}
"""
SECOND = DOCUMENT.replace("// 1", "// 2")
HELD = (
    SECOND.replace("two, function: Take", "two, function: Take, deployed: false")
    .replace("name: two, source: web,", "name: two, source: web, deployed: false,")
    .replace("In, name: two", "In, name: two, deployed: false")
)


def running(workspace: Workspace) -> dict[str, set[int]]:
    """By the name of the function's instance: whether each runs the deployed version of its function."""
    found: dict[str, set[int]] = {}
    with workspace.store.reading() as session:
        for function in session.query(Function):
            for each in find_instances(session, function, None):
                found.setdefault(each.name, set()).add(each.function_version_id == function.deployed_id)
    return found


@pytest.fixture
def deployed(workspace: Workspace) -> Workspace:
    workspace.apply(DOCUMENT)
    assert running(workspace) == {"one": {True}, "two": {True}}
    return workspace


def test_what_a_file_holds_back_stays_with_its_version(deployed: Workspace) -> None:
    shown = render_diff(deployed.plan(HELD)).plain
    assert "~ destination web/one\n    runs: version 1 → version 2" in shown
    assert "web/two" not in shown and "source two" not in shown
    deployed.apply(HELD)
    assert running(deployed) == {"one": {True}, "two": {False}}
    exported = deployed.export()
    held = [
        each["name"] for each in yaml.safe_load(exported)["destinations"] if not each.get("deployed", True)
    ]
    assert held == ["two"]
    assert not deployed.plan(exported, prune=True) and not deployed.plan(HELD)
    deployed.apply(SECOND)
    assert running(deployed) == {"one": {True}, "two": {True}}
    assert not deployed.plan(SECOND)


def test_a_newer_draft_leaves_alone_what_runs_where(deployed: Workspace) -> None:
    with deployed.store.changing(deployed.id, ACTOR) as editor:
        for function in editor.session.query(Function):
            update_function(editor, function, code="// 2")
            every = find_instances(editor.session, function, None)
            deploy(editor, function, [each for each in every if each.name == "one"])
            update_function(editor, function, code="// 3")
    assert running(deployed) == {"one": {True}, "two": {False}}
    exported = deployed.export()
    assert "deployed" not in exported
    assert not deployed.plan(exported, prune=True)


def test_where_there_is_no_older_version_the_deployed_one_runs(workspace: Workspace) -> None:
    workspace.apply(HELD)
    assert running(workspace) == {"one": {True}, "two": {True}}


@pytest.mark.parametrize("place", ["sources[0]", "destinations[2]"])
def test_only_functions_are_held_back(workspace: Workspace, place: str) -> None:
    old = "type: javascript" if place.startswith("s") else "type: hook\n    settings"
    text = DOCUMENT.replace(
        old, f"deployed: false\n    {old}" if "\n" in old else f"deployed: false, {old}", 1
    )
    with pytest.raises(Invalid) as failure:
        workspace.plan(text)
    assert str(failure.value).startswith(f"{place}.deployed: ")
