from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from .door import Door


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with Door(tmp_path) as opened:
        yield opened
