"""The promise that each equation is checked, kept by a build of a very small book."""

from pathlib import Path

import pytest
import small_book
from bs4 import BeautifulSoup
from reading import FRONT_MATTER

from _ext.ledger import evidence, ledger
from jensengap.check import Verdict

EXTENSIONS = Path(evidence.__file__).parents[2]  # of the folder _ext
SETTINGS = f"""
import sys
sys.path.insert(0, {str(EXTENSIONS)!r})
extensions = ["myst_nb", "_ext.ledger.ledger", "_ext.ledger.check_marks"]
nb_execution_mode = "cache"
nb_execution_raise_on_error = True
suppress_warnings = ["mystnb.unknown_mime_type"]
myst_enable_extensions = ["dollarmath"]
numfig = math_numfig = True
numfig_secnum_depth = 1
ledger_page = "a-ledger"  # read first, if nobody minds
html_theme = "basic"
"""
INDEX = """# A book

```{toctree}
:numbered:
chapter
```

```{toctree}
a-ledger
appendix/mistakes
```
"""
CHAPTER = (
    FRONT_MATTER
    + """
# A chapter

```{math}
:label: eq-sum
1 + 2 = 3 .
```

```{code-cell} ipython3
from jensengap.check import Verdict, conclude

with open("executed", "a") as file:
    file.write("once ")
conclude(Verdict("identity", "eq-sum", "<small> & exact", 3, 3, 2e-16, 1e-12, 1, True))
```
"""
)
MISTAKES = (
    FRONT_MATTER
    + """
# Mistakes

```{code-cell} ipython3
from jensengap.check import Verdict, conclude

near = Verdict("refused identity", "eq-sum", "near", 4, 3, 1.0, 0.5, 1, True)
far = near._replace(case="far", left=9, error=6.0)
cure = near._replace(kind="identity", case="cure", left=3, error=0.0)
for each in (near, far, cure):
    conclude(each)
```
"""
)
MORE = """
%s
```{math}
:label: eq-more
n = 1 .
```
"""


class Book:
    """A book of one chapter and its ledger, in a folder of its own."""

    def __init__(self, folder):
        # apart: what a build leaves must not be read as pages by the next one
        self.text, self.site = folder / "text", folder / "site" / "html"
        (self.text / "appendix").mkdir(parents=True)
        self.write("conf.py", SETTINGS)
        self.write("index.md", INDEX)
        self.write("a-ledger.md", "# The ledger\n\n```{ledger}\n```\n")
        self.write("appendix/mistakes.md", "# Mistakes\n")

    def write(self, name, text):
        (self.text / name).write_text(text, encoding="utf-8")

    def build(self, chapter):
        """Build it with a chapter; returns the exit status and what was said."""
        self.write("chapter.md", chapter)
        return small_book.build("-W", "-n", "--keep-going", "-q", self.text, self.site)

    def page(self, name):
        text = (self.site / f"{name}.html").read_text("utf-8")
        return BeautifulSoup(text, "html.parser")

    def rows(self):
        return {
            each["id"]: " ".join(each.get_text().split())
            for each in self.page("a-ledger").select("tbody[id]")
        }


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Execute the chapter's cell once; each test changes the text around it."""
    return Book(tmp_path_factory.mktemp("book"))


def test_a_book_whose_equations_are_checked_or_definitions_is_built(book):
    assert book.build(CHAPTER)[0] == 0
    text = r"\[1 + 2 = 3 .\] = identity |Δ| 2e−16 ≤ 1e−12 1 <small> & exact"
    assert book.rows() == {"row-eq-sum": f"(1.1) {text}"}
    # once more, out of the cache, with a chapter that has changed around its cell
    more = MORE % "% definition"
    status, _ = book.build(CHAPTER.replace("```{math}", f"{more}\n```{{math}}", 1))
    assert status == 0
    assert book.rows() == {
        "row-eq-more": rf"(1.1) \[n = 1 .\] ≔ definition {ledger.NOTHING}",
        "row-eq-sum": f"(1.2) {text}",
    }
    assert (book.text / "executed").read_text() == "once "
    (mark,) = book.page("chapter").select("a.jg-checked")
    assert mark["href"] == "a-ledger.html#row-eq-sum"
    (line,) = book.page("a-ledger").select(".jg-checks a")
    assert line["href"] == "chapter.html#check-eq-sum-1"
    assert book.page("chapter").find(id="check-eq-sum-1")["class"] == ["jg-verdict"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda text: text + MORE % "% no definition",
            "chapter.md:28: WARNING: eq-more has no verdict on the page and is",
        ),
        (
            lambda text: text.replace("label: eq-sum", "label: eq-summ"),
            "a verdict names eq-sum, which labels no equation of the book",
        ),
        (
            lambda text: text.replace("```{math}", "% definition\n```{math}", 1),
            "eq-sum is marked as a definition and has 1 verdict",
        ),
        (
            lambda text: text.replace(
                "ipython3\n", "ipython3\n:tags: [remove-output]\n"
            ),
            "eq-sum has no verdict on the page",
        ),
    ],
    ids=["no verdict", "stray verdict", "checked definition", "verdict not shown"],
)
def test_the_build_fails_and_says_what_to_do_about(book, change, said):
    status, words = book.build(change(CHAPTER))
    assert status != 0
    assert said in words
    assert "Traceback" not in words


def test_a_mistake_is_listed_and_leads_to_the_equation_but_is_no_evidence(book):
    book.write("appendix/mistakes.md", MISTAKES)
    assert book.build(CHAPTER)[0] == 0
    formula = r"(1.1) \[1 + 2 = 3 .\]"
    assert book.rows() == {
        "row-eq-sum": rf"{formula} = identity |Δ| 2e−16 ≤ 1e−12 1 <small> & exact",
        "row-appendix-mistakes-eq-sum": rf"{formula} = identity |Δ| 0 ≤ 0.5 1 cure "
        "≠ refused |Δ| 1.0 > 0.5 2 near · far",
    }
    totals = book.page("a-ledger").find("table", class_="jg-totals")
    assert totals.select("tr")[-1].get_text().split() == ["✗", "refused", "1", "2", "2"]
    said = totals.find_previous_sibling("p").get_text()
    assert "1 checks compared 1 pairs" in said
    assert "check equations 1 times more and refuse 2 mistakes" in said
    # from the ledger to the line, from there to the equation, which says nothing of it
    links = book.page("a-ledger").select("[id*=mistakes] .jg-checks a")
    assert [link.get_text() for link in links] == ["cure", "near", "far"]
    lines = book.page("appendix/mistakes").select(".jg-verdict")
    for link, line in zip(links, [lines[2], *lines[:2]], strict=True):
        assert link["href"] == f"appendix/mistakes.html#{line['id']}"
        assert line.a["href"] == "../chapter.html#equation-eq-sum"
    assert len(book.page("chapter").select("a.jg-checked")) == 1


def test_a_refusal_alone_leaves_an_equation_unchecked(book):
    book.write("appendix/mistakes.md", MISTAKES)
    status, words = book.build(CHAPTER + MORE % "" + MISTAKES[len(FRONT_MATTER) :])
    assert status != 0
    assert "eq-more has no verdict on the page" in words
    book.write("appendix/mistakes.md", MISTAKES.replace('"eq-sum"', '"eq-summ"'))
    status, words = book.build(CHAPTER)
    assert status != 0
    assert "a verdict names eq-summ, which labels no equation of the book" in words
    book.write("appendix/mistakes.md", "# Mistakes\n")


def test_what_a_chapter_no_longer_holds_is_forgotten(book):
    assert book.build(CHAPTER)[0] == 0
    assert book.build("# A chapter\n\nWith nothing in it.\n")[0] == 0
    assert book.rows() == {}


def verdict(equation, kind="identity", ok=True):
    made = Verdict(kind, equation, "", 1.0, 1.0, 0.0, 1e-12, 1, ok)
    return evidence.Check(made, f"check-{equation}-1")


def claim(label, definition=False):
    return evidence.Equation(label, "x", 7, definition)


def test_an_equation_is_checked_on_its_own_page():
    found = {
        "one": evidence.Page([claim("eq-one")], [verdict("eq-one"), verdict("eq-two")]),
        "two": evidence.Page([claim("eq-two")], []),
    }
    (stray, missing) = evidence.problems(found)
    assert stray[:2] == ("one", None)
    assert "stands on the page two" in stray[2]
    assert missing[:2] == ("two", 7)


def test_a_refusal_is_no_check_of_the_equation_that_it_names():
    refusal = verdict("eq-one", kind="refused identity")
    found = {"one": evidence.Page([claim("eq-one")], [refusal])}
    ((_, _, sentence),) = evidence.problems(found)
    assert "eq-one has no verdict" in sentence
    found = {
        "one": evidence.Page([claim("eq-one", definition=True)], [refusal]),
        "two": evidence.Page([claim("eq-two", definition=True)], [refusal]),
    }
    assert not list(evidence.problems(found))
    found["two"] = evidence.Page([], [verdict("eq-one", kind="refused hunch")])
    ((_, _, sentence),) = evidence.problems(found)
    assert "of the kind 'refused hunch'" in sentence


def test_a_page_without_equations_may_check_those_of_others():
    found = {
        "one": evidence.Page([claim("eq-one")], [verdict("eq-one")]),
        "two": evidence.Page([], [verdict("eq-one")]),
    }
    assert not list(evidence.problems(found))
    ((page, _, sentence),) = evidence.problems(found | {"one": evidence.Page([], [])})
    assert page == "two"
    assert "labels no equation of the book" in sentence
    missing = {"one": evidence.Page([claim("eq-one")], []), "two": found["two"]}
    assert [page for page, _, _ in evidence.problems(missing)] == ["one"]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (verdict("eq-one", kind="hunch"), "'hunch'; wanted is one of"),
        (verdict("eq-one", ok=False), "does not hold"),
    ],
)
def test_a_verdict_that_proves_nothing_is_named(check, said):
    ((page, _, sentence),) = evidence.problems(
        {"one": evidence.Page([claim("eq-one")], [check])}
    )
    assert page == "one"
    assert said in sentence
