"""The seam of questions about deliveries: what was counted over time, what waits, and single failures.

Each answer is of one moment: what it adds up belongs together. Who asks makes nobody who delivers wait.
"""

from typing import Protocol

from onward.metering.fates import Fates, Sample, Waiting
from onward.metering.outcomes import Flow, Group, Series, Tally, Window


class Questions(Protocol):
    def series(self, destination_id: str, window: Window, subscription_id: str | None = None) -> Series: ...

    def groups(self, destination_id: str, window: Window, subscription_id: str | None = None) -> list[Group]:
        """What did not arrive, by reason and mapping, the most frequent first."""
        ...

    def tallies(self, start: int, end: int) -> dict[str, Tally]:
        """Of all destinations at once, without latencies, over the minutes [start, end)."""
        ...

    def trends(self, window: Window) -> dict[str, dict[int, Tally]]:
        """What came to an end (delivered or discarded) at each destination, by the minute where the bucket
        begins."""
        ...

    def latencies(self, start: int, end: int) -> dict[str, float]:
        """P95 in ms of the deliveries to each destination over the minutes [start, end)."""
        ...

    def flow(self, destination_id: str, window: Window) -> Flow | None:
        """What came out within a window and since, and what is left; None for what was never enabled."""
        ...

    def waiting(self, destination_id: str) -> list[Waiting]:
        """Payloads that wait for a retry, or for their bulk batch to be sent."""
        ...

    def oldest_parked(self, destination_id: str) -> int | None:
        """When (ms) the event was received that has been parked longest."""
        ...

    def last_failures(self, outcome: str | None = None) -> dict[str, tuple[int, str, str]]:
        """By destination the newest sample's time (ms), code and message; with `outcome` (`discarded`,
        `retried`, `filtered`), of those alone."""
        ...

    def samples(
        self,
        destination_id: str,
        start: int,
        end: int,
        *,
        code: str | None = None,
        outcome: str | None = None,
        subscription_id: str | None = None,
        limit: int = 10,
    ) -> list[Sample]:
        """Of the time [start, end) in ms, the newest first."""
        ...

    def fates(self, message_id: str) -> Fates:
        """All that is written down of one message, at all destinations."""
        ...

    def routed_by(self, destination_id: str, offset: int) -> int | None:
        """The version of the configuration that routed the record at an offset; None if that was before
        versions were written down."""
        ...

    def close(self) -> None: ...
