"""FQL, the language of destination filters and transformations (spec §7.1–7.3), as the server evaluates it.

Triggers are written in another language that looks alike (`onward.pipeline.triggers`, spec §22.6).
"""

from onward.pipeline.fql.ast import Node, to_text
from onward.pipeline.fql.compiler import Predicate, compile, compile_tree, compile_value
from onward.pipeline.fql.errors import FqlError, FqlEvaluationError
from onward.pipeline.fql.ir import to_ir
from onward.pipeline.fql.parser import MAX_BYTES, MAX_DEPTH, parse

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "FqlError",
    "FqlEvaluationError",
    "Node",
    "Predicate",
    "compile",
    "compile_tree",
    "compile_value",
    "parse",
    "to_ir",
    "to_text",
]
