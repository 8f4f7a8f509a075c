"""Where functions are in use: what runs one, with settings of its own, and in which version (spec §10.10).

An instance is a destination that is a function, a source that is one, or an insert function at its place.
Each has the version that it runs (`function_version_id`): the one that was deployed when it was connected,
and after that whichever was deployed to it (`onward.workspace.function_deployment`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace.compile import secret_identity
from onward.workspace.compile_functions import insert_secret_identity, source_secret_identity
from onward.workspace.entities import Destination, Function, InsertInstance, Source
from onward.workspace.errors import Invalid
from onward.workspace.function_catalogue import slug_of

Instance = Destination | InsertInstance | Source


@dataclass(frozen=True)
class Instances:
    """Where a function is in use, the oldest first."""

    destinations: Sequence[Destination]
    inserted: Sequence[InsertInstance]
    sources: Sequence[Source]

    @property
    def all(self) -> list[Instance]:
        return [*self.destinations, *self.inserted, *self.sources]


def instances_of(session: Session, function: Function) -> Instances:
    destinations = select(Destination).where(Destination.definition == slug_of(function))
    inserted = select(InsertInstance).where(InsertInstance.function_id == function.id)
    sources = select(Source).where(Source.kind == slug_of(function))
    return Instances(
        session.scalars(destinations.order_by(Destination.created_at, Destination.id)).all(),
        session.scalars(inserted.order_by(InsertInstance.created_at, InsertInstance.id)).all(),
        session.scalars(sources.order_by(Source.created_at, Source.id)).all(),
    )


def find_instances(session: Session, function: Function, ids: Collection[str] | None) -> list[Instance]:
    """Those with these ids, or all for None; raises `Invalid`, with the place in `instanceIds`."""
    every = instances_of(session, function).all
    if ids is None:
        return every
    known = {each.id for each in every}
    for index, id in enumerate(ids):
        if id not in known:
            raise Invalid(f"{function.name} has no instance {id}", field=f"instanceIds[{index}]")
    return [each for each in every if each.id in ids]


def source_of(instance: Instance) -> Source:
    """The source whose events the function gets, or makes."""
    if isinstance(instance, Source):
        return instance
    if isinstance(instance, Destination):
        return instance.source
    if instance.destination is not None:
        return instance.destination.source
    assert instance.source is not None
    return instance.source


def destination_of(instance: Instance) -> Destination | None:
    """The destination that the function is, or stands before; None at a source."""
    if isinstance(instance, Source):
        return None
    return instance if isinstance(instance, Destination) else instance.destination


def sealed_identity(instance: Instance, setting: str) -> str:
    """What the sealed setting of an instance is bound to."""
    if isinstance(instance, Destination):
        return secret_identity(instance.id, setting)
    if isinstance(instance, Source):
        return source_secret_identity(instance.id, setting)
    return insert_secret_identity(instance.id, setting)
