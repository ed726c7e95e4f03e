"""A real browser for tests: an installed Chromium, driven by Playwright."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools.book import chromium


def executable() -> str:
    """Returns the browser's path; without one fails where CI says so, else skips."""
    path = chromium.installed()
    if path is None:
        missing = f"{chromium.WANTED}, and nothing was tested in a browser"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


# Of a module, not of a session: Playwright runs once at a time, and each file of tests
# that names the fixture has its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser, or skip loudly."""
    start = {"executable_path": executable(), "args": chromium.ARGUMENTS}
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(**start)
        yield opened
        opened.close()
