"""How connections are doing: one word and one sentence each (spec §12.7). Pure.

A destination is judged by its last hour, a source by its last day: it is silent if nothing comes although it
usually does at this time.
"""

from typing import Literal

import msgspec

from onward.metering.outcomes import Tally
from onward.metering.reasons import reason

State = Literal["healthy", "retrying", "paused", "failing", "silent", "noData", "disabled"]
TROUBLE: tuple[State, ...] = ("paused", "failing", "silent", "retrying")
"""What needs attention, the worst first."""

FAILING = 0.05
"""Of the events that came to an end in the last hour, the share given up on from which it is failing."""
RETRYING = 100
"""Events that wait for a retry, from which that needs attention."""
BUSY_HOURS = 6
"""Of the last 24, with events: then an hour without any is unusual."""
HOUR = 3_600_000


class Standing(msgspec.Struct, frozen=True):
    state: State
    summary: str
    """One sentence."""
    since: int | None = None
    """Ms since the epoch."""


class SourceDay(msgspec.Struct, frozen=True):
    """Accepted events of the last hours."""

    last_hour: int = 0
    busy_hours: int = 0
    """Of the 24 hours before it: those with events."""
    last_at: int | None = None
    """Ms: the last minute with an event, of the last 25 hours."""


def of_destination(
    name: str,
    *,
    enabled: bool,
    connected: bool,
    known: bool,
    paused_since: float | None,
    pending: int,
    retrying: int,
    hour: Tally,
    last_failure: tuple[int, str, str] | None,
    last_discard: tuple[int, str, str] | None,
    now: int,
) -> Standing:
    """`connected` says whether it has ever been enabled, `known` whether the catalogue has what it is.

    The last failure, repeated or not, and the last that an event was given up for: time (ms), code, message.
    """
    if not enabled:
        return Standing(
            "disabled", f"{name} is disabled" + (f"; {pending:,} events wait." if pending else ".")
        )

    def why(failure: tuple[int, str, str] | None) -> str:
        recent = failure is not None and now - failure[0] < HOUR
        return f": {reason('delivery', failure[1]).title}" if failure and recent else ""

    if not known:
        return Standing(
            "paused",
            f"The catalogue has no more what {name} is: {pending:,} events wait for `onward catalog update` "
            "and a restart.",
        )
    if paused_since is not None:
        told = reason("delivery", last_failure[1]).title if last_failure else "it gives no answer"
        return Standing(
            "paused",
            f"{name} fails as a whole ({told}): {pending:,} events wait until it is back.",
            int(paused_since * 1000),
        )
    ended = hour.delivered + hour.discarded
    if ended and hour.discarded / ended >= FAILING:
        share = f"{100 * hour.discarded / ended:.0f} %"
        lost = f"{name} lost {_events(hour.discarded)} ({share}) in the last hour"
        return Standing("failing", f"{lost}{why(last_discard)}.")
    if retrying >= RETRYING or (retrying and not hour.delivered):
        waiting = f"{name} has {_events(retrying)} waiting for another attempt"
        return Standing("retrying", f"{waiting}{why(last_failure)}.")
    if ended:
        return Standing("healthy", f"{name} took {_events(hour.delivered)} in the last hour.")
    if not connected or not pending:
        return Standing("noData", f"{name} had nothing to deliver in the last hour.")
    return Standing("retrying", f"{name} has {_events(pending)} waiting to be sent.")


def _events(number: int) -> str:
    return f"{number:,} event{'' if number == 1 else 's'}"


def of_source(name: str, *, enabled: bool, ever: int, day: SourceDay, refused: int, now: int) -> Standing:
    """`ever` is how many events it has accepted, `refused` how many the front door discarded in an hour."""
    if not enabled:
        return Standing("disabled", f"{name} is disabled.")
    came = day.last_hour + refused
    if came and refused / came >= FAILING:
        return Standing(
            "failing",
            f"{name} sent {refused:,} events ({100 * refused / came:.0f} %) in the last hour that could not "
            "be taken.",
        )
    if day.last_hour:
        return Standing("healthy", f"{name} sent {day.last_hour:,} events in the last hour.")
    if day.busy_hours >= BUSY_HOURS and day.last_at is not None:
        minutes = (now - day.last_at) // 60_000
        return Standing("silent", f"{name} has sent nothing for {minutes} minutes.", day.last_at)
    if ever:
        return Standing("noData", f"{name} sent nothing in the last hour.", day.last_at)
    return Standing("noData", f"{name} has never sent an event.")
