"""Every page of the site in a real browser: light and dark, desktop and phone."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import browser as chromium
import pytest
from built import html, of
from visits import (
    COLOURS,
    PHONE,
    SIZES,
    file_address,
    ill_set,
    in_words,
    state,
    too_wide,
    violations,
    visit,
)

from tools.book.toc import pages

# Each size begins with another theme, and is then switched to the other one.
VIEWS = {"desktop": ("light", "dark"), "phone": ("dark", "light")}
NARROW = "document.documentElement.clientWidth === 320"
ALL = [*pages(), "search"]
MOVING = [page for page in pages() if of(page).select(".jg-moving input")]


browser = chromium.browser  # the fixture


@pytest.mark.parametrize("page", ALL)
@pytest.mark.parametrize(("size", "themes"), VIEWS.items(), ids=list(VIEWS))
def test_a_page_is_whole_and_accessible_and_asks_nobody(browser, page, size, themes):
    first, second = themes
    address = file_address(page)
    with visit(browser, address, color_scheme=first, **SIZES[size]) as seen:
        shown = "document.documentElement.dataset.theme"
        assert seen.page.evaluate(shown) == first
        assert not ill_set(seen.page)
        assert not too_wide(seen.page)
        if size == "phone":
            seen.page.set_viewport_size({"width": 320, "height": 640})
            seen.page.wait_for_function(NARROW)
            assert not too_wide(seen.page)
            seen.page.set_viewport_size(PHONE["viewport"])
        assert not (found := violations(seen.page)), in_words(found)
        seen.page.emulate_media(color_scheme=second, reduced_motion="reduce")
        seen.page.wait_for_function(f"{shown} === '{second}'")
        assert not (found := violations(seen.page, COLOURS)), in_words(found)
        assert not seen.complaints
        own = ("file://", "data:", "blob:")
        assert not [asked for asked in seen.requests if not asked.startswith(own)]


@pytest.mark.parametrize("page", MOVING)
def test_every_slider_moves_its_picture_by_keyboard_and_by_mouse(browser, page):
    with visit(browser, file_address(page), **SIZES["desktop"]) as seen:
        figures = seen.page.locator(".jg-moving").all()
        sliders = [
            (figure, slider)
            for figure in figures
            for slider in figure.locator("input[type=range]").all()
        ]
        assert sliders
        for figure, slider in sliders:
            slider.focus()
            seen.page.keyboard.press("Home")
            at_home = state(figure)
            seen.page.keyboard.press("End")
            assert len({at_home, state(figure)}) == 2
            room = slider.bounding_box()
            middle = {"x": room["width"] * 0.3, "y": room["height"] / 2}
            before = state(figure)
            slider.click(position=middle)
            assert state(figure) != before
        assert not seen.complaints


@pytest.mark.parametrize("page", MOVING)
def test_every_figure_plays_when_it_is_told_to_and_not_before(browser, page):
    with visit(browser, file_address(page), **SIZES["desktop"]) as seen:
        for figure in seen.page.locator(".jg-moving").all():
            figure.scroll_into_view_if_needed()
            before = state(figure)
            seen.page.wait_for_timeout(400)  # longer than a frame stands
            assert state(figure) == before
            figure.get_by_role("button", name="Play").press("Enter")
            for _ in range(40):
                if state(figure) != before:
                    break
                seen.page.wait_for_timeout(50)
            assert state(figure) != before
        assert not seen.complaints


@pytest.mark.parametrize("page", pages())
def test_what_scripts_add_to_a_page_leads_somewhere_too(browser, page):
    with visit(browser, file_address(page)) as seen:
        addresses = seen.page.evaluate("[...document.links].map(link => link.href)")
    for address in {each for each in addresses if each.startswith("file:")}:
        parts = urlsplit(address)
        target = Path(unquote(parts.path))
        assert target.is_file(), address
        if parts.fragment:
            assert html(target).find(id=unquote(parts.fragment)), address


def test_pictures_have_their_size_and_wait_below_the_first_screen(browser):
    for page in pages():
        for image in of(page).find_all("img"):
            assert image.get("width"), image
            assert image.get("height"), image
        for image in of(page).find("article").find_all("img"):
            assert image.get("loading") == "lazy", image
