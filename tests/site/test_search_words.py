"""Words are found with and without their accents, however they are typed."""

import textwrap

import pytest
import small_book
from opened import opened

from _ext.pages.search_words import fold
from tools.book.toc import ROOT

CONF = """
import sys
sys.path.insert(0, {book!r})
extensions = ["sphinxcontrib.bibtex", "_ext.pages.search_words"]
bibtex_bibfiles = ["a.bib"]
"""
BIB = r"""
@article{tex, author = {Sch{\"o}lkopf, Bernhard and Kynk{\"a}{\"a}nniemi, Tuomas},
  title = {On T{\"u}bingen}, journal = {A}, year = 2000}
@article{plain, author = {Hyvärinen, Aapo and Łukasiewicz, Jan and Øksendal, Bernt},
  title = {B}, journal = {B}, year = 2001}
"""
PAGES = {
    "index": """
        Start
        =====

        .. toctree::

           names
           sources
        """,
    "names": """
        Poincaré's names
        ================

        The Rényi divergence by Monte-Carlo, a Gauß–Hermite rule, 10\u00b2 times
        di\u00advided. See :cite:t:`tex`.
        """,
    "sources": """
        Sources
        =======

        .. bibliography::
           :all:
        """,
}
# What is typed, and the pages that have it.
TYPED = {
    "Schölkopf": {"sources", "names"},
    "scholkopf": {"sources", "names"},
    "SCHÖLKOPF": {"sources", "names"},
    "Scho\u0308lkopf": {"sources", "names"},
    "Kynkäänniemi": {"sources", "names"},
    "Kynkaanniemi": {"sources", "names"},
    "Tübingen": {"sources"},
    "Hyvärinen": {"sources"},
    "hyvarinen aapo": {"sources"},
    "Lukasiewicz": {"sources"},
    "Oksendal": {"sources"},
    "Rényi": {"names"},
    "RENYI": {"names"},
    "Poincare": {"names", "index"},
    "poincaré": {"names", "index"},
    "Monte Carlo": {"names"},
    "Monte-Carlo": {"names"},
    "Monte\u2010Carlo": {"names"},
    "Monte\u2011Carlo": {"names"},
    "Monte–Carlo": {"names"},
    "Gauss-Hermite": {"names"},
    "divided": {"names"},
    "di\u00advided": {"names"},
    "ｔｉｍｅｓ": {"names"},
    "rules": {"names"},
    "hippopotamus": set(),
}
FIND = """typed => {
  const found = Search._performSearch(...Search._parseQuery(typed));
  return [...new Set(found.map(each => each[0]))];
}"""


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    (folder / "conf.py").write_text(CONF.format(book=str(ROOT / "book")))
    (folder / "a.bib").write_text(BIB, encoding="utf-8")
    for name, page in PAGES.items():
        path = folder / f"{name}.rst"
        path.write_text(textwrap.dedent(page).lstrip(), encoding="utf-8")
    status, said = small_book.build("-q", "-W", folder, folder / "html")
    assert status == 0, said
    return folder / "html"


def test_names_are_found_in_every_spelling(browser, book):
    with opened(browser, book / "search.html") as watched:
        watched.page.wait_for_function(
            "typeof Search === 'object' && Search.hasIndex()"
        )
        found = {typed: set(watched.page.evaluate(FIND, typed)) for typed in TYPED}
        assert found == TYPED
        assert watched.complaints == []


def test_a_hit_shows_the_words_where_they_stand(browser, book):
    page = (book / "sources.html").read_text(encoding="utf-8")
    shown = """([page, typed]) =>
      Search.makeSearchSummary(page, Search._parseQuery(typed)[1], "").textContent"""
    with opened(browser, book / "search.html") as watched:
        watched.page.wait_for_function("typeof Search === 'object'")
        words = "word " * 200 + "Schölkopf again"
        long = page.replace("Sources", words, 2)
        text = watched.page.evaluate(shown, [long, "SCHOLKOPF"])
        assert "Schölkopf" in text
        marked = "localStorage.getItem('sphinx_highlight_terms')"
        assert "schölkopf" in watched.page.evaluate(marked)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Schölkopf", "Scholkopf"), ("Straße", "Strasse"), ("σ²", "σ2"), ("ELBO", "ELBO")],
)
def test_folding_takes_marks_away_and_nothing_twice(text, plain):
    assert fold(text) == fold(fold(text)) == plain
