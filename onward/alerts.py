"""Alerts at work: what is wrong now is compared with the rules, and what changed is said (spec §12.6).

The web process does it alone, every `EVERY` seconds. A rule that comes to be broken is written down with its
notification and the messages that go out, in one transaction; so is one that is kept again. So nothing is
said twice for one trouble, however often processes restart, and nothing is forgotten.

What if the process dies here? Messages that are written down go out after the next start; one that was just
going out may go twice.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import structlog
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session

from onward.delivery.report import Books, DeliveryReport
from onward.egress.http import Client
from onward.egress.notify import Message, NotSent, say
from onward.metering import alerting
from onward.metering.alerting import Finding
from onward.metering.functions import FunctionStore, quotas_of
from onward.metering.outcomes import Tally, Window
from onward.metering.store import UsageStore, day_of, month_of
from onward.pipeline import timestamps
from onward.settings import Settings
from onward.workspace import alerts as rules
from onward.workspace.database import reading, writing
from onward.workspace.entities import Alert, AlertMessage, AlertState, Notification
from onward.workspace.errors import SecretError
from onward.workspace.ids import resource_id
from onward.workspace.secrets import Cipher
from onward.workspace.snapshot import Destination, Snapshot, Source

EVERY = 15.0
ATTEMPTS = 6
"""Of a message; each waits three times as long as the one before."""
FIRST_WAIT = 20_000
"""Ms."""
NOTIFICATIONS_KEPT = 31 * 86_400_000
AT_ONCE = 20
"""Messages sent between two looks at the rules."""

log = structlog.get_logger("onward.alerts")


class Target(NamedTuple):
    id: str
    """'' for the installation or the workspace."""
    source_id: str | None


class Change(NamedTuple):
    """A rule that came to be broken, or to be kept again."""

    alert: Alert
    target: Target
    finding: Finding


class Alerts:
    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        cipher: Cipher,
        snapshot: Callable[[], Snapshot],
        report: DeliveryReport,
        usage: UsageStore,
        functions: FunctionStore,
        http: Client,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._cipher = cipher
        self._snapshot = snapshot
        self._report = report
        self._usage = usage
        self._functions = functions
        self._http = http

    async def forever(self) -> None:
        while True:
            # Whatever goes wrong here, events go on being accepted: the web process does not end for it.
            try:
                await asyncio.to_thread(self.look, int(time.time() * 1000))
            except Exception:
                log.exception("alerts can't be looked at; trying again")
            try:
                await self.send_due(int(time.time() * 1000))
            except Exception:
                log.exception("alerts can't be sent; trying again")
            await asyncio.sleep(EVERY)

    # Rules

    def look(self, now: int) -> None:
        """Compare all rules with what is so, and write down what changed. May take some milliseconds."""
        with reading(self._engine) as session:
            alerts = session.scalars(select(Alert).order_by(Alert.created_at, Alert.id)).all()
            broken = {(row.alert_id, row.target): row for row in session.scalars(select(AlertState))}
            if not alerts and not broken:
                return
            session.expunge_all()
        facts = _Facts(self._snapshot(), self._report, self._usage, now)
        changes: list[Change] = []
        gone = set(broken)
        for alert in alerts:
            if not alert.enabled:
                continue
            for target, finding in self._findings(alert, facts, broken):
                gone.discard((alert.id, target.id))
                if finding.broken != ((alert.id, target.id) in broken):
                    changes.append(Change(alert, target, finding))
        # What is no more, or is not looked at any more, is not broken; that is not worth a word.
        if changes or gone:
            self._write(changes, gone, now)

    def _findings(
        self, alert: Alert, facts: "_Facts", broken: Mapping[tuple[str, str], AlertState]
    ) -> Iterator[tuple[Target, Finding]]:
        def was(id: str) -> bool:
            return (alert.id, id) in broken

        threshold, minutes, now = alert.threshold, alert.minutes, facts.now
        if alert.kind == "DISK_FREE":
            disk = os.statvfs(self._settings.data)
            free = disk.f_bavail * disk.f_frsize
            yield Target("", None), alerting.disk_free(free, threshold, was(""))
        elif alert.kind == "FUNCTION_QUOTA":
            share = self._quota(alert.workspace_id, facts)
            yield Target("", None), alerting.function_quota(share, threshold)
        elif alert.kind in ("SOURCE_VOLUME", "SOURCE_SILENT"):
            for source in facts.sources(alert):
                target = Target(source.id, source.id)
                if alert.kind == "SOURCE_SILENT":
                    last = facts.last_at(source.id)
                    if last is None and was(source.id):
                        last = now - 25 * 3_600_000  # and it is silent still
                    yield target, alerting.source_silent(source.name, last, minutes, now)
                else:
                    come, before = facts.volumes(source.id, minutes)
                    yield (
                        target,
                        alerting.source_volume(source.name, come, before, threshold, minutes, was(source.id)),
                    )
        else:
            for destination in facts.destinations(alert):
                target = Target(destination.id, destination.source_id)
                yield target, self._of_destination(alert, destination, facts, was(destination.id))

    def _of_destination(self, alert: Alert, destination: Destination, facts: "_Facts", was: bool) -> Finding:
        name, minutes = destination.name, alert.minutes
        if alert.kind == "DELIVERY_RATE":
            tally = facts.tally(destination.id, minutes)
            return alerting.delivery_rate(name, tally, alert.threshold, minutes, was)
        books = facts.books(destination)
        if alert.kind == "BREAKER_OPEN":
            return alerting.breaker_open(name, books.paused_since, books.pending, minutes, facts.now)
        oldest = None
        if books.pending and destination.enabled:
            oldest = self._report.oldest_pending(destination.id, destination.source_id)
        return alerting.backlog_age(name, oldest, books.pending, minutes, facts.now)

    def _quota(self, workspace_id: str, facts: "_Facts") -> float | None:
        """The largest share, in percent, that functions have used of their limits or of the workspace's."""
        quotas = quotas_of(self._settings, facts.snapshot)
        spent = self._functions.totals(month_of(day_of(facts.now)), workspace_id)
        shares = []
        if quotas.workspace:
            shares.append(sum(each.wall_ms for each in spent.values()) / quotas.workspace)
        for (_, function_id), each in spent.items():
            limit = quotas.of(function_id)
            if function_id and limit:
                shares.append(each.wall_ms / limit)
        return 100 * max(shares) if shares else None

    def _write(self, changes: list[Change], gone: set[tuple[str, str]], now: int) -> None:
        with writing(self._engine) as session:
            for alert_id, id in gone:
                session.execute(
                    delete(AlertState).where(AlertState.alert_id == alert_id, AlertState.target == id)
                )
            for alert, target, finding in changes:
                if session.get(Alert, alert.id) is None:
                    continue  # deleted just now
                _note(session, alert, target, finding, now)
            session.execute(delete(Notification).where(Notification.created_at < now - NOTIFICATIONS_KEPT))

    # Messages

    async def send_due(self, now: int) -> None:
        for id in await asyncio.to_thread(self._due, now):
            try:
                found = await asyncio.to_thread(self._message, id)
            except SecretError as error:
                log.error("an alert's channel can't be read", message=id, reason=str(error))
                await asyncio.to_thread(self._failed, id, now)
                continue
            if found is None:
                continue
            channel, message = found
            try:
                await say(self._http, self._settings, channel.type, channel.address, message)
            except NotSent as error:
                log.warning("alert not sent", alert=message.alert_id, channel=channel.type, reason=str(error))
                await asyncio.to_thread(self._failed, id, now)
            else:
                await asyncio.to_thread(self._done, id)

    def _due(self, now: int) -> list[int]:
        query = select(AlertMessage.id).where(AlertMessage.due_at <= now).order_by(AlertMessage.id)
        with reading(self._engine) as session:
            return list(session.scalars(query.limit(AT_ONCE)))

    def _message(self, id: int) -> tuple[rules.Channel, Message] | None:
        """None if there is nothing to send any more; then the message is gone."""
        with reading(self._engine) as session:
            row = session.get(AlertMessage, id)
            alert = session.get(Alert, row.alert_id) if row else None
            said = session.get(Notification, row.notification_id) if row else None
            if row is not None and alert is not None and said is not None:
                channels = rules.opened(alert, self._cipher)
                if row.channel < len(channels):
                    return channels[row.channel], _message_of(alert, said)
        self._done(id)
        return None

    def _done(self, id: int) -> None:
        with writing(self._engine) as session:
            session.execute(delete(AlertMessage).where(AlertMessage.id == id))

    def _failed(self, id: int, now: int) -> None:
        with writing(self._engine) as session:
            row = session.get(AlertMessage, id)
            if row is None:
                return
            row.attempts += 1
            if row.attempts >= ATTEMPTS:
                session.delete(row)
            else:
                row.due_at = now + FIRST_WAIT * 3 ** (row.attempts - 1)


def _note(session: Session, alert: Alert, target: Target, finding: Finding, now: int) -> None:
    """Write down that something came to be broken or kept, and what goes out because of it."""
    state = session.get(AlertState, (alert.id, target.id))
    if finding.broken == (state is not None):
        return
    if state is None:
        session.add(AlertState(alert_id=alert.id, target=target.id, since=now, summary=finding.summary))
    else:
        session.delete(state)
    said = Notification(
        id=resource_id(),
        workspace_id=alert.workspace_id,
        created_at=now,
        alert_id=alert.id,
        name=alert.name,
        kind=alert.kind,
        source_id=target.source_id,
        target=target.id,
        status="TRIGGERED" if finding.broken else "RESOLVED",
        summary=finding.summary,
    )
    session.add(said)
    session.flush()
    for at, channel in enumerate(alert.channels):
        if channel["type"] != "IN_APP":
            session.add(
                AlertMessage(notification_id=said.id, alert_id=alert.id, channel=at, attempts=0, due_at=now)
            )


def _message_of(alert: Alert, said: Notification) -> Message:
    return Message(
        alert_id=alert.id,
        name=said.name,
        type=said.kind,
        status=said.status,
        summary=said.summary,
        target=said.target,
        time=timestamps.render(said.created_at),
    )


class _Facts:
    """What is so at one moment, each thing asked for once."""

    def __init__(self, snapshot: Snapshot, report: DeliveryReport, usage: UsageStore, now: int) -> None:
        self.snapshot = snapshot
        self.now = now
        self._report = report
        self._usage = usage
        self._tallies: dict[int, dict[str, Tally]] = {}
        self._last_at: dict[str, int] | None = None
        self._books = report.all_books({each.id: each.source_id for each in snapshot.destinations})

    def sources(self, alert: Alert) -> Iterator[Source]:
        for each in self.snapshot.sources:
            wanted = alert.source_id in (None, each.id)
            if wanted and each.workspace_id == alert.workspace_id and each.enabled:
                yield each

    def destinations(self, alert: Alert) -> Iterator[Destination]:
        for each in self.snapshot.destinations:
            if each.workspace_id != alert.workspace_id or not each.enabled:
                continue
            if alert.destination_id in (None, each.id) and alert.source_id in (None, each.source_id):
                yield each

    def books(self, destination: Destination) -> Books:
        return self._books[destination.id]

    def tally(self, destination_id: str, minutes: int) -> Tally:
        if minutes not in self._tallies:
            minute = self.now // 60_000
            self._tallies[minutes] = self._report.ask.tallies(minute - minutes, minute + 1)
        return self._tallies[minutes].get(destination_id, Tally())

    def last_at(self, source_id: str) -> int | None:
        if self._last_at is None:
            days = self._usage.last_day(self.now)
            self._last_at = {id: day.last_at for id, day in days.items() if day.last_at is not None}
        return self._last_at.get(source_id)

    def volumes(self, source_id: str, minutes: int) -> tuple[int, int]:
        """Of the last `minutes`, and of as many before them; whole minutes that are over."""
        minute = self.now // 60_000
        come = self._usage.inflow(source_id, Window(minute - minutes, minute, 1)).within
        both = self._usage.inflow(source_id, Window(minute - 2 * minutes, minute, 1)).within
        return come, both - come
