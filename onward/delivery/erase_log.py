"""Taking deleted people out of the event log, in the background (spec §16.1), and what is told of attempts to
deliver their events: a tool's answer may say who they are, and only the log knows whose event it was about.

A pass goes over the log once for all deletions that are under way when it begins, from where the first of
them is to where the last was asked for; deletions that come meanwhile are the next pass's. How far it is is
written down, so that a restart goes on there.

It takes half of a thread at most, and the delivery process goes on beside it: 0.6 µs an event where ids are
looked for in the bytes, 4 µs where every record has to be decoded.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from onward.eventlog.blank import blank, message_ids
from onward.eventlog.protocol import LogEraser
from onward.eventlog.record import CorruptRecord
from onward.workspace.erasure import Erasure

log = structlog.get_logger()

RECORDS = 64
"""Read and rewritten at a time."""
TELL_EVERY = 2.0
"""Seconds between writing down how far it is."""

Tell = Callable[[Sequence[str], int, bool], None]
"""`(deletions, erased up to this offset, whether that is all)`."""


class LogErasure:
    def __init__(self, eraser: LogEraser, tell: Tell, forget: Callable[[Sequence[str]], None]) -> None:
        """`forget` is given the messageIds of events before they are gone."""
        self._eraser = eraser
        self._tell = tell
        self._forget = forget

    async def run(self, erasures: Sequence[Erasure], workspaces: dict[str, str]) -> None:
        """One pass. Raises what the log or the database do; then begin another."""
        ids = [each.id for each in erasures]
        at = min(each.log_offset for each in erasures)
        told_at = time.monotonic()
        rewritten = 0
        while True:
            began = time.monotonic()
            following, done = await asyncio.to_thread(self._some, at, erasures, workspaces)
            if following is None:
                break
            at, rewritten = following, rewritten + done
            if began - told_at > TELL_EVERY:
                told_at = began
                await asyncio.to_thread(self._tell, ids, at, False)
            await asyncio.sleep(time.monotonic() - began)
        await asyncio.to_thread(self._eraser.finish)
        await asyncio.to_thread(self._tell, ids, at, True)
        log.info("people deleted from the event log", deletions=len(ids), records=rewritten)

    def _some(
        self, after: int, erasures: Sequence[Erasure], workspaces: dict[str, str]
    ) -> tuple[int | None, int]:
        """`(offset to go on from, records rewritten)`; None at the end."""
        records = self._eraser.scan(after, RECORDS)
        last = max(each.before for each in erasures)
        if not records or records[0].received_at > last:
            return None, 0
        bodies: list[tuple[int, bytes]] = []
        ids: list[str] = []
        for record in records:
            users = [
                each.users
                for each in erasures
                if record.received_at <= each.before and each.covers(workspaces, record.source_id)
            ]
            if not users:
                continue
            everybody = users[0] if len(users) == 1 else frozenset[str]().union(*users)
            try:
                body = blank(record.body, everybody)
            except CorruptRecord as error:
                log.error("a damaged record can't be looked through", offset=record.offset, error=str(error))
                continue
            if body is not None:
                bodies.append((record.offset, body))
                ids += message_ids(record.body, everybody)
        if bodies:
            self._forget(ids)
            self._eraser.replace(bodies)
        return records[-1].offset, len(bodies)
