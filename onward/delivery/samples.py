"""Few failures of each kind are kept with what was sent and answered: which ones, and how they are made.

Invariants: what arrives costs nothing but a reference to its request and answer for as long as the request
takes; of one mapping, outcome and code the first `AT_ONCE` failures are kept, then one every `EVERY` seconds;
secrets are masked before anything is stored (`onward.egress.record`). A destination that answers with ever
new codes has `KINDS` of them sampled. Each sample says who was in its request, so that it goes when any of
them is deleted (`deletions.py`).

What if the process dies here? Samples not yet committed are lost; others of the kind will come.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence

import msgspec
import structlog

from onward.delivery.item import Item
from onward.delivery.settle import can_be_kept, text_of
from onward.destinations.outcome import Outcome
from onward.egress import redact
from onward.egress.masking import Masking
from onward.egress.record import Exchange, Recorder
from onward.metering.fates import Sample

AT_ONCE = 3
EVERY = 10.0
KINDS = 200
EXCHANGES = 5
"""Of one attempt."""
PEOPLE = 1_000
"""In one request whose samples say who they are; with more, any deletion of people takes the samples."""

Failure = tuple[Item, Outcome]
People = list[tuple[str, int]] | None

log = structlog.get_logger()


class Sampler:
    """One destination's. `look` at what fails, `take` the samples that have been made of it."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """`changed` is called when there is something to take."""
        self._changed = changed
        self._seen: dict[tuple[str, str, str], tuple[int, float]] = {}
        """How many of a kind were sampled, and when the last."""
        self._making: set[asyncio.Task[None]] = set()
        self._made: list[Sample] = []

    def look(
        self,
        items: Sequence[Item],
        outcomes: Sequence[Outcome],
        recorder: Recorder,
        masking: Masking,
        now: float,
    ) -> None:
        """At one request's outcomes, before they are settled. Nobody waits for what comes of it."""
        chosen = list(self._choose(items, outcomes, now))
        if not chosen:
            return
        work = self._make(chosen, people_of(items), recorder, masking, now)
        task = asyncio.get_running_loop().create_task(work)
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    def take(self) -> list[Sample]:
        made, self._made = self._made, []
        return made

    async def finish(self) -> None:
        """Wait for what is being made."""
        await asyncio.gather(*self._making)

    def _choose(self, items: Sequence[Item], outcomes: Sequence[Outcome], now: float) -> Iterator[Failure]:
        """Of one request, one failure of each kind in a row."""
        last: Outcome | None = None
        for item, outcome in zip(items, outcomes, strict=True):
            if outcome.kind in ("delivered", "waits") or outcome is last:
                continue
            if outcome.kind == "filtered" and outcome.trace is None:
                continue  # as it was meant to be
            last = outcome
            if self._wants((item.label.subscription_id, outcome.kind, outcome.code), now):
                # The item goes on changing: what is kept is how it is after this attempt.
                yield msgspec.structs.replace(item, attempt=item.attempt + 1), outcome

    def _wants(self, kind: tuple[str, str, str], now: float) -> bool:
        taken, last = self._seen.get(kind, (0, 0.0))
        if (taken >= AT_ONCE and now - last < EVERY) or (not taken and len(self._seen) >= KINDS):
            return False
        self._seen[kind] = (taken + 1, now)
        return True

    async def _make(
        self, failures: list[Failure], people: People, recorder: Recorder, masking: Masking, now: float
    ) -> None:
        try:
            # Masking takes milliseconds for long bodies.
            made = await asyncio.to_thread(_samples, failures, people, recorder, masking, now)
        except Exception:
            log.exception("no sample could be made of a failure")
            return
        self._made += made  # Not in one with the wait, meanwhile those that there were can be taken.
        self._changed()


def people_of(items: Sequence[Item]) -> People:
    """Whom the items are of, each with the earliest time of receipt; None if they are too many."""
    people: dict[str, int] = {}
    for item in items:
        user_id = item.event.get("userId")
        if type(user_id) is str:
            people[user_id] = min(item.received_at, people.get(user_id, item.received_at))
    return list(people.items()) if len(people) <= PEOPLE else None


def _samples(
    failures: list[Failure], people: People, recorder: Recorder, masking: Masking, now: float
) -> list[Sample]:
    exchanges = recorder.exchanges()
    return [_sample(item, outcome, people, exchanges, masking, now) for item, outcome in failures]


def _sample(
    item: Item, outcome: Outcome, people: People, recorded: list[Exchange], masking: Masking, now: float
) -> Sample:
    payload = masking.json(redact.payload(item.payload))
    trace = outcome.trace
    shown = None if trace is None else trace.shown()
    made = recorded if trace is None else trace.exchanges()
    exchanges = [msgspec.to_builtins(each) for each in made]
    return Sample(
        subscription_id=item.label.subscription_id,
        outcome=outcome.kind,
        code=outcome.code,
        at=int(now * 1000),
        received_at=item.received_at,
        message_id=item.message_id,
        attempt=item.attempt,
        message=text_of(masking.text(outcome.message)),
        event=item.event if can_be_kept(item.event) else {},
        payload=payload if can_be_kept(payload) else {},
        exchanges=exchanges if can_be_kept({"exchanges": exchanges}) else [],
        trace=shown if shown is None or can_be_kept(shown) else None,
        people=people if can_be_kept({"people": people}) else None,
    )
