"""When an alert is due: facts in, a sentence out. Pure.

Hysteresis: a rule that is broken counts as kept again only when it is kept with something to spare, so that a
figure that trembles around its threshold does not make a storm.
"""

import msgspec

from onward.metering.outcomes import Tally

ENOUGH = 20
"""Events that must have come to an end before their rate says something."""
ENOUGH_VOLUME = 100
"""Events of the time before, without which a change in volume says nothing."""


class Finding(msgspec.Struct, frozen=True):
    broken: bool
    summary: str
    """One sentence, true either way."""


KEPT = Finding(False, "")


def delivery_rate(name: str, tally: Tally, threshold: float, minutes: int, was_broken: bool) -> Finding:
    ended = tally.delivered + tally.discarded
    if ended < ENOUGH:
        return Finding(False, f"{name} has had too few events lately to tell.")
    percent = 100 * tally.delivered / ended
    spare = min(1.0, (100 - threshold) / 4) if was_broken else 0.0
    return Finding(
        percent < threshold + spare,
        f"{name} delivered {percent:.2f} % of {ended:,} events in the last {_span(minutes)} "
        f"(threshold {threshold:g} %).",
    )


def source_volume(
    name: str, now: int, before: int, threshold: float, minutes: int, was_broken: bool
) -> Finding:
    if before < ENOUGH_VOLUME:
        return Finding(False, f"{name} had too few events before to compare with.")
    change = 100 * (now - before) / before
    limit = threshold * (0.8 if was_broken else 1.0)
    return Finding(
        abs(change) > limit,
        f"{name} had {now:,} events in the last {_span(minutes)}, {change:+.0f} % against the {before:,} of "
        f"the same time before (threshold ±{threshold:g} %).",
    )


def source_silent(name: str, last_at: int | None, minutes: int, now: int) -> Finding:
    """`last_at` is the last minute (ms) with an event, of the last 25 hours."""
    if last_at is None:
        return KEPT
    silent = (now - last_at) // 60_000
    if silent < minutes:
        return Finding(False, f"{name} sends events again.")
    return Finding(True, f"{name} has sent no event for {_span(silent)}.")


def breaker_open(name: str, paused_since: float | None, pending: int, minutes: int, now: int) -> Finding:
    if paused_since is None:
        return Finding(False, f"{name} takes events again.")
    paused = (now - paused_since * 1000) / 60_000
    return Finding(
        paused >= minutes,
        f"{name} has failed as a whole for {_span(int(paused))}; {pending:,} events wait for it.",
    )


def backlog_age(name: str, oldest: int | None, pending: int, minutes: int, now: int) -> Finding:
    """`oldest` is when (ms) the event was received that waits longest."""
    if oldest is None or not pending:
        return Finding(False, f"{name} has no event that waits.")
    age = (now - oldest) // 60_000
    return Finding(
        age >= minutes, f"{name}: the oldest of {pending:,} events that wait came {_span(age)} ago."
    )


def disk_free(free: int, threshold: float, was_broken: bool) -> Finding:
    """`free` in bytes, the threshold in GiB."""
    gib = free / 2**30
    return Finding(
        gib < threshold * (1.1 if was_broken else 1.0),
        f"{gib:.1f} GiB are free on the disk (threshold {threshold:g} GiB).",
    )


def function_quota(share: float | None, threshold: float) -> Finding:
    """`share` in percent of what may be used this month; None where there is no limit."""
    if share is None:
        return KEPT
    return Finding(
        share >= threshold,
        f"Functions have used {share:.0f} % of what they may use this month (threshold {threshold:g} %).",
    )


def _span(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} minutes"
    if minutes < 48 * 60:
        return f"{minutes / 60:.0f} hours"
    return f"{minutes / 1440:.0f} days"
