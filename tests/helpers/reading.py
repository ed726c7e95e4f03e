"""Read a chapter's source: its prose, its cells, its labels, its calls."""

import ast
import re
from functools import cache

import jupytext
from IPython.core.inputtransformer2 import TransformerManager
from myst_nb.core.read import is_myst_markdown_notebook

from tools.book.toc import ROOT, source

BOOK = ROOT / "book"
# What makes a file in MyST form a notebook.
FRONT_MATTER = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---
"""

# Written out, so that a chapter that drops out of the table of contents is missed.
CHAPTERS = (
    "likelihood/latent-variables",
    "likelihood/decomposition",
    "likelihood/elbo",
    "likelihood/posterior-kl",
    "vae/likelihoods",
    "vae/reparameterization",
    "vae/linear-vae",
    "vae/training",
    "vae/rate-distortion",
    "vae/measuring-likelihood",
    "gan/minimax",
    "gan/dynamics",
    "gan/meaning",
    "gan/bridges",
)
# Pages with cells that are about the chapters' equations and have none of their own.
APPENDICES = (
    "appendix/source-claims",
    "appendix/mistakes",
    "appendix/reproduction",
    "appendix/performance",
    "appendix/scale",
)


@cache
def text(page: str) -> str:
    """Return the source as it stands."""
    return source(page).read_text(encoding="utf-8")


@cache
def cells(page: str) -> list:
    """Return the code cells of a page; a page without front matter has none."""
    if not is_myst_markdown_notebook(text(page)):
        return []
    notebook = jupytext.read(source(page))
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@cache
def prose(page: str) -> str:
    """Return the source without front matter and code cells."""
    body = re.sub(r"\A---\n.*?\n---\n", "", text(page), flags=re.DOTALL)
    fence = r"^(`{3,})\{code-cell\}.*?^\1\s*$"
    return re.sub(fence, "", body, flags=re.DOTALL | re.MULTILINE)


def hidden(cell) -> bool:
    """Say whether the reader has to unfold the cell."""
    tags = cell.metadata.get("tags", [])
    return "hide-input" in tags or "hide-cell" in tags


@cache
def trees(page: str) -> list[ast.Module]:
    """Return the code cells of a page as Python reads them."""
    python = TransformerManager().transform_cell  # %magic and ?help are no Python
    return [ast.parse(python(cell.source)) for cell in cells(page)]


def imports(page: str) -> set[str]:
    """Return the names of all modules that a page's cells import."""
    names = set()
    for tree in trees(page):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(node.module or "")
    return names


def imports_as(page: str) -> set[str]:
    """Return the names that a page's cells give to what they import."""
    names = set()
    for tree in trees(page):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names |= {a.asname or a.name.split(".")[0] for a in node.names}
    return names


def calls(page: str, module: str) -> list[tuple[int, str, ast.Call]]:
    """Return calls like `module.name(…)`: number of the cell, name, call."""
    found = []
    for number, tree in enumerate(trees(page)):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id == module
            ):
                found.append((number, node.func.attr, node))
    return found


def first_word(call: ast.Call) -> str:
    """Return a call's first argument, which must be written out as a string."""
    if call.args and isinstance(call.args[0], ast.Constant):
        return str(call.args[0].value)
    raise AssertionError(f"line {call.lineno}: the name must stand there as a string")


def equations(page: str) -> list[tuple[str, bool]]:
    """Return the labels of a page's equations, and which are marked definitions."""
    lines = prose(page).splitlines()
    found = []
    for number, line in enumerate(lines):
        if not re.match(r"\s*[`:]{3,}\{math\}", line):
            continue
        label = re.match(r"\s*:label:\s*(\S+)", lines[number + 1])
        if label:
            above = [each.strip() for each in lines[max(0, number - 1) : number]]
            found.append((label[1], above == ["% definition"]))
    return found


def citation_keys() -> set[str]:
    """Return the keys of the bibliography."""
    entries = (BOOK / "references.bib").read_text(encoding="utf-8")
    return set(re.findall(r"^@\w+\{\s*([^,\s]+)\s*,", entries, flags=re.MULTILINE))
