"""Read the notebooks that the build exported, and show their text as others would."""

import re
from functools import cache
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from built import SITE
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode

FOLDER = SITE / "notebooks"
_MARKDOWN = (
    MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, double_inline=True)
)


@cache
def notebook(page: str) -> NotebookNode:
    """Return the notebook of a page."""
    return nbformat.read(path(page), as_version=4)


def path(page: str) -> Path:
    """Return where the notebook of a page is."""
    return FOLDER / f"{page}.ipynb"


def code(page: str) -> list[NotebookNode]:
    """Return the code cells, the one that installs the package left out."""
    return [cell for cell in notebook(page).cells if cell.cell_type == "code"][1:]


def untitled(cell: NotebookNode) -> str:
    """Return a cell's code without the title that folds it."""
    return re.sub(r"\A# @title .*\n", "", cell.source)


@cache
def texts(page: str) -> list[str]:
    """Return the text cells."""
    return [c.source for c in notebook(page).cells if c.cell_type == "markdown"]


def prose(text: str) -> str:
    """Return Markdown without code."""
    text = re.sub(r"^((?:> )*)(`{3,}).*?^\1\2$", "", text, flags=re.DOTALL | re.M)
    return re.sub(r"(`+).*?\1", "", text)


def formulas(text: str) -> list[str]:
    """Return the formulas of some Markdown."""
    tokens = []
    for each in _MARKDOWN.parse(text):
        tokens += [each, *(each.children or [])]
    return [each.content for each in tokens if each.type.startswith("math")]


def shown(text: str) -> BeautifulSoup:
    """Return what a notebook shows of some Markdown."""
    return BeautifulSoup(_MARKDOWN.render(text), "html.parser")
