"""What differs between two versions of a function: code line by line, settings by name. Pure."""

from difflib import unified_diff
from typing import Any

import msgspec

from onward.workspace.entities import FunctionVersion
from onward.workspace.function_catalogue import FunctionSetting, settings_of


class SettingChange(msgspec.Struct, frozen=True):
    name: str
    before: FunctionSetting | None
    """None if there was none of this name."""
    after: FunctionSetting | None


class VersionDiff(msgspec.Struct, frozen=True, kw_only=True):
    before: int
    """Numbers of the versions."""
    after: int
    code: str
    """As `diff -u` writes it, with three lines around each change; empty if nothing differs."""
    added: int
    """Lines of code."""
    removed: int
    settings: list[SettingChange]


def compare(before: FunctionVersion, after: FunctionVersion) -> VersionDiff:
    lines = [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in unified_diff(
            before.code.splitlines(keepends=True),
            after.code.splitlines(keepends=True),
            f"version {before.number}",
            f"version {after.number}",
        )
    ]
    return VersionDiff(
        before=before.number,
        after=after.number,
        code="".join(lines),
        added=sum(line.startswith("+") for line in lines[2:]),
        removed=sum(line.startswith("-") for line in lines[2:]),
        settings=_changes(before, after),
    )


def _changes(before: FunctionVersion, after: FunctionVersion) -> list[SettingChange]:
    former: dict[str, Any] = {each.name: each for each in settings_of(before)}
    later: dict[str, Any] = {each.name: each for each in settings_of(after)}
    return [
        SettingChange(name, former.get(name), later.get(name))
        for name in [*former, *(name for name in later if name not in former)]
        if former.get(name) != later.get(name)
    ]
