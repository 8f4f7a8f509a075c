"""Functions: write, save, restore, deploy, delete (spec §10.10).

Each save of code or settings is a version, which never changes. The latest is what was saved or restored
last; the deployed one is what instances run. Before the first deployment there are no instances: to connect
a function is to deploy it.

For the runtime: a snapshot of the configuration is kept for each change, so code, up to a megabyte a
function, has no place in it. It belongs there by the version's id; `FunctionVersion` rows are immutable and
stay as long as their function.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.compile import secret_identity, source_secret_identity
from onward.workspace.compile_functions import insert_secret_identity
from onward.workspace.entities import Destination, Function, FunctionVersion, InsertInstance, Source
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.function_catalogue import FunctionSetting, settings_of, slug_of
from onward.workspace.function_code import CheckCode, Code, Language
from onward.workspace.names import check_name
from onward.workspace.store import Editor

Kind = Literal["SOURCE", "DESTINATION", "INSERT_DESTINATION", "INSERT_SOURCE"]

MAX_CODE = 1 << 20
"""Bytes."""
MAX_NAME = 120
MAX_DESCRIPTION = 4096
MAX_SETTINGS = 100
DEFAULT_BATCH = 20
MAX_BATCH = 400
"""Events (spec §10.4)."""
MAX_HOURS = 1_000_000


Instance = Destination | InsertInstance | Source
"""What runs a function with settings of its own."""


@dataclass(frozen=True)
class Instances:
    """Where a function is in use."""

    destinations: Sequence[Destination]
    inserted: Sequence[InsertInstance]
    sources: Sequence[Source]

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def all(self) -> list[Instance]:
        return [*self.destinations, *self.inserted, *self.sources]

    @property
    def source_ids(self) -> set[str]:
        """The sources whose events it gets, or makes."""
        ids = {destination.source_id for destination in self.destinations}
        ids |= {source.id for source in self.sources}
        return ids | {source_of(instance) for instance in self.inserted}


def source_of(instance: InsertInstance) -> str:
    """The source whose events an insert function gets."""
    if instance.destination is not None:
        return instance.destination.source_id
    assert instance.source_id is not None
    return instance.source_id


def get_function(session: Session, workspace_id: str, id: str) -> Function:
    """Raises `NotFound`."""
    function = session.get(Function, id)
    if function is None or function.workspace_id != workspace_id:
        raise NotFound(f"there is no function {id}")
    return function


def get_version(session: Session, function: Function, id: str) -> FunctionVersion:
    """Raises `NotFound`."""
    version = session.get(FunctionVersion, id)
    if version is None or version.function_id != function.id:
        raise NotFound(f"the function {function.name} has no version {id}")
    return version


def latest_version(session: Session, function: Function) -> FunctionVersion:
    return session.get_one(FunctionVersion, function.latest_id)


def version_before(session: Session, function: Function, version: FunctionVersion) -> FunctionVersion:
    """The one saved before; of the first, itself."""
    query = select(FunctionVersion).where(
        FunctionVersion.function_id == function.id, FunctionVersion.number == version.number - 1
    )
    return session.scalar(query) or version


def instances_of(session: Session, function: Function) -> Instances:
    destinations = select(Destination).where(Destination.definition == slug_of(function))
    inserted = select(InsertInstance).where(InsertInstance.function_id == function.id)
    sources = select(Source).where(Source.kind == slug_of(function))
    return Instances(
        session.scalars(destinations.order_by(Destination.created_at, Destination.id)).all(),
        session.scalars(inserted.order_by(InsertInstance.created_at, InsertInstance.id)).all(),
        session.scalars(sources.order_by(Source.created_at, Source.id)).all(),
    )


def create_function(
    editor: Editor,
    *,
    kind: Kind,
    name: str,
    code: str,
    language: Language | None = None,
    settings: Sequence[FunctionSetting] = (),
    description: str = "",
    logo_url: str = "",
    batch_max_count: int = DEFAULT_BATCH,
    monthly_hours: float | None = None,
) -> Function:
    """Saved, and not deployed. Without a language, TypeScript is told from JavaScript by its types."""
    there = editor.session.scalar(
        select(func.count()).select_from(Function).where(Function.workspace_id == editor.workspace.id)
    )
    if there is not None and there >= editor.max_functions:
        raise Conflict(
            f"the workspace has {there} functions; more are not possible (the setting max_functions)"
        )
    name = _own_name(editor, name)
    _check_name(editor, kind, name, None)
    _check_words(description, logo_url, batch_max_count, monthly_hours)
    function = Function(
        id=ids.resource_id(),
        workspace_id=editor.workspace.id,
        kind=kind,
        name=name,
        description=description,
        logo_url=logo_url,
        created_by=editor.actor.id,
        catalog_id=secrets.token_hex(12),
        batch_max_count=batch_max_count,
        monthly_hours=monthly_hours,
        latest_id=ids.resource_id(),
        deployed_id=None,
        deployed_at=None,
        created_at=editor.now,
        updated_at=editor.now,
    )
    version = _version(editor, function, 1, checked_code(editor.check_code, code, language), settings)
    version.id = function.latest_id
    editor.created(function)
    editor.session.add(version)
    editor.session.flush()
    return function


def update_function(
    editor: Editor,
    function: Function,
    *,
    name: str | UnsetType = UNSET,
    code: str | UnsetType = UNSET,
    language: Language | UnsetType | None = UNSET,
    settings: Sequence[FunctionSetting] | UnsetType = UNSET,
    description: str | UnsetType = UNSET,
    logo_url: str | UnsetType = UNSET,
    batch_max_count: int | UnsetType = UNSET,
    monthly_hours: float | UnsetType | None = UNSET,
) -> bool:
    """Change what is given; whether anything differs. Other code or settings make a new version."""
    before = audit.state(function)
    if name is not UNSET:
        name = _own_name(editor, name)
        _check_name(editor, function.kind, name, function)
        function.name = name
    if description is not UNSET:
        function.description = description
    if logo_url is not UNSET:
        function.logo_url = logo_url
    if batch_max_count is not UNSET:
        function.batch_max_count = batch_max_count
    if monthly_hours is not UNSET:
        function.monthly_hours = monthly_hours
    _check_words(function.description, function.logo_url, function.batch_max_count, function.monthly_hours)
    latest = latest_version(editor.session, function)
    kept = _code_of(latest)
    text = kept.text if code is UNSET else code
    asked = language or (kept.language if text == kept.text else None)
    new_code = kept
    if text != kept.text or asked != kept.language:
        new_code = checked_code(editor.check_code, text, asked)
    new_settings = settings_of(latest) if settings is UNSET else list(settings)
    if (new_code.text, new_code.language) != (kept.text, kept.language) or new_settings != settings_of(
        latest
    ):
        _save(editor, function, latest.number + 1, new_code, new_settings)
    return editor.modified(function, before)


def restore_version(editor: Editor, function: Function, version: FunctionVersion) -> FunctionVersion:
    """A copy of the version as the new latest one."""
    before = audit.state(function)
    latest = latest_version(editor.session, function)
    restored = _save(editor, function, latest.number + 1, _code_of(version), settings_of(version))
    editor.modified(function, before)
    return restored


def deploy(editor: Editor, function: Function) -> None:
    """Make the latest version the one that instances run.

    Their stored settings follow: what has become sensitive is sealed, what is no setting any more is
    forgotten. A sensitive setting can't become a plain one, which would show what was stored as a secret.
    """
    latest = latest_version(editor.session, function)
    if function.deployed_id == latest.id:
        return
    if function.deployed_id is not None:
        deployed = settings_of(editor.session.get_one(FunctionVersion, function.deployed_id))
        _check_stays_sensitive(deployed, settings_of(latest))
    before = audit.state(function)
    function.deployed_id = latest.id
    function.deployed_at = latest.deployed_at = editor.now
    function.updated_at = editor.now
    editor.session.flush()
    editor.record(function, "Function Deployed", before, audit.state(function))
    instances = instances_of(editor.session, function)
    sensitive = {setting.name: setting.sensitive for setting in settings_of(latest)}
    for instance in instances.all:
        _follow(editor, instance, sensitive)


def ensure_deployed(editor: Editor, function: Function) -> None:
    """For what is to be connected."""
    if function.deployed_id is None:
        deploy(editor, function)


def delete_function(editor: Editor, function: Function) -> None:
    """With its versions; raises `Conflict` while instances use it."""
    instances = instances_of(editor.session, function)
    if instances:
        names = [each.name for each in instances.all]
        raise Conflict(
            f"the function {function.name} is in use by {', '.join(names[:5])}"
            f"{' and others' if len(names) > 5 else ''}; delete what uses it first"
        )
    editor.deleted(function)


def sealed_identity(instance: Instance, setting: str) -> str:
    """What the sealed setting of an instance is bound to."""
    if isinstance(instance, Destination):
        return secret_identity(instance.id, setting)
    if isinstance(instance, Source):
        return source_secret_identity(instance.id, setting)
    return insert_secret_identity(instance.id, setting)


def _follow(editor: Editor, instance: Instance, sensitive: dict[str, bool]) -> None:
    before = audit.state(instance)
    instance.secrets = {name: sealed for name, sealed in instance.secrets.items() if name in sensitive} | {
        name: editor.cipher.seal_value(value, sealed_identity(instance, name))
        for name, value in instance.settings.items()
        if sensitive.get(name)
    }
    instance.settings = {
        name: value for name, value in instance.settings.items() if sensitive.get(name) is False
    }
    editor.modified(instance, before)


def _check_stays_sensitive(former: Sequence[FunctionSetting], later: Sequence[FunctionSetting]) -> None:
    sealed = {setting.name for setting in former if setting.sensitive}
    for index, setting in enumerate(later):
        if setting.name in sealed and not setting.sensitive:
            raise Conflict(
                f"the setting {setting.name} is sensitive in the deployed version and can't become plain; "
                "give the plain one another name",
                field=f"settings[{index}].sensitive",
            )


def _save(
    editor: Editor, function: Function, number: int, code: Code, settings: Sequence[FunctionSetting]
) -> FunctionVersion:
    version = _version(editor, function, number, code, settings)
    editor.session.add(version)
    editor.session.flush()
    function.latest_id = version.id
    return version


def _version(
    editor: Editor, function: Function, number: int, code: Code, settings: Sequence[FunctionSetting]
) -> FunctionVersion:
    _check_settings(settings)
    return FunctionVersion(
        id=ids.resource_id(),
        function_id=function.id,
        number=number,
        code=code.text,
        language=code.language,
        compiled=code.compiled,
        handlers=None if code.handlers is None else list(code.handlers),
        settings=msgspec.to_builtins(list(settings)),
        author=editor.actor.id,
        created_at=editor.now,
        deployed_at=None,
    )


def checked_code(check: CheckCode, text: str, language: Language | None) -> Code:
    """What is saved. May be slow: who makes a change asks before its transaction, and finds it in there.
    Raises `Invalid`."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if not text.strip():
        raise Invalid("the code is empty", field="code")
    if size > MAX_CODE:
        raise Invalid(f"the code has {size} bytes; {MAX_CODE} are allowed", field="code")
    return check(text, language)


def _code_of(version: FunctionVersion) -> Code:
    return Code(
        text=version.code,
        language=msgspec.convert(version.language, Language),
        compiled=version.compiled,
        handlers=None if version.handlers is None else tuple(version.handlers),
    )


def _check_settings(settings: Sequence[FunctionSetting]) -> None:
    if len(settings) > MAX_SETTINGS:
        raise Invalid(f"there are {len(settings)} settings; {MAX_SETTINGS} are allowed", field="settings")
    seen: set[str] = set()
    for index, setting in enumerate(settings):
        check_name(setting.name, f"settings[{index}].name")
        if setting.name in seen:
            raise Invalid(f"there are two settings named {setting.name}", field=f"settings[{index}].name")
        seen.add(setting.name)


def _own_name(editor: Editor, name: str) -> str:
    """Without the workspace's, where a caller sends back what an answer said."""
    return name.removesuffix(f" ({editor.workspace.name})")


def _check_name(editor: Editor, kind: str, name: str, function: Function | None) -> None:
    check_name(name, "displayName", MAX_NAME)
    taken = editor.session.scalar(
        select(Function.id).where(
            Function.workspace_id == editor.workspace.id, Function.kind == kind, Function.name == name
        )
    )
    if taken is not None and (function is None or taken != function.id):
        raise Conflict(f"there is a function named {name} already", field="displayName")


def _check_words(description: str, logo_url: str, batch_max_count: int, monthly_hours: float | None) -> None:
    if len(description) > MAX_DESCRIPTION:
        raise Invalid(f"the description has more than {MAX_DESCRIPTION} characters", field="description")
    if logo_url and not logo_url.startswith(("https://", "http://")):
        raise Invalid("this must be the address of an image, https://…", field="logoUrl")
    if not 1 <= batch_max_count <= MAX_BATCH:
        raise Invalid(f"this must be a whole number from 1 to {MAX_BATCH}", field="batchMaxCount")
    if monthly_hours is not None and not 0 <= monthly_hours < MAX_HOURS:
        raise Invalid("this must be a number of hours, 0 or more, or absent", field="monthlyHours")
