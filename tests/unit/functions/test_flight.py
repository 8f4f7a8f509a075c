"""Calls under way: which answers count, what is sent ahead, and whom the end of a process is blamed on."""

import asyncio
import json
import struct
from typing import Any

import pytest

from onward.egress.http import Request, Response
from onward.egress.masking import Masking
from onward.functions.errors import Ending, Kind
from onward.functions.fetching import FetchLimits
from onward.functions.flight import WINDOW, Call, Flight
from onward.functions.wire import ProtocolError, Result, Thrown

TIMEOUT = Ending(Kind.TIMEOUT, "too long")


class Nowhere:
    async def send(self, request: Request) -> Response:
        raise AssertionError

    async def resolve(self, host: str) -> list[str]:
        return []

    async def close(self) -> None:
        pass


def flight(calls: list[Call], first: int = 1) -> Flight:
    return Flight(
        calls,
        {"key": "k"},
        Nowhere(),
        Masking(()),
        first=first,
        pid=1,
        frames=3,
        fetch=FetchLimits(),
        wall=5.0,
    )


def tracks(count: int) -> list[Call]:
    return [("onTrack", {"n": n}) for n in range(count)]


def sent(frames: bytes) -> list[dict[str, Any]]:
    read = []
    while frames:
        (length,) = struct.unpack(">I", frames[:4])
        read.append(json.loads(frames[4 : 4 + length]))
        frames = frames[4 + length :]
    return read


def ok(id: int) -> Result:
    return Result(id=id, ok=True)


async def test_calls_go_ahead_within_a_window_and_each_has_the_settings() -> None:
    under_way = flight(tracks(WINDOW + 10), first=7)
    first = sent(under_way.ahead())
    assert [frame["id"] for frame in first] == list(range(7, 7 + WINDOW))
    assert all(frame["a"] == [{"n": frame["id"] - 7}, {"key": "k"}] for frame in first)
    assert under_way.ahead() == b""
    for id in range(7, 7 + WINDOW // 2):
        assert under_way.answered(ok(id))
    assert [frame["id"] for frame in sent(under_way.ahead())] == list(range(7 + WINDOW, 17 + WINDOW))


async def test_large_events_are_not_piled_up() -> None:
    under_way = flight([("onTrack", {"text": "x" * 200_000})] * 10)
    assert len(sent(under_way.ahead())) == 2


async def test_only_the_answer_that_is_due_counts() -> None:
    under_way = flight(tracks(3))
    assert not under_way.answered(ok(1))  # before it was asked
    under_way.ahead()
    assert not under_way.answered(ok(2))
    assert not under_way.answered(ok(99))
    assert under_way.answered(ok(1))
    assert not under_way.answered(ok(1))
    assert under_way.answered(ok(2))
    assert under_way.answered(ok(3))
    assert under_way.done.done()
    assert not under_way.answered(ok(4))
    assert len(under_way.made) == 3


async def test_what_cannot_be_handed_over_is_rejected_at_its_place() -> None:
    bad: Call = ("onTrack", {"n": {1, 2}})
    under_way = flight([bad, *tracks(1), bad, bad, *tracks(1), bad])
    assert [frame["id"] for frame in sent(under_way.ahead())] == [2, 5]
    assert under_way.answered(ok(2))
    assert under_way.answered(ok(5))
    assert under_way.done.done()
    kinds = [made.ending.kind for made in under_way.made]
    rejected = Kind.MESSAGE_REJECTED
    assert kinds == [rejected, Kind.OK, rejected, rejected, Kind.OK, rejected]


async def test_nothing_to_send_is_over_at_once() -> None:
    under_way = flight([("onTrack", {1, 2})])
    assert under_way.ahead() == b""
    await asyncio.wait_for(under_way.done, 1)


async def test_the_only_call_that_can_have_run_is_blamed() -> None:
    under_way = flight(tracks(2))
    under_way.ahead()
    under_way.answered(ok(1))
    flown = under_way.land(TIMEOUT)
    assert [made.ending.kind for made in flown.made] == [Kind.OK, Kind.TIMEOUT]
    assert flown.made[-1].died
    assert flown.suspects == 0


async def test_a_call_that_has_been_heard_of_is_blamed() -> None:
    under_way = flight(tracks(5))
    under_way.ahead()
    under_way.answered(ok(1))
    under_way.count()
    flown = under_way.land(TIMEOUT)
    assert [made.ending.kind for made in flown.made] == [Kind.OK, Kind.TIMEOUT]
    assert flown.suspects == 0


async def test_otherwise_all_that_were_sent_are_suspects() -> None:
    under_way = flight(tracks(5))
    under_way.ahead()
    under_way.count()  # of the first, which has been answered since
    under_way.answered(ok(1))
    flown = under_way.land(TIMEOUT)
    assert [made.ending.kind for made in flown.made] == [Kind.OK]
    assert flown.suspects == 4


async def test_frames_are_counted_for_each_call() -> None:
    under_way = flight(tracks(2))
    under_way.ahead()
    for _ in range(3):
        under_way.count()
    under_way.answered(ok(1))
    for _ in range(3):
        under_way.count()
    with pytest.raises(ProtocolError, match="more than 3 frames"):
        under_way.count()


async def test_a_request_that_a_handler_has_not_waited_for_is_called_off_and_told() -> None:
    under_way = flight(tracks(2))
    under_way.ahead()
    began = []

    async def request() -> None:
        began.append(True)

    task = asyncio.create_task(request(), name="POST https://one.example/")
    under_way.tasks[1] = task
    under_way.answered(ok(1))
    await asyncio.wait([task])
    assert task.cancelled() and not began
    [told] = under_way.made[0].uncaught
    assert told.message.startswith("POST https://one.example/ was called off: the handler ended without")
    under_way.answered(ok(2))
    assert under_way.made[1].uncaught == ()


async def test_of_errors_that_are_forged_no_more_is_kept_than_of_others() -> None:
    under_way = flight(tracks(1))
    under_way.ahead()
    long = Thrown("N" * 10_000, "m" * 10_000, "s" * 10_000)
    under_way.uncaught(long)
    under_way.answered(Result(id=1, ok=False, error=long))
    [made] = under_way.made
    assert made.error is not None and len(made.ending.message) == len(made.error.message) == 4096
    for each in (made.error, *made.uncaught):
        assert (len(each.name), len(each.message), len(each.stack or "")) == (200, 4096, 4096)
