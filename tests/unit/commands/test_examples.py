"""The examples are true: every setting is shown with its default, and the workspace can be applied."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from onward import cli
from onward.settings import Settings, load

OIDC = {"public_url", "oidc_issuer", "oidc_client_id", "oidc_client_secret"}
EXAMPLES = Path(__file__).parents[3] / "examples"


def commented_out() -> dict[str, object]:
    """What the settings file would say if its comments were taken away."""
    lines = re.findall(r"^# (\w+ = .+)$", (EXAMPLES / "onward.toml").read_text(), re.MULTILINE)
    return tomllib.loads("\n".join(lines))


def test_every_setting_is_in_the_example_with_its_default() -> None:
    shown = commented_out()
    assert shown.keys() == {field.name for field in msgspec.structs.fields(Settings)}
    machine_or_secret = {"workers", "token", "secret_key", "log_retention_bytes", "catalog"} | OIDC
    machine_or_secret |= {"egress_allow", "egress_override", "function_hours"}
    machine_or_secret |= {name for name in shown if name.startswith("smtp_")}
    defaults = msgspec.to_builtins(Settings(), enc_hook=str)
    for name in shown.keys() - machine_or_secret:
        assert shown[name] == defaults[name], name


def test_the_example_can_be_used_as_it_is_and_with_its_comments_taken_away(tmp_path: Path) -> None:
    assert load(EXAMPLES / "onward.toml", {}) == Settings()
    text = re.sub(r"^# (\w+ = .+)$", r"\1", (EXAMPLES / "onward.toml").read_text(), flags=re.MULTILINE)
    (tmp_path / "onward.toml").write_text(text)
    assert load(tmp_path / "onward.toml", {}).egress_allow == ("10.20.0.0/16",)


def test_the_workspace_can_be_applied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apply = ["apply", str(EXAMPLES / "workspace.yaml"), "--data", str(tmp_path)]
    assert cli.main([*apply, "--yes"]) == 0
    assert "17 to add, 11 to change, 0 to delete." in capsys.readouterr().out
    assert cli.main([*apply, "--dry-run"]) == 0
    assert "Nothing to change." in capsys.readouterr().out
