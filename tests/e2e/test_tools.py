"""What is asked of the tool itself in a browser: its lists of people, and what an action needs made there."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import expect

from .conftest import Place, accessible

pytestmark = pytest.mark.browser


class Tool(BaseHTTPRequestHandler):
    """Pinterest's API as far as lists are concerned, which are made; and Klaviyo's, which has one."""

    lists: dict[str, str]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        id = str(1001 + len(self.lists))
        if self.path.endswith("/customer_lists"):
            self.lists[id] = body["name"]
        self._answer(200, {"id": id})

    def do_GET(self) -> None:
        friends = {"id": "L1", "attributes": {"name": "Friends"}}
        if "/api/lists" in self.path:
            self._answer(200, {"data": friends if "L1" in self.path else [friends], "links": {}})
            return
        id = self.path.rpartition("/")[2]
        known = id in self.lists
        self._answer(200 if known else 404, {"id": id} if known else {"message": "There is no such list."})

    def _answer(self, status: int, body: Any) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def tool() -> Iterator[str]:
    Tool.lists = {}
    with ThreadingHTTPServer(("127.0.0.1", 0), Tool) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def onward_settings(tool: str) -> dict[str, Any]:
    return {"egress_override": f"api.pinterest.com={tool},a.klaviyo.com={tool}"}


@pytest.fixture
def destination(place: Place) -> str:
    source = place.onward.create_source(f"lists-{len(place.onward.api('GET', '/sources')['sources'])}")
    body = {
        "sourceId": source.id,
        "metadataId": "pinterest-audiences",
        "settings": {"account": "319762813599", "access_token": "t0ken"},
        "applyPresets": True,
    }
    return str(place.onward.api("POST", "/destinations", body)["destination"]["id"])


def test_a_list_is_made_at_the_tool_and_looked_up(place: Place, destination: str) -> None:
    page = place.visit(f"/destinations/{destination}/settings")
    audiences = page.get_by_role("region", name="Audiences")
    audiences.get_by_label("Name of a new list").fill("Big spenders")
    accessible(page)
    audiences.get_by_role("button", name="Make list").click()
    made = audiences.get_by_role("status")
    expect(made).to_contain_text("Made: 1001")
    context = json.loads(made.locator("pre").inner_text())
    assert context["context"]["personas"] == {
        "external_audience_id": "1001",
        "audience_settings": {"list_type": "EMAIL"},
    }
    audiences.get_by_label("Id of a list that there is").fill("77")
    audiences.get_by_role("button", name="Look up").click()
    expect(audiences.get_by_role("alert")).to_contain_text("There is no such list")
    audiences.get_by_label("Id of a list that there is").fill("1001")
    audiences.get_by_role("button", name="Look up").click()
    expect(made).to_contain_text("There is: 1001")


def test_what_an_action_needs_made_is_made_and_kept(place: Place, destination: str) -> None:
    path = f"/destinations/{destination}/subscriptions"
    mapping = place.onward.api("GET", path)["subscriptions"][0]["id"]
    page = place.visit(f"/destinations/{destination}/mappings/{mapping}")
    hook = page.get_by_role("region", name="Connect to a customer list")
    hook.get_by_role("button", name="Do it now").click()
    expect(hook.get_by_role("alert")).to_contain_text("the list needs a name")
    hook.get_by_label("List name").fill("Bought twice")
    accessible(page)
    hook.get_by_role("button", name="Do it now").click()
    expect(hook).to_contain_text("Done")
    (id,) = (each for each, name in Tool.lists.items() if name == "Bought twice")
    expect(hook.get_by_text(id, exact=True)).to_be_visible()
    expect(page.get_by_text("Not saved")).to_have_count(0)

    # What else is changed in the mapping leaves it as it is.
    page.get_by_label("Trigger as FQL").fill('event = "Audience Entered"')
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Saved. It takes effect within 2 s.").wait_for()
    saved = place.onward.api("GET", f"{path}/{mapping}")["subscription"]
    assert saved["trigger"] == 'event = "Audience Entered"'
    assert saved["settings"]["retlOnMappingSave"]["outputs"] == {"id": id, "name": "Bought twice"}


def test_a_list_of_the_tool_is_chosen(place: Place) -> None:
    source = place.onward.create_source("chosen")
    body = {"sourceId": source.id, "metadataId": "actions-klaviyo", "settings": {"api_key": "k3y"}}
    klaviyo = place.onward.api("POST", "/destinations", body)["destination"]["id"]
    mapping = place.onward.api(
        "POST",
        f"/destinations/{klaviyo}/subscriptions",
        {"name": "People", "actionId": "upsertProfile", "trigger": 'type = "identify"', "enabled": False},
    )["destinationSubscription"]["id"]
    page = place.visit(f"/destinations/{klaviyo}/mappings/{mapping}")
    hook = page.get_by_role("region", name="Connect to a static list in Klaviyo")
    hook.get_by_role("combobox", name="Existing List ID").click()
    page.get_by_role("option", name="Friends").click()
    expect(hook.get_by_role("combobox", name="Existing List ID")).to_have_value("Friends")
    accessible(page)
    hook.get_by_role("button", name="Do it now").click()
    expect(hook).to_contain_text("Done")
    saved = place.onward.api("GET", f"/destinations/{klaviyo}/subscriptions/{mapping}")["subscription"]
    assert saved["settings"]["retlOnMappingSave"]["inputs"]["list_identifier"] == "L1"
