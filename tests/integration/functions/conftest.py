"""The libraries of functions: `make setup` has installed them; if not, this does."""

import pytest

from onward.functions.install import install
from onward.functions.sandbox import libraries_folder


@pytest.fixture(scope="session", autouse=True)
def libraries() -> None:
    install(libraries_folder())
