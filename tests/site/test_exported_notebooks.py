"""The exported notebooks say and run what the pages do, in Markdown that all show."""

import re
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from built import SITE, article, html, of
from exported import code, formulas, notebook, path, prose, shown, texts, untitled
from reading import CHAPTERS, cells, text

from tools.book import freshness
from tools.book.toc import ROOT, chapters, pages

NOTEBOOKS = [page for page in pages() if cells(page)]
each_notebook = pytest.mark.parametrize("page", NOTEBOOKS)

# What is the chapters' own way of writing, and means nothing to a notebook.
RAW = re.compile(
    r"\{(?:ref|eq|numref|doc|term|cite(?::\w)?|glue(?::\w+)?|prf:ref)\}|:::|`{3,}\{"
    r"|^\([\w-]+\)=|^% |\]\{\.[\w-]+\}|\{code-cell\}|\{math\}|^---$|^\+\+\+",
    re.MULTILINE,
)
MACROS = re.compile(
    r"\\(?:E|KL|JSD|Normal|Var|diag|given|dd|rec|pri|gap|class)(?![A-Za-z])"
)
# What both KaTeX (in Colab) and MathJax set between two pairs of dollars.
ENVIRONMENTS = {"aligned", "gathered", "cases", "pmatrix", "bmatrix", "matrix", "array"}


def test_every_page_with_code_has_a_notebook_and_no_other():
    assert set(CHAPTERS) < set(NOTEBOOKS)
    found = {
        f.relative_to(SITE / "notebooks").with_suffix("").as_posix()
        for f in (SITE / "notebooks").rglob("*.ipynb")
    }
    assert found == set(NOTEBOOKS)


@each_notebook
def test_a_notebook_is_valid_and_clean(page):
    made = notebook(page)
    nbformat.validate(made)
    assert (made.nbformat, made.nbformat_minor) == (4, 5)
    assert set(made.metadata) == {"kernelspec", "language_info"}
    assert made.metadata.kernelspec.name == "python3"
    assert not [c for c in made.cells if c.get("outputs") or c.get("execution_count")]
    assert not [c for c in made.cells if not c.source.strip()]


@each_notebook
def test_ids_are_stable_and_unique(page):
    ids = [cell.id for cell in notebook(page).cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{12}", each) for each in ids)


@each_notebook
def test_the_code_is_the_chapters_own_in_order(page):
    written = [cell.source.lstrip("\n") for cell in cells(page)]
    assert [untitled(cell) for cell in code(page)] == written


@each_notebook
def test_what_the_page_folds_is_folded_and_a_stub_is_not(page):
    for made, cell in zip(code(page), cells(page), strict=True):
        tags, own = cell.metadata.get("tags", []), made.metadata.get("tags", [])
        hidden = "hide-input" in tags or "remove-input" in tags or "solution" in own
        folded = hidden and "exercise" not in tags
        assert made.source.startswith("# @title ") == folded
        assert (made.metadata.get("cellView") == "form") == folded
        assert made.metadata.get("jupyter", {}).get("source_hidden", False) == folded
        assert ("exercise" in own) == ("exercise" in tags)
        assert set(own) <= {"exercise", "solution"}


@each_notebook
def test_the_first_cell_does_nothing_outside_colab(page, monkeypatch, capsys):
    first = notebook(page).cells[0].source
    magic = [line for line in first.splitlines() if line.lstrip().startswith("%")]
    _, _, rest = first.partition('if "google.colab" in sys.modules:\n')
    assert rest
    assert all(line.startswith("    ") for line in rest.splitlines())
    exec(first.replace("%pip", "pass; #"), {})  # would fail where it did something
    assert capsys.readouterr().out == ""
    if freshness.repository_address(ROOT):
        assert len(magic) == 2
        kept, installed = magic[0].split()[-1], magic[1].split()
        assert installed[installed.index("-c") + 1] == kept
    else:
        assert not magic
        assert "install" in rest


@each_notebook
def test_nothing_of_the_chapters_markup_is_left(page):
    for each in texts(page):
        assert not RAW.findall(prose(each)), each
        assert not MACROS.findall(each), each


@each_notebook
def test_formulas_are_whole_and_on_one_line(page):
    for each in texts(page):
        assert prose(each).count("$$") % 2 == 0
        for formula in formulas(each):
            assert "\n" not in formula.strip()
            assert formula.count("{") == formula.count("}")
            assert not re.search(r"<[A-Za-z/!?]", formula)
            assert set(re.findall(r"\\begin\{(\w+)", formula)) <= ENVIRONMENTS
    # a dollar that is no formula would begin one
    for each in map(shown, texts(page)):
        for tag in each.find_all(["code", "pre"]):
            tag.decompose()
        assert "$" not in each.get_text()


@each_notebook
def test_every_numbered_equation_of_the_page_has_its_number(page):
    numbers = [n.get_text().strip("()¶#") for n in article(page).select(".eqno")]
    tags = [
        tag
        for each in texts(page)
        for formula in formulas(each)
        for tag in re.findall(r"\\tag\{([^}]*)\}", formula)
    ]
    assert tags == numbers
    assert len(tags) == len(re.findall(r"^:label: eq-", text(page), flags=re.M))


@each_notebook
def test_links_lead_somewhere(page):
    site = freshness.site_address(ROOT)
    addresses = [a["href"] for t in texts(page) for a in shown(t).find_all("a")]
    assert addresses
    for address in addresses:
        inner = address.startswith(site) if site else not urlsplit(address).scheme
        if not inner:
            assert re.match(r"https?://[\w.-]+\.\w+", address), address
            continue
        parts = urlsplit(address.removeprefix(site) if site else address)
        base = SITE if site else path(page).parent
        target = (base / unquote(parts.path)).resolve()
        assert target.is_file(), address
        if parts.fragment:
            assert html(target).find(id=unquote(parts.fragment)), address


def words_of(soup) -> list[str]:
    """List the words that are no formula, code, number or title of an exercise."""
    for tag in soup.select(
        ".math, .eqno, .cell, .headerlink, .jg-checked, pre, code, script, style,"
        ".exercise > .admonition-title, .solution > .admonition-title"
    ):
        tag.decompose()
    titles = re.compile(r"^Solution|^Exercise \d")
    for title in soup.find_all(["summary", "h3"]):
        if titles.match(title.get_text()):
            title.decompose()
    return re.findall(r"[^\W\d_]{2,}", soup.get_text(" "))


@each_notebook
def test_the_words_are_those_of_the_page_in_order(page):
    made = [word for each in texts(page) for word in words_of(shown(each))]
    wanted = words_of(BeautifulSoup(str(article(page)), "html.parser"))
    assert len(wanted) > 200
    assert made == wanted


@pytest.mark.parametrize("page", chapters())
def test_solutions_are_marked_and_exercises_are_not(page):
    number = len(article(page).select(".admonition.solution"))
    made = notebook(page).cells
    headings = [c for c in made if c.source.startswith("### Exercise ")]
    assert len(headings) == number > 0
    assert not [c for c in headings if c.metadata.get("tags")]
    opened = "<details><summary>Solution"
    for cell in made:
        solution = "solution" in cell.metadata.get("tags", [])
        if cell.cell_type == "markdown":
            assert cell.source.startswith(opened) == solution
            assert cell.source.count("<details>") == cell.source.count("</details>")


def test_a_page_links_its_notebook_and_one_without_code_links_none():
    for page in pages():
        links = of(page).select('.article-header-buttons a[href$=".ipynb"]')
        links = [link for link in links if not urlsplit(link["href"]).scheme]
        assert len(links) == (page in NOTEBOOKS)
        for link in links:
            target = (SITE / f"{page}.html").parent / link["href"]
            assert target.resolve() == path(page).resolve()
            assert link.has_attr("download")
            assert link["title"]


def test_colab_and_binder_are_offered_where_the_repository_is_known():
    known = bool(freshness.repository_address(ROOT))
    for page in pages():
        links = of(page).select(".article-header-buttons a[href]")
        for host in ("colab.research.google.com", "mybinder.org"):
            found = [each for each in links if host in each["href"]]
            assert len(found) == (known and page in NOTEBOOKS)
            assert not [each for each in found if each.has_attr("download")]
