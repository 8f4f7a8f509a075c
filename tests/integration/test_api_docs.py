"""The API's page: it shows every operation to everybody, loads nothing from elsewhere, and lets one try."""

from typing import Any

import pytest
from harness import TOKEN, Onward, http


@pytest.mark.browser
def test_it_is_read_and_tried(onward: Onward, chromium: Any) -> None:
    document = http("GET", f"{onward.url}/api/openapi.json").json()
    page = chromium.new_page()
    problems: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{onward.url}/api/docs")
    page.wait_for_selector("#operations details")
    shown = page.locator("#operations > details").count()
    assert shown == sum(len(methods) for methods in document["paths"].values())
    assert not problems and all(url.startswith(onward.url) for url in asked)

    page.fill("#filter", "createSource")
    create = page.locator("#createSource")
    create.locator("summary").first.click()
    assert "metadataId" in create.inner_text() and "rateLimit" in create.inner_text()
    body = create.locator("textarea")
    assert '"slug"' in body.input_value()
    body.fill('{"slug": "tried", "metadataId": "python"}')
    answer = create.locator("pre")
    create.get_by_role("button").click()
    answer.filter(has_text="401").wait_for()
    page.fill("#token", TOKEN)
    create.get_by_role("button").click()
    answer.filter(has_text="201").wait_for()
    assert [each["slug"] for each in onward.api("GET", "/sources")["sources"]] == ["tried"]

    page.fill("#filter", "getSource")
    read = page.locator("#getSource")
    read.locator("summary").first.click()
    read.locator("table input").fill("no such thing/?x=1")
    read.get_by_role("button").click()
    read.locator("pre").filter(has_text="404").wait_for()
    page.close()
