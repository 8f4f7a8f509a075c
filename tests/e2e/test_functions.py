"""A function's life in the web app: made from a template, tested, saved, deployed, compared and restored."""

import re

import pytest
from harness import wait_until
from playwright.sync_api import Page, expect

from .conftest import Place, accessible, look_at

pytestmark = pytest.mark.browser

BROKEN = """async function onTrack(event, settings) {
  console.log('for', event.userId)
  const response = await fetch(settings.url, { method: 'POST', body: JSON.stringify(event) })
  if (!response.ok) throw new RetryError(`HTTP ${response.status}`)
}
"""


def write(page: Page, label: str, text: str) -> None:
    editor = page.get_by_role("textbox", name=label, exact=True)
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_a_function_is_made_tested_deployed_and_restored(place: Place) -> None:
    page = place.visit("/functions")
    page.get_by_role("button", name="New function").first.click()
    panel = page.get_by_role("dialog", name="New function")
    panel.get_by_role("textbox", name="Name").fill("Forward orders")
    panel.get_by_label("Webhook forwarder").check()
    accessible(page)
    panel.get_by_role("button", name="Create function").click()
    expect(page.get_by_role("heading", name="Forward orders")).to_be_visible()
    code = page.get_by_role("textbox", name="Code of the function")
    expect(code).to_contain_text("X-Signature")
    function_id = page.url.rpartition("/")[2]

    write(page, "Code of the function", BROKEN)
    expect(page.get_by_text("Unsaved")).to_be_visible()
    page.get_by_label("URL").fill(place.sink.url)
    place.sink.behave(status=503)
    page.get_by_role("button", name="Run", exact=True).click()
    result = page.get_by_role("region", name="Result of the test run")
    expect(result).to_contain_text("Retry")
    expect(result).to_contain_text("HTTP 503")
    expect(result).to_contain_text("would be retried")
    expect(result).to_contain_text("Console: 1")
    expect(result).to_contain_text(place.sink.url)
    expect(page.locator(".cm-failed")).to_contain_text("throw new RetryError")
    accessible(page)
    place.sink.behave(status=None)

    page.get_by_role("button", name="As a batch").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(result).to_contain_text("onBatch")
    page.get_by_role("button", name="One event").click()
    code.click()
    page.keyboard.press("Control+Enter")
    expect(result).to_contain_text("would be delivered")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("saved v2 · not deployed")).to_be_visible()

    page.get_by_role("button", name="Deploy…").click()
    page.get_by_role("dialog", name="Deploy").get_by_role("button", name="Deploy").click()
    expect(page.get_by_text("saved v2 · deployed v2")).to_be_visible()

    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("list", name="Versions").get_by_text("v1").click()
    version = page.get_by_role("dialog", name="v1, the first")
    expect(version).to_contain_text("X-Signature")
    accessible(page)
    version.get_by_role("button", name="Restore as v3").click()
    expect(page.get_by_text("saved v3 · deployed v2")).to_be_visible()
    expect(code).to_contain_text("X-Signature")
    deployed = place.onward.api("GET", f"/functions/{function_id}")["function"]
    assert not deployed["isLatestVersion"]


def test_a_version_is_deployed_to_chosen_instances(place: Place) -> None:
    made = create(place, "Beside each other")
    for slug in ("web", "app", "shop"):
        source = place.onward.create_source(f"beside-{slug}", name=f"Beside {slug}")
        body = {"sourceId": source.id, "metadataId": f"function-{made}", "name": f"Send {slug}"}
        place.onward.api("POST", "/destinations", body | {"settings": {}, "enabled": slug != "shop"})
    page = place.visit(f"/functions/{made}?tab=versions")
    expect(page.get_by_text("saved v1 · deployed v1 to 3 instances")).to_be_visible()
    expect(page.get_by_role("button", name="Deploy…")).to_be_disabled()
    write(page, "Code of the function", "async function onTrack(event) { console.log(2) }")
    page.get_by_role("button", name="Save & deploy…").click()
    dialog = page.get_by_role("dialog", name="Save and deploy")
    boxes = dialog.get_by_role("checkbox", name=re.compile("^Send"))
    expect(boxes).to_have_count(3)
    for box in boxes.all():
        expect(box).to_be_checked()
    expect(dialog.get_by_role("button", name="Save and deploy", exact=True)).to_be_visible()
    dialog.get_by_role("checkbox", name="All 3").uncheck()
    expect(dialog).to_contain_text("Nothing that runs now changes")
    dialog.get_by_role("checkbox", name="All 3").check()
    dialog.get_by_role("checkbox", name="Send app of Beside app").uncheck()
    expect(dialog.get_by_role("checkbox", name="Send app of Beside app v1 stays")).not_to_be_checked()
    expect(dialog.get_by_role("checkbox", name="Send shop of Beside shop · disabled v1 → v2")).to_be_checked()
    accessible(page)
    dialog.get_by_role("button", name="Save and deploy to 2 of 3").click()
    expect(page.get_by_text("saved v2 · deployed v2 to 2 of 3 instances")).to_be_visible()
    found = place.onward.api("GET", f"/functions/{made}/instances")["instances"]
    assert {each["name"]: each["version"]["number"] for each in found} == {
        "Send web": 2,
        "Send app": 1,
        "Send shop": 2,
    }

    lines = page.get_by_role("list", name="Versions").get_by_role("listitem")
    expect(lines.nth(0)).to_contain_text("Runs at Send web of Beside web, Send shop of Beside shop")
    expect(lines.nth(1)).to_contain_text("Runs at Send app of Beside app")
    accessible(page)
    page.get_by_role("tab", name="Use").click()
    row = page.get_by_role("listitem").filter(has_text="Send app")
    expect(row).to_contain_text("v1")
    expect(row).to_contain_text("Behind")
    row.get_by_role("link", name="Send app").click()
    expect(page.get_by_role("heading", name="Send app")).to_be_visible()
    page.get_by_role("link", name="v1 Behind").click()
    page.get_by_role("button", name="Deploy…").click()
    dialog = page.get_by_role("dialog", name="Deploy")
    expect(dialog.get_by_role("checkbox", name=re.compile("already$"))).to_have_count(2)
    dialog.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.get_by_text("saved v2 · deployed v2 to 3 instances")).to_be_visible()
    expect(page.get_by_role("button", name="Deploy…")).to_be_disabled()
    assert place.onward.api("GET", f"/functions/{made}")["function"]["instancesBehind"] == 0


def test_failures_are_told_where_the_code_is(place: Place) -> None:
    made = create(place, "Failing", BROKEN)
    source = place.onward.create_source("failing", name="Failing shop")
    body = {
        "sourceId": source.id,
        "metadataId": f"function-{made}",
        "name": "Broken",
        "settings": {},
        "enabled": True,
    }
    page = place.visit(f"/functions/{made}?tab=logs")
    expect(page.get_by_text("Nothing has failed lately")).to_be_visible()
    accessible(page)
    place.onward.api("POST", "/destinations", body)
    place.onward.send(source, [{"type": "track", "userId": "ada", "event": "E", "messageId": "m-logs"}])
    # Nothing is pressed: it is looked up again and again.
    run = page.get_by_role("group").filter(has_text="Bad Request")
    run.locator("summary").first.click()
    expect(run).to_contain_text("Broken of Failing shop · v1")
    expect(run).to_contain_text("for ada")
    expect(run).to_contain_text("None were sent.")
    expect(run).to_contain_text("m-logs")
    accessible(page)
    run.get_by_role("button", name=re.compile(r"^line 3$")).click()
    expect(page.locator(".cm-failed")).to_contain_text("await fetch(settings.url")
    write(page, "Code of the function", "// changed")
    expect(run.get_by_role("button", name=re.compile("^line"))).to_have_count(0)
    run.get_by_role("button", name="Test with it").click()
    expect(page.get_by_role("textbox", name="Event", exact=True)).to_contain_text("m-logs")


def test_code_that_cannot_be_loaded_is_refused_at_its_line(place: Place) -> None:
    made = create(place, "Refused")
    page = place.visit(f"/functions/{made}")
    write(page, "Code of the function", "async function onTrack(event) {\n  const = 1\n}\n")
    page.keyboard.press("Control+s")
    expect(page.get_by_role("alert").first).to_contain_text(re.compile("line 2"))
    expect(page.locator(".cm-failed")).to_contain_text("const = 1")
    expect(page.get_by_text("saved v1")).to_be_visible()


def test_settings_are_defined_and_code_completes_them(place: Place) -> None:
    made = create(place, "With settings")
    page = place.visit(f"/functions/{made}?tab=settings")
    page.get_by_role("button", name="Add setting").click()
    page.get_by_label("Name", exact=True).first.fill("apiKey")
    page.get_by_label("Sensitive: encrypted, never shown").check()
    write(page, "Code of the function", "async function onTrack(event, settings) {\n  ")
    page.keyboard.type("settings.")
    page.get_by_role("listbox").get_by_role("option", name="apiKey").click()
    page.keyboard.type("\n  event.context.")
    expect(page.get_by_role("listbox")).to_contain_text("userAgent")
    page.keyboard.press("Escape")
    page.keyboard.type("ip\n}")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Unsaved")).to_have_count(0)
    saved = place.onward.api("GET", f"/functions/{made}")["function"]
    assert [(each["name"], each["sensitive"]) for each in saved["settings"]] == [("apiKey", True)]
    assert "settings.apiKey" in saved["code"]


def test_an_event_of_a_source_is_tried(place: Place) -> None:
    source = place.onward.create_source("tried", name="Tried shop")
    event = {"type": "track", "userId": "ada", "event": "Bought Tea", "properties": {"cups": 3}}
    place.onward.send(source, [event])
    wait_until(
        lambda: place.onward.api("GET", f"/sources/{source.id}/debugger")["events"],
        what="the debugger has it",
    )
    made = create(
        place, "Tea", "async function onTrack(event) { console.log(event.properties.cups + ' cups') }"
    )
    page = place.visit(f"/functions/{made}")
    page.get_by_text("Event of a source").click()
    page.get_by_label("Source", exact=True).first.click()
    page.get_by_role("option", name="Tried shop").click()
    page.get_by_label("Its latest events").first.click()
    page.get_by_role("option", name="Bought Tea").click()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_role("region", name="Result of the test run")).to_contain_text("3 cups")


def test_functions_fit_a_phone(place: Place) -> None:
    made = create(place, "On a phone")
    paths = (
        "/functions",
        f"/functions/{made}",
        f"/functions/{made}?tab=settings",
        f"/functions/{made}?tab=use",
    )
    look_at(place, paths)


def create(place: Place, name: str, code: str = "async function onTrack(event) {}") -> str:
    body = {"displayName": name, "resourceType": "DESTINATION", "code": code}
    return str(place.onward.api("POST", "/functions", body)["function"]["id"])
