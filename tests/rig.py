"""One destination loop over an in-memory log and a real state store, for tests to make trouble for."""

import asyncio
import contextlib
import random
import time

import orjson

from onward.delivery.follower import SourceLog
from onward.delivery.item import Target
from onward.delivery.loop import DestinationLoop
from onward.delivery.plan import Plan
from onward.delivery.process import read_events
from onward.delivery.state.sqlite import SqliteStateStore
from onward.destinations.definition import Action
from onward.destinations.outcome import DELIVERED
from onward.eventlog.cache import DecodeCache
from onward.eventlog.memory import MemoryLog
from onward.eventlog.protocol import Draft, Position
from onward.eventlog.record import encode
from onward.pipeline import route
from onward.pipeline.normalise import USER_DELETED, Undecodable
from onward.pipeline.route import RouteSpec, SubscriptionSpec
from onward.pipeline.types import Envelope
from onward.workspace.snapshot import DeliveryPolicy, Destination

QUICK = DeliveryPolicy(
    backoff_base=0.02, backoff_cap=0.05, batch_wait=0.02, bulk_wait=0.05, timeout=5.0, concurrency=4
)
BATCHED = {"enable_batching": True, "batch_size": 25}
EVERYTHING = 'type = "track"'


class Rig:
    """A destination `d` of source `s`, and what it was sent."""

    def __init__(
        self, path, mapping=None, policy=QUICK, bulk_from=None, active=((0, None),), subscriptions=1
    ):
        self.log = MemoryLog()
        self.path = path
        self.store = SqliteStateStore(path)
        self.requests = []
        """Every request made: the messageIds in it."""
        self.answer = lambda ids: DELIVERED
        self.pace = lambda: asyncio.sleep(0)
        """How long a request takes."""
        self.http = None
        """The client, for actions that make requests."""
        self.seen = []
        """The events of the last request, as actions see them."""
        self.deleted = set()
        self.cache = DecodeCache(self.log, self.read_events)
        self.functions = None
        """The functions of the process, for destinations that have an insert function."""
        self.made = 0
        action = Action(
            slug="send",
            title="Send",
            description="",
            perform=self.perform,
            batches=True,
            max_batch_size=5000,
            bulk_from=bulk_from,
        )
        mapping = {"id": {"@path": "$.messageId"}, "n": {"@path": "$.properties.n"}, **(mapping or {})}
        spec = [SubscriptionSpec(EVERYTHING, mapping)] * subscriptions
        compiled = route.compile(RouteSpec(integration_names=("Test",), subscriptions=spec))
        self.targets = [Target(f"sub{n}", action) for n in range(subscriptions)]
        destination = Destination(
            id="d",
            workspace_id="w",
            source_id="s",
            definition="test",
            name="d",
            enabled=True,
            active=active,
            policy=policy,
        )
        self.plan = Plan(
            destination, (), compiled, self.targets, {t.subscription_id: t for t in self.targets}
        )
        self.loop = None

    async def perform(self, call, payloads):
        ids = [payload["id"] for payload in payloads]
        self.requests.append(ids)
        self.seen = list(call.events)
        await self.pace()
        answer = self.answer(ids)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def append(self, events, per_record=10, received_at=1_000, type="track", name="E", users=("u",)):
        """Events of these users by turns."""
        for start in range(0, events, per_record):
            batch = []
            for _n in range(start, min(start + per_record, events)):
                batch.append(
                    {
                        "type": type,
                        "event": name,
                        "userId": users[self.made % len(users)],
                        "messageId": f"m{self.made}",
                        "properties": {"n": self.made},
                    }
                )
                self.made += 1
            body = orjson.dumps({"batch": batch})
            draft = Draft("s", received_at, len(batch), encode(Envelope(received_at, True), body))
            self.log.append([draft])

    def read_events(self, record):
        return [
            Undecodable(at, "deleted", USER_DELETED) if event["userId"] in self.deleted else event
            for at, event in enumerate(read_events(record))
        ]

    def delete(self, user):
        """A deletion begins."""
        self.deleted.add(user)
        self.cache.clear()

    @property
    def head(self):
        return self.log.heads().get("s", Position())

    @property
    def books(self):
        return self.store.totals()["d"]

    @contextlib.asynccontextmanager
    async def running(self):
        """The loop with what the process does for it: wake it for the log's tail, commit its changes."""
        state = self.store.open_destination("d", Position())
        self.heads = {}
        loop = self.loop = DestinationLoop(
            self.plan,
            state,
            SourceLog(
                "s",
                self.cache,
                lambda: self.heads.get("s", Position()),
                lambda received_at: self.log.seek("s", received_at),
            ),
            self.store,
            self.http,
            lambda: None,
            random.Random(1),
            forgotten=lambda user_id, received_at: user_id in self.deleted,
            functions=self.functions,
        )
        task = asyncio.create_task(loop.run())

        async def serve():
            while True:
                if self.cache.changed():
                    self.heads = self.log.heads()
                    loop.wake()
                self.commit()
                await asyncio.sleep(0.002)

        chores = asyncio.create_task(serve())
        try:
            yield loop
        finally:
            chores.cancel()
            await loop.stop()
            await task
            if not self.killed:
                self.commit()

    killed = False

    def commit(self):
        changes = self.loop.take_changes()
        if changes is not None:
            self.store.commit([("d", changes)], time.time())
            self.loop.committed(changes)

    async def until(self, condition, seconds=20.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.books, len(self.requests))
            await asyncio.sleep(0.005)

    async def settled(self):
        await self.until(lambda: self.books.pending(self.head) == 0)
        books = self.books
        assert books.received(self.head) == books.delivered + books.filtered + books.discarded
        return books

    @property
    def sent(self):
        return [id for ids in self.requests for id in ids]
