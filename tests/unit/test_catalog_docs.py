"""The pages about destinations: kept ones are those of the definitions, and all of them hold together."""

import re
from pathlib import Path

import pytest

from onward.destinations.catalog import Catalogue, open_catalogue
from onward.destinations.docs import KEPT, MADE, conditions, pages, write_pages
from onward.settings import Settings
from onward.workspace import yaml
from onward.workspace.bootstrap import bootstrap
from onward.workspace.parts.base import VARIABLE
from onward.workspace.store import Actor, Store

OWN = pages(Catalogue())
INSTALLED = open_catalogue(Settings().catalog_folder)
"""With what is installed, which may be Onward's own alone."""
ALL = pages(INSTALLED)
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+\.md)\)")


def test_the_kept_pages_are_up_to_date() -> None:
    kept = {path.name: path.read_text() for path in KEPT.glob("*.md")}
    wrong = sorted(name for name in kept.keys() | OWN.keys() if kept.get(name) != OWN.get(name))
    assert not wrong, "run `make docs`"


@pytest.mark.parametrize("name", ALL)
def test_tables_are_tables_and_links_lead_somewhere(name: str) -> None:
    text = ALL[name]
    assert text.startswith(MADE)
    width = 0
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (width and cells) or cells == width, line
        width = cells
    if name in ("README.md", "methods.md", "modes.md", "categories.md"):
        assert set(LINK.findall(text)) <= ALL.keys()


def test_the_index_and_the_charts_have_every_destination() -> None:
    for name in ("README.md", "methods.md", "modes.md", "categories.md"):
        assert {link.removesuffix(".md") for link in LINK.findall(ALL[name])} >= set(INSTALLED)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    settings = Settings(data=tmp_path_factory.mktemp("docs") / "data", token="token")
    workspace_id = bootstrap(settings).workspace_id
    store = Store.open(settings, INSTALLED)
    base = yaml.plan(store, workspace_id, "sources: [{slug: website, type: javascript}]", {})
    yaml.apply(store, workspace_id, base, Actor(id="test"))
    return store, workspace_id


@pytest.mark.parametrize("slug", INSTALLED)
def test_the_example_can_be_applied(workspace: tuple[Store, str], slug: str) -> None:
    (text,) = YAML.findall(ALL[f"{slug}.md"])
    secrets = {name: "secret" for _, name in VARIABLE.findall(text)}
    assert yaml.plan(*workspace, text, secrets)


def test_writing_leaves_what_others_wrote_and_removes_what_it_made_before(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pages"
    assert {path.name for path in write_pages(Catalogue(), folder)} == OWN.keys()
    (folder / "notes.md").write_text("# Mine\n")
    (folder / "actions-gone.md").write_text(f"{MADE}\n\n# Gone\n")
    write_pages(Catalogue(), folder)
    assert {path.name for path in folder.iterdir()} == OWN.keys() | {"notes.md"}


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        (
            {"conditions": [{"fieldKey": "a", "operator": "is", "value": ["x", "y"]}]},
            "`a` is `x` or `y`",
        ),
        (
            {
                "match": "any",
                "conditions": [
                    {"fieldKey": "a", "operator": "is_not"},
                    {"type": "syncMode", "operator": "is", "value": "add"},
                ],
            },
            "`a` is not empty or the sync mode is `add`",
        ),
        (
            {
                "match": "all",
                "conditions": [
                    {"fieldKey": "a", "operator": "is", "value": True},
                    {"fieldKey": "b", "operator": "is", "value": 1},
                ],
            },
            "`a` is `true` and `b` is `1`",
        ),
    ],
)
def test_conditions_in_words(rules: dict, told: str) -> None:
    assert conditions(rules) == told
