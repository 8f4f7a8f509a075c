"""Compile a template: python-liquid reads it, the functions made here run it.

python-liquid's own rendering follows Ruby's Liquid; Segment's engine is liquidjs, where numbers, missing
values, comparisons and filters behave as JavaScript has them. So only its parser is used.

Known differences to liquidjs, all of syntax: output and filters take no comparisons (`{{ a == b }}`,
`{% if a | size > 1 %}`); strings can't hold their own quotation mark, even after a backslash; words and bars
left over at the end of an output (`{{ a b }}`, `{{ a | }}`) are errors; `case`, which Segment documents and
its engine refuses, works; `cycle`, `break`, `continue` and `block` don't exist.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any

from liquid import Environment
from liquid import ast as nodes
from liquid.builtin.content import ContentNode, Literal
from liquid.builtin.expressions import logical, primitive
from liquid.builtin.expressions.filtered import Filter, FilteredExpression
from liquid.builtin.expressions.path import Path
from liquid.builtin.illegal import Illegal
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags import (
    assign_tag,
    capture_tag,
    case_tag,
    comment_tag,
    decrement_tag,
    echo_tag,
    if_tag,
    increment_tag,
    inline_comment_tag,
    liquid_tag,
    unless_tag,
)
from liquid.exceptions import LiquidError as SyntaxProblem

from onward.pipeline.javascript import UNDEFINED, to_number
from onward.pipeline.liquid.filters import COSTS, DISABLED, FILTERS, SHALLOW
from onward.pipeline.liquid.scope import LiquidError, Scope
from onward.pipeline.liquid.values import (
    BLANK,
    EMPTY,
    NIL,
    contains,
    equals,
    less,
    less_or_equal,
    plain,
    text,
    truthy,
)

Evaluate = Callable[[Scope], Any]
Render = Callable[[Scope], str]

TAGS = (
    *(Literal, Output, Illegal, if_tag.IfTag, unless_tag.UnlessTag, case_tag.CaseTag, assign_tag.AssignTag),
    *(capture_tag.CaptureTag, comment_tag.CommentTag, inline_comment_tag.InlineCommentTag, echo_tag.EchoTag),
    *(increment_tag.IncrementTag, decrement_tag.DecrementTag, liquid_tag.LiquidTag),
)


class _Parser(Environment):
    shorthand_indexes = True
    logical_not_operator = True
    block_nesting_limit = 200

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        for tag in TAGS:
            self.add_tag(tag)


_PARSER = _Parser()


def compile_program(template: str) -> Render:
    """A function that runs the template. Raises LiquidError if the template can't be read."""
    if template.endswith("\n"):
        # The parser drops a line's end at the end of a template after `-%}`, unless something follows it.
        template += "{{ '' }}"
    try:
        return _block(_PARSER.from_string(template).nodes)
    except SyntaxProblem as error:
        raise LiquidError(f"the Liquid template can't be read: {error.message}") from None


def _block(parts: Any) -> Render:
    renders = [_node(part) for part in parts]
    if len(renders) == 1:
        return renders[0]
    return lambda scope: "".join([render(scope) for render in renders])


def _node(node: Any) -> Render:
    match node:
        case ContentNode():
            content = node.text
            return lambda scope: content
        case OutputNode():
            return _output(_filtered(node.expression))
        case comment_tag.CommentNode():
            return lambda scope: ""
        case assign_tag.AssignNode():
            return _assign(str(node.name), _filtered(node.expression))
        case capture_tag.CaptureNode():
            return _assign(str(node.name), _block(node.block.nodes))
        case if_tag.IfNode():
            return _conditional(_condition(node.condition), node)
        case unless_tag.UnlessNode():
            condition = _condition(node.condition)
            return _conditional(lambda scope: not truthy(condition(scope)), node)
        case case_tag.CaseNode():
            return _case(node)
        case increment_tag.IncrementNode():
            return _count(str(node.name), before=0, after=1)
        case decrement_tag.DecrementNode():
            return _count(str(node.name), before=-1, after=0)
        case liquid_tag.LiquidNode():
            return _block(node.block.nodes)
        case nodes.BlockNode():
            return _block(node.nodes)
    raise LiquidError(f"the Liquid template holds {node}, which isn't supported")


def _output(evaluate: Evaluate) -> Render:
    def output(scope: Scope) -> str:
        value = evaluate(scope)
        scope.charge(value)
        return text(value)

    return output


def _assign(name: str, evaluate: Evaluate) -> Render:
    def assign(scope: Scope) -> str:
        scope.variables[name] = evaluate(scope)
        return ""

    return assign


def _conditional(condition: Evaluate, node: Any) -> Render:
    branches = [(condition, _block(node.consequence.nodes))]
    branches += [(_condition(other.expression), _block(other.block.nodes)) for other in node.alternatives]
    default = _block(node.default.nodes) if node.default else None

    def conditional(scope: Scope) -> str:
        for holds, render in branches:
            if truthy(holds(scope)):
                return render(scope)
        return default(scope) if default else ""

    return conditional


def _case(node: Any) -> Render:
    subject = _expression(node.expression)
    branches = []
    default: Render | None = None
    for block in node.blocks:
        if isinstance(block, case_tag.MultiExpressionBlockNode):
            values = [_expression(value) for value in block.expression.expressions]
            branches.append((values, _block(block.block.nodes)))
        else:
            default = _block(block.nodes)

    def case(scope: Scope) -> str:
        value = subject(scope)

        def is_one_of(candidates: list[Evaluate]) -> bool:
            for candidate in candidates:
                scope.charge(value)
                if equals(value, candidate(scope)):
                    return True
            return False

        rendered = [render(scope) for candidates, render in branches if is_one_of(candidates)]
        return "".join(rendered) if rendered or not default else default(scope)

    return case


def _count(name: str, *, before: int, after: int) -> Render:
    """Counters start from 0, or from a number of that name in the data."""

    def count(scope: Scope) -> str:
        current = scope.counters.get(name, scope.data.get(name))
        number = current if type(current) is int or type(current) is float else 0
        scope.counters[name] = number + before + after
        return text(number + before)

    return count


def _condition(expression: Any) -> Evaluate:
    return _expression(expression.expression)


def _filtered(expression: Any) -> Evaluate:
    if not isinstance(expression, FilteredExpression):
        return _expression(expression)
    evaluate = _expression(expression.left)
    for step in expression.filters or ():
        evaluate = _filter(evaluate, step)
    return evaluate


def _filter(evaluate: Evaluate, step: Filter) -> Evaluate:
    name = step.name
    if name in DISABLED:

        def disabled(scope: Scope) -> Any:
            raise LiquidError(f'filter "{name}" is disabled')

        return disabled
    function = FILTERS.get(name)
    if function is None:
        return evaluate
    # A named argument reaches a filter as the pair of its name and its value.
    arguments = [(getattr(argument, "name", None), _expression(argument.value)) for argument in step.args]
    defaults = inspect.getfullargspec(function).defaults or ()
    cost, shallow = COSTS.get(name, 1), name in SHALLOW

    def filtered(scope: Scope) -> Any:
        subject = plain(evaluate(scope))
        values = [
            plain(value(scope)) if key is None else [key, plain(value(scope))] for key, value in arguments
        ]
        if shallow:
            scope.spend(len(subject) if type(subject) in (str, list, dict) else 0)
        else:
            scope.charge(subject, cost)
            scope.charge(values, cost)
        for at, default in enumerate(defaults[: len(values)]):
            if values[at] is UNDEFINED:
                values[at] = default
        return function(scope, subject, *values)

    return filtered


def _expression(expression: Any) -> Evaluate:
    match expression:
        case Path():
            return _path(expression.path)
        case primitive.StringLiteral():
            return _constant(_unescaped(str(expression.value)))
        case primitive.Literal():
            return _constant(expression.value)
        case primitive.Nil():
            return _constant(NIL)
        case primitive.Empty():
            return _constant(EMPTY)
        case primitive.Blank():
            return _constant(BLANK)
        case primitive.RangeLiteral():
            return _range(_expression(expression.start), _expression(expression.stop))
        case logical.BooleanExpression():
            return _expression(expression.expression)
        case logical.LogicalNotExpression():
            return _negation(expression.right)
    operator = OPERATORS.get(type(expression))
    if operator is None:
        raise LiquidError(f"the Liquid template holds {expression}, which isn't supported")
    left, right = _expression(expression.left), _expression(expression.right)
    if isinstance(expression, LOGICAL):
        return lambda scope: operator(left(scope), right(scope))

    def compared(scope: Scope) -> bool:
        one, other = left(scope), right(scope)
        scope.charge(one)
        scope.charge(other)
        return operator(one, other)

    return compared


LOGICAL = (logical.LogicalAndExpression, logical.LogicalOrExpression)
OPERATORS: dict[type, Callable[[Any, Any], bool]] = {
    logical.EqExpression: equals,
    logical.NeExpression: lambda left, right: not equals(left, right),
    logical.LtExpression: less,
    logical.LeExpression: less_or_equal,
    logical.GtExpression: lambda left, right: less(right, left),
    logical.GeExpression: lambda left, right: less_or_equal(right, left),
    logical.ContainsExpression: contains,
    logical.LogicalAndExpression: lambda left, right: truthy(left) and truthy(right),
    logical.LogicalOrExpression: lambda left, right: truthy(left) or truthy(right),
}


def _negation(operand: Any) -> Evaluate:
    """`not` binds tighter than `and` and `or`, and looser than comparisons."""
    for kind in LOGICAL:
        if isinstance(operand, kind):
            left, right, operator = _negation(operand.left), _expression(operand.right), OPERATORS[kind]
            return lambda scope: operator(left(scope), right(scope))
    evaluate = _expression(operand)
    return lambda scope: not truthy(evaluate(scope))


def _constant(value: Any) -> Evaluate:
    return lambda scope: value


def _path(segments: list[Any]) -> Evaluate:
    if all(isinstance(segment, str | int) for segment in segments) and isinstance(segments[0], str):
        return lambda scope: scope.resolve(segments)
    keys = [_path(part.path) if isinstance(part, Path) else _constant(part) for part in segments]

    def computed(scope: Scope) -> Any:
        path = [key(scope) for key in keys]
        scope.charge(path)
        return scope.resolve(path) if type(path[0]) is str else UNDEFINED

    return computed


def _range(start: Evaluate, stop: Evaluate) -> Evaluate:
    def numbers(scope: Scope) -> list[int]:
        bounds = [plain(start(scope)), plain(stop(scope))]
        scope.charge(bounds)
        low, high = map(to_number, bounds)
        if low != low or high != high or high < low:
            return []
        scope.spend(int(min(high - low + 1, 1e15)))
        return list(range(int(low), int(high) + 1))

    return numbers


_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|[0-7]{1,3}|.)", re.DOTALL)
_CONTROL = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unescaped(literal: str) -> str:
    return _ESCAPE.sub(_character, literal) if "\\" in literal else literal


def _character(escape: re.Match[str]) -> str:
    code = escape[1]
    if code[0] == "u" and len(code) == 5:
        return chr(int(code[1:], 16)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return chr(int(code, 8)) if code[0] in "01234567" else _CONTROL.get(code, code)
