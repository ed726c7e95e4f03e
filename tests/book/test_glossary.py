"""Every term of the glossary is used, explained, and linked from its first use."""

import re
from functools import cache

import pytest
import terms
from reading import text

from tools.book.toc import chapters, pages

REFERENCE = {terms.GLOSSARY, "appendix/references", "genindex"}
SOURCE = text(terms.GLOSSARY)
ENTRIES = terms.entries(SOURCE)
DEFINITIONS = terms.definitions(SOURCE)
READ = [page for page in pages() if page not in REFERENCE]

each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry[0])


@cache
def paragraphs(page):
    """Return for each paragraph of a page the entries that it uses, and its links."""
    every = terms.paragraphs(page)
    return [(terms.users(ENTRIES, each.words), each.linked) for each in every]


def uses(entry, page):
    """Return the places of the paragraphs that use a term, and that link it."""
    number, names = ENTRIES.index(entry), {name.lower() for name in entry}
    every = list(enumerate(paragraphs(page)))
    used = [place for place, (numbers, _) in every if number in numbers]
    return used, [place for place, (_, linked) in every if linked & names]


def first_page(entry, among):
    return next((page for page in among if any(uses(entry, page))), None)


def taught_on(entry):
    labels = re.findall(r"\{ref\}`(?:ch-)?([\w-]+)`", DEFINITIONS[entry[0]])
    return [page for page in READ if page.split("/")[-1] in labels]


@each_entry
def test_a_term_is_used_in_a_chapter(entry):
    assert first_page(entry, chapters()), "no chapter uses it: take it out"


@each_entry
def test_a_term_is_linked_where_the_book_and_where_a_chapter_first_uses_it(entry):
    for among in (READ, chapters()):
        page = first_page(entry, among)
        assert page, "no page uses it"
        used, linked = uses(entry, page)
        assert linked, f"{page}.md uses it first, and does not link it"
        assert not used or linked[0] <= used[0], f"{page}.md links it too late"


@each_entry
def test_a_term_is_linked_from_the_page_that_teaches_it(entry):
    assert taught_on(entry), "the definition names no page with {ref}"
    for page in taught_on(entry):
        assert uses(entry, page)[1], f"{page}.md does not link it"


@pytest.mark.parametrize("page", pages())
def test_every_link_to_a_term_finds_one(page):
    known = {name.lower() for entry in ENTRIES for name in entry}
    assert not set().union(*(each.linked for each in terms.paragraphs(page))) - known


def test_terms_are_in_alphabetical_order():
    first = [entry[0].lower().replace("β", "beta") for entry in ENTRIES]
    assert first == sorted(first)


def test_no_term_is_explained_twice():
    names = [name.lower() for entry in ENTRIES for name in entry]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("first", DEFINITIONS)
def test_a_definition_has_one_to_three_sentences(first):
    definition = re.sub(r"\s*\{ref\}`[^`]*`.*\Z", "", DEFINITIONS[first])
    plain = re.sub(r"\$[^$]*\$|\{\w+\}`[^`]*`", "x", definition)
    assert 1 <= len(re.findall(r"\.(?=\s|\Z)", plain)) <= 3


@pytest.mark.parametrize(
    "words",
    ["ELBO", "KL", "mode collapse", "posterior collapse", "reparameterization trick"],
)
def test_what_readers_look_for_is_a_term(words):
    assert any(words in entry for entry in ENTRIES)


GLOSSARY = [("prior",), ("posterior collapse", "collapse"), ("posterior",), ("KL",)]


@pytest.mark.parametrize(
    ("words", "used"),
    [
        ("the prior", {0}),
        ("Priors differ", {0}),
        ("a priori, prior-free", set()),
        ("posterior\n collapse", {1}),
        ("two posteriors collapsed", {2}),
        ("a KL, never a kl", {3}),
        ("kl, BKL", set()),
    ],
)
def test_a_use_of_a_term_is_recognised(words, used):
    assert terms.users(GLOSSARY, words) == used


@pytest.mark.parametrize(
    ("source", "words", "linked"),
    [
        ("a {term}`prior` here", "a prior here", {"prior"}),
        ("two {term}`Priors <prior>`", "two Priors", {"prior"}),
        ("the *{term}`KL\ndivergence`*", "the KL divergence", {"kl divergence"}),
        ("the *prior* of $z$, `prior`", "the prior of ◦, ◦", set()),
        (":::{note}\na **prior**, too\n:::", "a prior, too", set()),
    ],
)
def test_a_paragraph_is_read_with_its_links(source, words, linked):
    (paragraph,) = terms.in_markdown(source)
    assert " ".join(paragraph.words.split()) == words
    assert paragraph.linked == linked


@pytest.mark.parametrize(
    "source", ["# The prior", "**The prior**", "```{math}\nprior\n```", "$$\nprior\n$$"]
)
def test_headings_subtitles_and_formulas_use_no_term(source):
    assert not any("prior" in each.words for each in terms.in_markdown(source))
