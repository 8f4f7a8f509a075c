"""The filters by name, and those that are refused."""

from collections.abc import Callable
from typing import Any

from onward.pipeline.liquid import filters_array, filters_date, filters_math, filters_text

FILTERS: dict[str, Callable[..., Any]] = {
    **filters_text.FILTERS,
    **filters_math.FILTERS,
    **filters_array.FILTERS,
    **filters_date.FILTERS,
}

SHALLOW = frozenset(
    ["size", "first", "last", "compact", "push", "unshift", "pop", "shift", "slice", "default", "raw"]
)
"""Those that don't look into the items of a list."""

COSTS = {
    **dict.fromkeys(filters_date.FILTERS, 8),
    "where": 2,
}
"""Of reading a unit, where it is more than 1: see `MAX_WORK`."""

DISABLED = frozenset(
    [
        *(
            "array_to_sentence_string",
            "concat",
            "find",
            "find_exp",
            "find_index",
            "find_index_exp",
            "group_by",
        ),
        *(
            "group_by_exp",
            "has",
            "has_exp",
            "map",
            "newline_to_br",
            "reject",
            "reject_exp",
            "reverse",
            "sort",
        ),
        *("sort_natural", "uniq", "where_exp", "type"),
        # By chance, so that a replay would give something else.
        "sample",
    ]
)
"""Segment's list, and one more."""
