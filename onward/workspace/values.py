"""Settings checked against the fields of a definition."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from onward.pipeline.fields.conditions import compile_conditional
from onward.workspace.definitions import Definition, Field, is_secret
from onward.workspace.errors import Invalid

KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a text"),
    "text": ((str,), "a text"),
    "password": ((str,), "a text"),
    "datetime": ((str,), "a time in ISO 8601"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
    "object": ((dict,), "an object"),
    "text_map": ((dict,), "an object of texts"),
}


LEVELS = 100
"""Of JSON that people set."""


def settle(
    definition: Definition, given: Mapping[str, Any], stored: Mapping[str, Any], *, complete: bool = True
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`(settings, secrets)`, all in clear text: what is stored, changed by what is given.

    None removes a setting; a setting without a value gets its default. Raises `Invalid` with the field
    `settings.<name>` if a setting is unknown, of the wrong kind, or, of a `complete` whole, required and
    missing.
    """
    for name in given:
        if name not in definition.settings:
            known = ", ".join(definition.settings) or "none"
            raise Invalid(
                f"{definition.name} has no setting {name}; it has: {known}", field=f"settings.{name}"
            )
    settings: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    for name, field in definition.settings.items():
        value = given[name] if name in given else stored.get(name)
        if value is None:
            value = field.default
        where = f"settings.{name}"
        if value is None or (value == "" and field.required):
            if complete and field.required is True:
                raise Invalid(f"{definition.name} needs the setting {name}", field=where)
            continue
        check_value(field, value, where)
        (secrets if is_secret(field) else settings)[name] = value
    if complete:
        _check_conditions(definition, settings | secrets)
    return settings, secrets


def _check_conditions(definition: Definition, values: Mapping[str, Any]) -> None:
    """For settings that are required only where others have certain values."""
    for name, field in definition.settings.items():
        if isinstance(field.required, Mapping) and compile_conditional(None, name, field.required).missing(
            dict(values)
        ):
            raise Invalid(
                f"{definition.name} needs the setting {name} with the other settings as they are",
                field=f"settings.{name}",
            )


def check_depth(value: Any, where: str) -> None:
    """Raises `Invalid` with the field `where` for JSON that could not be written to a document and back."""
    level = [value]
    for _ in range(LEVELS):
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            return
    raise Invalid(f"this is nested too deeply: {LEVELS} levels are possible", field=where)


def check_value(field: Field, value: Any, where: str) -> None:
    """Raises `Invalid` with the field `where`."""
    if not field.multiple:
        _check_one(field, value, where)
        return
    if not isinstance(value, list):
        raise Invalid("this must be a list", field=where)
    for index, item in enumerate(value):
        _check_one(field, item, f"{where}[{index}]")


def _check_one(field: Field, value: Any, where: str) -> None:
    check_depth(value, where)
    kinds, words = KINDS[field.type]
    fits = isinstance(value, kinds) and (not isinstance(value, bool) or bool in kinds)
    if fits and isinstance(value, dict) and field.type == "text_map":
        fits = all(isinstance(each, str) for each in value.values())
    if not fits:
        raise Invalid(f"this must be {words}", field=where)
    if field.type == "datetime":
        _check_time(str(value), where)
    if field.choices and value not in field.choices:
        raise Invalid(f"this must be one of: {', '.join(map(str, field.choices))}", field=where)
    if isinstance(value, int | float):
        if field.minimum is not None and value < field.minimum:
            raise Invalid(f"this must be at least {field.minimum:g}", field=where)
        if field.maximum is not None and value > field.maximum:
            raise Invalid(f"this must be at most {field.maximum:g}", field=where)


def _check_time(value: str, where: str) -> None:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        raise Invalid("this must be a time in ISO 8601, such as 2030-01-31T12:00:00Z", field=where) from None
