"""A real browser for tests: an installed Chromium, driven by Playwright."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser, sync_playwright

from tools.book import chromium


def executable() -> str:
    """Return the browser's path; without one fails where CI says so, else skips."""
    path = chromium.installed()
    if path is None:
        missing = f"{chromium.WANTED}, and nothing was tested in a browser"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return path


class Started(NamedTuple):
    """A browser, and the loop of events that Playwright drives it by."""

    browser: Browser
    loop: asyncio.AbstractEventLoop


@contextmanager
def started() -> Iterator[Started]:
    """Start a browser, to be borrowed."""
    start = {"executable_path": executable(), "args": chromium.ARGUMENTS}
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(**start)
        found = Started(opened, asyncio.get_running_loop())
        asyncio._set_running_loop(None)
        yield found
        with borrowed(found):
            opened.close()
        asyncio._set_running_loop(found.loop)


@contextmanager
def borrowed(found: Started) -> Iterator[Browser]:
    """Lends a browser that runs.

    Between two calls Playwright leaves its loop marked as the one that runs. Where the
    browser is not in use the mark is taken away: others want a loop, or a Playwright,
    of their own.
    """
    asyncio._set_running_loop(found.loop)
    try:
        yield found.browser
    finally:
        asyncio._set_running_loop(None)
