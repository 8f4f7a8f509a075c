"""The reference of the runtime says what the lock says, and what the code allows."""

import json
import re
from pathlib import Path

from onward.functions.fetching import FetchLimits
from onward.functions.install import NAMES, PACKAGES
from onward.functions.pool import PoolLimits
from onward.functions.process import Limits
from onward.functions.source import LARGEST
from onward.functions.templates import templates
from onward.functions.trial import MOST_SHOWN
from onward.tracking.source_functions import OF_ONE, UNDER_WAY
from onward.workspace.functions import MAX_CODE

DOCS = Path(__file__).parents[3] / "docs"
REFERENCE = (DOCS / "functions-runtime.md").read_text()
GUIDE = (DOCS / "functions.md").read_text()
ROW = re.compile(r"^\| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def test_libraries_are_told_in_the_versions_of_the_lock() -> None:
    locked = json.loads((PACKAGES / "deno.lock").read_text())["specifiers"]
    wanted = json.loads((PACKAGES / "package.json").read_text())["dependencies"]
    section = REFERENCE.partition("## Libraries")[2].partition("\n## ")[0]
    told = {
        package.removesuffix(" (v2)"): version
        for _, packages, version in ROW.findall(section)
        for package in packages.split(", ")
        if version not in ("version", "---") and version.strip()
    }
    installed = set(NAMES.values()) - {"acorn"}  # the runner's own
    assert told.keys() == installed
    for package, version in told.items():
        assert version == wanted[package] == locked[f"npm:{package}@{wanted[package]}"], package


def test_limits_are_told_as_they_are() -> None:
    fetch, pool, process = FetchLimits(), PoolLimits(), Limits()
    limits = REFERENCE.partition("## Limits")[2]
    for said in (
        f"{process.wall:g} s each",
        f"{fetch.requests}, redirects included; {fetch.at_once} at once; {fetch.hops} redirects",
        f"{fetch.body >> 20} MB; {fetch.body >> 20} MB; {fetch.bodies >> 20} MB",
        f"processes of one function and instance | {pool.per_key} |",
        f"{pool.queue:,}, for {pool.queue_for:g} s each",
        f"a test run shows {MOST_SHOWN:,}",
    ):
        assert said in limits, said
    for said in (
        f"{LARGEST // 1024} KB",
        f"{OF_ONE} requests of one source and {UNDER_WAY} in all",
        f"{MAX_CODE >> 20} MiB of code",
    ):
        assert said in GUIDE, said


def test_templates_are_told() -> None:
    told = {
        (slug, kind) for slug, kind, _ in ROW.findall(GUIDE.partition("## Start from")[2].partition("## ")[0])
    }
    assert {(f"`{each.slug}`", f"`{each.kind}`") for each in templates()} <= told
    assert len(templates()) == 14 and "fourteen functions" in GUIDE
