"""Where functions are tried: a sandbox that did not hold once is looked at again."""

import pytest

from onward.functions import workshop
from onward.functions.sandbox import Confinement, libraries_folder
from onward.functions.selftest import Boundary, Layer, NoBoundary, NoWay
from onward.functions.workshop import Workshop

HOLDS, BUSY = Layer(True, "holds"), Layer(False, "the attacks could not be tried")


async def test_a_sandbox_that_did_not_hold_is_examined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [BUSY, BUSY, HOLDS]

    async def examine(confinement: Confinement) -> Boundary:
        return Boundary(permissions=HOLDS, box=found.pop(0))

    monkeypatch.setattr(workshop, "examine", examine)
    made = Workshop(NoWay(), confinement=Confinement(libraries=libraries_folder()))
    for _ in range(2):  # the second time is too soon
        with pytest.raises(NoBoundary):
            await made.require()
    assert len(found) == 2
    monkeypatch.setattr(workshop, "EXAMINE_AGAIN", 0.0)
    made._examine_at = 0.0
    with pytest.raises(NoBoundary):
        await made.require()
    await made.require()
    await made.require()
    assert found == [], "one that holds is trusted"


async def test_trusted_code_runs_without_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workshop, "examine", None)
    await Workshop(NoWay(), trusted=True).require()
