"""A real browser for tests: an installed Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# It runs as root in containers, draws without a GPU, and calls nobody by itself.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def installed() -> str | None:
    """Returns the path of the first Chromium that is found, or nothing."""
    return next(filter(None, map(shutil.which, NAMES)), None)


# Of a module, not of a session: Playwright runs once at a time, and each file of tests
# that names the fixture has its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start the browser; without one fail where CI says so, skip loudly elsewhere."""
    path = installed()
    if path is None:
        missing = (
            f"a Chromium is wanted, none of {', '.join(NAMES)} was found, and nothing "
            "was tested in a browser; install one (Debian: apt install chromium)"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()
