"""The settings: people, groups, tokens, audit trail, workspace, installation, one's account."""

import json

import pytest
from harness import http, wait_until
from playwright.sync_api import Locator, Page, expect

from .conftest import Place, accessible, look_at

pytestmark = pytest.mark.browser

PASSWORD = "another fine password"


def choose_role(page: Page, dialog: Locator, role: str) -> None:
    dialog.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name=role, exact=True).click()


def join(place: Place, link: str, name: str) -> Page:
    """Somebody who is invited, signed in in a browser of their own."""
    page = place.new_page(signed_in=False)
    page.goto(link)
    page.get_by_label("Your name").fill(name)
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.get_by_role("navigation", name="Main").wait_for()
    return page


def sign_in(page: Page, email: str, password: str) -> None:
    if "/sign-in" not in page.url:
        page.goto("/sign-in")
    page.get_by_label("Email").fill(email)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("navigation", name="Main").wait_for()


def test_somebody_is_invited_for_one_source_and_comes(place: Place) -> None:
    place.onward.create_source("shown", name="Shown source")
    place.onward.create_source("hidden", name="Hidden source")
    page = place.visit("/settings/people")
    page.get_by_role("button", name="Invite").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Email").fill("bob@example.com")
    choose_role(page, dialog, "Source Read-only")
    dialog.get_by_role("combobox", name="For").click()
    page.get_by_role("option", name="Shown source").click()
    page.keyboard.press("Escape")
    accessible(page)
    dialog.get_by_role("button", name="Make invitation").click()
    link = dialog.locator("pre").inner_text()
    dialog.get_by_role("button", name="Done").click()
    expect(page.get_by_role("row").filter(has_text="bob@example.com")).to_contain_text("Invited")

    theirs = join(place, link, "Bob")
    theirs.goto("/sources")
    expect(theirs.get_by_role("row").filter(has_text="Shown source")).to_be_visible()
    expect(theirs.get_by_text("Hidden source")).to_have_count(0)
    expect(theirs.get_by_role("link", name="Add source")).to_have_count(0)

    page.reload()
    row = page.get_by_role("row").filter(has_text="bob@example.com")
    expect(row).to_contain_text("Source Read-only of 1 source")
    row.get_by_role("button", name="Change bob@example.com").click()
    page.get_by_role("menuitem", name="Remove from workspace").click()
    dialog.get_by_role("textbox").fill("bob@example.com")
    dialog.get_by_role("button", name="Remove").click()
    expect(row).to_have_count(0)


def test_a_new_link_replaces_the_one_that_was_lost(place: Place) -> None:
    people = [{"email": "carol@example.com", "permissions": [{"roleId": "source-read-only"}]}]
    lost = place.onward.api("POST", "/invites", {"invites": people})["invitations"][0]["link"]
    page = place.visit("/settings/people")
    page.get_by_role("button", name="Change carol@example.com").click()
    page.get_by_role("menuitem", name="Make a new link").click()
    link = page.get_by_role("dialog").locator("pre").inner_text()
    theirs = place.new_page(signed_in=False)
    theirs.goto(lost)
    expect(theirs.get_by_role("heading", name="This link is no longer good")).to_be_visible()
    accessible(theirs)
    carol = join(place, link, "Carol")
    carol.goto("/sources")
    expect(carol.get_by_role("heading", name="Sources")).to_be_visible()
    expect(carol.get_by_text("An owner of the workspace can grant it")).to_have_count(0)


def test_a_new_password_ends_the_other_sessions(place: Place) -> None:
    invited = {"invites": [{"email": "dora@example.com"}]}
    link = place.onward.api("POST", "/invites", invited)["invitations"][0]["link"]
    page = join(place, link, "Dora")
    elsewhere = place.new_page(signed_in=False)
    sign_in(elsewhere, "dora@example.com", PASSWORD)
    page.goto("/settings/account")
    page.get_by_label("Current password").first.fill("not that one")
    page.get_by_label("New password").first.fill("an even finer password")
    page.get_by_role("button", name="Change password").click()
    page.get_by_text("This is not the current password").or_(page.get_by_text("not the current")).wait_for()
    page.get_by_label("Current password").first.fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    page.get_by_text("Changed. Your other sessions have ended.").wait_for()
    elsewhere.goto("/settings/account")
    elsewhere.wait_for_url("**/sign-in?next=*")
    sign_in(elsewhere, "dora@example.com", "an even finer password")
    elsewhere.wait_for_url("**/settings/account")
    elsewhere.get_by_role("button", name="Sign out everywhere").click()
    elsewhere.wait_for_url("**/sign-in")
    page.goto("/settings/account")
    page.wait_for_url("**/sign-in?next=*")


def test_what_went_wrong_with_one_is_not_told_of_another(place: Place) -> None:
    invited = {"invites": [{"email": "eve@example.com"}]}
    join(place, place.onward.api("POST", "/invites", invited)["invitations"][0]["link"], "Eve")
    page = place.visit("/settings/people")
    page.get_by_role("button", name="Change ada@example.com").click()
    page.get_by_role("menuitem", name="Remove from workspace").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("ada@example.com")
    dialog.get_by_role("button", name="Remove").click()
    expect(dialog.get_by_role("alert")).to_contain_text("needs a user who is its owner")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Change eve@example.com").click()
    page.get_by_role("menuitem", name="Remove from workspace").click()
    expect(dialog.get_by_role("textbox")).to_have_value("")
    expect(dialog.get_by_role("alert")).to_have_count(0)


def test_a_group_gets_a_role_and_members(place: Place) -> None:
    page = place.visit("/settings/groups")
    page.get_by_role("button", name="Add group").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Analysts")
    dialog.get_by_role("button", name="Add group").click()
    dialog.get_by_role("combobox", name="Members").click()
    page.get_by_role("option", name="ada@example.com").click()
    page.keyboard.press("Tab")
    choose_role(page, dialog, "Source Read-only")
    dialog.get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="Analysts")
    expect(row).to_contain_text("1")
    expect(row).to_contain_text("Source Read-only")
    accessible(page)
    row.get_by_role("button", name="Change Analysts").click()
    page.get_by_role("menuitem", name="Members and role").click()
    choose_role(page, dialog, "No role")
    dialog.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("No role")

    label = {"key": "team", "value": "shop"}
    place.onward.api("POST", "/labels", {"label": label})
    (group,) = place.onward.api("GET", "/groups")["userGroups"]
    by_label = {"permissions": [{"roleId": "source-admin", "labels": [label]}]}
    place.onward.api("PUT", f"/groups/{group['id']}/permissions", by_label)
    page.reload()
    expect(row).to_contain_text("Source Admin by team:shop")
    row.get_by_role("button", name="Change Analysts").click()
    page.get_by_role("menuitem", name="Members and role").click()
    expect(dialog.get_by_text("Now: Source Admin by team:shop")).to_be_visible()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(row).to_contain_text("Source Admin by team:shop")


def test_a_token_is_shown_once_works_and_is_deleted(place: Place) -> None:
    page = place.visit("/settings/tokens")
    page.get_by_role("button", name="Create token").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Terraform")
    choose_role(page, dialog, "Workspace Owner")
    dialog.get_by_role("button", name="Create token").click()
    secret = dialog.locator("pre").inner_text()
    dialog.get_by_role("button", name="Done").click()

    def status() -> int:
        head = {"authorization": f"Bearer {secret}"}
        return http("GET", f"{place.onward.url}/api/sources", headers=head).status

    assert status() == 200
    assert secret not in page.content()
    page.get_by_role("button", name="Delete Terraform").click()
    dialog.get_by_role("textbox").fill("Terraform")
    dialog.get_by_role("button", name="Delete token").click()
    wait_until(lambda: status() == 401, what="the token is refused")


def test_the_audit_trail_tells_what_was_changed(place: Place) -> None:
    source = place.onward.create_source("audited", name="Audited")
    place.onward.api("PATCH", f"/sources/{source.id}", {"name": "Audited and changed"})
    page = place.visit("/settings/audit?type=Source")
    changed = page.get_by_role("row").filter(has_text="Audited and changed").first
    changed.click()
    drawer = page.get_by_role("dialog")
    expect(drawer).to_contain_text("Before")
    expect(drawer).to_contain_text("Audited and changed")
    accessible(page)
    page.keyboard.press("Escape")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert download.value.suggested_filename == "audit-trail.ndjson"
    events = [json.loads(line) for line in download.value.path().read_text().splitlines()]
    assert {each["resourceType"].lower() for each in events} == {"source"}, "what is shown is exported"
    assert "Audited and changed" in [each["resourceName"] for each in events]


def test_the_workspace_is_renamed(place: Place) -> None:
    page = place.visit("/settings/workspace")
    page.get_by_label("Name").fill("Corner shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("banner")).to_contain_text("Corner shop")


def test_every_page_is_accessible_and_fits(place: Place) -> None:
    names = ("workspace", "people", "groups", "roles", "tokens", "audit", "installation", "account")
    look_at(place, [f"/settings/{name}" for name in names])
