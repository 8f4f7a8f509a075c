"""kill -9 of anything at any time, over sinks that fail, stall and go away: nothing is lost.

Each round kills one process (web, delivery or the supervisor with all its children) under load, while the
sinks misbehave at random. In the end every event answered 200 has arrived at every destination (or was
filtered), each is counted exactly once, and the repeats are counted and bounded.
"""

import random

import pytest
from chaos.books import balance, read
from chaos.clients import Clients
from harness import Onward, Sink, wait_until

MISBEHAVIOUR = [
    {},
    {"fail_rate": 0.3},
    {"status": 503},
    {"status": 429, "retry_after": 1},
    {"latency": 0.3},
    {"reset": True},
    {"hang": True},
]
REPEATS_A_KILL = 2_000
"""Events that one kill may repeat at most at one destination: what was in flight or not yet committed."""
PATIENT = {
    "maxRetries": 1_000,
    "backoffBase": 0.1,
    "backoffCap": 0.5,
    "timeout": 2.0,
    "batchWait": 0.1,
    "bulkWait": 0.5,
}


@pytest.mark.chaos
@pytest.mark.timeout(0)
def test_nothing_answered_200_is_lost(onward_factory, sink_factory, rounds):
    seed = random.SystemRandom().randrange(10**9)
    dice = random.Random(seed)
    print(f"seed {seed}")
    onward: Onward = onward_factory(workers=2).start()
    source = onward.create_source("chaos")
    single, batched, bulk, filtered = (sink_factory().start() for _ in range(4))
    batches = {"enable_batching": True, "batch_size": 20, "delivery": PATIENT}
    ids = {
        "single": onward.create_webhook(source, single.url, delivery=PATIENT),
        "batched": onward.create_webhook(source, batched.url, **batches),
        "bulk": onward.create_webhook(source, bulk.url, **batches | {"batch_size": 1000}),
        "filtered": onward.create_webhook(source, filtered.url, drop="properties.drop", **batches),
    }
    sinks: list[Sink] = [single, batched, bulk, filtered]
    kills = {"web": 0, "delivery-0": 0, "delivery-1": 0, "supervisor": 0}
    with Clients(onward, source) as clients:
        for _ in range(rounds):
            enough = len(clients.acknowledged) + dice.randrange(20, 800)
            wait_until(lambda enough=enough: len(clients.acknowledged) > enough, what="clients get answers")
            for sink in dice.sample(sinks, 2):
                _misbehave(sink, dice)
            victim = dice.choice(list(kills))
            kills[victim] += 1
            onward.kill(victim)
            if victim == "supervisor":
                onward.start(wait=False)
        for sink in sinks:
            if not sink.program.alive:
                sink.start()
            sink.behave(fail_rate=None, status=None, latency=None, retry_after=None, hang=None, reset=None)
        onward.wait_ready(60)
    assert clients.refused == []
    sent = clients.acknowledged

    def settled() -> bool:
        totals, head = read(onward, source.id)
        return all(totals[id].pending(head) == 0 for id in ids.values())

    wait_until(settled, 120, "every event reaches its outcome")
    totals, head = read(onward, source.id)
    assert head.seq == len(sent), "each acknowledged event is in the log once"
    dropped = {id for id in sent if int(id.rsplit("-", 1)[1]) % 10 == 0}
    for name, sink in zip(ids, sinks, strict=True):
        arrived = [event["messageId"] for event in sink.events()]
        wanted = sent - dropped if name == "filtered" else sent
        assert set(arrived) == wanted, f"{name}: {len(wanted - set(arrived))} lost"
        books = totals[ids[name]]
        assert balance(books, head), (name, books, head)
        assert (books.delivered, books.discarded) == (len(wanted), 0), (name, books)
        repeats = len(arrived) - len(wanted)
        print(f"{name}: {len(wanted)} events, {repeats} repeats over {rounds} kills")
        assert repeats <= REPEATS_A_KILL * rounds
    print(f"kills {kills}; requests sent again {clients.retried}")


def _misbehave(sink: Sink, dice: random.Random) -> None:
    if not sink.program.alive:
        sink.start()
    elif dice.random() < 0.2:
        sink.stop()
        return
    calm = {
        "fail_rate": None,
        "status": None,
        "latency": None,
        "retry_after": None,
        "hang": None,
        "reset": None,
    }
    sink.behave(**(calm | dice.choice(MISBEHAVIOUR)))
