"""What all commands share: settings, the flags for them, and the error that people are told."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from onward.settings import Settings, load

Config = Annotated[Path | None, Parameter(help="TOML file with settings (default: $ONWARD_CONFIG).")]
Data = Annotated[Path | None, Parameter(help="The data folder (default: ./data).")]

OfWorkspace = Annotated[str | None, Parameter(help="Slug of the workspace (default: the first).")]


class CommandError(Exception):
    """Something that the person at the command line can put right."""


def read_settings(config: Path | None, **flags: object) -> Settings:
    path = config or (Path(os.environ["ONWARD_CONFIG"]) if os.environ.get("ONWARD_CONFIG") else None)
    return load(path, os.environ, **flags)
