"""Visits to the built site: how a page is opened, and what is asked of every one."""

import functools
import http.server
import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import axe_playwright_python
from built import SITE

NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  configurable: true,
  get() { throw new DOMException("refused", "SecurityError"); },
});"""
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True}
NARROWEST = {"width": 320, "height": 640}

# The standard that the site keeps; of axe-core's advice two rules are kept as well.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_ADVICE = ["region", "label-content-name-mismatch"]
# The rules that look at colours: what another theme can break.
COLOURS = ["color-contrast", "link-in-text-block"]
# Those that look at places and sizes, or at what is to be seen: what another size can
# break. The rest read the document, which is the same, and colours go with the theme.
SIZES = [
    "target-size", "scrollable-region-focusable", "css-orientation-lock", "button-name",
    "link-name", "label", "aria-hidden-focus", "bypass", "region",
    "label-content-name-mismatch",
]  # fmt: skip
# Drawings are described as a whole, and code has few kinds of words: of the many parts
# that axe-core would look at one by one, one of each kind is left.
_FEWER = """() => {
  const drawings = "mjx-container > svg, .jg-figure svg";
  for (const drawing of document.querySelectorAll(drawings)) drawing.replaceChildren();
  const kinds = new Set();
  for (const word of document.querySelectorAll(".highlight pre span[class]")) {
    if (kinds.has(word.className)) word.replaceWith(word.textContent);
    kinds.add(word.className);
  }
}"""

# Colours come from rules about elements and classes: of words that stand in the same
# kinds of elements and have the same colour now, some are left for another theme.
_ONE_OF_A_KIND = """most => {
  const kinds = new Map();
  const kind = each => {
    const style = getComputedStyle(each);
    const own = [style.color, style.backgroundColor, each.getAttribute("style")];
    const names = [];
    for (let e = each; e && e !== document.body; e = e.parentElement)
      names.push(e.tagName, e.className, [...e.parentElement.children].indexOf(e) % 2);
    return [...own, ...names].join();
  };
  const words = [...document.body.querySelectorAll("*")].filter(each =>
    [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
  const counted = words.map(each => [each, kind(each)]);
  for (const [each, name] of counted) {
    kinds.set(name, (kinds.get(name) || 0) + 1);
    if (kinds.get(name) > most) each.style.visibility = "hidden";
  }
}"""

# Resolves when every formula that is there has been set.
_SET = "() => window.formulas?.then(() => 0)"

# What a control of a figure may change: pictures, values, words.
_STATE = """figure => [
  ...[...figure.querySelectorAll("svg")].map(each => each.outerHTML),
  ...[...figure.querySelectorAll("canvas")].map(each => each.toDataURL()),
  ...[...figure.querySelectorAll("img")].map(each => each.src),
].join()"""

_NEXT_STATE = f"""async figure => {{
  await new Promise(requestAnimationFrame);
  return ({_STATE})(figure);
}}"""


class Visit(NamedTuple):
    """A page as a reader sees it; what it asked for, and what it complained about."""

    page: object
    requests: list[str]
    complaints: list[str]

    def go(self, address: str) -> None:
        """Open an address, and wait for its formulas."""
        self.page.goto(address)
        self.page.evaluate(_SET)


def file_address(page: str) -> str:
    """Return a page's address as a file."""
    return (SITE / f"{page}.html").as_uri()


@contextmanager
def visit(browser, address: str, **settings) -> Iterator[Visit]:
    """Open a page in a browser that has never been here, and listen.

    Args:
        browser: Playwright's.
        address: of the page.
        **settings: of the browser's context.

    Yields:
        The visit; it goes on listening.
    """
    context = browser.new_context(**{"reduced_motion": "reduce"} | settings)
    try:
        context.set_default_timeout(15_000)
        page = context.new_page()
        seen = Visit(page, [], [])
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("console", lambda said: _note(said, seen.complaints))
        seen.go(address)
        yield seen
    finally:
        context.close()


def _note(said, complaints: list[str]) -> None:
    if said.type in ("error", "warning"):
        complaints.append(said.text)


@functools.cache
def _axe() -> str:
    folder = Path(axe_playwright_python.__path__[0])
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def violations(page, rules: Sequence[str] = _TAGS) -> list[str]:
    """Ask axe-core what is not accessible; each line names a rule and a place.

    The page's drawings are gone afterwards: let this be the last that is asked.
    """
    options = {
        "runOnly": rules,
        "resultTypes": ["violations"],
        "preload": False,  # would ask for style sheets, which files do not give out
        "rules": {
            rule: {"enabled": rules is _TAGS or rule in rules} for rule in _ADVICE
        },
    }
    page.evaluate(_FEWER)
    page.evaluate(_axe())
    found = page.evaluate(
        "options => axe.run(options).then(found => found.violations)", options
    )
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


def pale(page) -> list[str]:
    """Ask axe-core about colours alone, of words of each kind; looks at no more."""
    page.evaluate(_ONE_OF_A_KIND, 3)
    return violations(page, COLOURS)


def state(figure) -> str:
    """Return what a figure shows, to be compared with what it shows later."""
    return figure.evaluate(_STATE)


def changed(figure, before: str) -> bool:
    """Wait until a figure shows something else than before; says whether it did."""
    frames = range(60)  # a second
    return any(figure.evaluate(_NEXT_STATE) != before for _ in frames)


def too_wide(page) -> list[str]:
    """Name what makes the page scroll sideways; nothing where it does not."""
    return page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          return [...document.querySelectorAll("body *")]
            .filter(each => each.getBoundingClientRect().right > width + 1)
            .slice(0, 5).map(each => each.outerHTML.slice(0, 120));
        }"""
    )


def ill_set(page) -> list[str]:
    """Name formulas that are not set, hold an error, or lack a letter."""
    return page.evaluate(
        """() => {
          const fault = "mjx-merror, [data-mjx-error], mjx-container svg text";
          return [...document.querySelectorAll(".math:not(:has(.math))")]
            .filter(each => each.querySelectorAll("mjx-container").length !== 1
              || each.querySelector(fault))
            .map(each => each.textContent.slice(0, 120));
        }"""
    )


@contextmanager
def served() -> Iterator[str]:
    """Serve the site on this machine alone; yields its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            """Say nothing."""

    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def in_words(found: object) -> str:
    """Format what was found, for a failed test."""
    return json.dumps(found, indent=2, ensure_ascii=False)
