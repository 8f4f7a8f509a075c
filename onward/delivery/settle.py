"""What an outcome does to the books: counted, parked for a retry, or discarded with its reason.

Changes are collected on the item's record while that is open, so that they are committed together with
the cursor that passes it, and on the destination for payloads that were parked before.
"""

from bisect import bisect_left
from typing import Any

import orjson

from onward.delivery.item import Item, Label
from onward.delivery.ledger import OpenRecord
from onward.delivery.retry import next_attempt
from onward.delivery.state.protocol import (
    DELIVERED,
    LATENCY_BOUNDS,
    Changes,
    Count,
    Discard,
    Parked,
    Repark,
    Whose,
)
from onward.destinations.outcome import Outcome
from onward.metering.fates import Attempt
from onward.pipeline import personal
from onward.pipeline.normalise import USER_DELETED
from onward.pipeline.types import Event, Json
from onward.workspace.snapshot import DeliveryPolicy

MESSAGE = 2_000
"""Characters of a reason that are kept."""
BRIEF = 200
"""Characters of the reason that an attempt keeps, without what looks like personal data: attempts have no
event by which a deletion could find them."""
UNKEEPABLE = ("MESSAGE_REJECTED", "the payload holds what JSON can't, so it can't be kept for a retry")
"""Code and reason of a payload that a mapping made of an event, but that can't be written down."""


def nobody(user_id: Any, received_at: int) -> bool:
    return False


class Settler:
    def __init__(self, policy: DeliveryPolicy, forgotten: Whose = nobody) -> None:
        """Of who is `forgotten`, because of a deletion that is under way, nothing is kept."""
        self.policy = policy
        self._forgotten = forgotten
        self.changes = Changes()
        """What happened to payloads that no open record waits for."""

    def settle(self, item: Item, outcome: Outcome, now: float, luck: float) -> bool:
        """Write down an attempt's outcome; True if a record has finished because of it.

        `luck` (see `next_attempt`) is the same for all that were sent together.
        """
        changes = self._changes_of(item)
        item.attempt += 1
        if outcome.kind == "delivered":
            self._delivered(changes, item, now)
        elif self.is_forgotten(item):
            self._forget(changes, item)
        elif outcome.kind == "discarded":
            self._discarded(changes, item, outcome.code, outcome.message, now)
        elif outcome.kind == "filtered":
            self._filtered(changes, item, outcome.code, outcome.message, now)
        else:
            self._failed(changes, item, outcome, now, luck)
        return _has_finished(item)

    def is_forgotten(self, what: Item | Parked | Discard) -> bool:
        return self._forgotten(what.event.get("userId"), what.received_at)

    def let_go(self, item: Item) -> None:
        """Settle an item of somebody forgotten before it is sent."""
        self._forget(self._changes_of(item), item)
        _has_finished(item)

    def clear(self, changes: Changes) -> None:
        """Take out of changes what would be kept of people who are forgotten."""
        gone = {each.message_id for each in changes.discards if self.is_forgotten(each)}
        gone |= {each.message_id for each in changes.park if self.is_forgotten(each)}
        changes.attempts = [each for each in changes.attempts if each.message_id not in gone]
        changes.discards = [each for each in changes.discards if not self.is_forgotten(each)]
        for parked in [each for each in changes.park if self.is_forgotten(each)]:
            changes.park.remove(parked)
            label = (parked.subscription_id, parked.event_type, parked.event_name, parked.app_version)
            changes.count(Count("filtered", USER_DELETED, *label))

    def hold_bulk(self, items: list[Item], bulk_id: int, now: float, due_at: float) -> None:
        """Persist the composition of a bulk batch, or of a part of it, before its first attempt."""
        for item in items:
            assert item.record is not None
            if self.is_forgotten(item):
                self._forget(item.record.own, item)
            elif can_be_kept(item.payload):
                item.record.own.park.append(_parked(item, bulk_id, due_at, "", ""))
            else:
                self._discarded(item.record.own, item, *UNKEEPABLE, now)
            _has_finished(item)

    def refuse(
        self,
        record: OpenRecord,
        label: Label,
        code: str,
        why: str,
        event: Event,
        received_at: int,
        now: float,
    ) -> None:
        """Discard an event that matched but could not become a payload."""
        record.own.count(label.count("discarded", code))
        record.own.discards.append(
            _discard(label, event, {}, str(event.get("messageId", "")), received_at, 0, code, why, now)
        )

    def _changes_of(self, item: Item) -> Changes:
        return self.changes if item.record is None else item.record.own

    def _delivered(self, changes: Changes, item: Item, now: float) -> None:
        label = item.label
        if item.attempt == 1:
            changes.count(label.delivered_at_once)
        else:
            changes.count(label.count("delivered", f"{DELIVERED}{item.attempt}"))
            changes.attempts.append(_attempt(item, "delivered", now))
        place = (label.subscription_id, bisect_left(LATENCY_BOUNDS, now * 1000 - item.received_at))
        changes.latency[place] = changes.latency.get(place, 0) + 1
        if item.parked_id:
            changes.unpark.append(item.parked_id)

    def _discarded(self, changes: Changes, item: Item, code: str, message: str, now: float) -> None:
        changes.count(item.label.count("discarded", code))
        discard = _discard(
            item.label,
            item.event,
            item.payload,
            item.message_id,
            item.received_at,
            item.attempt,
            code,
            message,
            now,
        )
        discard.action, discard.inserted = _made_for(item), item.inserted
        changes.discards.append(discard)
        if item.parked_id:
            changes.unpark.append(item.parked_id)

    def _filtered(self, changes: Changes, item: Item, code: str, message: str, now: float) -> None:
        """By a function. A filter's verdict can be found out again; a function's can't, so it is kept."""
        changes.count(item.label.count("filtered", code))
        changes.attempts.append(_attempt(item, "filtered", now, code, text_of(message)))
        if item.parked_id:
            changes.unpark.append(item.parked_id)

    def _forget(self, changes: Changes, item: Item) -> None:
        changes.count(item.label.count("filtered", USER_DELETED))
        if item.parked_id:
            changes.unpark.append(item.parked_id)

    def _failed(self, changes: Changes, item: Item, outcome: Outcome, now: float, luck: float) -> None:
        if not item.first_attempt_at:
            item.first_attempt_at = now
            item.deadline = now + self.policy.retry_window
        parked_as_it_is = item.parked_id and not item.remade
        if not parked_as_it_is and not can_be_kept(item.payload):
            self._discarded(changes, item, *UNKEEPABLE, now)
            return
        due = next_attempt(self.policy, item.attempt, item.deadline, now, outcome.retry_after, luck)
        if due is None:
            why = f"given up after {item.attempt} attempts: {outcome.message}"
            # What an insert function has let nothing of has not come to delivery (spec §12.4).
            give_up = self._filtered if item.to_insert else self._discarded
            give_up(changes, item, outcome.code, why, now)
            return
        changes.count(item.label.count("retried", outcome.code))
        message = text_of(outcome.message)
        changes.attempts.append(_attempt(item, "retry", now, outcome.code, message, due))
        if parked_as_it_is:
            changes.repark.append(
                Repark(
                    item.parked_id,
                    due,
                    item.attempt,
                    item.first_attempt_at,
                    item.deadline,
                    outcome.code,
                    message,
                )
            )
        else:
            if item.parked_id:
                changes.unpark.append(item.parked_id)
            changes.park.append(_parked(item, 0, due, outcome.code, message))


def _has_finished(item: Item) -> bool:
    """The item has had its outcome; True if its record has finished because of it."""
    record = item.record
    if record is None:
        return False
    record.settled = True
    record.pending -= 1
    return record.pending == 0


def _attempt(
    item: Item, outcome: str, now: float, code: str = "", message: str = "", due_at: float = 0.0
) -> Attempt:
    return Attempt(
        message_id=item.message_id,
        subscription_id=item.label.subscription_id,
        at=int(now * 1000),
        attempt=item.attempt,
        outcome=outcome,
        code=code,
        message=personal.text(message[:BRIEF]),
        due_at=due_at,
    )


def can_be_kept(payload: Json) -> bool:
    """Whether the store can write it: no integer beyond 64 bits, half a surrogate pair, 255 levels."""
    try:
        orjson.dumps([payload], option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        return False
    return True


def text_of(message: str) -> str:
    """A reason as it is stored: cut, and without halves of surrogate pairs."""
    return message[:MESSAGE].encode("utf-8", "replace").decode()


def _discard(
    label: Label,
    event: Event,
    payload: Json,
    message_id: str,
    received_at: int,
    attempts: int,
    code: str,
    why: str,
    now: float,
) -> Discard:
    return Discard(
        at=int(now * 1000),
        subscription_id=label.subscription_id,
        message_id=message_id,
        event_type=label.event_type,
        event_name=label.event_name,
        received_at=received_at,
        attempts=attempts,
        code=code,
        message=text_of(why),
        payload=payload if can_be_kept(payload) else {},
        event=event,
    )


def _parked(item: Item, bulk_id: int, due_at: float, code: str, message: str) -> Parked:
    label = item.label
    return Parked(
        subscription_id=label.subscription_id,
        bulk_id=bulk_id,
        message_id=item.message_id,
        event_type=label.event_type,
        event_name=label.event_name,
        app_version=label.app_version,
        received_at=item.received_at,
        payload=item.payload,
        event=item.event,
        due_at=due_at,
        attempt=item.attempt,
        first_attempt_at=item.first_attempt_at,
        deadline=item.deadline,
        code=code,
        message=message,
        to_insert=item.to_insert,
        action=_made_for(item),
        inserted=item.inserted,
    )


def _made_for(item: Item) -> str:
    """The action of its payload, if there is one already."""
    return "" if item.to_insert else item.target.action.slug
