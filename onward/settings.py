"""Process settings: one commented TOML file, overridden by `ONWARD_*` variables, overridden by flags.

Every field below can be set by the name in the file (`log_retention_hours = 168`) or by the variable
(`ONWARD_LOG_RETENTION_HOURS=168`); lists are separated by commas in variables. What is configured in a
workspace (sources, destinations, …) is not here but in `onward.workspace`.
"""

import os
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

GIB = 1 << 30
LISTS = ("egress_allow", "egress_override")


class SettingsError(Exception):
    """A setting that can't be used; the message names it and says what would be right."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    data: Path = Path("data")
    """The one data folder."""
    host: str = "127.0.0.1"
    port: int = 8080
    catalog: Path | None = None
    """Where Segment's open-source destinations are installed (`onward catalog update`); None for the
    environment that Onward itself is installed in."""
    workers: int = max(1, (os.cpu_count() or 2) - 1)
    """Delivery processes; each owns a share of the destinations."""
    token: str | None = None
    """A Public API token with the owner role, valid from the first start."""
    secret_key: str | None = None
    """Key that encrypts secrets at rest (32 bytes, base64); without it a key file is made in `data`."""
    public_url: str | None = None
    """Where browsers find this Onward, such as https://onward.example.com; None for what they ask for."""
    oidc_issuer: str | None = None
    """An identity provider that people sign in by (OpenID Connect)."""
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = None
    egress_allow: tuple[str, ...] = ()
    """Address ranges that the egress guard lets through although they are not public."""
    egress_override: tuple[str, ...] = ()
    """For tests: requests to a host go to another origin, `api.example.com=http://127.0.0.1:9000`; the host
    may be `*.example.com` or `*`."""
    log_retention_hours: float = 168.0
    log_retention_bytes: int | None = None
    """At most this much event log, oldest slices first; None for no limit but the age."""
    log_slice_seconds: int = 3600
    disk_reserve_bytes: int = GIB
    """Below this much free disk, tracking answers 503."""
    dedupe_hours: float = 24.0
    dedupe_scope: Literal["workspace", "source", "global"] = "workspace"
    """Where a messageId counts as seen (Segment: global; spec §22.2)."""
    discard_retention_hours: float = 168.0
    """How long a failed event's payload is kept for inspection."""
    api_requests_per_minute: int = 6000
    """What one token or session may ask of the Public API; more is answered 429."""
    max_functions: int = 25
    """Functions that a workspace may have, of all kinds."""
    function_hours: float | None = None
    """Wall time in hours that the functions of a workspace may use in a month; None for no limit. Beyond it
    they are locked out until the month ends (UTC)."""
    functions_trusted: bool = False
    """Run functions although the sandbox does not hold here: their code may then do anything."""
    smtp_host: str | None = None
    """Mail server that alerts go out by; None for no mail."""
    smtp_port: int = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password: str | None = None
    smtp_from: str | None = None
    """Sender of mails; None for onward@ the mail server."""
    status_page: bool = True
    """Whether anyone may see how well deliveries succeed by kind of destination, at /status."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def catalog_folder(self) -> Path:
        return self.catalog or Path(sys.prefix) / "share" / "onward" / "catalog"


def load(
    file: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    **flags: object,
) -> Settings:
    """Settings from file, environment and flags (None means not given); raises `SettingsError`."""
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values.update(tomllib.loads(file.read_text()))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"{file}: {error}") from error
    fields = {field.name for field in msgspec.structs.fields(Settings)}
    for name in fields:
        text = environment.get(f"ONWARD_{name.upper()}")
        if text:
            values[name] = text.split(",") if name in LISTS else text
    values.update({name: value for name, value in flags.items() if value is not None})
    unknown = values.keys() - fields
    if unknown:
        raise SettingsError(f"no such setting: {', '.join(sorted(unknown))}")
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from error


def _path(kind: type, value: object) -> object:
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)
