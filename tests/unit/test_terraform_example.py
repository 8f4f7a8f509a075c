"""The ids in the example for Terraform are those of the catalogues."""

import re
from pathlib import Path

from onward.api.answers import action_id
from onward.destinations.catalog import Catalogue
from onward.workspace.roles import ROLE_BY_ID
from onward.workspace.source_catalogue import source_definition
from onward.workspace.warehouse_catalogue import warehouse_definition

TEXT = (Path(__file__).parents[2] / "examples/terraform/main.tf").read_text()
DATA = re.compile(r'^data "segment_(\w+)" "\w+" \{ id = "(\w+)" \}', re.MULTILINE)


def test_what_it_looks_up_is_there() -> None:
    ids = DATA.findall(TEXT)
    assert {kind for kind, _ in ids} == {
        "source_metadata",
        "destination_metadata",
        "warehouse_metadata",
        "role",
    }
    own = {definition.id for definition in Catalogue().values()}
    for kind, id in ids:
        match kind:
            case "source_metadata":
                assert source_definition(id).slug == "javascript"
            case "destination_metadata":
                assert id in own
            case "warehouse_metadata":
                assert warehouse_definition(id).slug == "postgres"
            case "role":
                assert ROLE_BY_ID[id].slug == "source-admin"


def test_its_action_is_the_webhooks() -> None:
    (action,) = re.findall(r'action_id += "(\w+)"', TEXT)
    assert action == action_id(Catalogue()["actions-webhook"].id, "send")
