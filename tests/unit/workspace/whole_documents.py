"""Documents with everything that a workspace can have, for properties."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from onward.workspace.document import Document
from onward.workspace.roles import ROLES

Json = dict[str, Any]

SLUGS = ["web", "app", "api"]
EMAILS = ["ada@example.com", "bob@example.com", "eve@example.com"]
LABELS = [{"key": "env", "value": "prod"}, {"key": "env", "value": "dev"}, {"key": "team", "value": "a b"}]
FUNCTIONS = [
    ("DESTINATION", "Send"),
    ("DESTINATION", "Also: no"),
    ("INSERT_DESTINATION", "In"),
    ("INSERT_SOURCE", "After"),
    ("SOURCE", "S"),
]
HOOK = "hook"
"""Slug of a source that is a function: no source becomes one, or stops being one."""
WAREHOUSES = ["wh", "Lake"]
CONDITIONS = {"one": "event = 'A'", "two": "event = 'B'", "three": "type = 'identify'"}
"""By the transformation's name, as two at odds with each other are refused."""

codes = st.sampled_from(
    ["async function onTrack(event) {\n  // ünï: - code\n}\n", "export {}", "// a\t\n\n\n// b  \n"]
)


def some(values: list[Any], most: int = 3) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), max_size=most, unique_by=repr) if values else st.just([])


def _alert(name: str, slugs: list[str]) -> st.SearchStrategy[Json]:
    channels = [{"type": "IN_APP"}, {"type": "EMAIL", "address": "ops@example.com"}]
    return st.fixed_dictionaries(
        {
            "name": st.just(name),
            "type": st.just("SOURCE_SILENT" if name == "no" else "BACKLOG_AGE"),
            "source": st.sampled_from([None, *slugs]),
            "threshold": st.just(0),
            "minutes": st.sampled_from([5, 60]),
            "enabled": st.booleans(),
            "channels": st.just(channels) | st.just(channels[:1]),
        }
    )


@st.composite
def whole_documents(draw: st.DrawFn) -> Document:
    slugs = draw(some(SLUGS))
    labels = draw(some(LABELS))
    used = draw(some(FUNCTIONS)) if slugs else []
    if ("SOURCE", "S") in used:
        slugs = [*slugs, HOOK]
    functions = [
        {
            "name": name,
            "type": kind,
            "code": draw(codes),
            "settings": [
                {"name": "url", "type": "STRING"},
                {"name": "key", "type": "STRING", "sensitive": True, "required": True},
            ],
            "description": draw(st.sampled_from(["", "- what: it is"])),
            "batchMaxCount": draw(st.sampled_from([20, 100])),
            "deployed": True,  # always, as nothing undoes a deployment
        }
        for kind, name in sorted({*used, *draw(some(FUNCTIONS))})
    ]
    warehouses = [draw(_warehouse(name, slugs)) for name in draw(some(WAREHOUSES))]
    people = draw(some(EMAILS))
    grants = _permissions(slugs, labels, functions, warehouses)
    document: Json = {
        "workspace": {
            "name": draw(st.sampled_from(["Default", "no"])),
            "auditForwarding": draw(st.sampled_from([None, *slugs])),
        },
        "labels": [label | draw(st.just({}) | st.just({"description": "d: é"})) for label in labels],
        "functions": functions,
        "sources": [draw(_source(slug, slugs, labels, used)) for slug in slugs],
        "destinations": [draw(_destination(slug, used)) for slug in slugs],
        "trackingPlans": _plans(draw, slugs),
        "warehouses": warehouses,
        "alerts": [draw(_alert(name, slugs)) for name in draw(some(["Quiet", "no"]))],
        "people": [{"email": email, "permissions": draw(grants)} for email in people],
        "groups": [
            {"name": name, "permissions": draw(grants), "members": draw(some(people))}
            for name in draw(some(["Team", "12:30"]))
        ],
    }
    return msgspec.convert(document, Document)


@st.composite
def _source(
    draw: st.DrawFn, slug: str, slugs: list[str], labels: list[Json], used: list[tuple[str, str]]
) -> Json:
    others = [None, *(other for other in slugs if other != slug)]
    settings = {"url": draw(st.sampled_from(["no", "$${ANY}"])), "key": "${ANY}"}
    after = [name for kind, name in used if kind == "INSERT_SOURCE"]
    insert = draw(st.sampled_from([None, *after]))
    return {
        "slug": slug,
        **({"function": "S", "settings": settings} if slug == HOOK else {"type": "javascript"}),
        "insertFunction": insert
        and {"function": insert, "name": "a", "enabled": draw(st.booleans()), "settings": settings},
        "writeKeys": [f"writekey{slug}"],
        "labels": draw(some(labels)),
        "schema": {
            "track": draw(
                st.just({}) | st.just({"allowUnplannedEvents": False, "commonEventOnViolations": "BLOCK"})
            ),
            "group": draw(st.just({}) | st.just({"allowTraitsOnViolations": False})),
            "forwardingViolationsTo": draw(st.sampled_from(others)),
            "forwardingBlockedEventsTo": draw(st.sampled_from(others)),
        },
        "schemaEvents": draw(
            some(
                [
                    {"type": "TRACK", "name": "A", "enabled": False},
                    {"type": "TRACK", "name": "B", "integrations": {"Hook": False}},
                    {"type": "IDENTIFY", "omitted": ["email"]},
                ]
            )
        ),
        "transformations": [draw(_transformation(name)) for name in draw(some(list(CONDITIONS)))],
        "edgeFunctions": draw(
            st.sampled_from([None, "https://cdn.example.com/a.js", "https://x.example/b.js"])
        ),
        "models": draw(
            some(
                [
                    {"name": "m", "query": "select 1 as id\n-- note", "identifierColumn": "id"},
                    {
                        "name": "n",
                        "query": "select 2 as id",
                        "identifierColumn": "id",
                        "enabled": True,
                        "scheduleStrategy": "PERIODIC",
                        "scheduleConfig": {"interval": "15m"},
                    },
                ]
            )
        ),
    }


@st.composite
def _transformation(draw: st.DrawFn, name: str) -> Json:
    what = draw(
        st.sampled_from(
            [
                {"newEventName": "Renamed"},
                {"dropProperties": ["properties.a"]},
                {"propertyRenames": [{"oldName": "properties.a", "newName": "properties.b"}]},
                {
                    "hashPropertiesConfiguration": {
                        "algorithm": "sha256",
                        "paths": ["properties.email"],
                        "key": "${ANY}",
                        "encoding": "HEX",
                    }
                },
            ]
        )
    )
    if name == "three":  # identify calls have no name, and traits for properties
        what = {"dropProperties": ["traits.a"]}
    to = draw(st.sampled_from([{}, {"destination": "hook"}]))
    return {"name": name, "if": CONDITIONS[name], "enabled": draw(st.booleans()), **to, **what}


@st.composite
def _destination(draw: st.DrawFn, slug: str, used: list[tuple[str, str]]) -> Json:
    """One a source: a function, or a webhook that may have an insert function before it."""
    sending = [name for kind, name in used if kind == "DESTINATION"]
    inserted = [name for kind, name in used if kind == "INSERT_DESTINATION"]
    enabled = draw(st.booleans())
    name = draw(st.sampled_from([None, *sending]))
    settings = {"url": draw(st.sampled_from(["no", "$${ANY}"])), "key": "${ANY}"}
    if name is not None:
        return {
            "name": f"by {name}",
            "source": slug,
            "function": name,
            "enabled": enabled,
            "settings": settings,
            "subscriptions": [],
            "filters": [],
            "insertFunction": None,
        }
    insert = draw(st.sampled_from([None, *inserted]))
    return {
        "name": "Hook",
        "source": slug,
        "type": "hook",
        "enabled": enabled,
        "settings": {"url": "https://example.com", "token": "${ANY}"},
        "subscriptions": [],
        "filters": [],
        "insertFunction": insert
        and {"function": insert, "name": "i", "enabled": draw(st.booleans()), "settings": settings},
    }


@st.composite
def _warehouse(draw: st.DrawFn, name: str, slugs: list[str]) -> Json:
    server = {"hostname": "db", "database": "d", "username": "u", "password": "${ANY}"}
    overrides = [
        {"source": slug, "enabled": draw(st.booleans()), **of}
        for slug in slugs
        for of in draw(some([{}, {"collection": "c"}, {"collection": "c", "property": "p"}]))
    ]
    schedule = {"times": [{"hourOfDay": 3, "enabled": True}], "timezone": "Europe/Berlin"}
    return {
        "name": name,
        "type": "postgres" if name == "wh" else "duckdb",
        "enabled": draw(st.booleans()),
        "settings": server if name == "wh" else {"path": draw(st.sampled_from(["a.duckdb", "b.duckdb"]))},
        "sources": draw(some(slugs)),
        "selectiveSync": overrides,
        "schedule": draw(st.sampled_from([None, schedule, schedule | {"enabled": False}])),
    }


def _plans(draw: st.DrawFn, slugs: list[str]) -> list[Json]:
    rules = [
        {"type": "TRACK", "key": "A", "version": 1, "jsonSchema": {"type": "object", "required": ["a"]}},
        {"type": "TRACK", "key": "A", "version": 2, "jsonSchema": {"type": "object"}},
        {"type": "IDENTIFY", "jsonSchema": {"properties": {"traits": {"type": "object"}}}},
    ]
    plans = [
        {
            "name": name,
            "description": draw(st.sampled_from([None, "d"])),
            "rules": draw(some(rules)),
            "sources": [],
        }
        for name in draw(some(["Plan", "plan", "true"]))
    ]
    for slug in slugs:
        if plans and draw(st.booleans()):
            draw(st.sampled_from(plans))["sources"].append(slug)
    return plans


def _permissions(
    slugs: list[str], labels: list[Json], functions: list[Json], warehouses: list[Json]
) -> st.SearchStrategy[list[Json]]:
    """Each role at most once, for everything or for some things of its kind."""

    @st.composite
    def permissions(draw: st.DrawFn) -> list[Json]:
        found = []
        for slug in draw(some(list(ROLES))):
            kind = ROLES[slug].kind
            part: Json = {"role": slug}
            if kind == "SOURCE":
                part |= {
                    "sources": draw(some(slugs)),
                    "labels": [list(x) for x in draw(some([labels]))] if labels else [],
                }
            elif kind == "FUNCTION":
                named = [{"type": each["type"], "name": each["name"]} for each in functions]
                part["functions"] = draw(some(named)) if named else []
            elif kind == "WAREHOUSE" and warehouses:
                part["warehouses"] = draw(some([each["name"] for each in warehouses]))
            found.append(part)
        return found

    return permissions()
