"""The built site: complete, self-contained, and every link leads somewhere."""

import re
from collections import Counter
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from built import SITE, article, html, of, verdicts
from reading import equations

from tools import make
from tools.book.toc import chapters, pages

MEGABYTE = 1_000_000

each_page = pytest.mark.parametrize("page", pages())
each_chapter = pytest.mark.parametrize("page", chapters())


def test_the_site_is_up_to_date():
    wanted = make.read_mark(make.SITE_MARK)
    assert wanted == make.site_inputs(), "run make book, then the tests again"


def test_every_page_is_there_and_no_other():
    built = {str(p.relative_to(SITE).with_suffix("")) for p in SITE.rglob("*.html")}
    extra = {p for p in built if p.startswith("_static/")}
    assert built - extra == set(pages()) | {"search", "prf-prf"}


@each_page
def test_a_page_is_small_enough(page):
    assert (SITE / f"{page}.html").stat().st_size <= 1.5 * MEGABYTE


def test_the_site_is_small_enough():
    total = sum(path.stat().st_size for path in SITE.rglob("*") if path.is_file())
    assert total <= 25 * MEGABYTE


def test_titles_are_there_and_differ():
    titles = [of(page).title.string.strip() for page in pages()]
    assert all("The Jensen Gap" in title for title in titles)
    assert len(set(titles)) == len(titles)
    for page in pages():
        assert len(article(page).find_all("h1")) == 1


def _loaded(soup):
    """Yield every address that the browser fetches without being asked."""
    for tag in soup.find_all(["script", "img", "iframe", "source", "video", "audio"]):
        yield tag.get("src")
    for tag in soup.find_all("link"):
        if set(tag.get("rel", [])) & {"stylesheet", "icon", "preload", "preconnect"}:
            yield tag.get("href")
    for tag in soup.find_all("object"):
        yield tag.get("data")
    for tag in soup.find_all(["use", "image"]):
        yield tag.get("href") or tag.get("xlink:href")


def _foreign(address):
    return bool(re.match(r"(?:https?:)?//", address or ""))


@pytest.mark.parametrize("page", [*pages(), "search"])
def test_a_page_asks_no_other_host_for_anything(page):
    assert not [address for address in _loaded(of(page)) if _foreign(address)]
    styles = " ".join(tag.get_text() for tag in of(page).find_all("style"))
    styles += " ".join(tag["style"] for tag in of(page).find_all(style=True))
    assert not re.search(r"url\(\s*['\"]?(?:https?:)?//", styles)
    inline = " ".join(tag.get_text() for tag in of(page).find_all("script"))
    assert not re.search(r"(?:fetch|import|src\s*=)\W{0,3}https?://|unpkg\.com", inline)


@pytest.mark.parametrize(
    "path", sorted(SITE.rglob("*.css")), ids=lambda path: str(path.relative_to(SITE))
)
def test_a_style_sheet_asks_no_other_host_for_anything(path):
    style = path.read_text(encoding="utf-8")
    asked = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", style)
    assert not [address for pair in asked for address in pair if _foreign(address)]


def test_mathjax_is_in_the_site():
    assert list(SITE.rglob("*.css")), "no style sheets, so the test above saw nothing"
    assert (SITE / "_static" / "mathjax" / "tex-svg.js").is_file()
    assert (SITE / "_static/mathjax/ui/menu.js").is_file()


@each_page
def test_pictures_say_what_they_show(page):
    for image in article(page).find_all("img"):
        alt = image.get("alt", "")
        assert alt.strip(), image.get("src", "")[:80]
        assert not alt.startswith("_images/")
    for drawing in article(page).select('svg[role="img"], .jg-figure svg'):
        assert drawing.get("role") == "img"
        assert drawing.get("aria-label", "").strip()
    for control in article(page).select(".jg-controls input"):
        assert control.find_parent("label") or control.get("aria-label")


@each_page
def test_ids_are_unique_on_a_page(page):
    ids = Counter(tag["id"] for tag in of(page).find_all(id=True))
    assert not [name for name, count in ids.items() if count > 1]


@each_page
def test_internal_links_lead_somewhere(page):
    here = SITE / f"{page}.html"
    for link in of(page).find_all("a", href=True):
        parts = urlsplit(link["href"])
        if parts.scheme or parts.netloc:
            continue
        target = (here.parent / unquote(parts.path)).resolve() if parts.path else here
        assert target.is_file(), link["href"]
        anchor = unquote(parts.fragment)
        if anchor and target.suffix == ".html":
            assert html(target).find(id=anchor), link["href"]


@each_page
def test_no_markup_is_left_in_the_text(page):
    text = BeautifulSoup(str(article(page)), "html.parser")
    for code in text.find_all(["pre", "code", "script", "style"]):
        code.decompose()
    left = r"\{[\w:]+\}`|`{3}|:{3}\{|\[\^|\]\{\.|\)=\s*$|^% \w|\?\?"
    found = re.findall(left, text.get_text(), flags=re.MULTILINE)
    assert not found, found


@each_page
def test_no_cell_failed(page):
    assert "Traceback (most recent call last)" not in article(page).get_text()
    assert not article(page).select(".output.traceback, .output.stderr")


@each_page
def test_no_verdict_is_against_us(page):
    for line in article(page).select(".jg-verdict"):
        mistake = line["data-kind"].startswith("refused ")
        assert line.select_one(".jg-mark").get_text() == ("✗" if mistake else "✓")
        assert line.a.get_text().startswith("refused eq. " if mistake else "eq. ")


@each_chapter
def test_a_chapter_shows_each_verdict_that_it_recorded(page):
    shown = article(page).select(".jg-verdict")
    assert shown
    assert [v["data-equation"] for v in shown] == [
        verdict["equation"] for verdict in verdicts(page)
    ]


@each_chapter
def test_recorded_verdicts_are_complete_and_name_an_equation_of_the_page(page):
    for verdict in verdicts(page):
        assert verdict["kind"] in {"identity", "bound", "estimate"}
        assert verdict["ok"] is True
        assert {"left", "right", "error", "tolerance"} <= set(verdict)
        assert article(page).find(id=f"equation-{verdict['equation']}")


@each_chapter
def test_each_equation_that_is_no_definition_was_evaluated(page):
    wanted = {label for label, definition in equations(page) if not definition}
    assert not wanted - {verdict["equation"] for verdict in verdicts(page)}


@pytest.mark.parametrize(("number", "page"), list(enumerate(chapters(), start=1)))
def test_chapters_and_their_equations_are_numbered_through_the_book(number, page):
    heading = article(page).find("h1").find(class_="section-number")
    assert heading.get_text().strip() == f"{number}."
    labels = [n.get_text() for n in article(page).select(".eqno")]
    assert labels
    for place, label in enumerate(labels, start=1):
        assert label.startswith(f"({number}.{place})")
