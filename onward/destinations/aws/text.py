"""JSON and text as JavaScript writes them, so that files and records hold what Segment's would."""

import re
from typing import Any

import orjson

from onward.pipeline.javascript import stringify, to_string

_UNLIKE_JAVASCRIPT = re.compile(rb'[0-9](?:\.0(?=[]},]|$)|e[-+]?[0-9]+(?=[]},]|$)|[0-9]{15}|":)')
"""Whole floats, exponents, numbers beyond 2⁵³, numbered keys: finding one in a text costs time only."""


def to_json(value: Any) -> bytes:
    """JSON.stringify. Raises ValueError for what JSON can't hold."""
    try:
        encoded = orjson.dumps(value)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"it can't be written as JSON: {error}") from None
    return str(stringify(value)).encode() if _UNLIKE_JAVASCRIPT.search(encoded) else encoded


def cell(value: Any) -> str:
    """A value in a file of columns: always quoted, objects as JSON, nothing for what is missing."""
    if value is None:
        return '""'
    if isinstance(value, dict | list):
        text = to_json(value).decode()
    else:
        text = value if isinstance(value, str) else to_string(value)
    return '"' + text.replace('"', '""') + '"'
