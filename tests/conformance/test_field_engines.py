"""Coercion and validation of payloads against `@segment/actions-core` on generated fields and payloads.

What is kept out of the input is named in docs/differences.md.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from conformance.reference import Engines, canonical, examples
from hypothesis import given
from hypothesis import strategies as st

from onward.pipeline.fields import FieldSchema, compile_fields

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as running:
        yield running


NAMES = ["a", "b", "c", "d"]
TEXTS = [
    *("", " ", "a", "abc", "5", " 5 ", "5.5", "0x1F", "-0", "true", "false", "null", "é😀", "1e3"),
    *("2026-01-31", "2026-02-30T10:20:30Z", "20260131", "1618245157000", "31 Jan 2026", "now", "10:20"),
    *("a@b.co", "a@b", "http://a.b/c?d#e", "a:b", "/x y", "1.2.3.4", "b0a4e0a1-7d5c-4c5e-9b9a-0f1e2d3c4b5a"),
    *(
        "Infinity",
        "-Infinity",
        "NaN",
        "+5",
        "5.",
        ".5",
        "1_000",
        "0b11",
        "0o17",
        "1e400",
        "\u00a05\ufeff",
        "١",
    ),
    *(
        "True",
        "TRUE",
        "no",
        "[]",
        "{}",
        "😀😀",
        "2026-01-31T10:20:30.456Z",
        "2026-01-31T25:00:00Z",
        "-62135596800",
    ),
    *(
        "2026-01-31 10:20:30",
        "2026-W05",
        "1700000000.5",
        "99999999999999",
        "2026-1-1",
        "Sat, 31 Jan 2026 10:20:30 GMT",
    ),
]
NUMBERS = [0, 1, -1, 5, 1.5, 2.0, 1e21, 1e-7, -0.0, 2**53, 1.7976931348623157e308, 123456789012345680000.0]
scalars = (
    st.sampled_from([None, True, False, *NUMBERS, *TEXTS])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)), max_size=5)
)
names = st.sampled_from(NAMES)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
conditions = st.fixed_dictionaries(
    {"fieldKey": names, "operator": st.sampled_from(["is", "is_not"])}, optional={"value": scalars}
)
required = st.sampled_from([True, False]) | st.fixed_dictionaries(
    {"conditions": st.lists(conditions, min_size=1, max_size=2)},
    optional={"match": st.sampled_from(["any", "all"])},
)
alone = st.sampled_from([True, False, False]) | st.fixed_dictionaries(
    {"conditions": st.lists(conditions, min_size=1, max_size=1)}
)
TYPES = ["string", "text", "password", "number", "integer", "boolean", "datetime"]
FORMATS = ["email", "date-time", "date", "time", "uri", "uri-reference", "hostname", "ipv4", "ipv6", "uuid"]


def field(of_type: st.SearchStrategy[str], required: Any, **more: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": of_type},
        optional={
            "label": st.sampled_from(["Label", "a label", ""]),
            "required": required,
            "multiple": st.booleans(),
            "allowNull": st.booleans(),
            **more,
        },
    )


plain = field(
    st.sampled_from(TYPES),
    required,
    choices=st.sampled_from([["a", "5"], [{"label": "A", "value": "abc"}, {"label": "B", "value": "true"}]]),
    minimum=st.sampled_from([0, 1, 2, 3]),
    maximum=st.sampled_from([0, 1, 2, 5]),
).filter(lambda f: f.get("choices") is None or f["type"] in ("string", "text"))
formatted = field(st.just("string"), required, format=st.sampled_from(FORMATS))


def objects_of(members: Any, needed: Any) -> st.SearchStrategy[dict[str, Any]]:
    fields = st.dictionaries(names, members, max_size=3)
    return field(st.just("object"), needed, properties=fields, additionalProperties=st.booleans())


scalar_members = field(st.sampled_from([*TYPES, "object"]), alone)
objects = objects_of(scalar_members, required) | objects_of(
    scalar_members | objects_of(scalar_members, alone), required
)
fields = st.dictionaries(names, plain | formatted | objects, min_size=1, max_size=4)


payloads = st.dictionaries(st.sampled_from([*NAMES, "x"]), values, max_size=4)


@examples(300)
@given(fields=fields, cases=st.lists(st.tuples(payloads, st.booleans()), min_size=1, max_size=4))
def test_same_payload_or_same_words(engines: Engines, fields: dict[str, Any], cases: list[Any]) -> None:
    validate = compile_fields({key: FieldSchema.of(source) for key, source in fields.items()})
    for payload, batch in cases:
        before = canonical(payload)
        checked, problem = validate(payload, batch=batch)
        theirs = engines.ask("fields", fields, payload, not batch)
        if problem:
            assert str(problem) == theirs.get("error")
        else:
            assert canonical(checked) == canonical(theirs.get("value", theirs))
        assert canonical(payload) == before


characters = st.text("ab1:/?#[]@!$&'\"()*+,;=%2e .-_~T{}é", max_size=14)
addresses = (
    st.sampled_from(TEXTS) | characters | characters.map("http://".__add__) | characters.map("a@".__add__)
)


@examples(500)
@given(text=addresses, name=st.sampled_from(FORMATS))
def test_same_formats(engines: Engines, text: str, name: str) -> None:
    source = {"f": {"type": "string", "format": name, "label": "F"}}
    _, problem = compile_fields({"f": FieldSchema.of(source["f"])})({"f": text}, batch=True)
    theirs = engines.ask("fields", source, {"f": text}, False)
    assert (str(problem) if problem else None) == theirs.get("error")


pieces = st.sampled_from(
    [
        *(
            "2020",
            "2021-02-03",
            "T",
            "10:20",
            "10:20:30",
            ".5",
            "Z",
            "+02:00",
            "-0800",
            " ",
            " ",
            "Jan",
            "March",
        ),
        *("5", "31", "32", "/", "-", ":", "pm", "GMT", "EST", "(x)", ",", "Mon", "foo", "00", "+002020", "é"),
    ]
)


@examples(500)
@given(text=st.lists(pieces, min_size=1, max_size=6).map("".join))
def test_same_dates(engines: Engines, text: str) -> None:
    source = {"f": {"type": "datetime", "label": "F"}}
    _, problem = compile_fields({"f": FieldSchema.of(source["f"])})({"f": text})
    assert (str(problem) if problem else None) == engines.ask("fields", source, {"f": text}, True).get(
        "error"
    )
