"""A destination's place in its source's log: what is read next, and which items come of it."""

from collections.abc import Callable

import structlog

from onward.delivery.item import Item, Labels
from onward.delivery.ledger import Ledger, OpenRecord
from onward.delivery.plan import Plan
from onward.delivery.settle import Settler
from onward.delivery.state.protocol import Count, Discard
from onward.eventlog.cache import DecodeCache, Decoded
from onward.eventlog.protocol import Position
from onward.eventlog.record import CorruptRecord
from onward.pipeline.normalise import USER_DELETED, Undecodable
from onward.pipeline.route import Match
from onward.pipeline.sampling import MessageDice
from onward.pipeline.types import Event

log = structlog.get_logger()

Events = list[Event | Undecodable]

EVENTS = 1_000
"""Events taken at a time, or one record: more would keep the process's other destinations waiting."""
EXPIRED = "EXPIRED_IN_LOG"
"""Discard code of events that retention deleted before the destination could take them."""


class SourceLog:
    """The log of one source, as the destinations of a process share it."""

    def __init__(
        self,
        source_id: str,
        cache: DecodeCache[Events],
        head: Callable[[], Position],
        seek: Callable[[int], Position],
        seen: Callable[[str, Position, list[Decoded[Events]]], None] = lambda source_id, after, records: None,
    ) -> None:
        """`head` tells the end of the log as last seen, `seek` its position at a time (ms); `seen` is
        shown whatever a destination reads, and after which position."""
        self.source_id = source_id
        self.head = head
        self.seek = seek
        self._cache = cache
        self._seen = seen

    def read(self, after: Position, limit: int) -> list[Decoded[Events]]:
        records = self._cache.read(self.source_id, after.offset, limit)
        if records:
            self._seen(self.source_id, after, records)
        return records


class Follower:
    def __init__(self, source: SourceLog, ledger: Ledger, settler: Settler, labels: Labels) -> None:
        self.read_to = ledger.cursor
        self._source = source
        self._ledger = ledger
        self._settler = settler
        self._labels = labels
        self._dice = MessageDice()

    def read(self, plan: Plan, now: float, limit: int) -> list[Item] | None:
        """The items of up to `limit` records; None at the end of the log."""
        records = self._source.read(self.read_to, limit)
        if not records:
            return self._at_the_end()
        items: list[Item] = []
        events = 0
        for record in records:
            if record.offset > self.read_to.offset:  # It may have been passed over just now.
                self._take(plan, record, items, now)
                events += record.count
            if events >= EVENTS:
                break
        return items

    def redrive(self, plan: Plan, redrive_id: int, discard: Discard, now: float) -> list[Item]:
        """The items of a discarded event, routed and mapped anew, but for the mapping alone that gave up."""
        record = self._ledger.redrive(plan.version)
        record.own.redriven.append((redrive_id, discard.id))
        if not discard.event:  # What could not be read can't be sent.
            unknown = self._labels.unknown
            self._settler.refuse(record, unknown, discard.code, discard.message, {}, discard.received_at, now)
            return []
        items: list[Item] = []
        alone = plan.alone(discard.subscription_id) if discard.subscription_id else plan
        self._route(alone, discard.event, record, discard.received_at, items, now)
        return items

    def redrive_as_it_was(self, plan: Plan, redrive_id: int, discard: Discard) -> list[Item]:
        """The item that was given up on, with its payload."""
        record = self._ledger.redrive(plan.version)
        record.own.redriven.append((redrive_id, discard.id))
        record.pending += 1
        label = self._labels.of(discard.subscription_id, discard.event)
        target, event = plan.target_of(discard), discard.event
        id, received_at = discard.message_id, discard.received_at
        item = Item(target, label, discard.payload, event, id, received_at, record)
        item.inserted = discard.inserted
        return [item]

    def _at_the_end(self) -> list[Item] | None:
        head = self._source.head()
        if head.offset <= self.read_to.offset:
            return None
        # Seen in the log and there no more: retention took all that was left to read.
        self._skip_to(self._ledger.open(head, 0), head, head.seq)
        return []

    def _take(self, plan: Plan, record: Decoded[Events], items: list[Item], now: float) -> None:
        begin = plan.active_from(record.received_at)
        if begin is None or begin > record.received_at:
            self._pass_over(record, begin, plan.version)
            return
        open_record = self._ledger.open(record.end, record.count, plan.version)
        self._skip_to(open_record, record.end, record.first_seq)
        for event in _events(record):
            self._route(plan, event, open_record, record.received_at, items, now)

    def _pass_over(self, record: Decoded[Events], begin: int | None, version: int) -> None:
        """Go on where the destination was enabled again; what is in between is not for it."""
        end = record.end if begin is None else max(record.end, self._source.seek(begin))
        open_record = self._ledger.open(end, end.seq - record.first_seq, version)
        self._skip_to(open_record, end, record.first_seq)
        open_record.own.skipped += end.seq - record.first_seq

    def _skip_to(self, record: OpenRecord, end: Position, first_seq: int) -> None:
        """Read on at `end`; count what retention deleted before `first_seq`."""
        gap = first_seq - self.read_to.seq
        if gap > 0:
            record.own.count(Count("discarded", EXPIRED, "", "", "", ""), gap)
            log.warning("events expired in the log", source=self._source.source_id, events=gap)
        self.read_to = end

    def _route(
        self,
        plan: Plan,
        event: Event | Undecodable,
        record: OpenRecord,
        received_at: int,
        items: list[Item],
        now: float,
    ) -> None:
        """One event: items for its mappings, or a count of why there are none."""
        if isinstance(event, Undecodable):
            label = self._labels.unknown
            if event.code == USER_DELETED:  # as was asked for: nothing to look into, nothing to keep
                record.own.count(label.count("filtered", USER_DELETED))
            else:
                self._settler.refuse(record, label, event.code, event.reason, {}, received_at, now)
            return
        try:
            dice = self._dice
            if plan.route.filters is not None:  # the only ones to throw them
                dice.of(plan.destination.id, event["messageId"])
            inserted = plan.destination.inserted is not None
            routed = plan.route.match(event, dice) if inserted else plan.route(event, dice)
        except Exception as error:
            # Whatever a route stumbles over costs this event, with its reason, and not its record's others.
            why = f"{type(error).__name__}: {error}"
            self._settler.refuse(record, self._labels.of("", event), "INTERNAL", why, event, received_at, now)
            return
        if isinstance(routed, str):
            record.own.count(self._labels.of("", event).count("filtered", str(routed)))
            return
        if isinstance(routed, tuple):
            self._to_insert(plan, event, routed, record, received_at, items)
            return
        if len(routed) > 1:
            record.own.fanned_out += len(routed) - 1
        for mapped in routed:
            target = plan.targets[mapped.subscription]
            label = self._labels.of(target.subscription_id, event)
            if mapped.problem is not None:
                self._settler.refuse(record, label, *mapped.problem, mapped.event, received_at, now)
                continue
            record.pending += 1
            message_id = event["messageId"]
            items.append(Item(target, label, mapped.payload, mapped.event, message_id, received_at, record))

    def _to_insert(
        self,
        plan: Plan,
        event: Event,
        matched: Match,
        record: OpenRecord,
        received_at: int,
        items: list[Item],
    ) -> None:
        """An item for each mapping that the event is for; payloads are made after the insert function."""
        filtered, places = matched
        record.own.fanned_out += len(places) - 1
        for at in places:
            target = plan.targets[at]
            label = self._labels.of(target.subscription_id, event)
            record.pending += 1
            item = Item(target, label, {}, filtered, event["messageId"], received_at, record)
            item.to_insert = True
            items.append(item)


def _events(record: Decoded[Events]) -> Events:
    if isinstance(record.value, CorruptRecord):
        return [Undecodable(position, str(record.value)) for position in range(record.count)]
    return record.value
