"""Liquid in mappings against liquidjs as `@segment/actions-core` restricts it, on generated templates.

What is kept out of the input is named in docs/differences.md.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from conformance.reference import Engines, canonical, examples
from hypothesis import given
from hypothesis import strategies as st

from onward.pipeline import mapping as mappings
from onward.pipeline.mapping import MappingError

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as running:
        yield running


TEXTS = [
    *(
        "",
        " ",
        "a",
        "Abc dE",
        "5",
        "-3.70",
        "  x y  ",
        "é😀b",
        "a,b,,c,",
        "<b>Hi</b> & 'you'",
        "a\nb\r\nc",
        "ÀÉß ñ",
    ),
    *(
        "2026-01-31T10:20:30.456Z",
        "2026-01-31",
        "1700000000",
        "31 Jan 2026 5:06 pm",
        "a%20b+c",
        "日本 語 x",
        "now then",
    ),
    *("https://a.b/c d?e=é&f=[1]", "&lt;a&gt; &amp;", "YWJj", "<script>x</script><p\n>y<!-- z -->"),
]
NAMES = ["a", "b", "c", "x-y", "size", "first"]
NUMBERS = [
    0,
    1,
    -2,
    3.5,
    10.0,
    1700000000,
    12345.678,
    1e21,
    -0.0,
    0.1,
    1e-7,
    2**53,
    1.7976931348623157e308,
    2.5,
]
scalars = (
    st.sampled_from([None, True, False, *NUMBERS, *TEXTS])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
    | st.datetimes().map(lambda at: at.isoformat() + "Z")
)
json = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
data = st.fixed_dictionaries({"a": json, "b": json}, optional={"c": json, "n": st.integers(-5, 5)})

literals = st.sampled_from(
    [
        *(
            "1",
            "0",
            "-2",
            "3.5",
            "true",
            "false",
            "''",
            "'a'",
            '"b c"',
            "' '",
            "','",
            "'a.b'",
        ),
        *("'\\n'", "2", "'%Y'", "'2026-02-03'", "10", "'x'"),
    ]
)
paths = st.sampled_from(
    [
        "a",
        "b",
        "c",
        "n",
        "a.b",
        "b.a.c",
        "a[0]",
        "a[-1]",
        "a['x-y']",
        "a.x-y",
        "b.size",
        "a.first",
        "b.last",
        "missing.x",
        "a[n]",
    ]
)
operands = paths | paths | literals
compared = operands | st.sampled_from(["empty", "blank", "nil"])

PLAIN_FILTERS = [
    *(
        "abs",
        "ceil",
        "floor",
        "round",
        "to_integer",
        "capitalize",
        "downcase",
        "upcase",
        "escape",
        "escape_once",
    ),
    *("lstrip", "rstrip", "strip", "strip_html", "strip_newlines", "normalize_whitespace", "number_of_words"),
    *(
        "cgi_escape",
        "uri_escape",
        "url_decode",
        "url_encode",
        "xml_escape",
        "compact",
        "first",
        "last",
        "join",
    ),
    *(
        "pop",
        "shift",
        "size",
        "sum",
        "date_to_rfc822",
        "date_to_long_string",
        "date_to_string",
        "inspect",
        "json",
    ),
    *(
        "date_to_xmlschema",
        "default",
        "jsonify",
        "raw",
        "slugify",
        "split",
        "truncate",
        "truncatewords",
        "reverse",
    ),
    *("date", "unknown", "base64_encode", "base64_decode", "sort", "map", "uniq", "append", "times"),
]
WITH_ONE = [
    *("at_least", "at_most", "divided_by", "minus", "modulo", "plus", "round", "times", "append", "prepend"),
    *(
        "remove",
        "remove_first",
        "remove_last",
        "split",
        "join",
        "push",
        "unshift",
        "default",
        "truncate",
        "slice",
    ),
    *("strip", "lstrip", "rstrip", "sum", "truncatewords", "number_of_words", "json"),
]
WITH_TWO = [
    "replace",
    "replace_first",
    "replace_last",
    "slice",
    "truncate",
    "truncatewords",
    "divided_by",
]
FIXED = [
    *("where: 'a'", "where: 'b', 5", "where: 'b.a', a", "where: 'size', 2", "where: missing"),
    *(
        "slugify: 'pretty'",
        "slugify: 'ascii'",
        "slugify: 'latin'",
        "slugify: 'raw'",
        "slugify: 'none'",
        "json: 2",
    ),
    *(
        "number_of_words: 'cjk'",
        "number_of_words: 'auto'",
        "default: 'd', allow_false: true",
        "slugify: 'default', true",
    ),
    *("date_to_string: 'ordinal'", "date_to_string: 'ordinal', 'US'", "date_to_long_string: 'ordinal'"),
    *(
        "date: '%a %A %b %B %d %e %H %I %j %k %l %L %m %M'",
        "date: '%N %p %P %q %s %S %u %U %w %W %y %Y %z %:z %Z %%'",
    ),
    *(
        "date: '%-d %_m %^a %#B %05d %3N %10Y %n%t%h %C %Q'",
        "date: '%c | %x | %X'",
        "date: '%H:%M %z', 'Asia/Tokyo'",
    ),
    *("date: '%H:%M %z %Z', -90", "date: '%d %B', 'America/New_York'"),
]
filters = st.one_of(
    st.sampled_from(PLAIN_FILTERS),
    st.builds("{}: {}".format, st.sampled_from(WITH_ONE), operands),
    st.builds("{}: {}, {}".format, st.sampled_from(WITH_TWO), operands, operands),
    st.sampled_from(FIXED),
)
chains = st.builds(lambda left, right: " | ".join([left, *right]), operands, st.lists(filters, max_size=3))
comparisons = operands | st.builds(
    "{} {} {}".format, compared, st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "contains"]), compared
)
conditions = st.recursive(
    comparisons | comparisons.map("not {}".format),
    lambda inner: st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=3,
)
outputs = st.builds(
    "{}{}{}".format, st.sampled_from(["{{ ", "{{- "]), chains, st.sampled_from([" }}", " -}}"])
)
leaves = outputs | st.sampled_from(
    [
        *(
            " text ",
            "\n",
            "{% increment n %}",
            "{% decrement n %}",
            "{% increment new %}",
            "{% comment %}{{ a }}{% endcomment %}",
        ),
        *(
            "{% raw %}{{ a }}{% endraw %}",
            "{%- # note -%}",
            "{% echo a | upcase %}",
            "{{ v }}",
            "{{ w.size }}",
            "}}",
            "%}",
        ),
    ]
)
templates = st.recursive(
    leaves
    | st.builds("{{% assign {} = {} %}}".format, st.sampled_from(["v", "w", "a"]), chains)
    | st.builds("{{% liquid\n assign v = {}\n echo v\n%}}".format, chains),
    lambda inner: (
        st.builds("{}{}".format, inner, inner)
        | st.builds(
            "{{% if {} %}}{}{{% elsif {} -%}} {}{{% else %}}{}{{% endif %}}".format,
            conditions,
            inner,
            conditions,
            inner,
            inner,
        )
        | st.builds("{{%- unless {} -%}} {} {{%- endunless -%}}".format, conditions, inner)
        | st.builds("{{% capture {} %}}{}{{% endcapture %}}".format, st.sampled_from(["v", "w"]), inner)
    ),
    max_leaves=4,
).filter(lambda text: len(text) < 1000)


def ours(template: str, event: dict[str, Any]) -> str:
    try:
        return canonical(mappings.transform({"out": {"@liquid": template}}, event)["out"])
    except MappingError:
        return "an error"


def theirs(engines: Engines, template: str, event: dict[str, Any]) -> str:
    answer = engines.ask("transform", {"out": {"@liquid": template}}, event)
    return canonical(answer["value"]["out"]) if "value" in answer else "an error"


@examples(500)
@given(template=templates, event=data)
def test_same_text(engines: Engines, template: str, event: dict[str, Any]) -> None:
    assert ours(template, event) == theirs(engines, template, event)


@examples(500)
@given(chain=chains, event=data)
def test_same_value_through_filters(engines: Engines, chain: str, event: dict[str, Any]) -> None:
    template = "{{ " + chain + " }}"
    assert ours(template, event) == theirs(engines, template, event)
