"""A page made for a test: written with figures, opened as a reader does, watched."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Browser, Page

from tools.book.toc import ROOT

STYLES = ("tokens", "text", "figures")


class Watched(NamedTuple):
    """A page, what it complained about, and what it asked for since it was opened."""

    page: Page
    complaints: list[str]
    requests: list[str]


@contextmanager
def opened(browser: Browser, path, **settings) -> Iterator[Watched]:
    """Open a file, in a context of its own with these settings."""
    context = browser.new_context(**settings)
    try:
        page = context.new_page()
        watched = Watched(page, [], [])
        page.on(
            "console",
            lambda said: (
                said.type in ("error", "warning")
                and watched.complaints.append(said.text)
            ),
        )
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        page.on("request", lambda request: watched.requests.append(request.url))
        page.goto(path.as_uri())
        yield watched
    finally:
        context.close()


def written(folder, *figures, name="page"):
    """Write figures into one file, with the style sheets of the book that they need."""
    css = "\n".join(
        (ROOT / f"book/_assets/css/{style}.css").read_text("utf-8") for style in STYLES
    )
    css = re.sub(r"@font-face \{.*?\}", "", css, flags=re.DOTALL)
    body = "\n<p>Between figures.</p>\n".join(figures)
    path = folder / f"{name}.html"
    path.write_text(
        '<!doctype html><html lang="en" data-theme="light"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<link rel="icon" href="data:,"><title>Figures</title><style>{css}\n'
        "*, *::before, *::after { box-sizing: border-box; }\n"
        "body { margin: 1rem; background: var(--jg-paper); color: var(--jg-ink); }"
        f'</style></head><body><article class="bd-article">{body}</article></body>'
        "</html>",
        encoding="utf-8",
    )
    return path


def redrawn(page: Page, count: int = 2) -> None:
    """Wait for that many frames."""
    page.evaluate(
        "count => new Promise(done => { const wait = left => left"
        " ? requestAnimationFrame(() => wait(left - 1)) : done(); wait(count); })",
        count,
    )
