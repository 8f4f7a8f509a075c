"""Keys of a subscription's mapping that are no fields (spec §9.4): the sync mode, the key by which records
are matched, and what hooks have left. Actions read them from the mapping as it stands; payloads are made
without them.
"""

from collections.abc import Mapping
from typing import Any

SYNC_MODE = "__segment_internal_sync_mode"
MATCHING_KEY = "__segment_internal_matching_key"
HOOKS = ("onMappingSave", "retlOnMappingSave")
"""Each `{"inputs": …, "outputs": …}`: what it was asked for when the mapping was saved, and its answer."""
RESERVED = frozenset((SYNC_MODE, MATCHING_KEY, *HOOKS))


def without_reserved(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a mapping that makes the payload."""
    return {key: value for key, value in mapping.items() if key not in RESERVED}
