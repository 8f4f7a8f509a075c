"""Sending discards again, as people ask for it: one, or all that match.

The request is a row of the store, so that whoever is asked need not be the process that owns the destination.
That process takes a few discards at a time and hands them to the loop, which treats them as events that have
just come: routed and mapped by the present configuration, batched, retried.

What if the process dies here? A discard leaves the books in the transaction that writes down what became of
it (`ledger.py`). Before that it is a discard still, and the request goes on from there.
"""

import asyncio
import sqlite3
import time
from collections.abc import Mapping

import structlog

from onward.delivery.loop import DestinationLoop
from onward.delivery.state.protocol import StateStore

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between looks at what is asked for."""
AT_ONCE = 200
"""Discards that are sent again together."""


async def forever(store: StateStore, loops: Mapping[str, DestinationLoop]) -> None:
    """`loops` of the destinations that this process owns, by id."""
    while True:
        await asyncio.sleep(EVERY)
        try:
            await once(store, loops)
        except sqlite3.Error as error:
            log.error("discards can't be sent again now", error=str(error))


async def once(store: StateStore, loops: Mapping[str, DestinationLoop]) -> None:
    for destination_id in await asyncio.to_thread(store.redriving):
        loop = loops.get(destination_id)
        if loop is None or not loop.may_redrive:
            continue
        found = await asyncio.to_thread(store.next_redrive, destination_id, AT_ONCE)
        if found is None or not loop.may_redrive:
            continue
        wanted, discards = found
        if discards:
            loop.redrive(wanted, discards)
        else:
            await asyncio.to_thread(store.end_redrive, wanted.id, time.time())
            log.info("discards were sent again", destination=destination_id, events=wanted.done)
