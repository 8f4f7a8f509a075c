"""Triggers, mappings and filters as the pipeline judges them, told as errors of the workspace."""

from typing import Any

from onward.pipeline import mapping as mappings
from onward.pipeline import triggers
from onward.pipeline.filter_validation import validate_filter
from onward.pipeline.mapping.compiler import ROOT
from onward.pipeline.mapping.reserved import RESERVED, SYNC_MODE, without_reserved
from onward.workspace.definitions import Action
from onward.workspace.errors import Invalid
from onward.workspace.values import check_depth

KEYS = RESERVED | {ROOT}
"""Of a mapping, besides fields."""


def check_trigger(trigger: str) -> None:
    """Raises `Invalid` with the position of what is wrong."""
    try:
        triggers.check(trigger)
    except triggers.TriggerError as error:
        raise Invalid(str(error), field="trigger") from error


def check_filter(condition: str, actions: list[dict[str, Any]]) -> None:
    """Raises `Invalid` with the field `condition` or `actions[n]`."""
    for problem in validate_filter("a title", condition, actions):
        field, _, message = problem.partition(": ")
        raise Invalid(message, field="condition" if field == "if" else field)


def check_mapping(action: Action, mapping: dict[str, Any], *, complete: bool) -> None:
    """Raises `Invalid` with the field `mapping` or `mapping.<name>`.

    Only a `complete` mapping must have the required fields: presets and drafts need not, and stay disabled
    until they do.
    """
    for name in mapping:
        if name not in action.fields and name not in KEYS and name not in action.hooks:
            known = ", ".join(action.fields) or "none"
            raise Invalid(f"the action {action.slug} has no field {name}; it has: {known}", f"mapping.{name}")
    for name, field in action.fields.items():
        # What conditions require shows only in payloads, and so does what a root directive makes.
        needed = complete and field.required is True and ROOT not in mapping
        if needed and mapping.get(name) is None:
            raise Invalid(f"the action {action.slug} needs the field {name} to be enabled", f"mapping.{name}")
    _check_sync_mode(action, mapping.get(SYNC_MODE))
    check_depth(mapping, "mapping")
    for problem in mappings.validate(without_reserved(mapping)):
        place = problem.path.strip("/").replace("/", ".")
        raise Invalid(f"this {problem.message}", f"mapping.{place}" if place else "mapping")


def _check_sync_mode(action: Action, mode: Any) -> None:
    offered = tuple(action.sync_mode.choices) if action.sync_mode else ()
    if mode is not None and mode not in offered:
        known = ", ".join(offered) or "none"
        message = f"the action {action.slug} has no sync mode {mode}; it has: {known}"
        raise Invalid(message, f"mapping.{SYNC_MODE}")
