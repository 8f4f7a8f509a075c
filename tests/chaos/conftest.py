"""`--chaos-rounds N`: how often the kill loop kills. 20 in CI; `make chaos` does 500."""

import pytest


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    return int(request.config.getoption("--chaos-rounds"))
