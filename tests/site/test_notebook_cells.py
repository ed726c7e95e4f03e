"""From a page to its cells: a small book, built twice."""

import re
import subprocess
import sys

import nbformat
import pytest
import small_book
from reading import FRONT_MATTER

from _ext.notebooks.export import address
from tools.book import freshness
from tools.book.toc import ROOT

CONF = """
import sys
sys.path[:0] = [{ext!r}, {src!r}]
extensions = ["myst_nb", "sphinx_proof", "sphinx_exercise", "_ext.notebooks.export"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
nb_execution_mode = "off"
numfig = math_numfig = True
mathjax3_config = {{"tex": {{"macros": {{"E": "\\\\mathbb{{E}}"}}}}}}
"""
PAGE = (
    FRONT_MATTER
    + """
# A page

```{math}
:label: eq-one
\\E[x] = 1
```

:::{prf:theorem} Its name
:label: thm-one

As {eq}`eq-one` says.
:::

```{code-cell} ipython3
:tags: [remove-input]
plot.show()
```

```{exercise} Try it
:label: ex-one
How much is {eq}`eq-one`?
```

```{code-cell} ipython3
:tags: [exercise, remove-input]
answer = ...
```

```{solution-start} ex-one
:class: dropdown
```

One.

```{code-cell} ipython3
answer = 1
```

And so on.

```{solution-end}
```

```{code-cell} ipython3
answer = ...
```

```{code-cell} ipython3
answer = ...
```
"""
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the small book twice, from nothing; return its notebook's two files."""
    book = tmp_path_factory.mktemp("book")
    ext, src = str(ROOT / "book"), str(ROOT / "src")
    (book / "conf.py").write_text(CONF.format(ext=ext, src=src))
    (book / "index.md").write_text(PAGE)
    known = {
        "JENSENGAP_SITE": "https://owner.github.io/name/",
        "JENSENGAP_REPOSITORY": "https://github.com/owner/name",
    }
    found = []
    for number in (1, 2):
        out = tmp_path_factory.mktemp(f"site{number}")
        status, said = small_book.build("-q", "-E", book, out, variables=known)
        assert status == 0, said
        found.append(out / "notebooks" / "index.ipynb")
    return found


def test_two_builds_give_the_same_bytes(built):
    first, second = built
    assert first.read_bytes() == second.read_bytes()


def test_equal_cells_have_different_ids(built):
    cells = nbformat.read(built[0], 4).cells
    assert cells[-1].source == cells[-2].source
    assert cells[-1].id != cells[-2].id


def test_numbers_titles_and_links_are_those_of_the_page(built):
    cells = nbformat.read(built[0], 4).cells
    text = cells[1].source
    assert text.startswith("# A page\n")
    assert r"$$\mathbb{E}[x] = 1 \tag{1}$$" in text
    assert "> **Theorem 1 (Its name)**" in text
    assert "[(1)](https://owner.github.io/name/index.html#equation-eq-one)" in text
    assert "### Exercise 1 · Try it\n" in cells[3].source


def test_a_stub_stays_in_sight_and_a_solution_is_folded(built):
    cells = nbformat.read(built[0], 4).cells
    kinds = [(c.cell_type, tuple(c.metadata.get("tags", []))) for c in cells]
    assert kinds == [
        ("code", ()),
        ("markdown", ()),
        ("code", ()),
        ("markdown", ()),
        ("code", ("exercise",)),
        ("markdown", ("solution",)),
        ("code", ("solution",)),
        ("markdown", ("solution",)),
        ("code", ()),
        ("code", ()),
    ]
    assert cells[2].source == "# @title Drawing\nplot.show()"
    assert cells[4].source == "answer = ..."
    assert cells[6].source == "# @title Solution\nanswer = 1"
    assert cells[6].metadata["jupyter"]["source_hidden"]
    assert "Solution, continued" in cells[7].source


def test_the_first_cell_installs_beside_what_is_there(built):
    first = nbformat.read(built[0], 4).cells[0].source.splitlines()
    assert first[0].endswith("https://owner.github.io/name/index.html")
    assert first[-2] == "    %pip list --format=freeze > colab.txt"
    assert first[-1] == (
        '    %pip install -q -c colab.txt "git+https://github.com/owner/name@main"'
    )


NO_PACKAGE = """
import sys
from importlib import util
plain, missing, version = util.find_spec, sys.argv[2].split(), sys.argv[3]
util.find_spec = lambda name: None if name in missing else plain(name)
if version:
    sys.version_info = tuple(map(int, version.split(".")))
exec(open(sys.argv[1]).read())
"""
GET_THEM = (
    "is not here: first run %pip install 'git+https://github.com/owner/name@main'"
)


@pytest.mark.parametrize(
    ("missing", "version", "last"),
    [
        ("jensengap torch", "", f"jensengap {GET_THEM}"),
        ("torch", "", f"torch {GET_THEM}"),
        ("jensengap", "3.10", "Python 3.11 or later is needed: choose a newer kernel."),
        ("", "", ""),
    ],
)
def test_a_kernel_that_lacks_something_is_told_how_to_get_it(
    built, tmp_path, missing, version, last
):
    cell = nbformat.read(built[0], 4).cells[0].source
    assert max(map(len, cell.splitlines())) <= 88
    path = tmp_path / "cell.py"
    path.write_text(re.sub(r"(?m)^    %pip", "    pass  # %pip", cell))
    words = [sys.executable, "-c", NO_PACKAGE, path, missing, version]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == bool(last)
    assert done.stderr.strip().endswith(last)
    assert bool(done.stderr) == bool(last)


def test_a_cell_that_is_on_no_page_is_an_error(tmp_path):
    ext, src = str(ROOT / "book"), str(ROOT / "src")
    (tmp_path / "conf.py").write_text(CONF.format(ext=ext, src=src))
    gone = PAGE.replace("[remove-input]", "[remove-input, remove-output]")
    (tmp_path / "index.md").write_text(gone)
    status, said = small_book.build("-q", tmp_path, tmp_path / "o")
    assert status
    assert "the page shows 4 code cells and its file has 5" in said


@pytest.mark.parametrize(
    ("site", "to", "expected"),
    [
        ("", "#a", "../../likelihood/elbo.html#a"),
        ("", "../notation.html", "../../notation.html"),
        ("", "decomposition.html#b", "../../likelihood/decomposition.html#b"),
        ("https://x.org/n/", "../index.html#c", "https://x.org/n/index.html#c"),
        ("", "https://doi.org/10.1", "https://doi.org/10.1"),
    ],
)
def test_an_address_of_the_page_leads_there_from_the_notebook(site, to, expected):
    assert address("likelihood/elbo", site, to) == expected


@pytest.mark.parametrize(
    ("named", "repository", "expected"),
    [
        ("https://x.org/book", "", "https://x.org/book/"),
        ("https://x.org//", "", "https://x.org/"),
        ("", "https://github.com/Owner/name", "https://owner.github.io/name/"),
        ("", "git@github.com:o/o.github.io.git", "https://o.github.io/"),
        ("", "", ""),
    ],
)
def test_the_sites_address_is_named_or_follows_from_the_repositorys(
    monkeypatch, tmp_path, named, repository, expected
):
    monkeypatch.setenv("JENSENGAP_SITE", named)
    monkeypatch.setenv("JENSENGAP_REPOSITORY", repository)
    assert freshness.site_address(tmp_path) == expected


@pytest.mark.parametrize("wrong", ["x.org", "ftp://x.org/", "https://x.org/?a", "/tmp"])
def test_a_wrong_address_of_the_site_is_named(monkeypatch, tmp_path, wrong):
    monkeypatch.setenv("JENSENGAP_SITE", wrong)
    with pytest.raises(ValueError, match="JENSENGAP_SITE must be like"):
        freshness.site_address(tmp_path)
