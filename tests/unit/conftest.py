"""What tests begin with that are not about the first start."""

from pathlib import Path

import pytest
from harness import TOKEN

from onward.settings import Settings
from onward.workspace.bootstrap import bootstrap


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder after the first start, to be copied: to make one takes ten times as long. `TOKEN` is its
    owner's."""
    folder = tmp_path_factory.mktemp("fresh") / "data"
    bootstrap(Settings(data=folder, token=TOKEN))
    return folder
