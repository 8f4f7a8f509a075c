"""What handlers are given: the store as the caller may use it, and the page that is asked for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Protocol

from litestar import Request
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

from onward.api.auth import Principal
from onward.api.metadata import Metadata
from onward.api.preconditions import STATE, Condition
from onward.api.recently import Recently
from onward.destinations.definition import Runtime
from onward.egress.http import Client
from onward.functions.workshop import Workshop
from onward.metering.asking import Questions
from onward.metering.fates import Redrive
from onward.metering.outcomes import Funnel, Inflow, Window
from onward.metering.query import Question, Totals
from onward.workspace.access import Access
from onward.workspace.errors import Forbidden, Invalid
from onward.workspace.roles import Permission
from onward.workspace.store import Actor, Editor, Store

DEFAULT_COUNT = 200
MAX_COUNT = 1000
FIRST = "MA=="
"""Segment's cursor of a first page, which its Terraform provider asks for without having been given it."""

ApiRequest = Request[Any, Principal, Any]


class Verdict(Protocol):
    """A line of the source debugger (`onward.tracking.ledger.Verdict`)."""

    @property
    def received_at(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def message_id(self) -> str | None: ...
    @property
    def verdict(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def payload(self) -> bytes: ...


Recent = Callable[[str, int], Sequence[Verdict]]
"""The latest lines of a source's debugger, newest first: source id, how many."""


class Tailed(Protocol):
    """What is new in a source's debugger (`onward.tracking.ledger.Tailed`)."""

    @property
    def last(self) -> int: ...
    @property
    def came(self) -> int: ...
    @property
    def lines(self) -> Sequence[Verdict]: ...


Tail = Callable[[str, int | None, int, int], Tailed]
"""The lines of a source's debugger above one, the oldest first, at most so many, the newest; and how many
events came since a time: source id, the line, how many, ms."""


class Books(Protocol):
    """A destination's numbers (`onward.delivery.report.Books`)."""

    @property
    def received(self) -> int: ...
    @property
    def delivered(self) -> int: ...
    @property
    def filtered(self) -> int: ...
    @property
    def discarded(self) -> int: ...
    @property
    def pending(self) -> int: ...
    @property
    def retrying(self) -> int: ...
    @property
    def paused_since(self) -> float | None: ...


class Discarded(Protocol):
    """A payload that was given up on (`onward.delivery.state.protocol.Discard`)."""

    id: int
    at: int
    code: str
    message: str
    attempts: int
    message_id: str
    event_type: str
    event_name: str
    subscription_id: str
    payload: dict[str, Any]
    event: dict[str, Any]


class Delivery(Protocol):
    """What became of a destination's events (`onward.delivery.report.DeliveryReport`)."""

    @property
    def ask(self) -> Questions: ...

    def funnel(
        self, destination_id: str, source_id: str, window: Window, inflow: Inflow, *, to_now: bool
    ) -> Funnel | None: ...

    def books(self, destination_id: str, source_id: str) -> Books: ...

    def all_books(self, sources: Mapping[str, str]) -> Mapping[str, Books]: ...

    def accepted(self) -> Mapping[str, int]: ...

    def discards(
        self, destination_id: str, limit: int, before: int | None, code: str | None, message_id: str | None
    ) -> Sequence[Discarded]: ...

    def redrive(self, destination_id: str, wanted: Redrive, now: float) -> int: ...

    def redrives(self, destination_id: str, limit: int) -> Sequence[Redrive]: ...

    def counters(self, destination_id: str, outcome: str, question: Question) -> Totals: ...


@dataclass(frozen=True)
class Context:
    store: Store
    metadata: Metadata
    recent: Recent
    delivery: Delivery
    http: Client
    """The way out, for testers."""
    runtime: Runtime | None
    """Where actions run that are JavaScript; None if nothing is installed that could."""
    workshop: Workshop | None
    """Where functions are tried; None if nothing is here that could."""
    inserted: Recently[tuple[Any, Any]]
    """What insert functions made of the events of previews (`onward.api.inserting`)."""
    workspace_id: str
    actor: Actor
    access: Access
    condition: Condition | None = None
    """What must be so for a change to be made."""
    session: Session | None = None
    """What a change in progress sees; None to begin anew."""

    def reading(self) -> AbstractContextManager[Session]:
        return self.store.reading() if self.session is None else nullcontext(self.session)

    @contextmanager
    def changing(self) -> Iterator[Editor]:
        """A change, if the request's condition holds; raises `HTTPException` (412) if not."""
        with self.store.changing(self.workspace_id, self.actor) as editor:
            if self.condition is not None:
                self.condition.check(replace(self, session=editor.session))
            yield editor

    def require_installation(self) -> None:
        """Raises `Forbidden` for who is not an owner of the first workspace, which is the installation's."""
        self.access.require_everywhere(Permission.WORKSPACE_WRITE)
        if self.store.default_workspace_id() != self.workspace_id:
            raise Forbidden("this takes an owner of the installation's first workspace")

    def narrowed(
        self, query: Select[Any], column: InstrumentedAttribute[str], permission: Permission
    ) -> Select[Any]:
        """The query without what the caller has the permission for not."""
        ids = self.access.ids(permission)
        return query if ids is None else query.where(column.in_(ids))


@dataclass(frozen=True)
class Paging:
    count: int
    cursor: str | None


InContext = NamedDependency[Context]
Pages = NamedDependency[Paging]
Id = FromPath[str]


def provide_context(request: ApiRequest) -> Context:
    state = request.app.state
    principal = request.auth
    return Context(
        state.store,
        state.metadata,
        state.recent,
        state.delivery,
        state.http,
        state.runtime,
        state.workshop,
        state.inserted,
        principal.workspace_id,
        principal.actor,
        principal.access,
        request.scope["state"].get(STATE),
    )


def provide_paging(request: ApiRequest) -> Paging:
    """`pagination[count]` and `pagination[cursor]`, or the same with a dot; raises `Invalid`."""
    cursor = _parameter(request, "cursor")
    return Paging(
        count=number(request, "pagination.count", _parameter(request, "count"), DEFAULT_COUNT, 1, MAX_COUNT),
        cursor=None if cursor in (None, "", FIRST) else cursor,
    )


def number(request: ApiRequest, name: str, text: str | None, default: int, least: int, most: int) -> int:
    """A whole number of the query, within bounds; raises `Invalid`."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise Invalid(f"this must be a whole number from {least} to {most}", field=name)
    return int(text)


def _parameter(request: ApiRequest, name: str) -> str | None:
    query = request.query_params
    return query.get(f"pagination[{name}]", query.get(f"pagination.{name}"))
