"""Join the finished pages of the site into one HTML page, for print.

Sphinx can write a book as one page too, but then an id that many chapters have, such as
that of their exercises, is there many times, and each link leads to the first.
"""

import html
import posixpath
import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

from tools.book.toc import ROOT, pages

# No use on paper: what is pressed, what draws figures, code that only draws.
LEFT_OUT = (
    "script, noscript, form:not(.jg-ask), button, input, details.hide, a.headerlink, "
    ".jg-stage, .jg-said, .jg-hint, .jg-precision, .genindex-jumpbox, "
    ".sd-summary-state-marker"
)
# The kinds of words in code that css/cells.css gives a look; the others are plain text.
COLOURED = re.compile(r"k[ncdr]?|ow|n[fc]|[smc]\w?|il")
A_PAGE = 40  # lines of code; what is longer may go on overleaf
_TITLE = re.compile(r"<title>(.*?) &#8212; [^<]*</title>", re.DOTALL)

Names = dict[tuple[str, str], str]


class Page(NamedTuple):
    """A page: its name in the table of contents, its plain title, its text."""

    name: str
    title: str
    article: Tag

    @property
    def heading(self) -> Tag:
        """Return the page's first heading."""
        return self.article.find("h1")


def own_id(page: str) -> str:
    """Return the id of a whole page."""
    return "page-" + page.replace("/", "-")


def parsed(markup: str) -> BeautifulSoup:
    """Parse HTML into a tree."""
    return BeautifulSoup(markup, "html.parser")


def read(site: Path, root: Path = ROOT) -> list[Page]:
    """Read the book's pages, fit for paper and for standing in one page.

    Args:
        site: the folder of the finished site.
        root: the repository, whose table of contents names the pages.

    Returns:
        The pages in their order; their links lead to each other or out of the book.

    Raises:
        ValueError: a link leads to a place that the site does not have.
    """
    book = []
    for name in pages(root):
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        title = html.unescape(_TITLE.search(text)[1])
        book.append(Page(name, title, parsed(text).find("article")))
    names = unique_names(book)
    for page in book:
        _say_what_moves(page.article)
        _fit(page.article)
        _lead(page, names, site)
    return book


def unique_names(book: list[Page]) -> Names:
    """Map each page's ids to names that are unique in the whole book.

    An id that only one page has keeps its name.
    """
    ids = [(page.name, each["id"]) for page in book for each in page.article(id=True)]
    counts = Counter(name for _, name in ids)
    own = {
        (page, name): name if counts[name] == 1 else f"{own_id(page)}-{name}"
        for page, name in ids
    }
    return own | {(page.name, ""): own_id(page.name) for page in book}


def _say_what_moves(article: Tag) -> None:
    """Replace sliders by words that say where they stand; remark what only runs."""
    for controls in article.select(".jg-moving > .jg-controls"):
        states = [f"{s.span.text} = {s.output.text}" for s in controls("label")]
        words = f"One frame of a figure that moves in the site: {', '.join(states)}."
        controls.replace_with(_remark(words))
    for still in article.select(".jg-live > .jg-still"):
        still.insert_after(
            _remark("A still picture of a figure that runs in the site.")
        )


def _remark(words: str) -> Tag:
    """Make the paragraph that says so."""
    return parsed(f'<p class="jg-frame">{html.escape(words)}</p>').p


def _fit(article: Tag) -> None:
    """Drop what paper cannot do, open what it cannot unfold, mark what is long."""
    for each in article.select(LEFT_OUT):
        each.decompose()
    for each in article.select(".highlight span"):
        if not any(map(COLOURED.fullmatch, each.get("class", ()))):
            each.unwrap()
    for each in article.select("details, div[class*=highlight]"):
        if each.text.count("\n") > A_PAGE:
            each["class"] = [*each.get("class", ()), "jg-long"]
    # on paper a form is a box without a field
    for each in article("form"):
        each.name = "div"
    for each in article("details"):
        each["open"] = ""


def _lead(page: Page, names: Names, site: Path) -> None:
    """Rewrite a page's ids, links and pictures to those of the book."""
    article = page.article
    for each in article(id=True):
        each["id"] = names[page.name, each["id"]]
    for each in article(href=True):
        each["href"] = _address(page.name, each["href"], names)
        if not each["href"]:
            each.unwrap()
    for each in article("img", src=True):
        if not each["src"].startswith("data:"):
            here = posixpath.join(posixpath.dirname(page.name), each["src"])
            each["src"] = (site / here).resolve().as_uri()
        each["loading"] = "eager"
    article["id"] = own_id(page.name)


def _address(page: str, href: str, names: Names) -> str:
    """Return where a link of a page leads in the book; nothing where it cannot."""
    to = urlsplit(href)
    if to.scheme or to.netloc:
        return href
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), to.path))
    there = path.removesuffix(".html") if to.path else page
    if (there, "") not in names:  # the page that searches, a file to be had
        return ""
    key = there, unquote(to.fragment)
    if key not in names:
        raise ValueError(
            f"{page} links to {href}, which is not in the site; run make book again"
        )
    return f"#{names[key]}"
