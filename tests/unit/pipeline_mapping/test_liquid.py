"""Liquid templates (spec §9.3, §22.14): what they see, what they may do, and what they may not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onward.pipeline import liquid
from onward.pipeline import mapping as mappings
from onward.pipeline.liquid import LiquidError, program
from onward.pipeline.mapping import MappingError

EVENT = {
    "type": "track",
    "event": "Order Completed",
    "timestamp": "2026-01-31T10:20:30.456Z",
    "properties": {
        "email": "ada@example.com",
        "total": 12.0,
        "items": [{"sku": "a"}, {"sku": "b"}],
        "none": None,
    },
}


def render(template, data=EVENT):
    return liquid.compile(template)(data)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("", ""),
        ("no tags", "no tags"),
        ("{{ properties.email | upcase }}", "ADA@EXAMPLE.COM"),
        ("{{ event.properties.email }}", "ada@example.com"),
        ("{{ event }}", "Order Completed"),
        ("{{ event.size }}", "15"),
        ("{{ properties.total }}", "12"),
        ("{{ properties.missing }}|{{ properties.none }}|{{ nope.deeper }}", "||"),
        ("{{ properties.items[1].sku }}{{ properties.items.last.sku }}{{ properties.items.size }}", "bb2"),
        ("{{ properties }}", "[object Object]"),
        ("{{ properties.total | divided_by: 5 | round: 1 }}", "2.4"),
        ("{{ properties.missing | default: 'x' }}", "x"),
        ("{{ properties.email | unknown_filter }}", "ada@example.com"),
        ("{{ timestamp | date: '%Y/%m/%d %H:%M' }}", "2026/01/31 10:20"),
        ("{{ timestamp | date: '%H:%M', 'Asia/Tokyo' }}", "19:20"),
        ("{{ properties.items | json }}", '[{"sku":"a"},{"sku":"b"}]'),
        ("{% if properties.total > 10 and type == 'track' %}big{% else %}small{% endif %}", "big"),
        ("{% unless properties.none %}none{% endunless %}", "none"),
        ("{% if properties.missing == nil and properties.none == nil %}nil{% endif %}", "nil"),
        ("{% assign n = properties.email | split: '@' | first %}{{ n }}", "ada"),
        ("{% capture c %}<{{ type }}>{% endcapture %}{{ c | escape }}", "&lt;track&gt;"),
        ("{% case type %}{% when 'page', 'track' %}yes{% else %}no{% endcase %}", "yes"),
        ("{% increment n %}{% increment n %}{% decrement n %}", "011"),
        ("{% comment %}{{ type }}{% endcomment %}{% raw %}{{ type }}{% endraw %}", "{{ type }}"),
        ("{% liquid\n assign a = 1 | plus: 2\n echo a\n%}", "3"),
        ("a {{- type -}} b", "atrackb"),
        ("{{ 'a\\tb' }}", "a\tb"),
    ],
)  # fmt: skip
def test_what_templates_make(template, expected):
    assert render(template) == expected


def test_now_is_when_the_event_was_received():
    template = "{{ 'now' | date: '%H:%M:%S' }}"
    assert render(template) == "10:20:30"
    assert render(template, {**EVENT, "receivedAt": "2026-01-31T11:00:00Z"}) == "11:00:00"
    with pytest.raises(LiquidError, match="receivedAt"):
        render(template, {})


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in properties.items %}{{ i }}{% endfor %}",
        "{% include 'x' %}",
        "{% render 'x' %}",
        "{% tablerow i in x %}{% endtablerow %}",
        "{% layout 'x' %}",
        "{{ type",
        "{% if type %}",
        "{{ type | upcase: }",
    ],
)
def test_what_cannot_be_read_is_an_error_when_compiled(template):
    with pytest.raises(LiquidError):
        liquid.compile(template)


@pytest.mark.parametrize("name", ["map", "sort", "concat", "reverse", "uniq", "newline_to_br", "sample"])
def test_disabled_filters_are_errors_when_run(name):
    run = liquid.compile(f"{{{{ properties.items | {name} }}}}")
    with pytest.raises(LiquidError, match=f'filter "{name}" is disabled'):
        run(EVENT)


def test_templates_are_short():
    assert render("x" * 1000) == "x" * 1000
    with pytest.raises(LiquidError, match="limited to 1000 characters"):
        liquid.compile("x" * 1001)
    with pytest.raises(LiquidError, match="must be a string"):
        liquid.compile(5)


@pytest.mark.parametrize(
    "template",
    [
        "{% assign a = text %}" + "{% assign a = a | append: a %}" * 30,
        "{% assign a = text %}" + "{% assign a = a | replace: 'x', a %}" * 20,
        "{{ text | split: '' | join: text }}",
        "{{ (1..999999999) }}",
        "{{ text | slice: 0, 999999999 }}",
        "{{ 5 | date: '%999999999Y' }}",
        "{% assign a = text | split: '' %}" + "{% assign a = a | push: a %}" * 25 + "{{ a }}",
        "{% assign a = text | split: '' %}" + "{% assign a = a | push: a %}" * 25 + "{{ a | json }}",
        "{% assign a = text | split: '' %}"
        + "{% assign a = a | push: a %}" * 25
        + "{% if a == a %}{% endif %}",
        "{% assign a = text | split: '' %}" + "{% assign a = a | push: a %}" * 25 + "{{ text[a] }}",
        "{{ (1..99999) | sum: '" + "a." * 400 + "' }}",
        "{{ (1..99999) | where: '" + "a." * 400 + "' }}",
        "{% assign a = text | split: '' %}" + "{% assign b = a | json: '          ' %}" * 22,
        "{{ text | append: text | append: text | append: text | append: text | append: text | date: '%Y' }}"
        * 9,
        "{% assign a = text | split: '' %}" + "{% if a == a %}{% endif %}" * 36,
        "{% assign a = text | split: '' %}" + "{{ a }}" * 130,
    ],
)
def test_templates_cannot_make_much(template):
    with pytest.raises(LiquidError, match="too much"):
        render(template, {"text": "x" * 10_000})


@pytest.mark.parametrize("unit", ["<script", "<", "<!--", "<style ", "&", "-"])
def test_filters_take_linear_time(unit):
    text = unit * (30_000 // len(unit))
    made = render(
        "{{ text | strip_html | escape | slugify | normalize_whitespace | truncate: 9 }}", {"text": text}
    )
    assert len(made) < 10


def test_numbers_do_not_grow():
    assert render("{{ 9 " + "| times: 9999999999 " * 40 + "}}") == "Infinity"


def test_in_a_mapping_its_errors_are_mapping_errors():
    for template in ("{{ type | map: 'x' }}", "{% for %}"):
        with pytest.raises(MappingError, match=r"^/a: "):
            mappings.transform({"a": {"@liquid": template}}, EVENT)
    assert mappings.transform({"a": {"@liquid": "{{ type }}"}}, EVENT) == {"a": "track"}


def test_items_are_the_data_of_templates_in_shapes():
    mapping = {"a": {"@arrayPath": ["$.properties.items", {"s": {"@liquid": "{{ sku }}{{ event.sku }}"}}]}}
    assert mappings.transform(mapping, EVENT) == {"a": [{"s": "aa"}, {"s": "bb"}]}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
FILTERS = sorted(program.FILTERS)


@given(
    JSON,
    JSON,
    st.lists(
        st.tuples(st.sampled_from(FILTERS), st.lists(st.sampled_from(["a", "b", "'x'", "2"]), max_size=3)),
        max_size=4,
    ),
)
def test_no_data_makes_a_filter_fail_other_than_as_a_liquid_error(a, b, chain):
    steps = "".join(
        f" | {name}{': ' if arguments else ''}{', '.join(arguments)}" for name, arguments in chain
    )
    try:
        assert isinstance(render("{{ a" + steps + " }}", {"a": a, "b": b}), str)
    except LiquidError as error:
        assert str(error)


@given(st.text("{}%-| abif'\"=.[]\n", max_size=40))
def test_no_template_makes_it_fail(template):
    try:
        assert isinstance(render(template), str)
    except LiquidError as error:
        assert str(error)
