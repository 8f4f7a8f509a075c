"""Deploy functions: which version runs, and where (spec §10.10).

What is deployed is always the latest version. It becomes the function's deployed one, which whatever is
connected from then on runs, and goes to all instances or to some; the others stay with theirs, and are
behind. So what runs is the deployed version or an older one, and all of these stay with their function.
"""

from collections.abc import Collection, Sequence

from onward.workspace import audit
from onward.workspace.entities import Function, FunctionVersion
from onward.workspace.errors import Conflict
from onward.workspace.function_catalogue import FunctionSetting, settings_of
from onward.workspace.function_instances import Instance, instances_of, sealed_identity
from onward.workspace.functions import latest_version
from onward.workspace.store import Editor


def deploy(editor: Editor, function: Function, to: Collection[Instance] | None = None) -> None:
    """Make the latest version the deployed one, and what the instances `to` run: all, for None.

    Their stored settings follow: what has become sensitive is sealed, what is no setting any more is
    forgotten. Raises `Conflict` for what is stored as a secret somewhere and would be a plain setting, which
    would show it, and for a setting whose type is another than that of a value that an instance has.
    """
    latest = latest_version(editor.session, function)
    every = instances_of(editor.session, function).all
    chosen = [each for each in every if to is None or each in to]
    moving = [each for each in chosen if each.function_version_id != latest.id]
    if function.deployed_id == latest.id and not moving:
        return
    in_use = {function.deployed_id, *(each.function_version_id for each in every)}
    for id in sorted(id for id in in_use if id is not None):
        former = editor.session.get_one(FunctionVersion, id)
        _check_stays_sensitive(former, settings_of(former), settings_of(latest))
    for instance in moving:
        _check_values_fit(editor, instance, latest)
    before = audit.state(function)
    function.deployed_id = latest.id
    function.deployed_at = latest.deployed_at = editor.now
    function.updated_at = editor.now
    editor.session.flush()
    after = audit.state(function) | {"instances": [each.id for each in moving]}
    editor.record(function, "Function Deployed", before, after)
    for instance in moving:
        _move(editor, instance, latest)


def ensure_deployed(editor: Editor, function: Function) -> str:
    """For what is to be connected: the id of the version that it runs."""
    if function.deployed_id is None:
        deploy(editor, function)
    assert function.deployed_id is not None
    return function.deployed_id


def _move(editor: Editor, instance: Instance, version: FunctionVersion) -> None:
    before = audit.state(instance)
    instance.function_version_id = version.id
    sensitive = {setting.name: setting.sensitive for setting in settings_of(version)}
    instance.secrets = {name: sealed for name, sealed in instance.secrets.items() if name in sensitive} | {
        name: editor.cipher.seal_value(value, sealed_identity(instance, name))
        for name, value in instance.settings.items()
        if sensitive.get(name)
    }
    instance.settings = {
        name: value for name, value in instance.settings.items() if sensitive.get(name) is False
    }
    editor.modified(instance, before)


def _check_stays_sensitive(
    version: FunctionVersion, former: Sequence[FunctionSetting], later: Sequence[FunctionSetting]
) -> None:
    sealed = {setting.name for setting in former if setting.sensitive}
    for index, setting in enumerate(later):
        if setting.name in sealed and not setting.sensitive:
            raise Conflict(
                f"the setting {setting.name} is sensitive in version {version.number}, which runs, and can't "
                "become plain; give the plain one another name",
                field=f"settings[{index}].sensitive",
            )


def _check_values_fit(editor: Editor, instance: Instance, later: FunctionVersion) -> None:
    former = editor.session.get_one(FunctionVersion, instance.function_version_id)
    types = {setting.name: setting.type for setting in settings_of(former)}
    for index, setting in enumerate(settings_of(later)):
        has_value = setting.name in instance.settings or setting.name in instance.secrets
        if has_value and types.get(setting.name, setting.type) != setting.type:
            raise Conflict(
                f"{instance.name} has a value for the setting {setting.name} that is of the type "
                f"{types[setting.name]}, and not {setting.type}; give the setting another name, or remove "
                "that value first",
                field=f"settings[{index}].type",
            )
