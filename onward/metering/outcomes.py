"""What there is to say of one destination's deliveries over time (spec §12.1): shapes, and their arithmetic.

Pure. Times are ms since the epoch; numbers are events, but `attempts` and `retried`, which are attempts.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

SUCCESSES = "successes.attempt."
"""A delivered event is counted under this and the attempt that succeeded."""
POINTS = 240
"""A series has hardly more."""
BUCKETS = (1, 5, 15, 60, 180, 720, 1440)
"""Minutes."""
MINUTES_KEPT = 3 * 24 * 60
"""So long ago, counters still stand for single minutes (`onward.delivery.state`); then for hours."""


class Window(msgspec.Struct, frozen=True):
    """[start, end) in minutes since the epoch, and the minutes that a point of a series stands for."""

    start: int
    end: int
    bucket: int


class Row(msgspec.Struct, frozen=True, array_like=True):
    """Counters of one bucket."""

    at: int
    """Minutes since the epoch."""
    outcome: str
    code: str
    count: int


class Slot(msgspec.Struct, frozen=True, array_like=True):
    """Deliveries of one bucket by latency."""

    at: int
    place: int
    count: int


class Group(msgspec.Struct, frozen=True, array_like=True):
    """Events of one outcome and reason, by mapping."""

    outcome: str
    """`discarded`, `retried` or `filtered`."""
    code: str
    subscription_id: str
    count: int
    last_at: int
    """The minute (or, of old ones, the hour) in which it happened last."""


class Tally(msgspec.Struct):
    delivered: int = 0
    at_once: int = 0
    """Of those delivered: at the first attempt."""
    attempts: int = 0
    """That the delivered ones took."""
    discarded: int = 0
    filtered: int = 0
    retried: int = 0
    """Attempts that failed and were, or will be, repeated."""
    skipped: int = 0
    """Events that came while the destination was off."""
    fanned_out: int = 0
    """Deliveries beyond the first of events that matched several mappings."""
    redriven: int = 0
    """Of those once discarded: sent again by hand."""
    p95: float | None = None
    """Milliseconds from receipt to delivery that 95 of 100 deliveries did not exceed; None without any."""

    def add(self, outcome: str, code: str, count: int) -> None:
        if outcome == "delivered":
            attempt = attempt_of(code)
            self.delivered += count
            self.attempts += attempt * count
            self.at_once += count if attempt == 1 else 0
        elif outcome in ("discarded", "filtered", "retried", "skipped", "fanned_out", "redriven"):
            setattr(self, outcome, getattr(self, outcome) + count)

    @property
    def success_rate(self) -> float | None:
        """Of those that have come to an end at the tool, the share that arrived."""
        return ratio(self.delivered, self.delivered + self.discarded)

    @property
    def first_attempt_rate(self) -> float | None:
        """Of the same, the share that arrived at the first attempt."""
        return ratio(self.at_once, self.delivered + self.discarded)

    @property
    def average_attempts(self) -> float | None:
        return ratio(self.attempts, self.delivered, 2)


class Series(msgspec.Struct, frozen=True):
    """One destination, or one of its mappings, over a window."""

    window: Window
    total: Tally
    points: dict[int, Tally]
    """By the minute where the bucket begins, all buckets of the window."""


class Flow(msgspec.Struct, frozen=True):
    """What one destination has done with its source's events, of one moment."""

    within: Tally
    """Of the window asked for."""
    since: Tally
    """Since the window's end."""
    cursor_seq: int
    """Events of the source that it has passed."""
    parked: int
    untried: int = 0
    """Of those parked: they wait in their bulk batch for the first attempt."""


class Inflow(msgspec.Struct, frozen=True):
    """Accepted events of a source, of one moment."""

    within: int
    since: int
    counted_seq: int
    """Events of the source that have been counted; what came after is not in the numbers yet."""


class Funnel(msgspec.Struct, frozen=True):
    """pending before + accepted + fanned out + redriven
    = not for it + filtered + discarded + delivered + pending, exactly."""

    pending_before: int
    """Of events that came before the window."""
    accepted: int
    """By the source, within the window."""
    fanned_out: int
    redriven: int
    not_for_it: int
    """Came while the destination was off, or before it was connected."""
    filtered: int
    discarded: int
    delivered: int
    at_once: int
    pending: int
    """At the window's end."""
    pending_now: int
    retrying_now: int
    """Of those pending now."""


def funnel(flow: Flow, inflow: Inflow, head_seq: int, *, to_now: bool) -> Funnel:
    """`head_seq` is the end of the source's log, read after both; `to_now` says that the window reaches up
    to now, so that what has not been counted yet is in it.

    Works backwards from now: what is pending at a time is what is pending now, without what came since,
    with what came to an end since.
    """
    pending_now = head_seq - flow.cursor_seq + flow.parked
    uncounted = max(0, head_seq - inflow.counted_seq)
    came_within = inflow.within + (uncounted if to_now else 0)
    came_since = inflow.since + (0 if to_now else uncounted)
    pending = pending_now - came_since - _grown(flow.since) + _ended(flow.since)
    before = pending - came_within - _grown(flow.within) + _ended(flow.within)
    # Before it was connected nothing was pending: what is missing came when it was not there yet.
    early = max(0, -before)
    return Funnel(
        pending_before=before + early,
        accepted=came_within,
        fanned_out=flow.within.fanned_out,
        redriven=flow.within.redriven,
        not_for_it=flow.within.skipped + early,
        filtered=flow.within.filtered,
        discarded=flow.within.discarded,
        delivered=flow.within.delivered,
        at_once=flow.within.at_once,
        pending=pending,
        pending_now=pending_now,
        retrying_now=flow.parked - flow.untried,
    )


def _grown(tally: Tally) -> int:
    return tally.fanned_out + tally.redriven


def _ended(tally: Tally) -> int:
    return tally.delivered + tally.filtered + tally.discarded + tally.skipped


def attempt_of(code: str) -> int:
    number = code.removeprefix(SUCCESSES)
    return int(number) if number.isdigit() else 1


def ratio(part: int, whole: int, digits: int = 4) -> float | None:
    return round(part / whole, digits) if whole else None


def window(start: int, end: int, now: int, points: int = POINTS) -> Window:
    """Of two times in ms, the first widened to where counters of that age begin."""
    span = max(1, -(-(end - start) // 60_000))
    bucket = next((each for each in BUCKETS if span <= each * points + 1), BUCKETS[-1])
    first = start // 60_000
    if first < now // 60_000 - MINUTES_KEPT:
        bucket = max(60, bucket)
        first = first // 60 * 60
    return Window(first, -(-end // 60_000), bucket)


def series(window: Window, rows: Iterable[Row], slots: Iterable[Slot], bounds: Sequence[int]) -> Series:
    """`bounds` are the upper bounds in ms of the places of latency, the last of which is open."""
    size = window.bucket
    points = {at: Tally() for at in range(window.start // size * size, window.end, size)}
    total = Tally()
    for row in rows:
        total.add(row.outcome, row.code, row.count)
        points[row.at // size * size].add(row.outcome, row.code, row.count)
    histograms: dict[int, dict[int, int]] = {}
    everything: dict[int, int] = {}
    for slot in slots:
        its = histograms.setdefault(slot.at // size * size, {})
        its[slot.place] = its.get(slot.place, 0) + slot.count
        everything[slot.place] = everything.get(slot.place, 0) + slot.count
    total.p95 = percentile(everything, bounds)
    for at, its in histograms.items():
        points[at].p95 = percentile(its, bounds)
    return Series(window, total, points)


def percentile(histogram: Mapping[int, int], bounds: Sequence[int], share: float = 0.95) -> float | None:
    """Interpolated within its bucket; the open bucket counts as its lower bound."""
    whole = sum(histogram.values())
    if not whole:
        return None
    wanted, below = share * whole, 0
    for place in sorted(histogram):
        count = histogram[place]
        if below + count >= wanted:
            low = bounds[place - 1] if place else 0
            high = bounds[place] if place < len(bounds) else low
            return round(low + (high - low) * (wanted - below) / count, 1)
        below += count
    return float(bounds[-1])
