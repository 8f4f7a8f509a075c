"""Who lets functions run in a delivery process: the sandbox is examined first, and what is refused waits."""

import asyncio
import time
from typing import Any

import pytest

from onward.delivery.functions.destination import definition_of
from onward.delivery.functions.host import Functions
from onward.destinations.definition import Call
from onward.destinations.outcome import Outcome
from onward.functions.breaker import FAILURES, FIRST
from onward.functions.held import Entry
from onward.functions.invocation import Invocation
from onward.functions.pool import Key, PoolLimits
from onward.functions.sandbox import Confinement, libraries_folder
from onward.functions.selftest import NoWay
from onward.workspace.snapshot import DeliveryPolicy, DeployedFunction, Destination

CODE = {
    "one": "async function onTrack(event) { if (event.event === 'bad') throw new Error('one') }",
    "two": "async function onTrack(event) { throw new ValidationError('two') }",
    "batch": "async function onBatch(events) { return events.map(() => ({ status: 200 })) }",
    "wrong": "async function onBatch(",
    "keeps": "let key; function onTrack(event, settings) { key ??= settings.key; throw new Error(key) }",
}


class Code:
    """A `DeployedCode` with versions of a test's own."""

    def known(self, version: str) -> str | None:
        return CODE.get(version)

    def read(self, version: str) -> str | None:
        return CODE.get(version)


def destination(
    version: str = "one", handlers: tuple[str, ...] | None = ("onTrack",), **settings: str
) -> Destination:
    function = DeployedFunction(
        id="f", name="F", version=version, instance="d", handlers=handlers, settings=settings
    )
    return Destination(
        id="d",
        workspace_id="w",
        source_id="s",
        definition="function-f",
        name="F",
        enabled=True,
        function=function,
        policy=DeliveryPolicy(),
    )


def host(**more: Any) -> Functions:
    confinement = Confinement(libraries=libraries_folder(), box=more.pop("box", True))
    code: Any = Code()
    return Functions(code, NoWay(), confinement=confinement, limits=PoolLimits(spares=1), **more)


async def deliver(functions: Functions, to: Destination, name: str = "E") -> Outcome:
    assert to.function is not None
    [action] = definition_of(functions, to, to.function).actions.values()
    call = Call(settings={}, http=NoWay(), timeout=1, workspace_id="w", source_id="s", destination_id=to.id)
    [outcome] = await action.perform(call, [{"type": "track", "event": name, "messageId": "m"}])
    return outcome


@pytest.mark.timeout(120)
async def test_without_a_box_events_wait_with_the_reason_unless_the_code_is_trusted() -> None:
    functions = host(box=False)
    assert functions.report() is None, "nothing is examined where there are no functions"
    functions.configure([destination()])
    outcome = await deliver(functions, destination())
    assert (outcome.kind, "does not hold" in outcome.message) == ("waits", True)
    report = functions.report()
    assert report is not None and report.state == "refused" and "does not hold" in report.reason
    assert report.layers["permissions"] == "holds" and report.processes == 0
    await functions.close()

    trusting = host(box=False, trusted=True)
    trusting.configure([destination()])
    assert (await deliver(trusting, destination())).kind == "delivered"
    report = trusting.report()
    assert report is not None and report.state == "running"
    await trusting.close()


@pytest.mark.timeout(120)
async def test_a_deployment_changes_the_version_of_later_calls_and_what_was_used_is_told() -> None:
    functions = host()
    functions.configure([destination()])
    assert (await deliver(functions, destination())).kind == "delivered"
    bad = await deliver(functions, destination(), "bad")
    assert (bad.kind, bad.code, bad.message) == ("discarded", "BAD_REQUEST", "one")
    functions.configure([destination("two")])
    # Of an action that was made for the version before: what is deployed counts.
    outcome = await deliver(functions, destination("one"))
    assert (outcome.code, outcome.message) == ("MESSAGE_REJECTED", "two")
    # What code keeps was made of the settings that it had then.
    for key in ("old", "old", "new"):
        functions.configure([destination("keeps", key=key)])
        assert (await deliver(functions, destination("keeps"))).message == key
    functions.configure([])
    used = functions.take_used()
    assert {scope for scope, _ in used} == {("w", "f")} and sum(each.invocations for _, each in used) == 6
    functions.configure([destination("gone")])
    assert (await deliver(functions, destination())).kind == "waits"
    await functions.close()


@pytest.mark.timeout(120)
async def test_a_pause_is_over_when_something_else_was_deployed_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    functions = host()
    functions.configure([destination()])
    entry = functions._pool._entries[Key.of("one", "d", {})] = Entry()
    for _ in range(FAILURES):
        entry.breaker.failed(time.monotonic())
    assert (await deliver(functions, destination())).retry_after == pytest.approx(FIRST, abs=5)
    invoke = functions._pool.invoke_each

    async def meanwhile(*call: Any) -> list[Invocation]:
        functions.configure([destination("two")])
        return await invoke(*call)

    monkeypatch.setattr(functions._pool, "invoke_each", meanwhile)
    outcome = await deliver(functions, destination())
    assert (outcome.kind, outcome.retry_after) == ("waits", None)
    await functions.close()


@pytest.mark.timeout(120)
async def test_nothing_begins_after_a_stop_but_what_is_under_way_ends() -> None:
    functions = host()
    functions.configure([destination()])
    under_way = asyncio.get_running_loop().create_task(deliver(functions, destination()))
    await asyncio.sleep(0)
    functions.stop()
    assert (await under_way).kind in ("delivered", "waits")
    assert (await deliver(functions, destination())).kind == "waits"
    await functions.close()


@pytest.mark.timeout(120)
async def test_handlers_of_versions_that_were_saved_unseen_are_found_before_the_first_call() -> None:
    functions, unseen = host(), destination("batch", handlers=None)
    functions.configure([unseen])
    assert functions.completed(unseen) == unseen and not functions.take_news()
    outcome = await deliver(functions, unseen)
    assert outcome.kind == "delivered", "it has onBatch, and no onTrack"
    assert functions.take_news() and not functions.take_news()
    seen = functions.completed(unseen)
    assert seen == destination("batch", handlers=("onBatch",))
    functions.configure([seen])
    assert seen.function is not None
    [action] = definition_of(functions, seen, seen.function).actions.values()
    assert (action.batch_wait, action.default_batch_size) == (None, 20), "events wait for each other now"

    wrong = destination("wrong", handlers=None)
    functions.configure([wrong])
    outcome = await deliver(functions, wrong)
    assert (outcome.kind, outcome.code) == ("discarded", "INVALID_SETTINGS")
    assert functions.completed(wrong) == wrong and not functions.take_news()
    await functions.close()
