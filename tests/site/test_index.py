"""The built index and the search find what a reader looks for."""

import json
from urllib.parse import unquote, urlsplit

import pytest
import terms
from built import SITE, article, html, of
from reading import text

from _ext.pages.search_words import SearchFolded

LOOKED_FOR = [
    "ELBO",
    "KL",
    "mode collapse",
    "posterior collapse",
    "reparameterization trick",
]


def entry(name):
    """Return the list item of the index that stands for a term."""
    items = article("genindex").find_all("li")
    found = [item for item in items if item.find("a") and first_words(item) == name]
    (item,) = found
    return item


def first_words(item):
    return item.find("a").get_text().strip().replace("’", "'")


def searched():
    """Return what the search in the page looks things up in."""
    script = (SITE / "searchindex.js").read_text(encoding="utf-8")
    return json.loads(script.removeprefix("Search.setIndex(").removesuffix(")"))


def pages_with(index, word):
    """Return the pages that the search has for a word."""
    search = SearchFolded({})
    (word,) = search.split(word.lower())
    assert search.word_filter(word), f"the search drops {word}"
    stem = search.stem(word)
    found = set()
    for table in ("terms", "titleterms"):
        numbers = index[table].get(stem, [])
        found |= set(numbers if isinstance(numbers, list) else [numbers])
    return {index["docnames"][number] for number in found}


@pytest.mark.parametrize("name", LOOKED_FOR)
def test_the_index_leads_to_the_glossary_and_to_a_chapter(name):
    links = [link["href"] for link in entry(name).find_all("a")]
    assert links[0].startswith(f"{terms.GLOSSARY}.html#")
    assert any(link.startswith(("likelihood/", "vae/", "gan/")) for link in links)


def test_every_link_of_the_index_finds_its_place():
    links = article("genindex").select("li a[href]")
    assert links
    for link in links:
        parts = urlsplit(link["href"])
        place = html(SITE / unquote(parts.path)).find(id=unquote(parts.fragment))
        assert place, link["href"]


def test_the_index_has_every_term_of_the_glossary():
    shown = {first_words(item) for item in article("genindex").find_all("li")}
    names = {name for names in terms.entries(text(terms.GLOSSARY)) for name in names}
    assert names <= shown


@pytest.mark.parametrize("page", ["index", "vae/training"])
def test_every_page_leads_to_the_index(page):
    sidebar = of(page).select("nav.bd-links a[href], .bd-sidebar-primary a[href]")
    assert any(link["href"].endswith("genindex.html") for link in sidebar)


@pytest.mark.parametrize("name", LOOKED_FOR)
def test_the_search_finds_it_in_the_glossary_and_in_a_chapter(name):
    index = searched()
    found = set.intersection(*(pages_with(index, word) for word in name.split()))
    assert terms.GLOSSARY in found
    assert any(page.startswith(("likelihood/", "vae/", "gan/")) for page in found)


@pytest.mark.parametrize("name", ["Schölkopf", "Hyvärinen", "Kynkäänniemi"])
def test_the_search_finds_whom_the_bibliography_names(name):
    assert "appendix/references" in pages_with(searched(), name)


def test_the_search_does_not_find_everything():
    assert not pages_with(searched(), "hippopotamus")
