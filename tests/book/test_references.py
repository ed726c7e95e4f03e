"""Every source has a number by which it is found; the references link to it."""

import re

import pytest
from built import article
from pybtex.database import parse_file
from reading import BOOK

ENTRIES = parse_file(str(BOOK / "references.bib"), "bibtex").entries
# Their publishers gave them neither a DOI nor an arXiv number, only an address.
WITHOUT_A_NUMBER = {"bishop2006", "greensmith2004", "higgins2017", "hoffman2016"}
# A university's report, found by its number there.
REPORTS = {"kong1992"}

each_source = pytest.mark.parametrize("key", ENTRIES)


def fields(key):
    return {name.lower(): value for name, value in ENTRIES[key].fields.items()}


@each_source
def test_a_source_has_a_doi_or_an_arxiv_number(key):
    numbers = {"doi", "eprint"} & set(fields(key))
    if key in WITHOUT_A_NUMBER | REPORTS:
        assert not numbers, "it has one: take it off the list"
        wanted = {"institution", "number"} if key in REPORTS else {"url"}
        assert wanted <= set(fields(key))
    else:
        assert numbers


@each_source
def test_a_number_has_the_form_of_one(key):
    doi, eprint = fields(key).get("doi"), fields(key).get("eprint")
    assert doi is None or re.fullmatch(r"10\.\d{4,9}/\S+", doi)
    assert eprint is None or re.fullmatch(r"\d{4}\.\d{4,5}|[a-z-]+/\d{7}", eprint)
    assert (eprint is None) == ("archiveprefix" not in fields(key))


def test_no_two_sources_share_a_number():
    for name in ("doi", "eprint"):
        numbers = [fields(key)[name] for key in ENTRIES if name in fields(key)]
        assert len(set(numbers)) == len(numbers)


@each_source
def test_the_page_of_references_links_it(key):
    links = {link["href"] for link in article("appendix/references").select("a[href]")}
    doi, eprint = fields(key).get("doi"), fields(key).get("eprint")
    wanted = {f"https://doi.org/{doi}"} if doi else set()
    wanted |= {f"https://arxiv.org/abs/{eprint}"} if eprint else set()
    assert wanted | ({fields(key)["url"]} if "url" in fields(key) else set()) <= links
