"""Destinations and sources that are functions, as entries of the catalogues that their workspace sees
(spec §10.10).

The catalogue of the installation is the same for everybody and never changes; a workspace's functions do.
So they are looked up in the workspace, whenever they are asked for.
"""

from sqlalchemy.orm import Session, object_session

from onward.api.catalog_shapes import DestinationMetadata, SourceMetadata
from onward.api.context import Context
from onward.api.metadata import FUNCTIONS, destination_metadata, field_of, source_function_metadata
from onward.destinations.definition import Definition, Listing
from onward.workspace.entities import Destination, Function, Source, Workspace
from onward.workspace.function_catalogue import (
    definition_of,
    destination_functions,
    find_destination_function,
    find_source_function,
    is_function,
    source_functions,
)
from onward.workspace.roles import Permission

CATEGORY = FUNCTIONS


def deployed_functions(context: Context, session: Session) -> dict[str, Definition]:
    """By slug, those that the caller may see."""
    workspace = session.get_one(Workspace, context.workspace_id)
    found = (
        _definition(session, workspace, function)
        for function in destination_functions(session, workspace.id)
        if function.deployed_id and context.access.to(Permission.FUNCTION_READ, function.id)
    )
    return {each.slug: each for each in found}


def find_entry(context: Context, key: str) -> Definition | None:
    """Of a function that the caller may see, by metadata id or slug; also one that was never deployed, which
    is by being connected."""
    with context.reading() as session:
        function = find_destination_function(session, context.workspace_id, key)
        if function is None or not context.access.to(Permission.FUNCTION_READ, function.id):
            return None
        return _definition(session, session.get_one(Workspace, context.workspace_id), function)


def entry_definition(context: Context, destination: Destination) -> Definition:
    """What a stored destination is: of a function, in the version that it runs."""
    session = object_session(destination)
    if session is not None and is_function(destination.definition):
        function = find_destination_function(session, context.workspace_id, destination.definition)
        if function is not None:
            workspace = session.get_one(Workspace, context.workspace_id)
            return _definition(session, workspace, function, destination.function_version_id)
    return context.metadata.definition(destination.definition)


def entry_metadata(context: Context, destination: Destination) -> DestinationMetadata:
    """The catalogue's entry of a stored destination."""
    if is_function(destination.definition):
        return destination_metadata(entry_definition(context, destination))
    return context.metadata.destination(destination.definition)


def deployed_source_functions(context: Context) -> list[SourceMetadata]:
    """Those that the caller may see, as entries of the catalogue of sources."""
    with context.reading() as session:
        workspace = session.get_one(Workspace, context.workspace_id)
        return [
            source_function_metadata(definition_of(session, workspace, function))
            for function in source_functions(session, workspace.id)
            if function.deployed_id and context.access.to(Permission.FUNCTION_READ, function.id)
        ]


def find_source_entry(context: Context, key: str) -> SourceMetadata | None:
    """Of a source function that the caller may see, by metadata id or slug, deployed or not."""
    with context.reading() as session:
        function = find_source_function(session, context.workspace_id, key)
        if function is None or not context.access.to(Permission.FUNCTION_READ, function.id):
            return None
        workspace = session.get_one(Workspace, context.workspace_id)
        return source_function_metadata(definition_of(session, workspace, function))


def source_entry(context: Context, source: Source) -> SourceMetadata:
    """The catalogue's entry of a stored source: of a function, in the version that it runs."""
    session = object_session(source)
    if session is not None and is_function(source.kind):
        function = find_source_function(session, context.workspace_id, source.kind)
        if function is not None:
            workspace = session.get_one(Workspace, context.workspace_id)
            found = definition_of(session, workspace, function, source.function_version_id)
            return source_function_metadata(found)
    return context.metadata.sources[source.kind]


def _definition(
    session: Session, workspace: Workspace, function: Function, version_id: str | None = None
) -> Definition:
    """`version_id`: what an instance runs; None for what is to be connected."""
    found = definition_of(session, workspace, function, version_id)
    return Definition(
        slug=found.slug,
        id=found.id,
        name=found.name,
        description=found.description,
        settings={name: field_of(each) for name, each in found.fields.items()},
        listing=Listing(categories=(CATEGORY,)),
    )
