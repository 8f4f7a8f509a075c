"""Documents: reading, writing, planning and applying."""

import re
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from onward.workspace.document import Document, parse
from onward.workspace.errors import Conflict, Invalid, SecretError
from onward.workspace.snapshot import Snapshot
from onward.workspace.store import Store
from onward.workspace.yaml import apply, render_diff

from .conftest import ACTOR, Workspace

BASE = """
sources:
  - slug: web
    type: javascript
    writeKeys: [firstwritekey, secondwritekey]
destinations:
  - name: My hook
    source: web
    type: hook
    enabled: true
    settings:
      url: https://example.com
      token: ${TOKEN}
    delivery: {maxRetries: 3}
    subscriptions:
      - name: Tracks
        action: send
        trigger: type = "track"
        mapping: {data: {'@path': $.properties}}
        enabled: true
    filters:
      - title: Drop tests
        if: event = "Test"
        actions: [{type: DROP}]
        enabled: true
"""

# Without what means something in a mapping: @directives and {{ templates }}.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00@{"), max_size=12)
printable = st.characters(codec="ascii", categories=["L", "N", "P", "Zs"])
odd = ["no", "1e5", "12:30", "~", "2030-01-31", "${X}", "- a: b", "ключ"]
names = st.text(printable, min_size=1, max_size=6).filter(str.strip) | st.sampled_from(odd)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
literals = st.dictionaries(st.from_regex(r"[a-z]{1,4}", fullmatch=True), json_values, max_size=3)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    slugs = draw(st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True), unique=True, max_size=3))
    sources = [
        {
            "slug": slug,
            "type": draw(st.sampled_from(["javascript", "python", "http-api"])),
            "name": draw(names.filter(str.isprintable)),
            "enabled": draw(st.booleans()),
            "writeKeys": [
                f"key{slug.replace('-', 'X')}{number}00000" for number in range(draw(st.integers(1, 2)))
            ],
            "labels": draw(st.just([]) | st.just([{"key": "env", "value": "prod"}])),
            "rateLimit": draw(st.none() | st.floats(0.1, 1000)),
        }
        for slug in slugs
    ]
    keys = draw(st.lists(st.tuples(st.sampled_from(slugs), names), unique=True, max_size=4)) if slugs else []
    destinations = [
        {
            "name": name,
            "source": slug,
            "type": "hook",
            "enabled": draw(st.booleans()),
            "settings": {"url": draw(texts.filter(bool))} | draw(settings_values()),
            "delivery": draw(st.just({"timeout": 5.5}) | st.just({"rateLimit": 2.5, "maxRetries": 0})),
            "subscriptions": draw(st.lists(subscription_values(), max_size=3)),
            "filters": draw(st.lists(filter_values(), max_size=3)),
        }
        for slug, name in keys
    ]
    return msgspec.convert(
        {
            "workspace": {"name": draw(names)},
            "labels": [{"key": "env", "value": "prod"}],
            "sources": sources,
            "destinations": destinations,
        },
        Document,
    )


def settings_values() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {},
        optional={
            "mode": st.sampled_from(["fast", "safe"]),
            "retries": st.integers(0, 10),
            "verbose": st.booleans(),
            "tags": st.lists(texts, max_size=2),
            "extra": literals,
        },
    )


def subscription_values() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "name": names,
            "action": st.just("send"),
            "trigger": st.sampled_from(['type = "track"', 'event = "a: b" and type = "track"']),
            "mapping": st.fixed_dictionaries({"data": literals}, optional={"note": texts}),
            "enabled": st.booleans(),
        }
    )


def filter_values() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "title": names,
            "description": st.none() | texts,
            "if": st.sampled_from(["all", 'event = "x"', "length( userId ) < 1"]),
            "actions": st.sampled_from(
                [
                    [{"type": "DROP"}],
                    [{"type": "SAMPLE", "percent": 0.25}, {"type": "DROP_PROPERTIES", "fields": {"": ["a"]}}],
                ]
            ),
            "enabled": st.booleans(),
        }
    )


PHASES = [Phase.explicit, Phase.generate]


def _content(snapshot: Snapshot) -> Any:
    """What a snapshot says, without ids and times."""
    value = msgspec.to_builtins(snapshot)

    def strip(item: Any) -> Any:
        if isinstance(item, dict):
            dropped = {"id", "source_id", "workspace_id", "active", "version"}
            return {key: strip(each) for key, each in item.items() if key not in dropped}
        return sorted(map(strip, item), key=repr) if isinstance(item, list | tuple) else item

    return strip(value)


@given(documents(), documents())
@hypothesis_settings(max_examples=15, deadline=None, phases=PHASES, suppress_health_check=list(HealthCheck))
def test_whatever_there_was_the_workspace_becomes_what_was_exported(
    workspace: Workspace, one: Document, other: Document
) -> None:
    workspace.apply(_written(one), prune=True)
    exported, content = workspace.export(), _content(workspace.snapshot())
    assert not workspace.plan(exported, prune=True), "an export changes nothing"
    workspace.apply(_written(other), prune=True)
    version = workspace.apply(exported, prune=True)
    assert workspace.export() == exported
    assert _content(workspace.snapshot()) == content
    assert workspace.apply(exported, prune=True) == version == workspace.snapshot().version


def _written(value: object) -> str:
    """Everything in quotes, by PyYAML's own writer: what is read doesn't depend on the writer under test."""
    return yaml.safe_dump(msgspec.to_builtins(value), default_style='"')


@given(st.dictionaries(st.sampled_from(["url", "note"]), texts | names))
def test_texts_of_a_document_are_read_as_written(values: dict[str, str]) -> None:
    text = _written({"sources": [{"slug": "a", "type": "b", "settings": values}]})
    sources = parse(text).sources
    assert isinstance(sources, list) and sources[0].settings == values


def test_a_plan_shows_and_apply_does_it_once(workspace: Workspace) -> None:
    diff = workspace.plan(BASE, TOKEN="s3cret")
    shown = render_diff(diff).plain
    assert "s3cret" not in shown
    for line in (
        "+ source web",
        "+ destination web/My hook",
        "    settings.token: ••••••••",
        "    delivery.maxRetries: 3",
        "+ subscription web/My hook/Tracks",
        "+ filter web/My hook/Drop tests",
        "4 to add, 0 to change, 0 to delete.",
    ):
        assert line in shown.splitlines()
    assert workspace.snapshot().sources == (), "a plan changes nothing"
    version = apply(workspace.store, workspace.id, diff, ACTOR)
    assert workspace.snapshot().version == version
    assert workspace.snapshot().destinations[0].settings["token"] == "s3cret"
    assert render_diff(workspace.plan(BASE, TOKEN="s3cret")).plain == "Nothing to change."


def test_a_change_shows_old_and_new(workspace: Workspace) -> None:
    workspace.apply(BASE, TOKEN="s3cret")
    changed = BASE.replace("https://example.com", "https://example.org").replace(
        "enabled: true\n    filters", "enabled: false\n    filters"
    )
    assert render_diff(workspace.plan(changed, TOKEN="other")).plain.splitlines() == [
        "~ destination web/My hook",
        "    settings.url: https://example.com → https://example.org",
        "    settings.token: •••••••• → •••••••• (changed)",
        "~ subscription web/My hook/Tracks",
        "    enabled: true → false",
        "0 to add, 2 to change, 0 to delete.",
    ]


def test_only_prune_deletes(workspace: Workspace) -> None:
    workspace.apply(BASE, TOKEN="s3cret")
    smaller = "sources: []\n"
    assert not workspace.plan(smaller)
    assert [(each.sign, each.what) for each in workspace.plan(smaller, prune=True).changes] == [
        ("-", "destination web/My hook"),
        ("-", "source web"),
    ]
    without_children = re.sub(r"    subscriptions:.*", "    subscriptions: []\n", BASE, flags=re.DOTALL)
    diff = workspace.plan(without_children, prune=True, TOKEN="s3cret")
    assert [(each.sign, each.what) for each in diff.changes] == [("-", "subscription web/My hook/Tracks")]
    fewer_keys = BASE.replace(", secondwritekey", "")
    assert not workspace.plan(fewer_keys, TOKEN="s3cret")
    workspace.apply(fewer_keys, prune=True, TOKEN="s3cret")
    assert workspace.snapshot().sources[0].write_keys == ("firstwritekey",)


def test_an_export_keeps_secrets_to_itself(workspace: Workspace, store: Store) -> None:
    workspace.apply(BASE, TOKEN="s3cret")
    exported = workspace.export()
    assert "s3cret" not in exported
    assert "token: ${WEB_MY_HOOK_TOKEN}" in exported
    assert not workspace.plan(exported), "an unset variable keeps the stored secret"
    workspace.apply(exported, WEB_MY_HOOK_TOKEN="new")
    assert workspace.snapshot().destinations[0].settings["token"] == "new"
    with pytest.raises(Invalid, match="variable OTHER is not set"):
        workspace.plan(exported.replace("WEB_MY_HOOK_TOKEN", "OTHER"))


def test_an_export_is_of_no_use_to_make_a_new_secret(workspace: Workspace) -> None:
    workspace.apply(BASE, TOKEN="s3cret")
    exported = workspace.export()
    workspace.apply("{sources: [], destinations: []}", prune=True)
    with pytest.raises(Invalid) as failure:
        workspace.plan(exported)
    assert (
        str(failure.value)
        == "destinations[0].settings.token: the environment variable WEB_MY_HOOK_TOKEN is not set"
    )


def test_apply_is_all_or_nothing(workspace: Workspace) -> None:
    diff = workspace.plan(BASE, TOKEN="s3cret")
    before = workspace.snapshot().version
    workspace.apply("workspace: {name: Renamed}")
    with pytest.raises(Conflict, match="changed since the plan was made"):
        apply(workspace.store, workspace.id, diff, ACTOR)
    assert workspace.snapshot().version == before + 1
    assert workspace.snapshot().sources == ()


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("type: javascript", "type: cobol", "sources[0].type: the catalogue has no source cobol"),
        ("slug: web", "slug: w e b", "sources[0].slug: a slug has"),
        ("[firstwritekey, secondwritekey]", "[a]", "sources[0].writeKeys: a write key has 8 to 64"),
        ("[firstwritekey, secondwritekey]", "[1]", "sources[0].writeKeys[0]: Expected `str`, got `int`"),
        ("type: hook", "type: nope", "destinations[0].type: the catalogue has no destination nope"),
        ("source: web", "source: app", "destinations[0].source: there is no source app"),
        ("      url: https://example.com\n", "", "destinations[0].settings.url: Hook needs the setting url"),
        ("${TOKEN}", "${NOT_SET}", "destinations[0].settings.token: the environment variable NOT_SET"),
        ("maxRetries: 3", "maxRetries: -3", "destinations[0].delivery.maxRetries: Expected `int` >= 0"),
        ("maxRetries", "retries", "destinations[0].delivery.retries: Object contains unknown field"),
        ('type = "track"', "type =", "destinations[0].subscriptions[0].trigger: expected"),
        ("action: send", "action: x", "destinations[0].subscriptions[0].action: Hook has no action x"),
        ("{data:", "{date:", "destinations[0].subscriptions[0].mapping.date: the action send has no"),
        ('if: event = "Test"', "if: event ==", "destinations[0].filters[0].if: "),
        ("type: DROP", "type: DORP", "destinations[0].filters[0].actions[0]: "),
        ("sources:\n", "sauces:\n", "sauces: Object contains unknown field"),
        ("slug: web", "name: web", "sources[0].slug: Object missing required field"),
        ("slug: web", "slug: web\n    slug: web", "the key 'slug' stands here twice"),
        ("sources:\n", "sources: [\n", "this is not YAML: "),
        ("slug: web", "slug: web\n    labels: [{key: a, value: b}]", "sources[0].labels[0]: the"),
        ("slug: web", "slug: web\n    labels: [{foo: 1}]", "sources[0].labels[0].foo: Object"),
        ("slug: web", "slug: web\n    labels: [{key: a, value: {b: 1}}]", "labels[0].value: Expected `str`"),
        ("slug: web", "slug: web\n    rateLimit: 1e999", "a number that is too large"),
    ],
)  # fmt: skip
def test_errors_name_the_place(workspace: Workspace, old: str, new: str, error: str) -> None:
    assert old in BASE
    with pytest.raises(Invalid) as failure:
        workspace.plan(BASE.replace(old, new), TOKEN="s3cret")
    assert error in str(failure.value)
    assert not workspace.watcher.refresh()


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ("{? [a] : 1}", "a key must be a text"),
        ("{? {a: 1} : 1}", "a key must be a text"),
        ("&all {again: *all}", "aliases make too much of it"),
        ("{a: " * 250 + "1" + "}" * 250, "nested too deeply"),
        ("[" * 5000 + "]" * 5000, "nested too deeply"),
        ("{at: !!timestamp 2030-01-01}", "has a date, datetime.date(2030, 1, 1); write it as a text"),
        ("{raw: !!binary aGk=}", "has a bytes"),
        ("{some: !!set {a}}", "has a set"),
        ("{n: !!float .nan}", "a number that is too large"),
    ],
)
def test_what_is_no_json_is_refused(settings: str, error: str) -> None:
    with pytest.raises(Invalid, match=re.escape(error)):
        parse(f"sources: [{{slug: web, type: go, settings: {settings}}}]")


def test_aliases_save_writing_and_make_nothing_huge() -> None:
    shared = parse(
        "sources: [{slug: a, type: go, settings: &all {n: 010}}, {slug: b, type: go, settings: *all}]"
    )
    assert isinstance(shared.sources, list)
    assert [each.settings for each in shared.sources] == [{"n": 10}, {"n": 10}]
    laughs = ["a0: &a0 [lol]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9))]
    with pytest.raises(Invalid, match="aliases make too much of it"):
        parse(f"sources: [{{slug: web, type: go, settings: {{{', '.join(laughs)}}}}}]")


def test_a_source_bears_no_label_that_the_same_document_deletes(workspace: Workspace) -> None:
    label = "{key: team, value: shop}"
    text = f"{{labels: [{label}], sources: [{{slug: web, type: go, labels: [{label}]}}]}}"
    workspace.apply(text)
    with pytest.raises(Invalid, match=re.escape("sources[0].labels[0]: team:shop is not among the labels")):
        workspace.plan(text.replace(f"labels: [{label}], s", "labels: [], s"), prune=True)


def test_things_in_the_document_twice_are_refused(workspace: Workspace) -> None:
    with pytest.raises(Invalid, match=re.escape("sources[1]: web is in the document twice")):
        workspace.plan("sources: [{slug: web, type: go}, {slug: web, type: go}]")


def test_a_wrong_key_is_not_taken_for_a_wrong_document(workspace: Workspace, store: Store) -> None:
    workspace.apply(BASE, TOKEN="s3cret")
    store.cipher = type(store.cipher)(bytes(32))
    with pytest.raises(SecretError, match="another secret key"):
        workspace.plan(BASE, TOKEN="s3cret")


def test_the_write_key_of_the_plan_is_the_one_made(workspace: Workspace) -> None:
    diff = workspace.plan("sources: [{slug: web, type: go}]")
    apply(workspace.store, workspace.id, diff, ACTOR)
    (key,) = workspace.snapshot().sources[0].write_keys
    assert f"writeKeys: [{key[:4]}…]" in render_diff(diff).plain
