"""Live figures in the finished site: read when near, moved by keys and by mouse."""

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from built import SITE
from visits import DESKTOP, PHONE, changed, file_address, state, visit

FIGURES = {"vae/training": ".jg-decoder", "gan/dynamics": ".jg-arena"}


def opened(seen, figure):
    """Scrolls to a live figure, and waits until its stage is open."""
    found = seen.page.locator(figure)
    found.scroll_into_view_if_needed()
    found.locator(".jg-stage").wait_for(state="visible")
    return found


def after(found, before):
    """Wait until the figure shows something else, and returns it."""
    assert changed(found, before), "the picture stayed as it was"
    return state(found)


def figure_files(seen):
    """Return the files of live figures that were asked for."""
    paths = [Path(urlsplit(each).path) for each in seen.requests]
    return {path.name for path in paths if path.parent.name == "figures"}


@contextmanager
def near(browser, page, size):
    """Open a page and comes near its live figure, whose network is read only then."""
    with visit(browser, file_address(page), **size) as seen:
        assert not figure_files(seen)
        found = opened(seen, FIGURES[page])
        assert len(figure_files(seen)) == 2
        yield seen, found
        assert not seen.complaints


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_decoder_is_read_when_near_and_follows_keys_sliders_and_mouse(
    browser, size
):
    with near(browser, "vae/training", size) as (seen, found):
        picture = state(found)
        pad = found.locator("[tabindex='0']").first
        pad.focus()
        seen.page.keyboard.press("Shift+ArrowRight")
        picture = after(found, picture)
        found.locator("input[type=range]").first.focus()
        seen.page.keyboard.press("ArrowLeft")
        picture = after(found, picture)
        pad.click(position={"x": 30, "y": 40})
        after(found, picture)


def test_the_game_is_read_when_near_and_trains_when_started_and_by_the_step(browser):
    with near(browser, "gan/dynamics", DESKTOP) as (_, found):
        picture = state(found)
        found.get_by_role("button", name="Step").press("Enter")
        picture = after(found, picture)
        found.get_by_role("button", name="Start").click()
        after(found, picture)
        found.get_by_role("button", name="Pause").click()


@pytest.mark.parametrize("harm", ["cut short", "gone", "one letter"])
def test_a_damaged_network_is_told_in_its_figure_alone(browser, tmp_path, harm):
    # one file is written anew, the others are the site's
    shutil.copytree(SITE, tmp_path / "site", copy_function=os.link)
    (file,) = (tmp_path / "site/_static/figures").glob("d*-data.js")
    text = file.read_text(encoding="utf-8")
    file.unlink()
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
