"""Functions on the road: results to outcomes, batches, and the insert function before the mappings."""

import time

import msgspec
import pytest
from rig import BATCHED, QUICK, Rig

from onward.delivery.functions.destination import definition_of, worthwhile
from onward.delivery.functions.insertion import insert
from onward.delivery.functions.outcomes import of_ending, of_insertion
from onward.delivery.plan import Plan
from onward.destinations.catalog import Catalogue
from onward.destinations.definition import Call
from onward.destinations.outcome import DELIVERED, discarded, retry
from onward.functions.errors import Ending, Kind
from onward.workspace.snapshot import DeliveryPolicy, DeployedFunction, Destination

from .scripted import Scripted, Threw

BATCHING = ("onBatch", "onTrack")


def track(n, type="track"):
    return {"type": type, "messageId": f"m{n}", "event": "E", "userId": "u", "properties": {"n": n}}


def destination(function, **policy):
    return Destination(
        id="d",
        workspace_id="w",
        source_id="s",
        definition="function-f",
        name="F",
        enabled=True,
        function=function,
        policy=DeliveryPolicy(**policy),
    )


async def perform(functions, events, **policy):
    to = destination(functions.function, **policy)
    [action] = definition_of(functions, to, functions.function).actions.values()
    call = Call(settings={}, http=None, timeout=1, workspace_id="w", source_id="s", destination_id="d")
    return await action.perform(call, events)


def told(outcomes):
    return [(each.kind, each.code) for each in outcomes]


# --- outcomes ---


@pytest.mark.parametrize(
    ("kind", "delivery", "insertion"),
    [
        (Kind.BAD_REQUEST, ("discarded", "BAD_REQUEST"), ("filtered", "bad_request")),
        (Kind.INVALID_SETTINGS, ("discarded", "INVALID_SETTINGS"), ("filtered", "invalid_settings")),
        (Kind.MESSAGE_REJECTED, ("discarded", "MESSAGE_REJECTED"), ("filtered", "message_rejected")),
        (
            Kind.UNSUPPORTED_EVENT_TYPE,
            ("discarded", "UNSUPPORTED_EVENT_TYPE"),
            ("filtered", "unsupported_event_type"),
        ),
        (Kind.RETRY, ("retry", "RETRY"), ("retry", "retry")),
        (Kind.TIMEOUT, ("retry", "ETIMEDOUT"), ("retry", "gateway_timeout")),
        (Kind.TOO_MANY_REQUESTS, ("waits", "429"), ("waits", "too_many_requests")),
        (Kind.DROPPED, ("filtered", "FILTERED_AT_FUNCTION"), ("filtered", "FILTERED_AT_INSERT_FUNCTION")),
    ],
)
def test_each_kind_of_error_has_its_outcome(kind, delivery, insertion):
    ending = Ending(kind, "why", 3.0)
    for outcome, expected in ((of_ending(ending), delivery), (of_insertion(ending), insertion)):
        assert (outcome.kind, outcome.code, outcome.message) == (*expected, "why")
        assert outcome.retry_after == (3.0 if expected[0] in ("retry", "waits") else None)


# --- a destination that is a function ---


async def test_each_event_has_the_outcome_of_its_handler():
    def answer(handler, event):
        if event["properties"]["n"] == 1:
            raise Threw("RetryError", "later")
        if event["properties"]["n"] == 2:
            raise Threw("TypeError", "sesame-open is no key")

    functions = Scripted(answer, handlers=("onTrack",))
    events = [track(0), track(1), track(2), track(3, "page")]
    outcomes = await perform(functions, events)
    assert told(outcomes) == [
        ("delivered", ""),
        ("retry", "RETRY"),
        ("discarded", "BAD_REQUEST"),
        ("discarded", "UNSUPPORTED_EVENT_TYPE"),
    ]
    assert outcomes[2].message == "••• is no key"
    assert [event["messageId"] for _, event in functions.calls] == ["m0", "m1", "m2"], "no call for a page"
    shown = outcomes[2].trace.shown()
    assert (shown["handler"], shown["kind"], shown["error"]["name"]) == (
        "onTrack",
        "Bad Request",
        "TypeError",
    )
    assert shown["logs"][0]["text"].startswith("key ") and "sesame" not in str(shown)


async def test_enough_events_go_to_the_batch_handler_and_each_has_its_status():
    def answer(handler, events):
        return [{"status": 500 if event["type"] == "page" else 200} for event in events]

    functions = Scripted(answer, handlers=BATCHING)
    outcomes = await perform(functions, [track(n) for n in range(9)] + [track(9, "page")], batch_wait=10)
    assert [handler for handler, _ in functions.calls] == ["onBatch"]
    assert told(outcomes) == [("delivered", "")] * 9 + [("retry", "RETRY")]
    assert (outcomes[9].trace.shown()["kind"], outcomes[9].trace.shown()["events"]) == ("Retry", 10)


async def test_a_batch_that_throws_ends_alike_for_each():
    def answer(handler, events):
        raise Threw("RetryError", "not now, sesame-open")

    functions = Scripted(answer, handlers=BATCHING)
    outcomes = await perform(functions, [track(n) for n in range(20)])
    assert told(outcomes) == [("retry", "RETRY")] * 20
    assert {each.message for each in outcomes} == {"not now, •••"}
    [outcome] = await insert(functions, functions.function, [track(0)])
    assert (outcome.kind, outcome.message) == ("retry", "not now, •••")


async def test_few_events_go_to_single_handlers_but_for_types_that_have_none():
    functions = Scripted(lambda handler, given: None, handlers=BATCHING)
    events = [track(0), track(1, "page"), track(2), track(3, "page")]
    assert told(await perform(functions, events, batch_wait=10)) == [("delivered", "")] * 4
    assert [handler for handler, _ in functions.calls] == ["onTrack", "onTrack", "onBatch"]
    assert functions.calls[-1][1] == [events[1], events[3]]


def test_a_batch_is_worth_it_from_one_event_a_second_on():
    assert worthwhile(DeliveryPolicy(batch_wait=10), 20) == 10
    assert worthwhile(DeliveryPolicy(batch_wait=10), 5) == 5, "full is full"
    assert worthwhile(DeliveryPolicy(batch_wait=0), 400) == 2


async def test_a_batch_that_is_full_by_its_bytes_is_worth_it_too():
    functions = Scripted(lambda handler, given: None, handlers=BATCHING)
    few = [track(n) for n in range(3)]
    size = sum(map(len, map(msgspec.json.encode, few)))
    for batch_bytes in (size, size * 2):
        await perform(functions, few, batch_wait=10, batch_bytes=batch_bytes)
    assert [handler for handler, _ in functions.calls] == ["onBatch", "onTrack", "onTrack", "onTrack"]
    await perform(functions, few[:1], batch_wait=10, batch_bytes=1)
    assert functions.calls[-1][0] == "onTrack", "one is no batch"


async def test_locked_out_nothing_is_called_and_what_is_not_deployed_waits():
    functions = Scripted(lambda handler, given: None)
    functions.locked = True
    outcome = await perform(functions, [track(0)])
    assert (outcome.kind, outcome.code) == ("filtered", "FUNCTIONS_LOCK_OUT")
    functions.function = msgspec.structs.replace(functions.function, instance="other")
    assert (await perform(functions, [track(0)])).kind == "waits"
    assert functions.calls == []


def test_its_plan_gives_it_every_event_as_it_is_and_groups_by_its_limits():
    functions = Scripted(lambda handler, given: None, handlers=BATCHING, batch_max_count=7)
    plan = Plan.of(destination(functions.function), None, Catalogue(), 1, functions)
    event = track(0) | {"enable_batching": "no", "batch_size": 1, "empty": ""}
    [mapped] = plan.route(event, None)
    assert mapped.payload == event
    action = plan.targets[0].action
    assert (action.default_batch_size, action.batch_wait) == (7, None)
    off = event | {"integrations": {"F (W)": False}}
    assert plan.route(off, None) == "FILTERED_BY_INTEGRATIONS_OBJECT"


def test_a_rate_limit_counts_calls():
    functions = Scripted(lambda handler, given: None)
    plans = [
        Plan.of(destination(functions.function, **policy), None, Catalogue(), 1, functions)
        for policy in ({}, {"rate_limit": 5.0})
    ]
    assert [plan.targets[0].action.default_batch_size for plan in plans] == [32, 1]


# --- the insert function ---


async def test_one_call_for_each_event_and_batches_where_there_is_a_handler():
    functions = Scripted(lambda handler, event: event | {"userId": "x"}, handlers=("onTrack",))
    came = await insert(functions, functions.function, [track(0), track(1, "page")])
    assert came[0]["userId"] == "x" and (came[1].kind, came[1].code) == ("filtered", "unsupported_event_type")

    def halve(handler, events):
        return events[:1] if handler == "onBatch" else events

    functions = Scripted(halve, handlers=("onBatch", "onTrack"), batch_max_count=2)
    came = await insert(functions, functions.function, [track(n) for n in range(3)])
    assert [handler for handler, _ in functions.calls] == ["onBatch", "onBatch"]
    assert [getattr(each, "code", "") for each in came] == ["", "FILTERED_AT_INSERT_FUNCTION", ""]
    functions.locked = True
    assert {each.code for each in await insert(functions, functions.function, [track(0)])} == {
        "FUNCTIONS_LOCK_OUT"
    }


def inserting(path, answer, handlers=("onTrack",), policy=QUICK, **more):
    rig = Rig(path, policy=policy, **more)
    rig.functions = Scripted(answer, handlers)
    to = msgspec.structs.replace(rig.plan.destination, inserted=rig.functions.function)
    object.__setattr__(rig.plan, "destination", to)
    return rig


def counts(rig):
    asked = rig.store._read.execute("SELECT outcome, code, sum(count) FROM counter GROUP BY 1, 2")
    return {(outcome, code): count for outcome, code, count in asked}


async def test_what_it_returns_is_mapped_for_every_mapping_and_what_it_drops_is_filtered(tmp_path):
    def answer(handler, event):
        if event["properties"]["n"] % 3 == 1:
            raise Threw("DropEvent", "no")
        if event["properties"]["n"] % 3 == 2:
            raise Threw("ValidationError", "bad")
        return event | {"messageId": "x" + event["messageId"]}

    rig = inserting(tmp_path, answer, subscriptions=2)
    rig.append(30)
    async with rig.running():
        books = await rig.settled()
    assert len(rig.functions.calls) == 30, "once for both mappings"
    assert (books.delivered, books.filtered, books.discarded) == (20, 40, 0)
    assert sorted(rig.sent) == sorted(f"xm{n}" for n in range(0, 30, 3) for _ in range(2))
    assert counts(rig)["filtered", "FILTERED_AT_INSERT_FUNCTION"] == 20
    assert counts(rig)["filtered", "message_rejected"] == 20


async def test_a_retry_calls_it_again_and_gives_up_as_filtered(tmp_path):
    seen = {}

    def answer(handler, event):
        n = event["properties"]["n"]
        seen[n] = seen.get(n, 0) + 1
        if n == 0 or seen[n] < 3:
            raise Threw("RetryError", "later")
        return event

    policy = msgspec.structs.replace(QUICK, max_retries=3)
    rig = inserting(tmp_path, answer, policy=policy)
    rig.append(5)
    async with rig.running():
        books = await rig.settled()
    assert (books.delivered, books.filtered) == (4, 1)
    assert seen == {0: 4, 1: 3, 2: 3, 3: 3, 4: 3}
    assert sorted(rig.sent) == ["m1", "m2", "m3", "m4"]
    assert counts(rig)["filtered", "retry"] == 1
    assert counts(rig)["delivered", "successes.attempt.3"] == 4


async def test_what_it_made_is_kept_when_the_destination_fails(tmp_path):
    """Also of an event that was parked before the function had made anything of it."""
    calls = []

    def answer(handler, event):
        calls.append(event["messageId"])
        if len(calls) == 1:
            raise Threw("RetryError", "later")
        return event | {"messageId": "made", "userId": "hashed"}

    rig = inserting(tmp_path, answer)
    answers = [retry("503", "no"), retry("503", "no"), discarded("400", "never")]
    rig.answer = lambda ids: answers.pop(0)
    rig.append(1)
    async with rig.running():
        books = await rig.settled()
    assert (books.discarded, books.parked) == (1, 0)
    assert calls == ["m0", "m0"], "not again for the destination's sake"
    assert rig.requests == [["made"]] * 3
    assert [event["userId"] for event in rig.seen] == ["hashed"]
    [discard] = rig.store.discards("d")
    assert discard.event["userId"] == "u", "as it came: so a deletion finds it, and it can be sent again"
    assert discard.inserted is not None and discard.inserted["userId"] == "hashed"


async def test_while_functions_do_not_run_events_wait_and_no_attempt_is_counted(tmp_path):
    ready = []

    def answer(handler, event):
        if not ready:
            return Ending(Kind.TOO_MANY_REQUESTS, "the sandbox does not hold", 0.05)
        return event

    rig = inserting(tmp_path, answer)
    rig.append(50)
    async with rig.running():
        await rig.until(lambda: len(rig.functions.calls) > 10)
        assert rig.books.pending(rig.head) == 50 and rig.books.parked == 0
        ready.append(True)
        books = await rig.settled()
    assert books.delivered == 50
    assert set(counts(rig)) == {("delivered", "successes.attempt.1")}


async def test_a_destination_that_is_down_is_probed_through_the_insert_function(tmp_path):
    down = [True]
    rig = inserting(tmp_path, lambda handler, event: event)
    rig.answer = lambda ids: retry("503", "down") if down else DELIVERED
    rig.append(40)
    async with rig.running():
        await rig.until(lambda: rig.books.breaker_opened_at is not None)
        down.clear()
        rig.loop._breaker.probe_now()
        rig.loop.wake()
        books = await rig.settled()
    assert books.delivered == 40


async def test_batches_are_formed_of_what_it_made(tmp_path):
    rig = inserting(tmp_path, lambda handler, event: event, mapping=BATCHED)
    rig.append(100)
    async with rig.running():
        await rig.settled()
    assert sorted(rig.sent) == sorted(f"m{n}" for n in range(100))
    assert len(rig.requests) < 100


async def test_a_function_that_waits_holds_back_its_own_destination_only_as_long(tmp_path):
    """The pool's pause is no failure: neither the breaker nor an attempt knows of it."""
    function = DeployedFunction(id="f", name="F", version="v", instance="d", handlers=("onTrack",))
    functions = Scripted(lambda handler, event: None, handlers=function.handlers)
    until = time.monotonic() + 0.1
    functions.answer = lambda handler, event: (
        Ending(Kind.TOO_MANY_REQUESTS, "paused", 0.05) if time.monotonic() < until else None
    )
    rig = Rig(tmp_path)
    rig.functions = functions
    rig.plan = Plan.of(
        msgspec.structs.replace(destination(function), active=((0, None),), policy=QUICK),
        None,
        Catalogue(),
        1,
        functions,
    )
    rig.append(20)
    async with rig.running():
        books = await rig.settled()
    assert books.delivered == 20 and books.breaker_opened_at is None
    assert set(counts(rig)) == {("delivered", "successes.attempt.1")}
