"""Labels, and the sources that bear them."""

import pytest

from .conftest import Call


async def test_labels_live_in_the_workspace_and_on_sources(call: Call) -> None:
    source = (await call("POST", "/sources", {"slug": "s", "metadataId": "python"}, status=201))["source"]
    label = {"key": "env", "value": "prod", "description": "Live"}
    assert (await call("POST", "/labels", {"label": label}, status=201))["label"] == label
    assert (await call("POST", "/labels", {"label": label}, status=422))[0]["field"] == "label"
    await call("POST", "/labels", {"label": {"key": "team", "value": "web"}}, status=201)
    assert (await call("GET", "/labels"))["labels"] == [label, {"key": "team", "value": "web"}]
    path = f"/sources/{source['id']}/labels"
    missing = {"labels": [{"key": "nope", "value": "x"}]}
    assert (await call("POST", path, missing, status=422))[0]["field"] == "labels[0]"
    await call("POST", path, {"labels": [{"key": "env", "value": "prod"}]})
    borne = await call("POST", path, {"labels": [{"key": "team", "value": "web"}]})
    assert borne["labels"] == [label, {"key": "team", "value": "web"}]
    await call("DELETE", "/labels/team/web")
    assert (await call("GET", f"/sources/{source['id']}"))["source"]["labels"] == [label]
    assert (await call("PUT", path, {"labels": []}))["labels"] == []
    assert (await call("DELETE", "/labels/team/web", status=404))[0]["type"] == "not-found"


@pytest.mark.parametrize("text", ["", " ", "a/b", "..", "a\x00", "two\nlines", "x" * 256])
async def test_a_label_can_be_named_in_an_address(call: Call, text: str) -> None:
    for name, label in (("key", {"key": text, "value": "v"}), ("value", {"key": "k", "value": text})):
        (error,) = await call("POST", "/labels", {"label": label}, status=422)
        assert error["field"] == f"label.{name}"
    long = {"key": "k", "value": "v", "description": "x" * 2001}
    assert (await call("POST", "/labels", {"label": long}, status=422))[0]["field"] == "label.description"


async def test_a_label_that_permissions_need_stays(call: Call) -> None:
    label = {"key": "team", "value": "web"}
    await call("POST", "/labels", {"label": label}, status=201)
    group = (await call("POST", "/groups", {"name": "Web"}))["userGroup"]
    granted = {"permissions": [{"roleId": "source-admin", "labels": [label]}]}
    await call("POST", f"/groups/{group['id']}/permissions", granted)
    errors = await call("DELETE", "/labels/team/web", status=422)
    assert "permissions are granted" in errors[0]["message"]
