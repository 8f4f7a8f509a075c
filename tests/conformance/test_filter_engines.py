"""Destination filters against `@segment/tsub`, the engine of Segment's browser libraries, under Deno.

Differences that are meant, and kept out of the input (see also `onward.pipeline.fql.ir`):

* Null and a missing field are one to the server, null and undefined in the browser.
* `typeof` names the server's types, `length` counts bytes and fails on what has no length.
* Functions within functions, lists compared with literal lists, and lists in events as the right-hand
  side of `in` don't work in the browser.
* A function that gives no boolean is never true by itself; the browser goes by its truth in JavaScript.
* Characters beyond U+FFFF are two in the browser.
* Sampling by path: the browser keeps every event (see `onward.pipeline.sampling`).
* A list within a list is an object with numbered keys to `allow_properties` in the browser.
* An escaped dot in a path; members that all JavaScript values have, such as the length of a string.
"""

import copy
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path as File
from random import Random
from typing import Any

import pytest
from conformance.reference import DENO, ENVIRONMENT, canonical
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from onward.pipeline import fql
from onward.pipeline.filters import Filters
from onward.pipeline.fql.ast import And, Call, Compare, ListOf, Literal, Node, Not, Or, Path
from onward.pipeline.verdict import Stopped
from onward.workspace.snapshot import Filter

FOLDER = File(__file__).parent / "js" / "tsub"

thorough = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


class Tsub:
    """A running process of `js/tsub/tsub.cjs`; the package is pinned by the lock beside it."""

    def __init__(self) -> None:
        environment = os.environ | ENVIRONMENT
        if not (FOLDER / "node_modules").is_dir():
            command = [DENO, "install", "--frozen", "--node-modules-dir=auto"]
            done = subprocess.run(command, cwd=FOLDER, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"deno install failed:\n{done.stderr}"
        self.process = subprocess.Popen(
            [DENO, "run", "--no-prompt", "--cached-only", f"--allow-read={FOLDER}", FOLDER / "tsub.cjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            cwd=FOLDER,
        )

    def ask(self, *request: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"tsub stopped with status {self.process.wait()}"
        answer = json.loads(line)
        assert "error" not in answer, answer
        return answer["value"]


@pytest.fixture(scope="module")
def tsub() -> Iterator[Tsub]:
    running = Tsub()
    yield running
    assert running.process.stdin
    assert running.process.stdout
    running.process.stdin.close()
    running.process.wait(10)
    running.process.stdout.close()


# Events with fields of known types, so that conditions can stay where both engines have an answer.
words = st.sampled_from(["", "a", "abc", "Abc", "Button Clicked", "track", "é", "1.2", "2", "-", "a/b"])
patterns = st.text("ab*?[]^-\\cA/", max_size=6) | st.sampled_from(
    ["*", "a*", "*[!-z]*", "[a-c]bc", "B* C?icked"]
)
numbers = st.integers(-2, 3) | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9)
versions = st.from_regex(r"[0-9]{1,2}(\.[0-9x+]{1,2}){0,3}", fullmatch=True) | words
scalars = words | numbers | st.booleans()


flat = st.fixed_dictionaries(
    {
        "text": words,
        "glob": patterns,
        "version": versions,
        "number": numbers,
        "flag": st.booleans(),
        "list": st.lists(scalars, max_size=3),
        "any": scalars | st.dictionaries(st.sampled_from("ab"), scalars, max_size=2),
    }
)
events = st.builds(
    lambda outer, inner, items: {**outer, "inner": {**inner, "items": items}, "items": items},
    flat,
    flat,
    st.lists(words | st.fixed_dictionaries({"text": words, "a": scalars}), max_size=2),
)


def field(*names: str) -> st.SearchStrategy[Path]:
    name = st.sampled_from(names)
    return name.map(lambda n: Path((n,))) | name.map(lambda n: Path(("inner", n)))


literals = st.builds(Literal, scalars)
texts = field("text")
anything = field("text", "number", "flag", "list", "any", "missing", "inner") | st.sampled_from(
    [Path(("missing", "x")), Path(("list", "0")), Path(("items", "1", "text")), Path(("any", "a"))]
)
ascii_text = Call("length", (Path(("glob",)),)), Call("length", (Path(("list",)),))
equations = st.sampled_from(["=", "!="])
orders = st.sampled_from(["<", "<=", ">", ">="])
ranked = field("number", "text", "flag", "missing") | literals | st.sampled_from(ascii_text)


def call(name: str, *args: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.tuples(*args).map(lambda given: Call(name, given))


tests = st.one_of(
    call("contains", anything | literals, anything | literals),
    call("match", anything | literals, field("glob")),
    call("match", texts, st.sampled_from(["a*", "*c", "?", "[^a]*", "*"]).map(Literal)),
    call(
        "semver",
        field("version", "any"),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~"]).map(Literal),
        field("version") | versions.map(Literal),
    ),
)
atoms: st.SearchStrategy[Node] = st.one_of(
    anything,
    literals,
    tests,
    st.builds(Compare, equations, anything | literals, anything | literals),
    st.builds(Compare, equations, call("lowercase", anything | literals), literals),
    st.builds(
        Compare, equations, call("typeof", anything), st.sampled_from(["string", "number"]).map(Literal)
    ),
    st.builds(Compare, equations, st.sampled_from(ascii_text), literals),
    st.builds(Compare, equations, tests, st.booleans().map(Literal)),
    st.builds(Compare, orders, ranked, ranked),
    st.builds(
        Compare,
        st.just("in"),
        anything | literals,
        st.lists(literals | anything, max_size=3).map(lambda items: ListOf(tuple(items))),
    ),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: And(tuple(each))),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: Or(tuple(each))),
    ),
    max_leaves=6,
)


@thorough
@given(st.lists(conditions, min_size=1, max_size=5), events)
def test_conditions(tsub: Tsub, trees: list[Node], event: dict[str, Any]) -> None:
    for tree in trees:
        assert fql.compile_tree(tree)(event) is tsub.ask("match", fql.to_ir(tree), event)


@thorough
@given(st.text("ab*?[]^-\\c", max_size=9), st.text("abc]*-", max_size=9))
@example("[a-b-c]", "a")
@example("a[^a][^a]b", "acbb")
def test_globs(tsub: Tsub, pattern: str, text: str) -> None:
    tree = Call("match", (Path(("text",)), Path(("glob",))))
    event = {"text": text, "glob": pattern}
    assert fql.compile_tree(tree)(event) is tsub.ask("match", fql.to_ir(tree), event)


keys = st.lists(
    st.sampled_from(["text", "number", "list", "inner", "items", "a", "nothing"]), min_size=1, max_size=4
)
places = st.sampled_from(
    [
        "",
        "inner",
        "inner.inner",
        "items",
        "items.0",
        "inner.items",
        "inner.items.1",
        "any",
        "text",
        "no.where",
        "items.x",
    ]
)
edits = st.dictionaries(places, keys, min_size=1, max_size=3)
percents = st.sampled_from([0, 1])
actions = st.one_of(
    st.just({"type": "DROP"}),
    st.builds(lambda percent: {"type": "SAMPLE", "percent": percent}, percents),
    st.builds(lambda fields: {"type": "DROP_PROPERTIES", "fields": fields}, edits),
    st.builds(lambda fields: {"type": "ALLOW_PROPERTIES", "fields": fields}, edits),
)
BY_KIND = ["SAMPLE", "DROP", "DROP_PROPERTIES", "ALLOW_PROPERTIES"]


def transformer(action: dict[str, Any]) -> dict[str, Any]:
    match action["type"]:
        case "DROP":
            return {"type": "drop"}
        case "SAMPLE":
            return {"type": "sample_event", "config": {"sample": {"percent": action["percent"], "path": ""}}}
        case "DROP_PROPERTIES":
            return {"type": "drop_properties", "config": {"drop": action["fields"]}}
        case _:
            return {"type": "allow_properties", "config": {"allow": action["fields"]}}


@thorough
@given(st.lists(actions, min_size=1, max_size=3), events)
def test_actions(tsub: Tsub, actions: list[dict[str, Any]], event: dict[str, Any]) -> None:
    """In the server's order, by kind, the browser's engine does the same with them."""
    before = copy.deepcopy(event)
    filters = Filters([Filter(id="f", title="t", condition="all", actions=tuple(actions))])
    ours = filters(event, Random(1))
    in_order = sorted(actions, key=lambda action: BY_KIND.index(action["type"]))
    theirs = tsub.ask("transform", event, [transformer(action) for action in in_order])
    assert canonical(None if isinstance(ours, Stopped) else ours) == canonical(theirs)
    assert event == before
