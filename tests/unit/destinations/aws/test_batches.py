import asyncio
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from onward.destinations.aws import batches
from onward.destinations.aws.batches import Entry, Outcomes, deliver, gather, grouped, split
from onward.destinations.aws.endpoints import domain, is_aws, is_region, partition, service
from onward.destinations.aws.errors import AwsError
from onward.destinations.outcome import DELIVERED, discarded, retry

ENTRIES = st.lists(st.integers(0, 120), max_size=40).map(
    lambda sizes: [Entry(place, size, None) for place, size in enumerate(sizes)]
)


@given(ENTRIES, st.integers(1, 10), st.just(100))
def test_requests_keep_the_order_and_the_limits(entries, most, room):
    requests = split(entries, most, room)
    assert [entry for request in requests for entry in request] == entries
    for request in requests:
        assert 0 < len(request) <= most
        assert len(request) == 1 or sum(entry.size for entry in request) <= room
    for one, other in pairwise(requests):
        assert len(one) == most or sum(entry.size for entry in one) + other[0].size > room


async def test_outcomes_find_their_places():
    outcomes = Outcomes(6)
    outcomes[1] = discarded("400", "bad")

    async def send(entries):
        if entries[0].place == 4:
            raise AwsError(retry("429", "slow"))
        return [DELIVERED for _ in entries]

    entries = [Entry(place, 1, None) for place in (0, 2, 3, 4, 5)]
    await deliver(outcomes, entries, most=3, room=100, send=send)
    assert [outcome.kind for outcome in outcomes.result()] == [
        "delivered",
        "discarded",
        "delivered",
        "delivered",
        "retry",
        "retry",
    ]


async def test_all_delivered_is_one_outcome():
    outcomes = Outcomes(3)
    outcomes.fill(range(3), DELIVERED)
    assert outcomes.result() == DELIVERED


async def test_ordered_requests_go_one_after_the_other():
    order = []

    async def send(entries):
        order.append(("start", entries[0].place))
        await asyncio.sleep(0)
        order.append(("end", entries[0].place))
        return [DELIVERED for _ in entries]

    entries = [Entry(place, 1, None) for place in range(3)]
    await deliver(Outcomes(3), entries, most=1, room=9, send=send, ordered=True)
    assert order == [(what, place) for place in range(3) for what in ("start", "end")]


async def test_only_so_many_go_at_once():
    now = most = 0

    async def work():
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1

    await gather(work() for _ in range(50))
    assert most == batches.AT_ONCE


def test_groups():
    assert grouped(5, lambda place: place % 2) == [[0, 2, 4], [1, 3]]


def test_regions_and_hosts():
    for region in (
        "us-east-1",
        "eu-west-3",
        "us-gov-west-1",
        "cn-north-1",
        "us-isob-east-1",
        "eusc-de-east-1",
    ):
        assert is_region(region), region
    for text in ("", None, "eu-west", "eu-west-1.evil.com", "eu-west-1/", "EU-WEST-1", "eu-west-1\n"):
        assert not is_region(text), text
    assert service("kinesis", "eu-west-1").base == "https://kinesis.eu-west-1.amazonaws.com"
    assert service("sqs", "cn-north-1").base == "https://sqs.cn-north-1.amazonaws.com.cn"
    assert service("sqs", "eu-west-1", "http://local:1/ ").base == "http://local:1"
    assert (partition("us-gov-west-1"), domain("us-gov-west-1")) == ("aws-us-gov", "amazonaws.com")
    assert is_aws("https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/x")
    for url in ("http://amazonaws.com.evil.com", "http://evil.com/.amazonaws.com", "http://[", "https://x:y"):
        assert not is_aws(url), url
