"""The intermediate representation that browsers evaluate (spec §7.3), for destination filters in device
mode.

`event in ['A', 'B']` is `["in", "event", {"value": [{"value": "A"}, {"value": "B"}]}]`: a string is a path,
`{"value": v}` a literal, an array an operation.

The browser's evaluator (`@segment/tsub`) differs from the server's in what spec §7.3 lists, and: it knows
only the operations of `DEVICE_OPERATIONS`; it evaluates functions only as operands of a comparison, not
within one another; it can't reach a field with a dot in its name; null and a missing field are not equal
to it; it looks up the elements of a list that the event holds as if they were paths; and it compares a
literal list with one in the event by their representations, so that they are never equal.
"""

from typing import Any

from onward.pipeline.fql.ast import And, Call, Compare, ListOf, Literal, Node, Not, Or, Path

DEVICE_OPERATIONS = frozenset(
    {"and", "or", "!", "=", "!=", "<", "<=", ">", ">=", "in",
     "contains", "match", "lowercase", "typeof", "length", "semver"}
)  # fmt: skip


def to_ir(node: Node) -> Any:
    """The nested arrays; the matcher's `ir` is their JSON."""
    match node:
        case Path(segments):
            return ".".join(segment.replace(".", "\\.") for segment in segments)
        case Literal(value):
            return {"value": value}
        case ListOf(items):
            return {"value": [to_ir(item) for item in items]}
        case Call(name, args):
            return [name, *map(to_ir, args)]
        case Compare(op, left, right):
            return [op, to_ir(left), to_ir(right)]
        case Not(operand):
            return ["!", to_ir(operand)]
        case And(operands):
            return ["and", *map(to_ir, operands)]
        case Or(operands):
            return ["or", *map(to_ir, operands)]
