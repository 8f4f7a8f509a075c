"""Leaves a destination alone while it fails as a whole.

Failures in a row, without a single answer that proves the destination alive, open the breaker. While it
is open the cursor rests and nothing is parked: an outage of any length costs no event, no attempt and no
disk. One probe at a time finds out whether it is back. Pure: the clock and the dice are passed in.

An answer that discards (a 400, say) is a sign of life; retryable answers (429, 5xx, timeouts, network
errors) are not.
"""

from random import Random

FAILURES = 10
"""Failed requests in a row that open the breaker."""
FIRST_PROBE = 1.0
"""Seconds until the first probe; doubled after each that fails."""
LAST_PROBE = 60.0


class Breaker:
    def __init__(self, dice: Random, opened_at: float | None = None) -> None:
        self._dice = dice
        self._failures = 0
        self._probes = 0
        self.opened_at = opened_at
        """When the destination began to fail as a whole, in seconds since the epoch; None while closed."""
        self.probe_at = 0.0
        self.probing = False

    @property
    def open(self) -> bool:
        return self.opened_at is not None

    @property
    def in_a_row(self) -> int:
        """Failed requests since the last one that was answered."""
        return self._failures

    def probe_is_due(self, now: float) -> bool:
        return self.open and not self.probing and now >= self.probe_at

    def begin_probe(self) -> None:
        self.probing = True

    def abandon_probe(self, now: float) -> None:
        """There was nothing to probe with."""
        self.probing = False
        self.probe_at = now + FIRST_PROBE

    def probe_now(self) -> None:
        """Something has changed that may have brought the destination back."""
        self._probes = 0
        self.probe_at = 0.0

    def succeeded(self) -> bool:
        """A request was answered; True if this closed the breaker."""
        was_open = self.open
        self._failures = 0
        self._probes = 0
        self.probing = False
        self.opened_at = None
        return was_open

    def failed(self, now: float, retry_after: float | None = None) -> bool:
        """A request failed as the whole destination might; True if this opened the breaker."""
        self._failures += 1
        if self.open:
            if self.probing:
                self.probing = False
                self._schedule(now, retry_after)
            return False
        if self._failures < FAILURES:
            return False
        self.opened_at = now
        self._schedule(now, retry_after)
        return True

    def _schedule(self, now: float, retry_after: float | None) -> None:
        delay = min(LAST_PROBE, FIRST_PROBE * 2**self._probes) * self._dice.uniform(0.75, 1.0)
        self._probes = min(self._probes + 1, 10)
        self.probe_at = now + max(delay, min(retry_after or 0.0, 3600.0))
