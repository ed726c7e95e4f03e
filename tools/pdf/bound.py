"""Bind the book for print: title page, contents, parts, the foot of each page."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import yaml
from bs4 import Tag

from tools.book.toc import ROOT, parts
from tools.pdf.one_page import Page, own_id, parsed, read

STYLES = ROOT / "book" / "_assets" / "css" / "paper.css"
PREFACE = "Preface"  # what the site's first page is here
SETTINGS = ("_config.yml", "_toc.yml")
INDEX = "genindex"
_FORMULAS = re.compile(r"<script>window\.MathJax = .*?</script>")
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
# A page of the site sets its formulas a few at a time, to stay quick for its reader;
# in a page this long each of these times would be a layout of the whole.
_AT_ONCE = "MathJax.config.startup.pageReady = () => MathJax.startup.defaultPageReady()"
_PAGE = """<!DOCTYPE html>
<html lang="en" data-theme="light">
<head>
<meta charset="utf-8">
<title>%(title)s</title>
<link rel="stylesheet" href="%(site)s/_static/css/book.css">
<style>%(styles)s</style>
%(formulas)s
<script src="%(site)s/_static/mathjax/tex-svg.js"></script>
<script>%(at_once)s</script>
</head>
<body>
<main class="bd-main"><div class="bd-content"><div class="bd-article-container">
%(inside)s
</div></div></main>
</body>
</html>
"""


def settings(root: Path = ROOT) -> dict:
    """Return the book's settings, its title and author among them."""
    return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))


def bound(site: Path, root: Path = ROOT) -> str:
    """Return the whole book as one HTML page, to be printed.

    Args:
        site: the folder of the finished site.
        root: the repository, whose table of contents and settings are read.

    Raises:
        ValueError: a link leads to a place that the site does not have.
    """
    named = settings(root)
    book = read(site, root)
    book[0] = book[0]._replace(title=PREFACE)
    first = (site / "index.html").read_text(encoding="utf-8")
    inside = [_cover(named, book[0], site), _contents(book, root)]
    return _PAGE % {
        "title": html.escape(named["title"]),
        "site": site.resolve().as_uri(),
        "styles": STYLES.read_text(encoding="utf-8") + _feet(book, named["title"]),
        "formulas": _FORMULAS.search(first)[0],
        "at_once": _AT_ONCE,
        "inside": "\n".join([*inside, *_chapters(book, root)]),
    }


def _cover(named: dict, first: Page, site: Path) -> str:
    """Write the title page; the subtitle is the one of the site's first page."""
    emblem = (site / "_static" / "logo.svg").read_text(encoding="utf-8")
    first.heading.string = PREFACE
    subtitle = first.article.find("p").extract().decode_contents()
    return (
        f'<div class="jg-cover">{emblem}<p class="jg-title">'
        f'{html.escape(named["title"])}</p><p class="jg-subtitle">{subtitle}</p>'
        f'<p class="jg-author">{html.escape(named["author"])}</p></div>'
    )


def _number(href: str) -> str:
    """Write a placeholder for a page's number, which the printer fills in."""
    return f' <span class="jg-page-number" data-page-of="{href[1:]}">000</span>'


def _contents(book: list[Page], root: Path) -> str:
    """Write the table of contents."""
    titles = {page.name: page.heading.decode_contents() for page in book}
    lines = []
    for caption, _, names in parts(root):
        if caption:
            lines.append(f'<p class="jg-part">{html.escape(caption)}</p>')
        for name in names:
            href = f"#{own_id(name)}"
            lines.append(
                f'<p class="jg-line"><a href="{href}">{titles[name]}</a>'
                f"<span></span>{_number(href)}</p>"
            )
    inside = "\n".join(lines)
    return f'<div class="bd-article jg-contents"><h1>Contents</h1>{inside}</div>'


def _chapters(book: list[Page], root: Path) -> Iterator[str]:
    """Yield the pages' texts; a part's caption stands above its first chapter."""
    articles = {page.name: page.article for page in book}
    if INDEX in articles:
        _number_index(articles[INDEX], book[0])
    numbers = iter(_ROMAN)
    for caption, numbered, names in parts(root):
        above = f"Part {next(numbers)}. {caption}" if numbered else caption
        for name in names:
            article = articles[name]
            article["style"] = f"page: {own_id(name)}"
            if caption:
                for heading in article(re.compile(r"^h[1-5]$")):
                    heading["aria-level"] = int(heading.name[1]) + 1
            if caption and name == names[0]:
                line = f'<p class="jg-part" role="heading" aria-level="1">{above}</p>'
                article.insert(0, parsed(line))
            yield str(article)


def _number_index(article: Tag, preface: Page) -> None:
    """Put places for page numbers into the index, and call the preface so."""
    for link in article.select("table a"):
        if link["href"].startswith(f"#{own_id(preface.name)}"):
            link.string = PREFACE
        link.insert_after(parsed(_number(link["href"])))


def _feet(book: list[Page], title: str) -> str:
    """Write the rules that put book and chapter at the foot of each page."""
    rule = '@page %s { @bottom-left { content: "%s" } }'
    return "\n".join(
        rule % (own_id(page.name), _quoted(f"{title} · {page.title}")) for page in book
    )


def _quoted(words: str) -> str:
    """Return words as they stand in a string of a stylesheet."""
    return re.sub(r'["\\<]', lambda found: f"\\{ord(found[0]):x} ", words)
