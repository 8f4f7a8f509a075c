"""The installed catalogue, a bridge on it, and tools that answer what a test says."""

from collections.abc import AsyncIterator, Iterator, Mapping

import pytest
from integration.bridge.tools import CATALOGUE, Caller, Reference, Tool

from onward.destinations.bridge.definitions import load
from onward.destinations.bridge.host import Bridge
from onward.destinations.bridge.install import install
from onward.destinations.bridge.sandbox import Limits
from onward.destinations.definition import Definition


@pytest.fixture(scope="session")
def catalogue() -> Mapping[str, Definition]:
    """`make setup` has installed it; if not, this does."""
    install(CATALOGUE)
    return load(CATALOGUE)


@pytest.fixture
def tool() -> Tool:
    return Tool()


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
async def bridge(catalogue: Mapping[str, Definition], limits: Limits) -> AsyncIterator[Bridge]:
    made = Bridge(CATALOGUE, environment={}, limits=limits)
    yield made
    await made.close()


@pytest.fixture
def perform(catalogue: Mapping[str, Definition], bridge: Bridge, tool: Tool) -> Caller:
    return Caller(catalogue, bridge, tool)


@pytest.fixture(scope="module")
def reference(catalogue: Mapping[str, Definition]) -> Iterator[Reference]:
    made = Reference()
    yield made
    assert made.process.stdin
    assert made.process.stdout
    made.process.stdin.close()
    made.process.wait(10)
    made.process.stdout.close()
