"""Who lets functions run: nobody before the sandbox has held; one that did not is looked at again."""

import asyncio

import pytest
from structlog.testing import capture_logs

from onward.functions import gate
from onward.functions.gate import Gate
from onward.functions.sandbox import Confinement, libraries_folder
from onward.functions.selftest import Boundary, Layer, NoBoundary

HOLDS, BUSY = Layer(True, "holds"), Layer(False, "the attacks could not be tried")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Layer | Exception]:
    """What examinations find, one after the other."""
    layers: list[Layer | Exception] = []

    async def examine(confinement: Confinement) -> Boundary:
        box = layers.pop(0)
        if isinstance(box, Exception):
            raise box
        return Boundary(permissions=HOLDS, box=box, parts={"no new privileges": "on"})

    monkeypatch.setattr(gate, "examine", examine)
    return layers


def made(**more: bool) -> Gate:
    return Gate(Confinement(libraries=libraries_folder()), **more)


async def test_a_sandbox_that_did_not_hold_is_examined_again_but_not_at_once(
    found: list[Layer | Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    found += [BUSY, OSError("no room"), BUSY, HOLDS]
    opened = []

    async def open() -> None:
        opened.append(True)

    one = Gate(Confinement(libraries=libraries_folder()), opened=open)
    assert one.report(0) is None, "nobody has asked"
    for _ in range(2):  # the second time is too soon
        with pytest.raises(NoBoundary, match="could not be tried"):
            await one.require()
    assert len(found) == 3
    report = one.report(3)
    assert report is not None and (report.state, report.processes) == ("refused", 3)
    assert report.layers == {"permissions": "holds", "box": BUSY.detail, "no new privileges": "on"}
    monkeypatch.setattr(gate, "EXAMINE_AGAIN", 0.0)
    one._examine_at = 0.0
    assert "no room" in await one.refusal()
    assert "could not be tried" in await one.refusal()
    assert opened == []
    for _ in range(3):
        await one.require()
    assert (found, opened) == ([], [True]), "one that holds is trusted"
    report = one.report(3)
    assert report is not None and (report.state, report.reason) == ("running", "")
    assert report.layers["box"] == "holds"


async def test_the_log_is_told_what_is_new(
    found: list[Layer | Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "EXAMINE_AGAIN", 0.0)
    found += [BUSY, BUSY, HOLDS, HOLDS]
    one = made()
    with capture_logs() as lines:
        for _ in range(4):
            await one.refusal()
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("error", "sandbox of functions"),
        ("error", "functions are not run, what is for them waits"),
        ("info", "sandbox of functions"),
    ]
    assert lines[0]["box"] == BUSY.detail and lines[2]["no_new_privileges"] == "on"


async def test_trusted_code_runs_without_a_sandbox_and_the_log_says_so(
    found: list[Layer | Exception],
) -> None:
    found.append(BUSY)
    one = made(trusted=True)
    with capture_logs() as lines:
        await one.require()
    assert "functions_trusted" in lines[-1]["event"]
    report = one.report(0)
    assert report is not None and (report.state, report.layers["box"]) == ("running", BUSY.detail)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Whether an examination has begun, which never ends by itself."""
    begun = asyncio.Event()

    async def examine(confinement: Confinement) -> Boundary:
        begun.set()
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(gate, "examine", examine)
    return begun


async def test_it_keeps_looking_until_it_is_cancelled_also_amid_an_examination(begun: asyncio.Event) -> None:
    one = made()
    keeping = asyncio.create_task(one.keep())
    await begun.wait()
    report = one.report(0)
    assert report is not None and report.state == "starting"
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await one.close()


async def test_nobody_passes_who_waited_for_an_examination_that_a_stop_cut_off(begun: asyncio.Event) -> None:
    one = made()
    waiting = asyncio.create_task(one.require())
    await begun.wait()
    await one.close()
    with pytest.raises(NoBoundary, match="stopping"):
        await waiting
