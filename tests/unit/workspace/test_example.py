from pathlib import Path

import pytest

from onward.destinations.catalog import Catalogue
from onward.settings import Settings
from onward.workspace.store import Store
from onward.workspace.yaml import plan

EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_examples_can_be_applied(settings: Settings, workspace_id: str, example: Path) -> None:
    assert plan(Store.open(settings, Catalogue()), workspace_id, example.read_text(), {}).changes
