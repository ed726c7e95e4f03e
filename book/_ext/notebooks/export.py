"""Write each page with code as a notebook that Colab opens: `notebooks/….ipynb`.

The tree of a page is turned into Markdown when all its references are resolved, before
the site adds what is for pages alone.

Why writers of our own: sphinx-tojupyter 0.6 exports every page, with its numbers and
glued values, but drops the answer cells of exercises, makes cells of included source,
folds no solution, leaves the macros to each viewer, and dates what it writes, so that
no two exports are equal. Nine in ten of the tests in test_exported_notebooks.py fail
on its notebooks, and its writer takes no translator but its own.
"""

import os
from pathlib import Path
from posixpath import join, normpath
from urllib.parse import urlsplit

import jupytext
import nbformat
from docutils import nodes
from sphinx.application import Sphinx

from _ext.notebooks.markdown_inline import Place
from _ext.notebooks.notebook_cells import is_cell, notebook

FOLDER = "notebooks"
INSTALL = """\
# From the book "The Jensen Gap"{page}
# In Colab this installs the book's package; whatever Colab brings stays as it is.
import sys
from importlib.util import find_spec

lacking = [name for name in ("torch", "jensengap") if find_spec(name) is None]
get_them = "{how}"
if sys.version_info < (3, 11):
    raise RuntimeError("Python 3.11 or later is needed: choose a newer kernel.")
if lacking and "google.colab" not in sys.modules:
    raise ModuleNotFoundError(f"{{lacking[-1]}} is not here: first run {{get_them}}")
if "google.colab" in sys.modules:
"""
# What to do in another kernel. One line gets the package and all that it needs.
RUN = "%pip install 'git+{repository}@main'"
RUN_BY_HAND = "%pip install <the path of the book's folder>"
BY_ADDRESS = """\
    %pip list --format=freeze > colab.txt
    %pip install -q -c colab.txt "git+{repository}@main"
"""
BY_HAND = """\
    print("Upload the book's folder, and run: %pip install ./that-folder")
"""


def has_cells(document: nodes.document | None) -> bool:
    """Tell whether a page has code, and so a notebook."""
    return document is not None and any(map(is_cell, document.findall(nodes.container)))


def path_of(page: str) -> str:
    """Return where the notebook of a page is, seen from the site's folder."""
    return f"{FOLDER}/{page}.ipynb"


def first_cell(page: str, site: str, repository: str) -> str:
    """Return the code that installs the package in Colab, and elsewhere says how.

    Where the package is installed it does nothing.

    Args:
        page: such as `likelihood/elbo`.
        site: where the site is; where that is not known, nothing.
        repository: its address, or nothing; then it says how to do it by hand.
    """
    there = f": {site}{page}.html" * bool(site)
    how, install = (RUN, BY_ADDRESS) if repository else (RUN_BY_HAND, BY_HAND)
    first = INSTALL.format(page=there, how=how.format(repository=repository))
    return (first + install.format(repository=repository)).rstrip()


def address(page: str, site: str, to: str) -> str:
    """Rewrite an address of the page to one that its notebook can use.

    Args:
        page: such as `likelihood/elbo`.
        site: where the site is, ending in `/`; where that is not known, nothing.
        to: as the page links it: complete, or relative to the page, or `#id`.

    Returns:
        A complete address; without `site` one that is relative to the notebook.
    """
    parts = urlsplit(to)
    if parts.scheme or parts.netloc:
        return to
    here = f"{page}.html"
    path = normpath(join(os.path.dirname(here), parts.path)) if parts.path else here
    anchor = f"#{parts.fragment}" if parts.fragment else ""
    return f"{site or '../' * (path_of(page).count('/'))}{path}{anchor}"


def place_of(app: Sphinx, page: str) -> Place:
    """Return what the Markdown writer has to know of one page."""
    site = os.environ.get("JENSENGAP_SITE", "")
    figures = app.env.toc_fignumbers.get(page, {})
    sections = app.env.toc_secnumbers.get(page, {})

    def number(node: nodes.Element) -> str:
        ids = node["ids"]
        if isinstance(node, nodes.section):
            # the page's own number is filed under no name
            top = isinstance(node.parent, nodes.document)
            found = sections.get("" if top else f"#{ids[0]}", ())
            return "".join(f"{each}." for each in found)
        if isinstance(node, nodes.math_block):
            kind = "displaymath"
        else:
            kind = node.get("countertype") or "exercise"
        found = figures.get(kind, {}).get(ids[0], ()) if ids else ()
        return ".".join(map(str, found))

    macros = app.config.mathjax3_config["tex"]["macros"]
    return Place(lambda to: address(page, site, to), number, macros)


def text(app: Sphinx, document: nodes.document, page: str) -> str:
    """Return the notebook of one page, as it is written."""
    cells = jupytext.read(app.env.doc2path(page)).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    addresses = (os.environ.get(f"JENSENGAP_{x}", "") for x in ("SITE", "REPOSITORY"))
    first = first_cell(page, *addresses)
    made = notebook(document, place_of(app, page), code, first)
    return nbformat.writes(made) + "\n"


def write(app: Sphinx, document: nodes.document, page: str) -> None:
    """Write the notebook of one page of the site, where it has code."""
    if app.builder.format != "html" or not has_cells(document):
        return
    path = Path(app.outdir, path_of(page))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(app, document, page), encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension, before those that mark up pages."""
    app.connect("doctree-resolved", write, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
