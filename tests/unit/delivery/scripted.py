"""Functions that do what a test says, in the place of those that run JavaScript."""

import asyncio

import msgspec
import orjson

from onward.delivery.functions.host import BATCH, Deployed
from onward.egress.masking import Masking
from onward.functions.errors import Ending, Kind, of_thrown
from onward.functions.invocation import Invocation
from onward.functions.wire import Thrown
from onward.workspace.snapshot import DeployedFunction

EVERY = ("onTrack", "onIdentify")


class Threw(Exception):
    """What a handler threw: `Threw("RetryError", "why")`."""


class Scripted:
    """`answer(handler, event or events)` returns what the handler does, or raises `Threw`; an `Ending` is
    what the host itself has to say."""

    def __init__(self, answer, handlers=EVERY, batch_max_count=20):
        self.answer = answer
        self.function = DeployedFunction(
            id="f",
            name="F (W)",
            version="v",
            instance="d",
            handlers=handlers,
            batch_max_count=batch_max_count,
            settings={"key": "sesame-open"},
            sensitive=("key",),
        )
        self.calls = []
        """`(handler, event or events)` each."""
        self.locked = False

    async def deployed(self, instance):
        if instance != self.function.instance:
            return None
        return Deployed(self.function, "w", Masking(["sesame-open"]), asyncio.Semaphore(8))

    def locked_out(self, deployed):
        return self.locked

    async def call_each(self, deployed, calls):
        return [self._call(handler, event) for handler, event in calls]

    async def call_batch(self, deployed, events):
        return self._call(BATCH, list(events))

    def _call(self, handler, given):
        self.calls.append((handler, given))
        try:
            came = self.answer(handler, given)
        except Threw as threw:
            name, message = threw.args
            error = Thrown(name, message)
            return Invocation(ending=of_thrown(error), error=error, logs=[(1.0, "log", "key sesame-open")])
        if isinstance(came, Ending):
            return Invocation(ending=came)
        return Invocation(ending=Ending(Kind.OK), value=msgspec.Raw(orjson.dumps(came)))
