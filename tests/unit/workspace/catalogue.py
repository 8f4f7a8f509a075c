"""A small catalogue with one of everything that the workspace checks."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Field:
    label: str = ""
    type: str = "string"
    required: Any = False
    default: Any = None
    choices: tuple[str, ...] = ()
    multiple: bool = False
    secret: bool = False
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, kw_only=True)
class Action:
    slug: str
    default_trigger: str = ""
    fields: dict[str, Field] = field(default_factory=dict)
    hooks: dict[str, Any] = field(default_factory=dict)
    sync_mode: Any = None


@dataclass(frozen=True, kw_only=True)
class Preset:
    name: str
    action: str
    trigger: str
    mapping: dict[str, Any]
    automatic: bool = True


@dataclass(frozen=True, kw_only=True)
class Definition:
    slug: str
    id: str
    name: str
    settings: dict[str, Field] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict)
    presets: tuple[Preset, ...] = ()
    insert_refusal: str = ""


HOOK = Definition(
    slug="hook",
    id="0123456789abcdef01234567",
    name="Hook",
    settings={
        "url": Field(required=True),
        "token": Field(type="password"),
        "signing": Field(type="object", secret=True),
        "mode": Field(choices=("fast", "safe"), default="safe"),
        "retries": Field(type="integer", minimum=0, maximum=10),
        "ratio": Field(type="number"),
        "verbose": Field(type="boolean"),
        "tags": Field(multiple=True),
        "since": Field(type="datetime"),
        "extra": Field(type="object"),
    },
    actions={
        "send": Action(
            slug="send",
            fields={
                "data": Field(type="object", required=True),
                "note": Field(),
                "batch_size": Field(type="integer"),
            },
        ),
        "drop": Action(slug="drop"),
    },
    presets=(
        Preset(
            name="Send tracks", action="send", trigger='type = "track"', mapping={"data": {"@path": "$."}}
        ),
    ),
)

PLAIN = Definition(slug="plain", id="abcdefabcdefabcdefabcdef", name="Plain")

CATALOGUE = {"hook": HOOK, "plain": PLAIN}
