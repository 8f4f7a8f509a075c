"""Functions with their code, insert functions, and edge functions (spec §10, §18.1).

A file has the latest code of a function, and `deployed: true` if that is what was deployed last. A function
that is deployed and has a newer draft is written without: `apply` then leaves alone what is deployed. An
instance that an older version was left on says `deployed: false`, and is left alone, too.
"""

from collections.abc import Container, Sequence

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import select
from sqlalchemy.orm import Session

from onward.workspace import edge_functions as edge_edits
from onward.workspace import functions as function_edits
from onward.workspace import insert_functions as instance_edits
from onward.workspace.entities import (
    Destination,
    EdgeFunction,
    Function,
    FunctionVersion,
    InsertInstance,
    Source,
)
from onward.workspace.errors import at, naming
from onward.workspace.function_catalogue import (
    FunctionSetting,
    SettingType,
    definition_of,
    is_function,
    slug_of,
)
from onward.workspace.function_code import CheckCode, Language
from onward.workspace.function_deployment import deploy
from onward.workspace.function_instances import Instance, instances_of
from onward.workspace.functions import Kind
from onward.workspace.parts.base import Json, Options, Part, only, refuse_twins, resolved, written
from onward.workspace.store import Editor


class SettingPart(Part):
    """A setting that a function asks for; see `FunctionSetting`."""

    name: str
    type: SettingType
    label: str = ""
    description: str = ""
    required: bool = False
    sensitive: bool = False


class FunctionPart(Part):
    name: str
    type: Kind
    code: str
    language: Language | None = None
    """Found out unless given."""
    settings: list[SettingPart] = msgspec.field(default_factory=list)
    description: str = ""
    logo_url: str = ""
    batch_max_count: int = function_edits.DEFAULT_BATCH
    monthly_hours: float | None = None
    deployed: bool = False
    """Whether the code above is to be what runs, but where an instance says otherwise. False changes nothing
    about what does."""


class InsertedPart(Part):
    """An insert function at its place: before a destination, or after a source."""

    function: str
    """Name of the function."""
    name: str
    enabled: bool | UnsetType = UNSET
    deployed: bool = True
    """False: if the function is to be deployed, this stays with what it runs."""
    settings: Json = msgspec.field(default_factory=dict)


Place = tuple[str, ...]
"""How a document knows an instance of a function."""


def place_of_source(slug: str) -> Place:
    return ("source", slug)


def place_of_destination(source: str, name: str) -> Place:
    return ("destination", source, name)


def place_of_inserted(place: Place) -> Place:
    """`place`: the destination or source that it stands before or after."""
    return ("inserted", *place)


def function_parts(session: Session, workspace_id: str) -> list[FunctionPart]:
    return [_function_part(session, function) for function in _functions(session, workspace_id)]


def converge_functions(editor: Editor, parts: Sequence[FunctionPart], held: Container[Place] = ()) -> None:
    """`held`: the instances that stay with what they run."""
    refuse_twins("functions", [f"{part.type} {part.name}" for part in parts])
    there = {(each.kind, each.name): each for each in _functions(editor.session, editor.workspace.id)}
    for index, part in enumerate(parts):
        with at(f"functions[{index}]"), naming(displayName="name"):
            _function(editor, part, there.get((part.type, part.name)), held)


def check_functions(
    session: Session, workspace_id: str, parts: Sequence[FunctionPart], check: CheckCode
) -> None:
    """Check what is not saved already, before there is a transaction to hold up. Raises `Invalid`."""
    there = {(each.kind, each.name): each for each in _functions(session, workspace_id)}
    for index, part in enumerate(parts):
        function = there.get((part.type, part.name))
        if function is None or function_edits.latest_version(session, function).code != part.code:
            with at(f"functions[{index}]"):
                function_edits.checked_code(check, part.code, part.language)


def prune_functions(editor: Editor, parts: Sequence[FunctionPart]) -> None:
    """Delete those that the document leaves out, once nothing uses them."""
    kept = {(part.type, part.name) for part in parts}
    for function in _functions(editor.session, editor.workspace.id):
        if (function.kind, function.name) not in kept:
            function_edits.delete_function(editor, function)


def function_named(editor: Editor, kind: Kind, name: str, field: str) -> Function:
    """Raises `Invalid`."""
    functions = _functions(editor.session, editor.workspace.id)
    found = [each for each in functions if (each.kind, each.name) == (kind, name)]
    return only(found, f"{kind} function", name, field)


def name_of_function(session: Session, kind: Kind, definition: str | None) -> str | None:
    """The name of the function of this kind that a definition's slug stands for; None for any other slug."""
    if definition is None or not is_function(definition):
        return None
    query = select(Function).where(Function.kind == kind)
    return next((each.name for each in session.scalars(query) if slug_of(each) == definition), None)


def is_held(session: Session, instance: Instance) -> bool:
    """Whether it was left on an older version when the latest was deployed."""
    if instance.function_version_id is None:
        return False
    version = session.get_one(FunctionVersion, instance.function_version_id)
    function = session.get_one(Function, version.function_id)
    return function.deployed_id == function.latest_id != version.id


def inserted_part(session: Session, place: Destination | Source) -> InsertedPart | None:
    instance = _instance(session, place)
    if instance is None:
        return None
    return InsertedPart(
        function=instance.function.name,
        name=instance.name,
        enabled=instance.enabled,
        deployed=not is_held(session, instance),
        settings=written(instance.settings, instance.secrets, *_words(place), "insert"),
    )


def converge_inserted(
    editor: Editor, part: InsertedPart | None, place: Destination | Source, options: Options
) -> None:
    instance = _instance(editor.session, place)
    if part is None:
        if instance is not None and options.prune:
            instance_edits.delete_instance(editor, instance)
        return
    kind: Kind = "INSERT_DESTINATION" if isinstance(place, Destination) else "INSERT_SOURCE"
    function = function_named(editor, kind, part.function, "function")
    if instance is not None and instance.function_id != function.id:
        instance_edits.delete_instance(editor, instance)
        instance = None
    secrets = instance.secrets if instance is not None else {}
    settings = resolved(part.settings, secrets, options, *_words(place), "insert")
    if instance is None:
        with naming(integrationId=""):  # that is the place, where we are
            instance_edits.create_instance(
                editor,
                function,
                place,
                name=part.name,
                enabled=False if part.enabled is UNSET else part.enabled,
                settings=settings,
            )
        return
    version_id = instance.function_version_id
    known = definition_of(editor.session, editor.workspace, function, version_id).settings
    instance_edits.update_instance(
        editor,
        instance,
        name=part.name,
        enabled=part.enabled,
        settings=dict.fromkeys(known) | settings,
    )


def edge_functions_part(session: Session, source: Source) -> str | None:
    """Address of the bundle."""
    query = select(EdgeFunction).where(EdgeFunction.source_id == source.id)
    latest = session.scalar(query.order_by(EdgeFunction.version.desc()).limit(1))
    return latest.download_url or None if latest is not None else None


def converge_edge_functions(editor: Editor, url: str | None, source: Source) -> None:
    current = edge_functions_part(editor.session, source)
    if url == current:
        return
    if url is None:
        edge_edits.disable(editor, source)
    else:
        with naming(uploadURL="edgeFunctions"):
            edge_edits.create(editor, source, url)


def _function(editor: Editor, part: FunctionPart, function: Function | None, held: Container[Place]) -> None:
    settings = [FunctionSetting(**msgspec.structs.asdict(each)) for each in part.settings]
    if function is None:
        function = function_edits.create_function(
            editor,
            kind=part.type,
            name=part.name,
            code=part.code,
            language=part.language,
            settings=settings,
            description=part.description,
            logo_url=part.logo_url,
            batch_max_count=part.batch_max_count,
            monthly_hours=part.monthly_hours,
        )
    else:
        function_edits.update_function(
            editor,
            function,
            code=part.code,
            language=part.language,
            settings=settings,
            description=part.description,
            logo_url=part.logo_url,
            batch_max_count=part.batch_max_count,
            monthly_hours=part.monthly_hours,
        )
    if part.deployed:
        every = instances_of(editor.session, function).all
        deploy(editor, function, [each for each in every if _place(each) not in held])


def _function_part(session: Session, function: Function) -> FunctionPart:
    latest = function_edits.latest_version(session, function)
    return FunctionPart(
        name=function.name,
        type=msgspec.convert(function.kind, Kind),
        code=latest.code,
        language="TYPESCRIPT" if latest.language == "TYPESCRIPT" else None,
        settings=msgspec.convert(latest.settings, list[SettingPart]),
        description=function.description,
        logo_url=function.logo_url,
        batch_max_count=function.batch_max_count,
        monthly_hours=function.monthly_hours,
        deployed=function.deployed_id == function.latest_id,
    )


def _functions(session: Session, workspace_id: str) -> Sequence[Function]:
    query = select(Function).where(Function.workspace_id == workspace_id)
    return session.scalars(query.order_by(Function.kind, Function.name)).all()


def _instance(session: Session, place: Destination | Source) -> InsertInstance | None:
    on_destination = isinstance(place, Destination)
    column = InsertInstance.destination_id if on_destination else InsertInstance.source_id
    return session.scalar(select(InsertInstance).where(column == place.id))


def _words(place: Destination | Source) -> tuple[str, ...]:
    return (place.source.slug, place.name) if isinstance(place, Destination) else (place.slug,)


def _place(instance: Instance) -> Place:
    if isinstance(instance, Source):
        return place_of_source(instance.slug)
    if isinstance(instance, Destination):
        return place_of_destination(instance.source.slug, instance.name)
    beside = instance.destination or instance.source
    assert beside is not None
    return place_of_inserted(_place(beside))
