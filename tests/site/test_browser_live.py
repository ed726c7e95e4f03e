"""Live figures in the finished site: read when near, moved by keys and by mouse."""

import shutil
from pathlib import Path
from urllib.parse import urlsplit

import browser as chromium
import pytest
from built import SITE
from visits import DESKTOP, PHONE, file_address, visit

browser = chromium.browser  # the fixture
FIGURES = {"vae/training": ".jg-decoder", "gan/dynamics": ".jg-arena"}
PICTURE = "figure => [...figure.querySelectorAll('canvas')].map(c => c.toDataURL())"
each_figure = pytest.mark.parametrize(("page", "figure"), FIGURES.items())


def opened(seen, figure):
    """Scrolls to a live figure, and waits until its stage is open."""
    found = seen.page.locator(figure)
    found.scroll_into_view_if_needed()
    found.locator(".jg-stage").wait_for(state="visible")
    return found


def after(seen, found, before):
    """Waits until the figure shows something else, and returns it."""
    for _ in range(40):
        now = found.evaluate(PICTURE)
        if now != before:
            return now
        seen.page.wait_for_timeout(50)
    raise AssertionError("the picture stayed as it was")


def figure_files(seen):
    """Returns the files of live figures that were asked for."""
    paths = [Path(urlsplit(each).path) for each in seen.requests]
    return {path.name for path in paths if path.parent.name == "figures"}


@each_figure
def test_a_network_is_read_when_the_reader_comes_near(browser, page, figure):
    with visit(browser, file_address(page), **DESKTOP) as seen:
        assert not figure_files(seen)
        opened(seen, figure)
        assert len(figure_files(seen)) == 2
        assert not seen.complaints


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_decoder_follows_arrow_keys_sliders_and_the_mouse(browser, size):
    with visit(browser, file_address("vae/training"), **size) as seen:
        found = opened(seen, FIGURES["vae/training"])
        picture = found.evaluate(PICTURE)
        pad = found.locator("[tabindex='0']").first
        pad.focus()
        seen.page.keyboard.press("Shift+ArrowRight")
        picture = after(seen, found, picture)
        found.locator("input[type=range]").first.focus()
        seen.page.keyboard.press("ArrowLeft")
        picture = after(seen, found, picture)
        pad.click(position={"x": 30, "y": 40})
        after(seen, found, picture)
        assert not seen.complaints


def test_the_game_trains_when_it_is_started_and_by_the_step(browser):
    with visit(browser, file_address("gan/dynamics"), **DESKTOP) as seen:
        found = opened(seen, FIGURES["gan/dynamics"])
        picture = found.evaluate(PICTURE)
        found.get_by_role("button", name="Step").press("Enter")
        picture = after(seen, found, picture)
        found.get_by_role("button", name="Start").click()
        picture = after(seen, found, picture)
        found.get_by_role("button", name="Pause").click()
        assert not seen.complaints


@pytest.mark.parametrize("harm", ["cut short", "gone", "one letter"])
def test_a_damaged_network_is_told_in_its_figure_alone(browser, tmp_path, harm):
    shutil.copytree(SITE, tmp_path / "site")
    (file,) = (tmp_path / "site/_static/figures").glob("d*-data.js")
    text = file.read_text(encoding="utf-8")
    middle = text.index("base64,") + 500 if "base64," in text else len(text) // 2
    changed = {
        "cut short": text[:middle],
        "gone": "",
        "one letter": text[:middle] + chr(ord(text[middle]) ^ 1) + text[middle + 1 :],
    }
    file.write_text(changed[harm], encoding="utf-8")
    address = (tmp_path / "site/vae/training.html").as_uri()
    with visit(browser, address, **DESKTOP) as seen:
        found = seen.page.locator(FIGURES["vae/training"])
        found.scroll_into_view_if_needed()
        found.locator(".jg-message").wait_for(state="visible")
        assert "cannot move" in found.locator(".jg-message").inner_text()
        assert found.locator(".jg-still svg").is_visible()
        assert seen.page.locator("mjx-container").count() > 5
