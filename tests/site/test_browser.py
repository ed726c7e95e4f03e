"""Every page of the site in a real browser: light and dark, desktop and phone.

A page is opened once, all that it promises is looked at, and all that it breaks is told
together.
"""

import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from built import html, of
from playwright.sync_api import Error
from visits import (
    DESKTOP,
    NARROWEST,
    PHONE,
    SIZES,
    changed,
    file_address,
    ill_set,
    in_words,
    pale,
    state,
    too_wide,
    violations,
    visit,
)

from tools.book.toc import chapters, pages

ALL = [*pages(), "search"]
# One page of each kind is opened in a phone's own browser, under `make test-all` every
# one: what a page does while it opens may depend on that as well.
KINDS = ["index", chapters()[0], "vae/training", "gan/dynamics", "search"]
THEME = "document.documentElement.dataset.theme"
# A while after a change of size the theme lets keys reach what can be scrolled now.
REACHED = """() => [...document.querySelectorAll("article pre")].every(each =>
  each.scrollWidth <= each.clientWidth || each.tabIndex >= 0
  || each.querySelector("a, button"))"""
OWN = ("file://", "data:", "blob:")
# Pictures and fonts are compressed already.
AS_THEY_ARE = {".woff2", ".png", ".jpg"}


def weight(requests):
    """Return how many bytes go over the wire, each file once and compressed."""
    files = {
        Path(unquote(urlsplit(each).path))
        for each in requests
        if each.startswith("file:")
    }
    return sum(
        len(path.read_bytes())
        if path.suffix in AS_THEY_ARE
        else len(gzip.compress(path.read_bytes()))
        for path in files
    )


def other_theme(seen, theme):
    return [] if seen.page.evaluate(THEME) == theme else [f"not {theme}"]


def heavy(seen, page):
    """Name what the page loads that it has no use for; ask before anything is used."""
    seen.page.wait_for_load_state("networkidle")
    if page == "index" and (whole := weight(seen.requests)) > 600_000:
        yield f"the first page weighs {whole} bytes, at most 600000 are wanted"
    others = [each for each in seen.requests if each != file_address(page)]
    if (loaded := weight(others)) > 560_000:
        yield f"beside its text {loaded} bytes are loaded, at most 560000 are wanted"
    names = {Path(urlsplit(each).path).name for each in others}
    yield from (name for name in names if name.startswith(("fontawesome", "fa-")))
    if "searchindex.js" in names:
        yield "searchindex.js, which nobody has asked for"
    article = of(page).find("article")
    for name, wanted_by in (
        ("tex-svg.js", ".math"),
        ("togglebutton.js", ".dropdown, .toggle"),
        ("copybutton.js", ".highlight"),
    ):
        if (name in names) != bool(article.select(wanted_by)):
            yield f"{name} goes with {wanted_by}, and one of them is there alone"


def leading_nowhere(seen):
    """Name links that lead nowhere, those that scripts add among them."""
    addresses = seen.page.evaluate("[...document.links].map(link => link.href)")
    for address in {each for each in addresses if each.startswith("file:")}:
        parts = urlsplit(address)
        target = Path(unquote(parts.path))
        anchor = unquote(parts.fragment)
        if not target.is_file() or (anchor and not html(target).find(id=anchor)):
            yield address


def moving(seen):
    """Count what moves, though the reader asked for less motion."""
    slow = """[...document.querySelectorAll("*")].filter(each => {
      const style = getComputedStyle(each);
      const times = `${style.transitionDuration}, ${style.animationDuration}`;
      return times.split(",").some(time => parseFloat(time) > 0.001);
    }).map(each => each.outerHTML.slice(0, 120))"""
    yield from seen.page.evaluate(slow)
    if count := seen.page.evaluate("document.getAnimations().length"):
        yield f"{count} animations"
    scroll = seen.page.evaluate(
        "getComputedStyle(document.documentElement).scrollBehavior"
    )
    if scroll != "auto":
        yield f"it scrolls in the way {scroll}"


def self_starting(seen):
    """Name figures that play before they are told to."""
    for number, figure in enumerate(seen.page.locator(".jg-moving").all()):
        figure.scroll_into_view_if_needed()
        before = state(figure)
        seen.page.wait_for_timeout(400)  # longer than a frame stands
        if state(figure) != before:
            yield f"figure {number} plays by itself"


def standing_still(seen):
    """Name what does not move its picture: sliders by keys and mouse, and buttons."""
    for number, figure in enumerate(seen.page.locator(".jg-moving").all()):
        sliders = figure.locator("input[type=range]").all()
        if not sliders:
            yield f"figure {number} has no slider"
        for slider in sliders:
            words = slider.evaluate("it => it.closest('label')?.textContent")
            name = f"figure {number}, slider {words}"
            slider.focus()
            seen.page.keyboard.press("Home")
            at_home = state(figure)
            seen.page.keyboard.press("End")
            at_end = state(figure)
            if at_home == at_end:
                yield f"{name}: Home and End show the same"
            room = slider.bounding_box()
            slider.click(position={"x": room["width"] * 0.3, "y": room["height"] / 2})
            if state(figure) == at_end:
                yield f"{name}: a click shows the same as before"
        before = state(figure)
        button = figure.get_by_role("button", name=re.compile("^(Play|Pause)$"))
        button.press("Enter")
        if not changed(figure, before):
            yield f"figure {number} does not play"
        if button.inner_text() == "Pause":
            button.press("Enter")


def resized(seen, size):
    seen.page.set_viewport_size(size)
    seen.page.wait_for_function(
        "width => document.documentElement.clientWidth === width", arg=size["width"]
    )
    seen.page.wait_for_function(REACHED)


def switched(seen, theme):
    seen.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    seen.page.wait_for_function(f"theme => {THEME} === theme", arg=theme)


def on_desktop(seen, page, themes):
    """Yield what is looked at on a wide screen, and how: first what changes nothing."""
    yield "opens in another theme", lambda: other_theme(seen, themes[0])
    yield "formulas that are ill set", lambda: ill_set(seen.page)
    yield "wider than a desktop", lambda: too_wide(seen.page)
    yield "moves in spite of the reader", lambda: moving(seen)
    if page in pages():
        yield "loads in vain", lambda: heavy(seen, page)
        yield "links that lead nowhere", lambda: leading_nowhere(seen)
    yield "plays by itself", lambda: self_starting(seen)
    yield "does not move", lambda: standing_still(seen)


def colours(seen, theme):
    switched(seen, theme)
    return pale(seen.page)


def narrow(seen, size):
    resized(seen, size)
    return too_wide(seen.page)


def on_all_screens(seen, second):
    """Yield what is looked at last: axe-core takes drawings out of the page."""
    yield "wider than a phone", lambda: narrow(seen, PHONE["viewport"])
    yield "wider than the narrowest phone", lambda: narrow(seen, NARROWEST)
    yield (
        "not accessible on a phone",
        lambda: resized(seen, PHONE["viewport"]) or violations(seen.page, SIZES),
    )
    yield (
        "not accessible on a desktop",
        lambda: resized(seen, DESKTOP["viewport"]) or violations(seen.page),
    )
    yield f"{second} colours", lambda: colours(seen, second)


def faults_of(promises):
    """Look at everything, also after a fault, and return what was found by its name."""
    faults = {}
    for name, look in promises:
        try:
            found = list(look() or ())
        except Error as error:  # a control that cannot be had, a wait without an end
            found = [str(error)]
        if found:
            faults[name] = found
    return faults


@pytest.mark.parametrize("page", ALL)
def test_a_page_is_whole_and_accessible_and_moves_and_asks_nobody(browser, page):
    # every other page begins in the dark: each theme is the first of some
    themes = ("light", "dark")[:: 1 if ALL.index(page) % 2 else -1]
    address = file_address(page)
    with visit(browser, address, color_scheme=themes[0], **DESKTOP) as seen:
        faults = faults_of(on_desktop(seen, page, themes))
        faults |= faults_of(on_all_screens(seen, themes[1]))
        faults |= complaints(seen)
    assert not faults, f"{page}: {in_words(faults)}"


def complaints(seen):
    foreign = [asked for asked in seen.requests if not asked.startswith(OWN)]
    found = {"complaints": seen.complaints, "asks others": foreign}
    return {name: each for name, each in found.items() if each}


@pytest.mark.parametrize(
    "page",
    [page if page in KINDS else pytest.param(page, marks=pytest.mark.nightly)
     for page in ALL],
)  # fmt: skip
def test_a_page_opens_in_a_phones_browser_as_well(browser, page):
    themes = ("dark", "light")[:: 1 if ALL.index(page) % 2 else -1]
    with visit(browser, file_address(page), color_scheme=themes[0], **PHONE) as seen:
        look = [
            ("opens in another theme", lambda: other_theme(seen, themes[0])),
            ("formulas that are ill set", lambda: ill_set(seen.page)),
            ("wider than a phone", lambda: too_wide(seen.page)),
            ("wider than the narrowest", lambda: narrow(seen, NARROWEST)),
            ("not accessible", lambda: (
                resized(seen, PHONE["viewport"]) or violations(seen.page)
            )),
            (f"{themes[1]} colours", lambda: colours(seen, themes[1])),
        ]  # fmt: skip
        faults = faults_of(look) | complaints(seen)
    assert not faults, f"{page}: {in_words(faults)}"


def test_pages_have_figures_that_move():
    assert [page for page in pages() if of(page).select(".jg-moving input")]


def test_pictures_have_their_size_and_wait_below_the_first_screen():
    for page in pages():
        for image in of(page).find_all("img"):
            assert image.get("width"), image
            assert image.get("height"), image
        for image in of(page).find("article").find_all("img"):
            assert image.get("loading") == "lazy", image
