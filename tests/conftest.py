"""Fixtures that every folder of tests may use; see `tests/harness.py` for what they give."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import Onward, Sink


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos-rounds", type=int, default=20, help="rounds of the kill loops (tests/chaos)")


@pytest.fixture
def onward_factory(tmp_path: Path) -> Iterator[Callable[..., Onward]]:
    """Makes servers that have not been started: `onward_factory(workers=2, log_slice_seconds=1)`."""
    made: list[Onward] = []

    def make(**settings: Any) -> Onward:
        made.append(Onward(tmp_path / f"onward-{len(made)}", **settings))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def onward(onward_factory: Callable[..., Onward]) -> Onward:
    """A server that is ready."""
    return onward_factory().start()


@pytest.fixture
def sink_factory(tmp_path: Path) -> Iterator[Callable[..., Sink]]:
    """Makes sinks that have not been started: `sink_factory("--fail-rate", "0.1")`."""
    made: list[Sink] = []

    def make(*flags: str) -> Sink:
        made.append(Sink(tmp_path / f"sink-{len(made)}", *flags))
        return made[-1]

    yield make
    for sink in made:
        sink.close()


@pytest.fixture
def sink(sink_factory: Callable[..., Sink]) -> Sink:
    """A sink that listens and answers 200."""
    return sink_factory().start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A failed test shows the last lines of the processes that it ran."""
    report = yield
    if report.failed and call.when == "call":
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        for log in sorted(folder.glob("*/*.log")) if folder else ():
            tail = log.read_text(errors="replace").splitlines()[-60:]
            report.sections.append((f"{log.relative_to(folder)}", "\n".join(tail)))
    return report
