"""The differences that docs/differences.md names: each is there, and there are no others that tests know of.

What other tests here keep out of their input, they keep out because of one of these.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conformance.reference import Engines

from onward.pipeline import mapping as mappings
from onward.pipeline import payloads, triggers
from onward.pipeline.fields import FieldSchema, compile_fields
from onward.pipeline.mapping import MappingError
from onward.pipeline.triggers import Condition, Group

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"
Both = tuple[Any, Any]
"""What ours gives and what theirs gives."""
Show = Callable[[Engines], Both]


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with Engines() as running:
        yield running


def mapped(node: Any, event: dict[str, Any]) -> Show:
    def show(engines: Engines) -> Both:
        theirs = engines.ask("transform", {"out": node}, event)
        try:
            ours = mappings.transform({"out": node}, event).get("out")
        except MappingError as error:
            ours = str(error)
        return ours, theirs["value"].get("out") if "value" in theirs else theirs["error"]

    return show


def liquid(template: str, event: dict[str, Any]) -> Show:
    return mapped({"@liquid": template}, event)


def reserved_keys(engines: Engines) -> Both:
    mapping = {"a": 1, "__segment_internal_sync_mode": "add"}
    engines.ask("define", "without fields", {})
    return payloads.compile(mapping, {})({}), engines.ask("act", "without fields", mapping, mapping, {})[0][
        "value"
    ]


def empty_group(engines: Engines) -> Both:
    fql, event = 'type = "track" and ()', {"type": "track"}
    return triggers.matches(fql, event), engines.ask("match", fql, event).get("error", "")[:11]


def generated(engines: Engines) -> Both:
    condition = {"type": "event-property", "operator": "number_equals", "value": 1e21, "name": "9lives"}
    tree = {"type": "group", "operator": "and", "children": [condition]}
    ours = triggers.generate(Group("and", (Condition("event-property", "number_equals", 1e21, "9lives"),)))
    assert triggers.parse(ours).children[0] == Condition("event-property", "number_equals", 10**21, "9lives")
    return ours, engines.ask("generate", tree)["value"]


def conditional_member(engines: Engines) -> Both:
    absent = {"fieldKey": "a", "operator": "is"}
    member = {"type": "string", "required": {"conditions": [absent, absent]}}
    fields = {"o": {"type": "object", "properties": {"x": member}}}
    payload = {"o": {"x": "1"}}
    ours = compile_fields({"o": FieldSchema.of(fields["o"])})(payload)
    return ours, engines.ask("fields", fields, payload, True)["error"][:54]


TEMPLATE_ERROR = "/out: the Liquid template can't be read: "
SHOWN: dict[str, tuple[Show, Any, Any]] = {
    "large integers": (
        mapped({"@template": "{{a}}"}, {"a": 2**60}),
        "1152921504606846976",
        "1152921504606847000",
    ),
    "inherited members": (mapped({"@path": "$.a.constructor.name"}, {"a": {}}), None, "Object"),
    "halves of characters": (mapped({"@path": "$.a.0"}, {"a": "😀"}), "\ufffd", "\ud83d"),
    "place of errors": (
        mapped({"@case": {"operator": "title", "value": "x"}}, {}),
        '/out: operator key should have a value of "lower" or "upper"',
        'operator key should have a value of "lower" or "upper"',
    ),
    "reserved keys": (reserved_keys, {"a": 1}, {"a": 1, "__segment_internal_sync_mode": "add"}),
    "Liquid case": (
        liquid("{% case a %}{% when 1 %}one{% endcase %}", {"a": 1}),
        "one",
        'tag "case" is disabled, line:1, col:1',
    ),
    "Liquid event": (liquid("{{ event.a }}", {"a": 1}), "1", ""),
    "Liquid sample": (liquid("{{ a | sample }}", {"a": [1]}), '/out: filter "sample" is disabled', "1"),
    "Liquid bounds": (
        liquid("{{ a | append: a | append: a | append: a | size }}", {"a": "x" * 300_000}),
        "/out: the template does too much work or makes too much text",
        "1200000",
    ),
    "Liquid syntax": (
        liquid("{{ a b }}", {"a": 1}),
        TEMPLATE_ERROR + "expected end of expression, found word",
        "1",
    ),
    "empty trigger groups": (empty_group, False, "Cannot read"),
    "generated triggers": (generated, r"properties.\9lives = 1" + "0" * 21, "properties.9lives = 1e+21"),
    "conditional members": (
        conditional_member,
        ({"o": {"x": "1"}}, None),
        "The root value is missing the required field 'o.x'. Th",
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_the_difference_is_as_told(engines: Engines, name: str) -> None:
    show, ours, theirs = SHOWN[name]
    assert show(engines) == (ours, theirs)


def test_now_is_when_the_event_was_received(engines: Engines) -> None:
    ours, theirs = liquid("{{ 'now' | date: '%Y' }}", {"receivedAt": "2020-01-01T00:00:00Z"})(engines)
    assert ours == "2020"
    assert int(theirs) > 2020


@pytest.mark.parametrize(
    "template",
    [
        "{{ a == 1 }}",
        r"{{ 'it\'s' }}",
        "{% cycle 'a', 'b' %}",
        "{% break %}",
        "{% continue %}",
        "{% block b %}{% endblock %}",
    ],
)
def test_syntax_that_only_liquidjs_reads(engines: Engines, template: str) -> None:
    ours, theirs = liquid(template, {"a": 1})(engines)
    assert ours.startswith(TEMPLATE_ERROR)
    assert "line:" not in theirs


def test_the_page_names_these_and_no_others() -> None:
    names = re.findall(r"^\| ([^|]+?) \|", PAGE.read_text(), re.M)[2:]
    assert set(names) == {*SHOWN, "Liquid now"}
