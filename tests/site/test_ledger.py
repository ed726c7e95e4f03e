"""The ledger in the built site: every equation, every verdict, nothing else."""

import json
import re
from collections import defaultdict
from urllib.parse import urlsplit

import pytest
from built import SITE, article, html, verdicts
from reading import APPENDICES, equations

from jensengap.check import measured
from tools.book.toc import chapters

LEDGER = "appendix/ledger"

each_chapter = pytest.mark.parametrize("page", chapters())
each_appendix = pytest.mark.parametrize("page", APPENDICES)


def rows():
    return article(LEDGER).select("tbody[id^='row-eq-']")


def row(label):
    return article(LEDGER).find("tbody", id=f"row-{label}")


def words(tag):
    return " ".join(tag.get_text().split())


def count(group):
    return f"{sum(each['count'] for each in group):,}".replace(",", " ")


def target(page, link):
    """Return what a link on a page leads to."""
    parts = urlsplit(link["href"])
    here = SITE / f"{page}.html"
    file = (here.parent / parts.path).resolve() if parts.path else here
    return html(file).find(id=parts.fragment)


def visits(page):
    name = page.replace("/", "-")
    return article(LEDGER).select(f"tbody[id^='row-{name}-']")


def evidence(page):
    """Return the verdicts of a page, by equation, kind and tolerance."""
    found = defaultdict(lambda: defaultdict(list))
    for each in verdicts(page):
        found[each["equation"]][each["kind"], each["tolerance"]].append(each)
    return found


def worst(group):
    errors = [each["error"] for each in group]
    kind = group[0]["kind"]
    least = kind == "bound" or kind.startswith("refused ")
    return measured(kind, min(errors) if least else max(errors))


def test_the_rows_are_the_labelled_equations_in_reading_order():
    wanted = [label for page in chapters() for label, _ in equations(page)]
    assert [each["id"] for each in rows()] == [f"row-{label}" for label in wanted]


def test_the_rows_are_grouped_under_a_link_to_their_chapter():
    sections = article(LEDGER).select("section section")
    # an appendix that checks no equation has no place here
    listed = [*chapters(), *filter(verdicts, APPENDICES)]
    assert len(sections) == len(listed)
    for page, section in zip(listed, sections, strict=True):
        title = article(page).find("h1")
        number = title.find(class_="section-number")
        number = words(number) if number else ""
        assert words(section.h2.a) == words(title).removeprefix(number).strip(" #")
        there = (SITE / f"{LEDGER}.html").parent / section.h2.a["href"]
        assert there.resolve() == SITE / f"{page}.html"
        assert len(section.select("tbody")) == len(equations(page) or visits(page))


@each_chapter
def test_a_row_repeats_its_equation_and_its_number_leads_there(page):
    for label, _ in equations(page):
        link, copy = row(label).th.a, row(label).select_one("th div.math")
        there = target(LEDGER, link)
        assert there is article(page).find(id=f"equation-{label}")
        number, equation = words(there).split(r"\[", 1)
        assert number.startswith(words(link))
        assert words(copy) == rf"\[{equation}"


SIGNS = {
    "=": "identity",
    "≤": "bound",
    "≈": "estimate",
    "≠": "refused identity",
    "≰": "refused bound",
    "≉": "refused estimate",
}


def compare(page, rows, found):
    """Compares rows of the ledger with the verdicts of one equation of a page."""
    lines = rows.select("tr:has(td)")
    said = {}
    for line in lines:
        cells = {each["data-name"]: words(each) for each in line.find_all("td")}
        limit = re.sub(r"[≤≥> ]|se", "", cells["allowed"]).replace("−", "-")
        sign, word = cells["evidence"].split()
        assert SIGNS[sign].split()[0] == word
        key = SIGNS[sign], abs(float(limit)), cells["worst"], cells["pairs"]
        said[key] = line.select(".jg-checks a")
    assert len(said) == len(lines)
    assert set(said) == {
        (*key, worst(group), count(group)) for key, group in found.items()
    }
    for (kind, tolerance, _, _), links in said.items():
        shown = [target(LEDGER, link) for link in links]
        data = [json.loads(line["data-verdict"]) for line in shown]
        assert data == found[kind, tolerance]
        assert all(line in article(page).select(".jg-verdict") for line in shown)


@each_chapter
def test_a_row_says_what_the_executed_notebook_says(page):
    found = evidence(page)
    for label, definition in equations(page):
        if not definition:
            compare(page, row(label), found[label])


@each_appendix
def test_a_row_of_an_appendix_does_too_and_its_lines_lead_to_the_equation(page):
    found = evidence(page)
    name = page.replace("/", "-")
    labels = [each["id"].removeprefix(f"row-{name}-") for each in visits(page)]
    assert labels == list(found)
    for label, rows in zip(labels, visits(page), strict=True):
        compare(page, rows, found[label])
        equation = target(LEDGER, rows.th.a)
        assert equation["id"] == f"equation-{label}"
        lines = article(page).select(f".jg-verdict[data-equation='{label}']")
        assert lines
        assert all(target(page, line.a) is equation for line in lines)


@each_chapter
def test_a_definition_claims_nothing(page):
    for label, definition in equations(page):
        text = words(row(label))
        assert text.endswith("nothing to check") == definition
        assert ("≔ definition" in text) == definition


@each_chapter
def test_each_checked_equation_has_a_mark_that_leads_to_its_row_and_no_other(page):
    marks = article(page).select("a.jg-checked")
    labels = []
    for mark in marks:
        equation = mark.find_previous_sibling("div", class_="math")
        label = equation["id"].removeprefix("equation-")
        number = re.match(r"\(\d+\.\d+\)", words(equation.select_one(".eqno")))[0]
        assert target(page, mark) is row(label)
        assert words(mark) == "✓"
        assert mark["aria-label"] == f"{number} is checked: see the ledger"
        labels.append(label)
    assert labels == [label for label, defined in equations(page) if not defined]


def test_the_totals_add_up():
    table = article(LEDGER).find("table", class_="jg-totals")
    every = [each for page in chapters() for each in verdicts(page)]
    said = {}
    for line in table.tbody.find_all("tr"):
        name, *numbers = (words(cell) for cell in line.find_all("td"))
        said[name.split()[-1]] = numbers
    for kind in ("identity", "bound", "estimate"):
        own = [each for each in every if each["kind"] == kind]
        assert said[kind][:4] == [
            str(len({each["equation"] for each in own})),
            str(len(own)),
            count(own),
            worst(own),
        ]
    definitions = [
        label for page in chapters() for label, is_one in equations(page) if is_one
    ]
    assert said["definition"][0] == str(len(definitions))
    more = [each for page in APPENDICES for each in verdicts(page)]
    mistakes = [each for each in more if each["kind"].startswith("refused ")]
    broken = {each["equation"] for each in mistakes}
    assert said["refused"][:3] == [
        str(len(broken)),
        str(len(mistakes)),
        count(mistakes),
    ]
    sentence = table.find_previous_sibling("p").get_text().replace("\u202f", "")
    assert [int(number) for number in re.findall(r"\d+", sentence)] == [
        len(rows()),
        len(definitions),
        len(rows()) - len(definitions),
        len(every),
        sum(each["count"] for each in every),
        len(more) - len(mistakes),
        len(mistakes),
    ]


def test_the_worst_of_each_kind_leads_to_the_line_that_shows_it():
    links = article(LEDGER).select(".jg-totals .jg-worst a")
    assert len(links) == 3
    for link in links:
        assert words(link) in words(target(LEDGER, link))
