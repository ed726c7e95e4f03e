"""A handout has the questions, runs, and gives no solution away."""

import ast
import builtins
from copy import deepcopy

import nbformat
import pytest
from exported import FOLDER, notebook
from IPython.core.inputtransformer2 import TransformerManager
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from reading import cells

from tools.book.toc import chapters, pages
from tools.notebooks import handout

NOTEBOOKS = [page for page in pages() if cells(page)]


def names(source):
    """Return the names that a cell gives to something, and those that it asks for."""
    tree = ast.parse(TransformerManager().transform_cell(source))
    given, asked = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (asked if isinstance(node.ctx, ast.Load) else given).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            given.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            given |= {a.asname or a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.arg):
            given.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            given.add(node.name)
    return given, asked


@pytest.mark.parametrize("page", chapters())
def test_no_solution_is_left(page):
    whole = notebook(page)
    copy, count = handout.without_solutions(whole)
    ids = {cell.id for cell in copy.cells}
    dropped = [cell.source for cell in whole.cells if cell.id not in ids]
    left = [cell.source for cell in copy.cells]
    assert count == sum(text.startswith("### Exercise ") for text in left) > 0
    assert not set(dropped) & set(left)
    assert len(dropped) >= count
    assert not [text for text in left if "<summary>Solution" in text]
    assert not [text for text in left if text.startswith("# @title Solution")]
    nbformat.validate(copy)


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_what_stays_needs_nothing_that_a_solution_defined(page):
    copy, _ = handout.without_solutions(notebook(page))
    known = set(vars(builtins))
    for cell in copy.cells:
        if cell.cell_type == "code":
            given, asked = names(cell.source)
            known |= given
            assert asked <= known, (asked - known, cell.source)


def test_a_handout_runs(tmp_path):
    whole = deepcopy(notebook("likelihood/elbo"))  # running writes outputs into it
    copy, _ = handout.without_solutions(whole)
    here = {"metadata": {"path": tmp_path}}
    NotebookClient(copy, timeout=300, resources=here).execute()
    assert not list(tmp_path.iterdir())


def test_a_handout_lacks_every_solution_and_counts_them(tmp_path):
    tag = {"tags": ["solution"]}
    cells = [
        new_markdown_cell("ask"),
        new_markdown_cell("say", metadata=tag),
        new_code_cell("1", metadata=tag),
        new_code_cell("2"),
        new_code_cell("3", metadata=tag),
    ]
    whole = new_notebook(cells=cells)
    copy, count = handout.without_solutions(whole)
    assert [cell.source for cell in copy.cells] == ["ask", "2"]
    assert (count, len(whole.cells)) == (2, 5)
    nbformat.write(whole, tmp_path / "in.ipynb")
    (tmp_path / "a").mkdir()
    (tmp_path / "in.ipynb").rename(tmp_path / "a" / "in.ipynb")
    out = tmp_path / "out"
    (out / "old").mkdir(parents=True)
    assert handout.write(tmp_path / "a", out) == {"in.ipynb": 2}
    assert [path.name for path in out.iterdir()] == ["in.ipynb"]


def test_every_notebook_is_handed_out_under_its_own_path(tmp_path):
    counts = handout.write(FOLDER, tmp_path / "out")
    assert set(counts) == {f"{page}.ipynb" for page in NOTEBOOKS}
    assert all((tmp_path / "out" / name).is_file() for name in counts)


def test_nothing_to_hand_out_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="run make book"):
        handout.write(tmp_path, tmp_path / "out")
