"""The controls of a source's schema configuration: their names in the Public API, and what is in force."""

from collections.abc import Mapping
from typing import Any

from onward.pipeline.governance.spec import Controls, OnCommonViolation

Json = dict[str, Any]

DEFAULTS: dict[str, Json] = {
    "track": {
        "allowUnplannedEvents": True,
        "allowUnplannedEventProperties": True,
        "allowEventOnViolations": True,
        "allowPropertiesOnViolations": True,
        "commonEventOnViolations": "ALLOW",
    },
    **{
        type: {
            "allowUnplannedTraits": True,
            "allowTraitsOnViolations": True,
            "commonEventOnViolations": "ALLOW",
        }
        for type in ("identify", "group")
    },
}
"""Everything passes."""


def controls_of(stored: Mapping[str, Json]) -> dict[str, Controls]:
    """`track`, `identify`, `group` as the data plane has them. `stored` is what was set of each."""
    track = {**DEFAULTS["track"], **stored.get("track", {})}
    found = {
        "track": Controls(
            allow_unplanned_events=track["allowUnplannedEvents"],
            allow_unplanned_fields=track["allowUnplannedEventProperties"],
            allow_events_on_violations=track["allowEventOnViolations"],
            allow_fields_on_violations=track["allowPropertiesOnViolations"],
            on_common_violation=_on_violation(track["commonEventOnViolations"]),
        )
    }
    for type in ("identify", "group"):
        given = {**DEFAULTS[type], **stored.get(type, {})}
        found[type] = Controls(
            allow_unplanned_fields=given["allowUnplannedTraits"],
            allow_fields_on_violations=given["allowTraitsOnViolations"],
            on_common_violation=_on_violation(given["commonEventOnViolations"]),
        )
    return found


def _on_violation(name: str) -> OnCommonViolation:
    match name:
        case "ALLOW" | "BLOCK":
            return name
        case _:  # OMIT_PROPERTIES, OMIT_TRAITS
            return "OMIT"
