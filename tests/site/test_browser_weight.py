"""A page is light: what a first visit loads, compressed, and nothing without use."""

import gzip
from pathlib import Path
from urllib.parse import unquote, urlsplit

import browser as chromium
import pytest
from built import of
from visits import DESKTOP, file_address, visit

from tools.book.toc import pages

browser = chromium.browser  # the fixture
# Pictures and fonts are compressed already.
AS_THEY_ARE = {".woff2", ".png", ".jpg"}


def weight(requests: list[str]) -> int:
    """Returns how many bytes go over the wire, each file once and compressed."""
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


def test_the_first_page_is_light(browser):
    with visit(browser, file_address("index"), **DESKTOP) as seen:
        seen.page.wait_for_load_state("networkidle")
        assert weight(seen.requests) <= 600_000


@pytest.mark.parametrize("page", pages())
def test_a_page_loads_nothing_large_besides_its_own_text(browser, page):
    with visit(browser, file_address(page), **DESKTOP) as seen:
        seen.page.wait_for_load_state("networkidle")
        others = [each for each in seen.requests if each != file_address(page)]
    assert weight(others) <= 560_000
    names = {Path(urlsplit(each).path).name for each in others}
    assert not {name for name in names if name.startswith(("fontawesome", "fa-"))}
    assert "searchindex.js" not in names
    article = of(page).find("article")
    assert ("tex-svg.js" in names) == bool(article.select(".math"))
    assert ("togglebutton.js" in names) == bool(article.select(".dropdown, .toggle"))
    assert ("copybutton.js" in names) == bool(article.select(".highlight"))
