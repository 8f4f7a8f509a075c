"""The documentation is true where that is cheap to tell: links, settings, codes, and every example."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onward import cli
from onward.destinations.catalog import Catalogue
from onward.destinations.webhook.send import MAX_BATCH
from onward.egress.http import EgressError
from onward.pipeline import fql, mapping, triggers
from onward.settings import Settings
from onward.tracking import limits
from onward.tracking.ledger import RING
from onward.workspace import yaml
from onward.workspace.bootstrap import bootstrap
from onward.workspace.delivery import Delivery, shown
from onward.workspace.parts.base import VARIABLE
from onward.workspace.store import Actor, Store

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]
EVENT = json.loads((ROOT / "examples/event.json").read_text())

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\|(.+)\|$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def blocks(language: str) -> list[Any]:
    """The fenced blocks of a language in all pages, as test parameters."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in FENCE.finditer(text):
            if match[1] == language:
                line = text.count("\n", 0, match.start()) + 1
                found.append(pytest.param(match[2], id=f"{page.name}:{line}"))
    return found


def lines(language: str) -> list[Any]:
    return [
        pytest.param(line, id=line) for block in blocks(language) for line in block.values[0].splitlines()
    ]


# --- links ---


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as GitHub makes them."""
    text = FENCE.sub("", page.read_text())
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


def test_the_index_lists_every_page() -> None:
    index = set(LINK.findall((ROOT / "docs/README.md").read_text()))
    assert {page.name for page in DOCS} - {"README.md"} <= index


# --- tables ---


def rows(page: str) -> list[list[str]]:
    """The cells of all table rows of a page."""
    text = FENCE.sub("", (ROOT / "docs" / page).read_text())
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.+\|$", text, re.M)
    ]


def test_every_setting_is_told_with_its_variable_and_default() -> None:
    told = {row[0]: row for row in rows("operate.md") if len(row) == 5 and row[1].startswith("`ONWARD_")}
    assert told.keys() == {f"`{field.name}`" for field in msgspec.structs.fields(Settings)}
    spoken = {"workers", "token", "secret_key", "log_retention_bytes", "catalog"}
    spoken |= {"egress_allow", "egress_override", "function_hours"}
    spoken |= {"smtp_host", "smtp_user", "smtp_password", "smtp_from"}
    spoken |= {"public_url", "oidc_issuer", "oidc_client_id", "oidc_client_secret"}
    for name, default in msgspec.structs.asdict(Settings()).items():
        row = told[f"`{name}`"]
        assert row[1] == f"`ONWARD_{name.upper()}`"
        assert name in spoken or row[3].strip("`") == str(default), name


def test_every_field_of_the_policy_is_told_with_its_default() -> None:
    told = {row[0]: row[2].replace(",", "") for row in rows("delivery.md") if len(row) == 5}
    names = [field.encode_name for field in msgspec.structs.fields(Delivery)]
    assert shown({}, "").keys() == set(names)
    for name, default in shown({}, "").items():
        assert told[f"`{name}`"] == ("none" if default is None else f"{default:.15g}"), name


def test_the_limits_are_those_of_the_code() -> None:
    tracking = (ROOT / "docs/tracking.md").read_text()
    for limit in (limits.EVENT_BYTES, limits.BATCH_BYTES, limits.BATCH_EVENTS):
        assert f"{limit:,}" in tracking
    assert f"last {RING} events" in tracking
    assert f"at most {MAX_BATCH:,}" in (ROOT / "docs/destinations.md").read_text()


# --- codes ---

MADE = re.compile(
    r"(?:\b(?:EgressError|ClosedEarlyError|Stopped|discarded|retry|discard_all)|super\(\)\.__init__)"
    r'\(\s*"([A-Za-z_]+)"'
)
NAMED = re.compile(r'^[A-Z_]+(?:: Final)? = "([A-Za-z]+_[A-Za-z_]+|INTERNAL)"$', re.MULTILINE)
JUDGED = re.compile(r'"([a-z]+_[a-z_]+|BAD_REQUEST)"')


def codes() -> set[str]:
    """Every discard code that the code can give, but statuses."""
    rooms = [path for room in ("tracking", "delivery", "destinations", "egress", "pipeline")
             for path in (ROOT / "onward" / room).rglob("*.py")]  # fmt: skip
    found = {code for file in rooms for rule in (MADE, NAMED) for code in rule.findall(file.read_text())}
    found |= set(JUDGED.findall((ROOT / "onward/pipeline/validate.py").read_text()))
    return found | {"name_not_string", "category_not_string"} | EgressError.RETRYABLE


def test_every_code_is_told() -> None:
    told = {
        code
        for page in ("tracking.md", "delivery.md")
        for row in rows(page)
        for code in re.findall(r"`([A-Za-z_]+)`", row[0])
    }
    made = codes()
    assert made >= {"LOOP_DETECTED", "EXPIRED_IN_LOG", "TLS", "BLOCKED_ADDRESS", "MESSAGE_REJECTED"}
    assert made >= {"unknown_source", "empty_batch", "no_user_anon_id", "NO_MATCHING_MAPPING", "INTERNAL"}
    assert not made - told


# --- examples ---


@pytest.mark.parametrize("text", blocks("json"))
def test_json_parses(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        for line in text.splitlines():
            json.loads(line)


@pytest.mark.parametrize("text", blocks("python"))
def test_python_compiles(text: str) -> None:
    compile(text, "docs", "exec")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    """A workspace with the source that examples of a destination alone belong to."""
    settings = Settings(data=tmp_path_factory.mktemp("docs") / "data", token="token")
    workspace_id = bootstrap(settings).workspace_id
    store = Store.open(settings, Catalogue())
    base = yaml.plan(store, workspace_id, "sources: [{slug: website, type: javascript}]", {})
    yaml.apply(store, workspace_id, base, Actor(id="test"))
    return store, workspace_id


@pytest.mark.parametrize("text", [*blocks("yaml"), (ROOT / "examples/ci/workspace.yaml").read_text()])
def test_yaml_plans(workspace: tuple[Store, str], text: str) -> None:
    secrets = {name: "secret" for _, name in VARIABLE.findall(text)}
    assert yaml.plan(*workspace, text, secrets)


@pytest.mark.parametrize("text", blocks("mapping"))
def test_mappings_give_what_is_told(text: str) -> None:
    parts = text.splitlines()
    assert len(parts) % 2 == 0
    for part, result in zip(parts[::2], parts[1::2], strict=True):
        given = mapping.transform({"part": json.loads(part)}, EVENT)
        assert given == {"part": json.loads(result.removeprefix("→ "))}, part


@pytest.mark.parametrize("condition", lines("fql"))
def test_conditions_hold(condition: str) -> None:
    assert fql.compile(condition)(EVENT)


@pytest.mark.parametrize("trigger", lines("trigger"))
def test_triggers_hold(trigger: str) -> None:
    triggers.check(trigger)
    assert triggers.compile(trigger)(EVENT)


COMMAND = re.compile(
    r"(?:^|[|;&] *|\$\(|`)(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?onward ([a-z]+)([^|`\n]*)", re.MULTILINE
)
"""`onward NAME REST` where a shell would see a command."""

GROUPS = {
    name
    for name, group in cli.app.resolved_commands().items()
    if not name.startswith("-") and [each for each in group.resolved_commands() if not each.startswith("-")]
}
"""Commands that are groups of commands, such as `catalog`."""


def commands() -> set[tuple[str, str]]:
    """Each subcommand with each of its long options, as the pages use them; ('serve', '') for none.

    Those of a group are named with it, such as `catalog list`.
    """
    used = set()
    for page in PAGES:
        text = page.read_text()
        shell = "\n".join(match[2] for match in FENCE.finditer(text) if match[1] in ("", "sh"))
        for first, rest in COMMAND.findall(
            f"{shell}\n{' '.join(re.findall('`[^`]+`', FENCE.sub('', text)))}"
        ):
            name = f"{first} {rest.split()[0]}" if first in GROUPS and rest.strip() else first
            used |= {(name, option) for option in ["", *re.findall(r"--[a-z-]+", rest)]}
    return used


def test_commands_and_options_exist(capsys: pytest.CaptureFixture[str]) -> None:
    used = commands()
    assert ("catalog list", "--category") in used
    assert {("serve", "--data"), ("sink", "--out"), ("apply", "--prune"), ("send", "--rate")} <= used
    for name in {name for name, _ in used}:
        assert cli.main([*name.split(), "--help"]) == 0
        known = capsys.readouterr().out
        assert not {option for other, option in used if other == name and option not in known}


@pytest.mark.parametrize(
    ("page", "language", "file"),
    [("operate.md", "ini", "onward.service"), ("operate.md", "dockerfile", "Containerfile")],
)
def test_shown_files_are_the_examples(page: str, language: str, file: str) -> None:
    shown_file = next(
        match[2] for match in FENCE.finditer((ROOT / "docs" / page).read_text()) if match[1] == language
    )
    assert shown_file == (ROOT / "examples" / file).read_text()
