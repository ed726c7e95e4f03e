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


# The page in which a browser opens file after file, where no settings are asked for: a
# new one costs more than all that most tests do in it. What a file has kept is
# forgotten afterwards: to a browser all files are one site.
_common: dict[Browser, Page] = {}


@contextmanager
def opened(browser: Browser, path, **settings) -> Iterator[Watched]:
    """Open a file; with settings in a context of its own."""
    if settings:
        context = browser.new_context(**settings)
        try:
            with _watched(context.new_page(), path) as watched:
                yield watched
        finally:
            context.close()
        return
    page = _common.get(browser)
    if page is None or page.is_closed():
        page = _common[browser] = browser.new_page()
    with _watched(page, path) as watched:
        try:
            yield watched
        finally:
            page.emulate_media(media="null")
            page.evaluate("try { localStorage.clear(); } catch { }")


@contextmanager
def _watched(page: Page, path) -> Iterator[Watched]:
    watched = Watched(page, [], [])

    def say(said):
        if said.type in ("error", "warning"):
            watched.complaints.append(said.text)

    listeners = {
        "console": say,
        "pageerror": lambda error: watched.complaints.append(str(error)),
        "request": lambda request: watched.requests.append(request.url),
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    page.goto(path.as_uri())
    try:
        yield watched
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)


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
