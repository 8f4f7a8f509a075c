"""The pages about access and the audit trail say what the code does."""

import re
from pathlib import Path

from onward.api import throttle
from onward.workspace import audit, sessions
from onward.workspace.entities import Resource
from onward.workspace.passwords import LEAST, MOST
from onward.workspace.people import INVITED_FOR_MS
from onward.workspace.roles import ROLES

ROOT = Path(__file__).parents[2]
ACCESS = (ROOT / "docs/access.md").read_text()
AUDIT = (ROOT / "docs/audit.md").read_text()
ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)

FOR = {"WORKSPACE": "", "SOURCE": "sources, by label too", "FUNCTION": "functions", "WAREHOUSE": "warehouses"}

NEVER = {
    "Tracking Plan Rule",  # as changes of the plan
    "User",  # is added to a workspace and removed from it
    "Workspace Regulation",  # has words of its own
}
"""Things whose entries don't follow the pattern."""
LITERAL = re.compile(r'(?:record\(\s*[\w.]+,\s*|write_of_user\([^"]{0,80}?)"([A-Z][\w -]+)"')


def test_the_table_of_roles_is_that_of_the_code() -> None:
    rows = [[cell.strip() for cell in row.split("|")] for row in ROW.findall(ACCESS)]
    told = [row for row in rows if len(row) == 4 and row[1].strip("`") in ROLES]
    assert told == [
        [role.name, f"`{role.slug}`", FOR[role.kind], role.description] for role in ROLES.values()
    ]


def test_the_figures_are_those_of_the_code() -> None:
    assert f"{LEAST} to {MOST} characters" in ACCESS
    assert sessions.LIFE_MS == INVITED_FOR_MS == 7 * 24 * 3600 * 1000
    assert throttle.FREE == 5 and throttle.LONGEST == 15 * 60
    assert "after five failures" in ACCESS and "up to 15 minutes" in ACCESS


def told_entries() -> set[str]:
    return {
        name
        for row in ROW.findall(AUDIT.partition("## Entries")[2])
        for name in re.findall(r"`([A-Z][\w -]+)`", row)
    }


def test_every_entry_of_the_audit_trail_is_told() -> None:
    literal = {name for path in (ROOT / "onward").rglob("*.py") for name in LITERAL.findall(path.read_text())}
    assert literal >= {"Function Deployed", "User Signed In", "Secret Key Rotated", "Regulation Deleted"}
    assert literal <= told_entries()


def test_every_entry_that_is_told_can_be_made() -> None:
    literal = {
        name
        for path in (ROOT / "onward").rglob("*.py")
        for name in re.findall(r'"([A-Z][a-z]+(?: [A-Z][\w-]+)+)"', path.read_text())
    }
    by_pattern = set()
    for kind in _kinds(Resource):
        for verb in ("Created", "Modified", "Enabled", "Disabled", "Deleted"):
            if verb in ("Enabled", "Disabled") and not hasattr(kind, "enabled"):
                continue
            name = f"{kind.event_name} {verb}"
            by_pattern.add(audit.EXCEPTIONS.get(name, name))
    scoped = {"Workspace Regulation Created", "Source Regulation Created"}
    assert told_entries() <= by_pattern | literal | scoped


def test_things_that_come_and_go_say_so() -> None:
    for kind in _kinds(Resource):
        if kind.event_name not in NEVER:
            name = f"{kind.event_name} Created"
            assert audit.EXCEPTIONS.get(name, name) in told_entries()


def _kinds(of: type[Resource]) -> list[type[Resource]]:
    return [kind for each in of.__subclasses__() for kind in (each, *_kinds(each))]
