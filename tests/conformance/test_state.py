"""What every state store keeps (see `onward.delivery.state.protocol`)."""

import sqlite3
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from onward.delivery.state.protocol import Changes, Count, Discard, Parked, Repark
from onward.delivery.state.sqlite import SqliteStateStore
from onward.eventlog.protocol import Position
from onward.metering.fates import Attempt, Sample
from onward.metering.outcomes import Inflow, Window, funnel
from onward.metering.query import Question

NOW = 1_700_000_000.0


@pytest.fixture
def store(tmp_path):
    store = SqliteStateStore(tmp_path)
    yield store
    store.close()


def parked(message_id="m", due_at=NOW, bulk_id=0, **fields):
    defaults = {
        "subscription_id": "s",
        "bulk_id": bulk_id,
        "message_id": message_id,
        "event_type": "track",
        "event_name": "Bought",
        "app_version": "",
        "received_at": 1,
        "payload": {"a": 1},
        "event": {"messageId": message_id},
        "due_at": due_at,
        "attempt": 1,
        "first_attempt_at": NOW,
        "deadline": NOW + 100,
    }
    return Parked(**(defaults | fields))


def count(outcome, code="x"):
    return Count(outcome, code, "s", "track", "Bought", "")


def commit(store, destination_id="d", now=NOW, **fields):
    changes = Changes()
    for name, value in fields.items():
        setattr(changes, name, value)
    store.commit([(destination_id, changes)], now)
    return changes


def test_a_new_destination_starts_where_it_is_told_and_an_old_one_where_it_was(store, tmp_path):
    assert store.open_destination("d", Position(5, 50)).cursor == Position(5, 50)
    commit(store, cursor=Position(9, 90))
    again = SqliteStateStore(tmp_path)
    assert again.open_destination("d", Position(1, 1)).cursor == Position(9, 90)
    again.close()


def test_a_commit_is_all_or_nothing(store):
    store.open_destination("d", Position())
    bad = Changes()
    bad.cursor = Position(7, 7)
    bad.counts = {count("delivered"): 3}
    bad.park = [parked(event_type=object())]
    with pytest.raises(sqlite3.Error):
        store.commit([("d", bad)], NOW)
    totals = store.totals()["d"]
    assert (totals.cursor, totals.delivered, totals.parked) == (Position(), 0, 0)
    commit(store, cursor=Position(7, 7))
    assert store.totals()["d"].cursor == Position(7, 7)


def test_parked_payloads_come_back_when_due_and_leave_with_their_outcome(store):
    store.open_destination("d", Position())
    held = commit(store, park=[parked("a", NOW + 10), parked("b", NOW + 5), parked("c", NOW + 99)]).park
    assert all(each.id for each in held)
    assert store.next_due("d", set()) == NOW + 5
    due = store.due("d", NOW + 10, 10, set())
    assert [each.message_id for each in due] == ["b", "a"]
    assert due[0].payload == {"a": 1}
    assert due[0].event == {"messageId": "b"}
    assert [each.message_id for each in store.due("d", NOW + 10, 10, {due[0].id})] == ["a"]
    commit(store, unpark=[due[0].id], counts={count("delivered"): 1})
    commit(store, repark=[Repark(due[1].id, NOW + 500, 2, NOW, NOW + 600, "503", "busy")])
    assert store.next_due("d", set()) == NOW + 99
    (last,) = store.due("d", NOW + 500, 10, {held[2].id})
    assert (last.message_id, last.attempt, last.code) == ("a", 2, "503")


def test_bulk_batches_come_back_whole_and_in_order(store):
    store.open_destination("d", Position())
    commit(store, park=[parked(str(n), NOW, bulk_id=77) for n in range(30)] + [parked("x", NOW + 1)])
    due = store.due("d", NOW + 2, 5, set())
    assert [each.message_id for each in due if each.bulk_id == 77] == [str(n) for n in range(30)]


def test_destinations_do_not_see_each_other(store):
    for name in "de":
        store.open_destination(name, Position())
    commit(store, "d", park=[parked("a")], discards=[discard("a")])
    assert store.due("e", NOW + 1, 10, set()) == []
    assert store.discards("e") == []
    store.forget("d")
    assert store.due("d", NOW + 1, 10, set()) == []
    assert store.discards("d") == []
    assert set(store.totals()) == {"e"}


def discard(message_id, code="400", at=1):
    return Discard(
        at=at,
        subscription_id="s",
        message_id=message_id,
        event_type="track",
        event_name="Bought",
        received_at=0,
        attempts=1,
        code=code,
        message="no such field",
        payload={"p": "ü\u0000"},
        event={"messageId": message_id},
    )


def test_discards_keep_payload_and_reason_newest_first_and_page(store):
    store.open_destination("d", Position())
    commit(store, discards=[discard(str(n), code="400" if n % 2 else "401") for n in range(10)])
    first = store.discards("d", limit=4)
    assert [each.message_id for each in first] == ["9", "8", "7", "6"]
    assert first[0].payload == {"p": "ü\u0000"}
    assert [each.message_id for each in store.discards("d", 4, before=first[-1].id)] == ["5", "4", "3", "2"]
    assert {each.code for each in store.discards("d", code="401")} == {"401"}
    store.prune(discards_before=2, counters_before=0)
    assert store.discards("d") == []


def test_downtime_and_outages_do_not_use_up_deadlines(store):
    store.open_destination("d", Position())
    commit(store, park=[parked("a", deadline=NOW + 100), parked("b", bulk_id=4, deadline=0.0)])
    store.heartbeat(NOW)
    assert store.shift_for_downtime(["d"], NOW + 30, least=60) == 0
    assert store.shift_for_downtime(["d"], NOW + 3600, least=60) == 3600
    commit(store, shift_deadlines=50.0)
    deadlines = {each.message_id: each.deadline for each in store.due("d", NOW + 9999, 9, set())}
    assert deadlines == {"a": NOW + 100 + 3600 + 50, "b": 0.0}


def test_the_breaker_is_remembered(store):
    store.open_destination("d", Position())
    commit(store, breaker=NOW)
    assert store.open_destination("d", Position()).breaker_opened_at == NOW
    commit(store, counts={count("delivered"): 1})
    assert store.open_destination("d", Position()).breaker_opened_at == NOW
    commit(store, breaker=0.0)
    assert store.open_destination("d", Position()).breaker_opened_at is None


OUTCOMES = st.sampled_from(["delivered", "filtered", "discarded", "park", "skip", "fan"])


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(OUTCOMES, max_size=8), max_size=12), st.integers(0, 50))
def test_the_books_balance_after_any_history(tmp_path_factory, history, start):
    store = SqliteStateStore(tmp_path_factory.mktemp("state"))
    store.open_destination("d", Position(start, start))
    seq = start
    for record in history:
        changes = Changes()
        seq += len(record)
        changes.cursor = Position(seq + 1, seq)
        for n, outcome in enumerate(record):
            if outcome == "park":
                changes.park.append(parked(str(n)))
            elif outcome == "skip":
                changes.skipped += 1
            elif outcome == "fan":
                changes.fanned_out += 1
                changes.count(count("delivered"), 2)
            else:
                changes.count(count(outcome))
        store.commit([("d", changes)], NOW)
        totals, head = store.totals()["d"], Position(seq + 4, seq + 3)
        assert totals.received(head) == (
            totals.delivered + totals.filtered + totals.discarded + totals.pending(head)
        )
    store.close()


def tried(message_id):
    return Attempt(
        message_id=message_id, subscription_id="s", at=1, attempt=1, outcome="retry", message="her address"
    )


def test_what_is_held_of_a_person_can_be_erased_and_the_books_balance(store, tmp_path):
    store.open_destination("d", Position())
    store.open_destination("other", Position())
    hers = {"userId": "her unique id", "messageId": "m"}
    fields = {"subscription_id": "s", "event_type": "track", "event_name": "Bought", "received_at": 1}
    discards = [
        Discard(at=1, message_id="m", attempts=1, code="400", message="", payload={}, event=event, **fields)
        for event in (hers, {"userId": "his"}, {"userId": ["her unique id"]})
    ]
    park = [parked(str(n), event=hers) for n in range(3)] + [
        parked("his"),
        parked("late", event=hers, received_at=9),
    ]
    changes = commit(
        store,
        park=park,
        discards=discards,
        cursor=Position(8, 8),
        counts={count("discarded"): 3},
        attempts=[tried("m"), tried("0"), tried("his"), tried("delivered")],
    )
    commit(store, "other", park=[parked("x", event=hers)], cursor=Position(1, 1), attempts=[tried("m")])

    def is_of(user_id, received_at):
        return user_id == "her unique id" and received_at <= 5

    held = store.held("d", is_of)
    assert held.parked == {each.id for each in changes.park[:3]} and held.discards == {changes.discards[0].id}
    store.erase("d", held, NOW)
    assert not store.held("d", is_of) and store.held("other", is_of)
    assert [each.event for each in store.discards("d")] == [{"userId": ["her unique id"]}, {"userId": "his"}]
    totals = store.totals()["d"]
    assert (totals.filtered, totals.discarded, totals.parked) == (3, 3, 2)
    assert totals.received(Position(8, 8)) == totals.filtered + totals.discarded + totals.pending(
        Position(8, 8)
    )
    asked = Question(
        start=0, end=int(NOW * 1000) + 60_000, bucket=1440, groups=("discardReason", "eventName")
    )
    found = store.counters("d", "filtered", asked)
    assert [(each.group, each.total) for each in found.series] == [
        ({"discardReason": "USER_DELETED", "eventName": "Bought"}, 3)
    ]
    store.erase("d", held, NOW)  # again, as after a crash
    assert store.totals()["d"].filtered == 3

    def told():
        ids = ("m", "0", "his", "delivered")
        return {id: [at for at, _ in store.questions().fates(id).attempts] for id in ids}

    assert told() == {"m": ["other"], "0": [], "his": ["d"], "delivered": ["d"]}
    store.erase_attempts(["m", "delivered"])
    assert told() == {"m": [], "0": [], "his": ["d"], "delivered": []}


def test_what_waits_is_told_apart_by_whether_it_was_tried(store):
    store.open_destination("d", Position())
    fresh = [parked(f"b{n}", NOW, bulk_id=7, attempt=0) for n in range(3)]
    commit(store, park=[parked("m", NOW + 1), parked("n", NOW + 2), *fresh])
    books = store.totals()["d"]
    flow = store.questions().flow("d", Window(0, 10, 1))
    assert (books.parked, books.untried) == (flow.parked, flow.untried) == (5, 3)
    assert funnel(flow, Inflow(0, 0, 0), 0, to_now=True).retrying_now == 2


def test_samples_of_requests_with_somebody_in_them_can_be_erased(store):
    store.open_destination("d", Position())
    together = {
        "hers": [("her", 1)],
        "of both": [("his", 1), ("her", 5)],
        "later": [("his", 1), ("her", 6)],
        "his": [("his", 1)],
        "of nobody": [],
        "of too many": None,
    }
    commit(
        store,
        samples=[
            Sample(
                subscription_id="s", outcome="retry", code="503", at=1, received_at=1, message_id=name,
                attempt=1, message="", event={"userId": "his"}, payload={}, exchanges=[], people=people,
            )
            for name, people in together.items()
        ],
    )  # fmt: skip

    def shown():
        asked = dict.fromkeys(("code", "outcome", "subscription_id"))
        return {each.message_id for each in store.questions().samples("d", **asked, start=0, end=9, limit=9)}

    assert shown() == set(together)
    store.erase("d", store.held("d", lambda user_id, at: user_id == "her" and at <= 5), NOW)
    assert shown() == {"later", "his", "of nobody"}


def test_successes_after_a_retry_are_told_apart(store):
    store.open_destination("d", Position())
    commit(
        store,
        counts={count("delivered", "successes.attempt.1"): 5, count("delivered", "successes.attempt.2"): 2},
    )
    found = store.counters("d", "delivered", Question(start=0, end=int(NOW * 1000) + 60_000, bucket=1))
    assert (found.total, found.series[0].retried) == (7, 2)
    assert store.counters("nobody", "delivered", Question(start=0, end=1, bucket=1)).series == []


def test_old_counters_are_put_together_by_hours(store):
    day = 24 * 3600
    now = time.time() // 3600 * 3600 + 60  # a minute into an hour
    for ago in (0, 60, 4 * day, 4 * day + 60, 4 * day + 120, 40 * day):
        store.open_destination("d", Position())
        commit(store, now=now - ago, counts={count("delivered", "successes.attempt.1"): 1})
    question = Question(start=0, end=int(now * 1000) + 60_000, bucket=1)

    def points():
        return [(point.at, point.count) for each in store.counters("d", "delivered", question).series
                for point in each.points]  # fmt: skip

    assert len(points()) == 6
    for _ in range(2):  # the second time there is nothing to do
        store.prune(0, int((now - 31 * day) * 1000))
        recent, old = points()[-2:], points()[:-2]
        assert len(recent) == 2 and sum(number for _, number in old) == 3
        assert all(at % 3_600_000 == 0 for at, _ in old)
