"""The trigger language (spec §7.4): reading, evaluating, writing and refusing triggers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.pipeline import triggers
from onward.pipeline.triggers import Condition, Group, TriggerError, builder

EVENT = {
    "type": "track",
    "event": "Order Completed",
    "userId": "u1",
    "name": None,
    "properties": {"revenue": 10, "plan": "pro", "n": "5", "ok": True, "items": [{"sku": "a"}], "none": None},
    "context": {"app": {"name": "shop"}},
}


@pytest.mark.parametrize(
    ("fql", "expected"),
    [
        ('type = "track"', True),
        ('type = "identify" or type = "track"', True),
        ('type = "track" and event = "order completed"', False),
        ('type = "track" and (event = "X" or event = "Order Completed")', True),
        ("properties.revenue = 10", True),
        ('properties.revenue = "10"', False),
        ("properties.n = 5", False),
        ("properties.revenue != 11", True),
        ("properties.missing != 11", False),
        ('properties.missing != "x"', True),
        ('properties.ok != "true"', True),
        ("properties.revenue >= 10 and properties.revenue < 10.5", True),
        ("properties.n > 4", False),
        ("properties.ok = true", True),
        ("properties.ok = false", False),
        ("properties.none = null", True),
        ("properties.missing = null", True),
        ("properties.plan != null", True),
        ('contains(event, "Order")', True),
        ('!contains(properties.missing, "x")', False),
        ('!contains(properties.plan, "x")', True),
        ('match(event, "Order*")', True),
        ('match(event, "*Completed")', True),
        ('!match(event, "*Completed")', False),
        ('properties.items.\\0.sku = "a"', True),
        ("properties.items.length = 1", True),
        ('context.app.name = "shop"', True),
        ("name = null", True),
        ("userId != null", True),
        ("event != null", True),  # event knows no null: the text "null" is meant
        ("userId = true", False),
    ],
)
def test_conditions(fql, expected):
    assert triggers.matches(fql, EVENT) is expected


@pytest.mark.parametrize(
    "fql", ["", "   ", "nonsense", 'type = "track', "(type = 1", "type", "()", 'a é = "x"']
)
def test_what_cannot_be_read_matches_nothing(fql):
    with pytest.raises(TriggerError):
        triggers.parse(fql)
    assert triggers.matches(fql, EVENT) is False
    with pytest.raises(TriggerError):
        triggers.check(fql)


def test_the_last_connective_of_a_level_decides():
    assert triggers.matches('type = "x" and event = "x" or userId = "u1"', EVENT)
    assert not triggers.matches('type = "track" or event = "x" and userId = "u1"', EVENT)


def test_a_call_closes_the_parentheses_around_it():
    assert triggers.matches('type = "track" and (contains(event, "x") or contains(event, "y"))', EVENT)


@pytest.mark.parametrize(
    ("fql", "position", "words"),
    [
        ('type = "track" and event = "A" or event = "B"', 31, "mixed"),
        ('type = "track" and foo = "x"', 19, "unknown field"),
        ('type == "track"', 5, "instead of =="),
        ("type = )", 7, "double quotes"),
        ("type = 'track'", 7, "double quotes"),
        ('type = "track" event = "x"', 15, "unexpected"),
        ('type = "track" and', 18, "found the end"),
        ('(type = "a" or contains(event, "b"))', 15, "inside parentheses"),
        ('((type = "a"))', 1, "nested"),
        ('match(event, "abc")', 13, "*"),
        ('properties.x > "5"', 15, "needs a number"),
        ("properties = 5", 0, "needs a name"),
        ('!(type = "a")', 1, "expected contains or match"),
        ('contains(type, "x")', 9, "type"),
    ],
)
def test_check_names_the_mistake_and_its_place(fql, position, words):
    with pytest.raises(TriggerError) as caught:
        triggers.check(fql)
    assert caught.value.position == position
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "fql", ['type = "track" AND event = "A"', 'type = "track", event = "A"', "type = track or type = page"]
)
def test_check_lets_the_loose_spellings_of_presets_pass(fql):
    triggers.check(fql)


TEXT = st.text(st.characters(exclude_characters='"', exclude_categories=("Cs",)), max_size=8)
PATH = st.lists(
    st.text("abz_-9 $é", min_size=1, max_size=4) | st.sampled_from(["and", "null"]), min_size=1, max_size=3
).map(".".join)
NUMBER = st.integers(-(10**6), 10**6) | st.floats(-1000, 1000).map(lambda x: round(x, 3))
LITERAL = TEXT.filter(lambda text: text and "*" not in text)


@st.composite
def conditions(draw):
    subject = draw(st.sampled_from(["event-type", "event", "name", "userId"]))
    if draw(st.booleans()):
        return Condition(subject, draw(st.sampled_from(["=", "!="])), draw(TEXT))
    member = draw(st.sampled_from(["event-property", "event-trait", "event-context"]))
    path = draw(PATH)
    return draw(
        st.one_of(
            st.sampled_from(["exists", "not_exists", "is_true", "is_false"]).map(
                lambda op: Condition(member, op, name=path)
            ),
            st.tuples(st.sampled_from(["=", "!="]), TEXT).map(lambda p: Condition(member, *p, name=path)),
            st.tuples(
                st.sampled_from(["<", "<=", ">", ">=", "number_equals", "number_not_equals"]), NUMBER
            ).map(lambda p: Condition(member, *p, name=path)),
            st.tuples(
                st.sampled_from(["contains", "not_contains", "starts_with", "ends_with", "not_ends_with"]),
                LITERAL,
            ).map(lambda p: Condition(member, *p, name=path)),
        )
    )


@given(
    st.builds(
        Group, st.sampled_from(["and", "or"]), st.lists(conditions(), min_size=2, max_size=4).map(tuple)
    )
)
def test_what_is_generated_parses_to_the_same_tree_and_passes_the_check(group):
    text = triggers.generate(group)
    assert triggers.parse(text) == group
    triggers.check(text)


CONDITIONS = st.sampled_from(
    [
        *('type = "track"', "type = track", "type != null", 'event = "a b"', "event != true", "name = null"),
        *("userId != null", 'userId = "5"', "userId = false", "name = 5", 'contains(event, "x*")'),
        *('!contains(traits.a, "é😀")', 'match(event, "*")', 'match(name, "a*")', 'match(userId, "*a*")'),
        *('!match(properties.a.b, "*c")', "properties.a = 5", "properties.a = +5.50", "properties.a != -0"),
        *("properties.a <= 123456789012345678901234", "context.a > 0.00000001", "traits.a = word"),
        *(
            "properties.\\\\0.x\\\\ y = null",
            "properties.a = true",
            "properties.a != false",
            "traits.null = 1",
        ),
    ]
)


@given(
    st.lists(CONDITIONS, min_size=1, max_size=4),
    st.sampled_from([" and ", " or ", ", "]),
    st.lists(CONDITIONS.filter(lambda text: "(" not in text), max_size=3),
)
def test_a_trigger_that_passes_the_check_comes_back_from_its_tree(outer, connective, inner):
    fql = connective.join([*outer, f"({' or '.join(inner)})"] if inner else outer)
    try:
        triggers.check(fql)
    except TriggerError:
        return
    tree = triggers.parse(fql)
    again = triggers.generate(tree)
    triggers.check(again)
    assert triggers.parse(again) == tree
    assert triggers.generate(triggers.parse(again)) == again


FOUND = {"=": "a b", "!=": "x", "contains": "b", "not_contains": "x", "starts_with": "a", "ends_with": "b"}


@pytest.mark.parametrize(
    ("subject", "operator"),
    [(s, operator) for s, operators in builder.OFFERED.items() for operator in operators],
)
def test_the_form_can_say_all_that_it_offers(subject, operator):
    value = {**FOUND, "not_starts_with": "x", "not_ends_with": "x"}.get(operator)
    actual = "a b"
    if operator in builder.WITH_NUMBER:
        actual, value = 5, {"<": 6, "<=": 5, ">": 4.5, ">=": 5, "number_equals": 5}.get(operator, 7)
    elif operator in builder.WITHOUT_VALUE:
        actual = {"is_true": True, "is_false": False, "exists": "a", "not_exists": None}[operator]
    nested = subject.startswith("event-") and subject != "event-type"
    condition = Condition(subject, operator, value, "order id.9" if nested else None)
    found = {"order id": {"9": actual}}
    event = {"properties": found, "traits": found, "context": found}
    event |= dict.fromkeys(("type", "event", "name", "userId"), actual)
    for match in ("all", "any"):
        trigger = builder.build([condition, Condition("event-context", "exists", name="order id")], match)
        assert triggers.matches(trigger, event)
    trigger = builder.build([condition])
    assert triggers.matches(trigger, event)
    assert triggers.parse(trigger).children == (condition,)
    opposite = {"=": "!=", "contains": "not_contains", "starts_with": "not_starts_with"}.get(operator)
    if opposite in builder.OFFERED[subject]:
        assert not triggers.matches(
            builder.build([Condition(subject, opposite, value, condition.name)]), event
        )


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition("event", "=", 'a "quote"'), "can't hold a \""),
        (Condition("event", "exists"), "can't be compared with exists"),
        (Condition("event", "ends_with", "a*"), "would be read as"),
        (Condition("event-property", "<", "5", "a"), "needs a number"),
        (Condition("event-property", "=", 5, "a"), "needs a text"),
        (Condition("event-property", "=", "x", ""), "needs a name|unexpected|unknown|expected"),
    ],
)
def test_the_form_refuses_what_the_language_cannot_say(condition, words):
    with pytest.raises(TriggerError, match=words):
        builder.build([condition])


def test_the_form_asks_for_a_condition():
    with pytest.raises(TriggerError, match="needs a condition"):
        builder.build([])


FRAGMENTS = [
    *(
        "type",
        "event",
        "properties.x",
        "foo",
        " = ",
        "!=",
        " and ",
        " or ",
        "(",
        ")",
        '"track"',
        "5",
        "-",
        "!",
    ),
    *("contains", "match", ",", "null", "true", "'", "\\", ".", " ", "*", "é"),
]


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join) | st.text(max_size=30))
def test_no_text_makes_it_fail(fql):
    predicate = triggers.compile(fql)
    assert predicate(EVENT) in (True, False)
    assert predicate({}) in (True, False)
    try:
        triggers.check(fql)
    except TriggerError as error:
        assert 0 <= error.position <= len(fql)
    else:
        triggers.parse(fql)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("type", "event", "userId", "properties", "context"), JSON)
    )
)
def test_no_event_makes_it_fail(event):
    for fql in (
        'type = "a"',
        "properties.x.0 > 5",
        '!contains(properties.a, "b")',
        "context.length = 1",
        "userId != null",
    ):
        assert triggers.matches(fql, event) in (True, False)


@pytest.mark.parametrize(
    "fql", ['type = "track"' + ' and type = "track"' * 5_000, "properties" + ".a" * 50_000 + " = 1"]
)
def test_a_long_trigger_is_read_through_once(fql: str) -> None:
    """Else somebody who may only read could keep the server busy: this would take minutes."""
    triggers.check(fql)
    assert triggers.matches(fql, {"type": "track"}) is fql.startswith("type")
