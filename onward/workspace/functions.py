"""Functions: write, save, restore, delete (spec §10.10).

Each save of code or settings is a version, which never changes. The latest is what was saved or restored
last; which one runs where, `onward.workspace.function_deployment` says. Before the first deployment there
are no instances: to connect a function is to deploy it.

For the runtime: a snapshot of the configuration is kept for each change, so code, up to a megabyte a
function, has no place in it. It belongs there by the version's id; `FunctionVersion` rows are immutable and
stay as long as their function.
"""

import secrets
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from onward.workspace import audit, ids
from onward.workspace.entities import Function, FunctionVersion
from onward.workspace.errors import Conflict, Invalid, NotFound
from onward.workspace.function_catalogue import FunctionSetting, settings_of
from onward.workspace.function_code import CheckCode, Code, Language
from onward.workspace.function_instances import instances_of
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


def delete_function(editor: Editor, function: Function) -> None:
    """With its versions; raises `Conflict` while instances use it."""
    names = [each.name for each in instances_of(editor.session, function).all]
    if names:
        raise Conflict(
            f"the function {function.name} is in use by {', '.join(names[:5])}"
            f"{' and others' if len(names) > 5 else ''}; delete what uses it first"
        )
    editor.deleted(function)


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
