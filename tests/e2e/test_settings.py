"""The settings: people, groups, tokens, audit trail, workspace, installation, one's account."""

import pytest
from harness import http, wait_until
from playwright.sync_api import Locator, Page, expect

from .conftest import Place, accessible, look_at

pytestmark = pytest.mark.browser


def choose_role(page: Page, dialog: Locator, role: str) -> None:
    dialog.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name=role, exact=True).click()


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

    theirs = place.new_page(signed_in=False)
    theirs.goto(link)
    theirs.get_by_label("Your name").fill("Bob")
    theirs.get_by_role("textbox", name="Password").fill("another fine password")
    theirs.get_by_role("button", name="Join").click()
    theirs.get_by_role("navigation", name="Main").wait_for()
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


def test_the_workspace_is_renamed(place: Place) -> None:
    page = place.visit("/settings/workspace")
    page.get_by_label("Name").fill("Corner shop")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("banner")).to_contain_text("Corner shop")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(place: Place, theme: str) -> None:
    names = ("workspace", "people", "groups", "roles", "tokens", "audit", "installation", "account")
    look_at(place, [f"/settings/{name}" for name in names], theme)
