"""The system's Chromium, driven by Playwright: the fixture `chromium` of the folders that import it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes.util import find_library

import pytest
from playwright.sync_api import Browser, sync_playwright

WITHOUT = (
    # The suggestions of the address bar are pages of their own, made with each window: a second of a core.
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup"),
    # Only the last list counts, so what Playwright's own leaves out for pages like ours is said again.
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "PaintHolding", "MediaRouter"),
    *("HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "OptimizationHints"),
)
"""Features of Chromium that tests do without."""

FLAGS = (
    f"--disable-features={','.join(WITHOUT)}",
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Without Chromium the test is skipped with the reason, but in CI it fails."""
    executable = shutil.which("chromium")
    if executable is None or find_library("atomic") is None:  # which Playwright's driver needs
        reason = "needs Chromium: apt-get install chromium libatomic1"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser
