"""The language of destination filters: its grammar, its meaning, its errors (spec §7.1, §7.2)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.pipeline.strategies import conditions, events

from onward.pipeline import fql
from onward.pipeline.fql import FqlError, FqlEvaluationError
from onward.pipeline.fql.ast import Literal, Path

BUTTON = {
    "event": "Button Clicked",
    "type": "track",
    "context": {"library": {"name": "analytics.js", "version": "1.0"}},
    "properties": {
        "features": ["discounts", "dark-mode"],
        "n": 5,
        "yes": True,
        "product 1": {"price": "19.99"},
    },
    "userId": None,
}


def holds(text: str, event: dict = BUTTON, **how: bool) -> bool:
    result = fql.compile(text, **how)(event)
    assert type(result) is bool
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("event='Button Clicked'", True),
        ("event = 'Screen Tapped'", False),
        ("context.path.path='/login'", False),
        ("type = 'identify' or type = 'track'", True),
        ("event = 'Button Clicked' and type = 'track'", True),
        ("match(context.library.version,'1.*')", True),
        ("match( context.library.version, '2.*' )", False),
        ("type='track' and (event='Click' or match(event,'Button *'))", True),
        ("!contains(context.library.name,'js')", False),
        ("'dark-mode' in properties.features", True),
        ("'blink' in properties.features", False),
        ("!( type in ['track', 'identify'] )", False),
    ],
)
def test_truth_table_of_the_documentation(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Grammar
        ('event = "Button Clicked"', True),
        ("properties.product\\ 1.price = '19.99'", True),
        ("true or false and false", True),
        ("(true or false) and false", False),
        ("! true or true", True),
        ("!!true", True),
        ("properties.yes", True),
        ("properties.n", False),
        ("'true'", False),
        ("userId", False),
        ("!userId", True),
        ("5 < properties.n or properties.n >= 5", True),
        ("(properties.n > 4) = true", True),
        ("'it\\'s' = \"it's\"", True),
        ("'a\\\\b' = 'a\\\\b'", True),
        # Equality: same type and equal
        ("properties.n = '5'", False),
        ("properties.n = 5.0", True),
        ("properties.yes = 1", False),
        ("1 = properties.yes", False),
        ("0 = false", False),
        ("missing = null", True),
        ("userId = null", True),
        ("missing != 'x'", True),
        ("properties.features = ['discounts', 'dark-mode']", True),
        ("properties.features = ['dark-mode', 'discounts']", False),
        ("properties.features != ['discounts']", True),
        # Order is for numbers
        ("event > 'A'", False),
        ("'b' > 'a'", False),
        ("properties.yes >= 1", False),
        ("missing < 1", False),
        ("-1.5e1 < -14", True),
        # Membership
        ("null in ['a', null]", True),
        ("missing in ['a']", False),
        ("1 in [true]", False),
        ("5 in properties.missing", False),
        ("'a' in event", False),
        ("event in ['x', event]", True),
        ("false in [false]", True),
        # Functions
        ("length(properties.features) = 2", True),
        ("length('a') = 1 and length('ア') = 3", True),
        ("length(userId) < 1", True),
        ("lowercase('ABC') = 'abc' and uppercase('abc') = 'ABC'", True),
        ("lowercase(null) = null and lowercase(5) = null", True),
        ("snakecase('test string') = 'test_string'", True),
        ("kebabcase('test string') = 'test-string'", True),
        ("titlecase('test string') = 'Test String'", True),
        ("typeof(event) = 'string' and typeof(properties.n) = 'number'", True),
        ("typeof(properties.features) = 'list' and typeof(properties.yes) = 'bool'", True),
        ("typeof(missing) = 'null' and typeof(null) = 'null'", True),
        ("typeof(properties) = 'object'", True),
        ("contains(null, 'a') or contains(properties.n, '5')", False),
        ("match(null, '*')", False),
        ("match(event, event)", True),
        ("bool(0) or bool('') or bool('False') or bool(null)", False),
        ("bool(1) and bool('yes') and bool(properties.features)", True),
        ("string(properties.n) = '5' and string(1.0) = '1' and string(true) = 'true'", True),
        ('string(properties.features) = \'["discounts","dark-mode"]\'', True),
        ("number('5') = properties.n and number(' 1.50 ') = 1.5 and number(null) = null", True),
        ("semver('1.10', '>', '1.9.3') and !semver('1.x', '=', '1.0')", True),
        ("contains(lowercase(event), 'button')", True),
        # Lists by index, as in browsers
        ("properties.features.1 = 'dark-mode'", True),
        ("properties.features.01 = 'dark-mode'", False),
        ("properties.features.2 = null", True),
    ],
)
def test_meaning(text: str, expected: bool) -> None:
    assert holds(text) is expected


def test_objects_are_equal_in_the_same_order_only() -> None:
    event = {
        "a": {"x": 1, "y": [True]},
        "b": {"x": 1.0, "y": [True]},
        "c": {"y": [True], "x": 1},
        "d": {"x": 1, "y": [1]},
    }
    assert holds("a = b", event)
    assert holds("a != c and a != d", event)
    assert holds("a in [d, b]", event)


def test_times_are_ordered_only_on_request() -> None:
    event = {"type": "track", "receivedAt": "2024-05-06T07:08:09.000Z"}
    recipe = "received_at >= '2024-05-06T00:00:00+00:00'"
    assert not holds(recipe, event)
    assert holds(recipe, event, strict=False)
    assert not holds("receivedAt < '2024-01-01'", event, strict=False)
    assert not holds("type < 'zebra'", event, strict=False)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 0, "expected a value or a field, found the end"),
        ('userId = oops"', 13, "no closing quote"),
        ("a =", 3, "the end of the text"),
        ("a b", 2, "expected an operator or the end, found 'b'"),
        ("a and", 5, "the end of the text"),
        ("(a", 2, "expected ')'"),
        ("a)", 1, "found ')'"),
        ("a..b", 1, "a field name is missing"),
        ("a.", 1, "a field name is missing"),
        ("naïve", 2, "put a backslash before it"),
        ("size(a) = 1", 0, "there is no function 'size'; there are bool, contains"),
        ("contains(a)", 0, "contains() takes 2 arguments, not 1"),
        ("contains(a b)", 11, "expected ',' or ')'"),
        ("a in ['x' 'y']", 10, "expected ',' or ']'"),
        ("a in [length(b)]", 6, "a list holds values and fields"),
        ("match(a, '[x')", 9, "never closed"),
        ("a = 1e999", 4, "too large"),
        ("a\\", 1, "nothing follows this backslash"),
        ("a AND b", 2, "found 'AND'"),
        ("a = 1 = 2", 6, "expected an operator or the end"),
    ],
)
def test_errors_name_the_place(text: str, position: int, words: str) -> None:
    with pytest.raises(FqlError) as caught:
        fql.parse(text)
    assert caught.value.position == position
    assert words in str(caught.value)
    assert str(caught.value).endswith(f"(at character {position + 1})")


@pytest.mark.parametrize("text", ["length(properties) > 0", "length(properties.n) = 1", "number(event) = 1"])
def test_what_has_no_answer_raises(text: str) -> None:
    with pytest.raises(FqlEvaluationError):
        fql.compile(text)(BUTTON)


@pytest.mark.parametrize("opening", ["(", "!", "[", "length(", "!(", "a = (", "lowercase(a = ("])
def test_deep_nesting_is_an_error_and_no_crash(opening: str) -> None:
    with pytest.raises(FqlError, match="nested too deeply"):
        fql.parse(opening * (5_000 // len(opening)))


@pytest.mark.parametrize(
    ("opening", "inner", "closing"),
    [
        ("(", "a.b.c = 1", ")"),
        ("!", "a", ""),
        ("lowercase(", "a.b.c.d", ")"),
        ("x.y.z = (", "a", ")"),
        ("1 < (", "a", ")"),
        ("a or (b and ", "c", ")"),
        ("contains((", "a", "), 'b')"),
        ("match(uppercase(", "a", "), 'b')"),
    ],
)
def test_the_deepest_nesting_allowed_runs(opening: str, inner: str, closing: str) -> None:
    levels = sum(opening.count(sign) for sign in "(![")
    times = fql.MAX_DEPTH // levels
    text = opening * times + inner + closing * times
    assert fql.compile(text)({"type": "track"}) in (True, False)
    assert fql.parse(fql.to_text(fql.parse(text))) == fql.parse(text)


def test_long_flat_texts_run() -> None:
    many = " or ".join(["a=1"] * 720)
    assert len(many) < fql.MAX_BYTES
    assert not holds(many, {})
    assert holds(many.replace("a=1", "!a", 1), {})
    assert not holds(".".join("a" * 2_500), {"a": 1})


def test_longest_text() -> None:
    assert holds("'" + "a" * (fql.MAX_BYTES - 11) + "' != 'b'", {})
    with pytest.raises(FqlError, match="the text has 5121 bytes, at most 5120 are allowed"):
        fql.parse("'" + "ア" * 1704 + "' != 'b'")


@given(conditions)
def test_text_and_tree_are_inverse(tree: fql.Node) -> None:
    assert fql.parse(fql.to_text(tree)) == tree


@settings(max_examples=150)
@given(conditions, events(), st.booleans())
def test_every_tree_compiles_and_answers(tree: fql.Node, event: dict, strict: bool) -> None:
    predicate = fql.compile_tree(tree, strict=strict)
    try:
        answer = predicate(event)
    except FqlEvaluationError:
        return
    assert type(answer) is bool
    assert predicate(event) is answer


_PIECES = [
    "a",
    "in",
    "and",
    "or",
    "!",
    "=",
    "<=",
    "(",
    ")",
    "[",
    "]",
    ",",
    "'x'",
    "1",
    " ",
    "\\",
    "null",
    ".",
]
pieces = st.lists(st.sampled_from(_PIECES)).map("".join)


@settings(max_examples=300)
@given(st.text() | pieces)
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        tree = fql.parse(text)
    except FqlError as error:
        assert 0 <= error.position <= len(text)
    else:
        assert fql.parse(fql.to_text(tree)) == tree
        fql.compile(text)


def test_nothing_of_the_text_is_executed() -> None:
    text = "a\\'\\)\\ or\\ __import__\\(\\'os\\'\\) = '\\');__import__(\"os\")#'"
    tree = fql.parse(text)
    assert tree.left == Path(("a') or __import__('os')",))
    assert tree.right == Literal('\');__import__("os")#')
    assert not holds(text, {})


def test_ir() -> None:
    tree = fql.parse("event = 'Order Completed' and contains(properties.email, '@x.com') and !(a in [1, b])")
    assert fql.to_ir(tree) == [
        "and",
        ["=", "event", {"value": "Order Completed"}],
        ["contains", "properties.email", {"value": "@x.com"}],
        ["!", ["in", "a", {"value": [{"value": 1}, "b"]}]],
    ]
