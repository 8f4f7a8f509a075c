"""The integrations object of an event (spec §6.1): which destinations it is for, and options for them.

    {"All": false, "Webhooks": true, "Appsflyer": {"appsflyerId": "1234"}}

A destination's own name decides, then `All`, then the default. Names are case-sensitive; a destination may
be named by any of its previous names. A function's name is `function_key(…)`.
"""

from typing import Any

FILTERED = "FILTERED_BY_INTEGRATIONS_OBJECT"
"""Discard code (spec §12.4)."""


def allows(integrations: Any, names: tuple[str, ...], default_enabled: bool = True) -> bool:
    """Whether an event with this integrations object is for the destination of these names.

    `default_enabled=False` is for destinations that must be asked for by name, such as Salesforce; `All`
    is not enough for them. An object is a yes with options, null as if nothing were said, and anything
    that is neither boolean nor object counts by its truth in JavaScript.
    """
    if type(integrations) is not dict or not integrations:
        return default_enabled
    for name in names:
        value = integrations.get(name)
        if value is not None:
            return _is_yes(value)
    if not default_enabled:
        return False
    value = integrations.get("All")
    return value is None or _is_yes(value)


def named(integrations: Any, names: tuple[str, ...]) -> bool:
    """Whether an event says itself whether it is for the destination of these names."""
    return type(integrations) is dict and any(integrations.get(name) is not None for name in names)


def options(integrations: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """The options that the event carries for this destination, {} if it carries none."""
    if type(integrations) is dict:
        for name in names:
            value = integrations.get(name)
            if value is not None:
                return value if type(value) is dict else {}
    return {}


def function_key(function: str, workspace: str) -> str:
    """The name of a destination function in integrations objects."""
    return f"{function} ({workspace})"


def _is_yes(value: Any) -> bool:
    return value is True or type(value) in (dict, list) or bool(value)
