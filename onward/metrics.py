"""`/metrics`: what the data folder and the kernel say, in Prometheus' text format.

Every figure is read from durable state or from the kernel when it is asked for, so a restart of a
process neither resets nor loses a counter, and nothing is counted on the hot path for the sake of this
page. `docs/metrics.md` lists the names.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from onward import __version__
from onward.delivery.state.protocol import StateStore
from onward.eventlog.protocol import LogReader, Position
from onward.metering.functions import FunctionStore
from onward.roles import beats, read_report
from onward.tracking.ledger import LedgerReader
from onward.workspace.snapshot import Snapshot, Source

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

LATELY = 10
"""Minutes that gauges of deliveries look back on."""
SETTLED = 2
"""Minutes after which the counters of a minute no longer change."""


class DoorCounts:
    """Sums of the tracking ledger's counters, read a little at a time.

    The ledger counts by minute. Minutes that can't change any more are added up once, so a scrape reads
    the last few minutes and not the whole month.
    """

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger
        self._settled: dict[str, Counter[tuple[str, str, str]]] = {}
        self._read_to: dict[str, int] = {}

    def totals(self, source_id: str, now: float) -> Counter[tuple[str, str, str]]:
        """Events of a source ('' for unknown write keys) by outcome, code and type."""
        settled = self._settled.setdefault(source_id, Counter())
        edge = int(now // 60) - SETTLED
        totals: Counter[tuple[str, str, str]] = Counter()
        for count in self._ledger.counters(source_id, self._read_to.get(source_id, 0) * 60_000):
            into = settled if count.minute < edge else totals
            into[count.outcome, count.code, count.type] += count.events
        self._read_to[source_id] = max(edge, self._read_to.get(source_id, 0))
        return settled + totals


class Metrics(Collector):
    """One for the web process. `render` may block for some milliseconds: call it from a thread."""

    def __init__(self, data: Path, log: LogReader, store: StateStore, ledger: LedgerReader) -> None:
        self._data = data
        self._log = log
        self._store = store
        self._ask = store.questions()
        self._door = DoorCounts(ledger)
        self._functions = FunctionStore(data)
        self._snapshot = Snapshot(version=0)
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def render(self, snapshot: Snapshot) -> bytes:
        self._snapshot = snapshot
        return generate_latest(self._registry)

    def describe(self) -> list[Metric]:
        return []  # so that registering does not collect

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily("onward_info", "Always 1; the label tells the version.", labels=["version"])
        info.add_metric([__version__], 1)
        yield info
        yield GaugeMetricFamily(
            "onward_config_version", "Version of the configuration in use.", value=self._snapshot.version
        )
        yield GaugeMetricFamily(
            "onward_disk_free_bytes", "Free bytes on the data folder's disk.", value=_free(self._data)
        )
        heads = self._log.heads()
        yield from self._sources(heads)
        yield from self._destinations(heads)
        yield from self._functions_used()
        yield from self._processes()

    def _sources(self, heads: dict[str, Position]) -> Iterator[Metric]:
        received = CounterMetricFamily(
            "onward_events_received", "Events that are in the event log.", labels=["source"]
        )
        duplicates = CounterMetricFamily(
            "onward_events_duplicate", "Events dropped as seen before.", labels=["source"]
        )
        discarded = CounterMetricFamily(
            "onward_events_discarded", "Events that the door refused to keep.", labels=["source", "code"]
        )
        rejected = CounterMetricFamily(
            "onward_requests_rejected", "Requests answered with an error.", labels=["source", "reason"]
        )
        filtered = CounterMetricFamily(
            "onward_events_filtered",
            "Events that the source's schema or tracking plan blocks.",
            labels=["source", "code"],
        )
        families = {"discarded": discarded, "filtered": filtered, "rejected": rejected}
        now = time.time()
        names = {source.id: source.slug for source in self._snapshot.sources}
        for source_id, name in {**names, "": ""}.items():
            if source_id:
                received.add_metric([name], heads.get(source_id, Position()).seq)
            codes: Counter[tuple[str, str]] = Counter()
            repeated = 0
            for (outcome, code, _), events in self._door.totals(source_id, now).items():
                if outcome in families:
                    codes[outcome, code] += events
                elif outcome == "duplicate":
                    repeated += events
            if source_id:
                duplicates.add_metric([name], repeated)
            for (outcome, code), events in codes.items():
                families[outcome].add_metric([name, code], events)
        yield from (received, duplicates, discarded, filtered, rejected)

    def _destinations(self, heads: dict[str, Position]) -> Iterator[Metric]:
        labels = ["destination", "name", "source"]
        due = CounterMetricFamily(
            "onward_destination_events", "Events for this destination, from the log.", labels=labels
        )
        outcomes = CounterMetricFamily(
            "onward_destination_outcomes", "Events by final outcome.", labels=[*labels, "outcome"]
        )
        pending = GaugeMetricFamily(
            "onward_destination_pending_events", "Events without an outcome yet.", labels=labels
        )
        retrying = GaugeMetricFamily(
            "onward_destination_retrying_events", "Those of them that wait for a retry.", labels=labels
        )
        paused = GaugeMetricFamily(
            "onward_destination_paused", "1 while the destination fails as a whole.", labels=labels
        )
        totals = self._store.totals()
        sources = self._snapshot.source_by_id
        for destination in self._snapshot.destinations:
            books = totals.get(destination.id)
            if books is None:
                continue  # delivery has not seen it yet
            source = sources.get(destination.source_id)
            label = [destination.id, destination.name, source.slug if source else ""]
            # The books were read after the log's heads, so a cursor may be past the head we know.
            head = max(heads.get(destination.source_id, Position()), books.cursor)
            due.add_metric(label, books.received(head))
            outcomes.add_metric([*label, "delivered"], books.delivered)
            outcomes.add_metric([*label, "filtered"], books.filtered)
            outcomes.add_metric([*label, "discarded"], books.discarded)
            pending.add_metric(label, books.pending(head))
            retrying.add_metric(label, books.parked)
            paused.add_metric(label, float(books.breaker_opened_at is not None))
        yield from (due, outcomes, pending, retrying, paused)
        yield from self._lately(labels, sources)

    def _lately(self, labels: list[str], sources: Mapping[str, Source]) -> Iterator[Metric]:
        """What the last minutes' counters say of each destination: nothing of those without deliveries."""
        p95 = GaugeMetricFamily(
            "onward_destination_latency_p95_seconds",
            "From receipt to delivery: 95 of 100 of the last ten minutes took no longer.",
            labels=labels,
        )
        first = GaugeMetricFamily(
            "onward_destination_first_attempt_ratio",
            "Of what came to an end in the last ten minutes: the share delivered at the first attempt.",
            labels=labels,
        )
        final = GaugeMetricFamily(
            "onward_destination_delivery_ratio",
            "Of what came to an end in the last ten minutes: the share delivered.",
            labels=labels,
        )
        retried = GaugeMetricFamily(
            "onward_destination_retried_attempts",
            "Attempts of the last ten minutes that failed and are repeated.",
            labels=labels,
        )
        now = int(time.time() // 60)
        tallies, latencies = (
            self._ask.tallies(now - LATELY, now + 1),
            self._ask.latencies(now - LATELY, now + 1),
        )
        for destination in self._snapshot.destinations:
            source = sources.get(destination.source_id)
            label = [destination.id, destination.name, source.slug if source else ""]
            if (tally := tallies.get(destination.id)) is not None:
                retried.add_metric(label, tally.retried)
                if tally.success_rate is not None and tally.first_attempt_rate is not None:
                    first.add_metric(label, tally.first_attempt_rate)
                    final.add_metric(label, tally.success_rate)
            if (latency := latencies.get(destination.id)) is not None:
                p95.add_metric(label, latency / 1000)
        yield from (p95, first, final, retried)

    def _functions_used(self) -> Iterator[Metric]:
        labels = ["function"]
        invocations = CounterMetricFamily("onward_function_invocations", "Calls of handlers.", labels=labels)
        wall = CounterMetricFamily("onward_function_seconds", "Wall time of calls.", labels=labels)
        cpu = CounterMetricFamily("onward_function_cpu_seconds", "CPU time of processes.", labels=labels)
        for id, spent in self._functions.overall().items():
            invocations.add_metric([id], spent.invocations)
            wall.add_metric([id], spent.wall_ms / 1000)
            cpu.add_metric([id], spent.cpu_ms / 1000)
        processes = GaugeMetricFamily(
            "onward_function_processes", "Processes for functions, spares included.", labels=["role"]
        )
        refused = GaugeMetricFamily(
            "onward_functions_refused",
            "1 while the sandbox keeps functions from running.",
            labels=["role"],
        )
        for role, beat in beats(self._data).items():
            if (report := beat.functions) is not None:
                processes.add_metric([role], report.processes)
                refused.add_metric([role], float(report.state == "refused"))
        yield from (invocations, wall, cpu, processes, refused)

    def _processes(self) -> Iterator[Metric]:
        labels = ["role"]
        up = GaugeMetricFamily("onward_process_up", "1 if it runs and its heartbeat is fresh.", labels=labels)
        restarts = CounterMetricFamily(
            "onward_process_restarts", "Unexpected ends since the supervisor started.", labels=labels
        )
        cpu = CounterMetricFamily("onward_process_cpu_seconds", "User and system CPU time.", labels=labels)
        memory = GaugeMetricFamily("onward_process_resident_memory_bytes", "Resident memory.", labels=labels)
        files = GaugeMetricFamily("onward_process_open_files", "Open file descriptors.", labels=labels)
        deaths = CounterMetricFamily(
            "onward_catalogue_worker_deaths",
            "Workers of the catalogue that ended without being asked to.",
            labels=labels,
        )
        now = time.time()
        seen = beats(self._data)
        alive = {role for role, beat in seen.items() if beat.fresh(now)}
        for role, beat in seen.items():
            deaths.add_metric([role], beat.catalogue_deaths)
        report = read_report(self._data)
        pids = {"supervisor": report.pid} if report else {}
        for child in report.children if report else ():
            up.add_metric([child.role], float(child.state == "running" and child.role in alive))
            restarts.add_metric([child.role], child.restarts)
            if child.pid is not None:
                pids[child.role] = child.pid
        for role, pid in pids.items():
            with suppress(OSError):  # it ended just now, or this system has no /proc
                cpu_seconds, resident, open_files = _usage(pid)
                cpu.add_metric([role], cpu_seconds)
                memory.add_metric([role], resident)
                files.add_metric([role], open_files)
        yield from (up, restarts, cpu, memory, files, deaths)


def _free(data: Path) -> int:
    disk = os.statvfs(data)
    return disk.f_bavail * disk.f_frsize


def _usage(pid: int) -> tuple[float, int, int]:
    """CPU seconds, resident bytes and open files of a process, from /proc (proc(5))."""
    proc = Path(f"/proc/{pid}")
    # The command's name may hold spaces and parentheses; what follows the last one is fields 3 on.
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int((proc / "statm").read_text().split()[1])
    open_files = len(os.listdir(proc / "fd"))  # noqa: PTH208  (names only; no Path for each)
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"), open_files
