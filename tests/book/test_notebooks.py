"""Every chapter runs again as a notebook, and gives what the build recorded."""

import json
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import jupytext
import passed
import pytest
import recorded
from myst_nb.core.read import is_myst_markdown_notebook
from nbformat.v4 import new_code_cell, new_notebook, new_output
from reading import CHAPTERS, cells, text

from jensengap import check
from tools.book import environment
from tools.book.execute import CLOSING_CELL, run_through
from tools.book.toc import ROOT, pages

NOTEBOOKS = [page for page in pages() if is_myst_markdown_notebook(text(page))]
SECONDS_A_CELL = 300


def closed(notebook, left):
    """Add the closing cell, which printed ``left`` when the build ran it."""
    shown = new_output("stream", name="stdout", text=left)
    number = len(notebook.cells) + 1
    closing = new_code_cell(CLOSING_CELL, outputs=[shown], execution_count=number)
    return new_notebook(metadata=notebook.metadata, cells=[*notebook.cells, closing])


def run_again(notebook, folder, attempts=2):
    """Run a notebook and compare outputs: how each cell ended, and what was said."""
    path = folder / "chapter.ipynb"
    jupytext.write(notebook, path)
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull]
    command += ["--rootdir", str(folder), "-p", "no:cacheprovider"]
    command += ["-p", "nbval.plugin", "--nbval", "--nbval-current-env", "--color=no"]
    command += [f"--nbval-cell-timeout={SECONDS_A_CELL}"]
    command += ["--junitxml", str(folder / "cells.xml"), str(path)]
    # as the build runs it: the same number of threads above all
    variables = environment.clean_variables(ROOT)
    variables = {k: v for k, v in variables.items() if not k.startswith("PYTEST_")}
    # nbval alone: others import PyTorch, in a process that has no use for it
    variables["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    bad = ("failure", "error", "skipped")
    ends = [
        next((end.tag for end in cell if end.tag in bad), "")
        for cell in ET.parse(folder / "cells.xml").iter("testcase")
    ]
    # No cell ran: a kernel did not start (two may draw the same free port), and that
    # says nothing about the chapter.
    if set(ends) == {"error"} and attempts > 1:
        return run_again(notebook, folder, attempts - 1)
    return ends, done.stdout[-6000:] + done.stderr[-2000:]


def test_no_chapter_is_missing_among_the_notebooks():
    assert set(CHAPTERS) <= set(NOTEBOOKS)
    for page in set(pages()) - set(NOTEBOOKS):
        assert "{code-cell}" not in text(page), f"{page} lacks the front matter"


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_a_chapter_runs_as_a_notebook_and_gives_the_same_numbers(
    page, tmp_path, pytestconfig
):
    if passed.before(page) and not pytestconfig.getoption("--every-chapter"):
        pytest.skip(passed.AGAIN)
    inputs = passed.inputs(page)
    notebook = closed(recorded.notebook(page), recorded.left(page))
    ends, said = run_again(notebook, tmp_path)
    # An empty notebook, or one whose cells were skipped, would pass as well.
    assert ends == [""] * (len(cells(page)) + 1), said
    passed.remember(page, inputs)


@pytest.fixture
def remembered(monkeypatch, tmp_path):
    """A chapter that passed, in a place of its own; what it was made of can change."""
    page = CHAPTERS[0]
    monkeypatch.setattr(passed.make, "BUILD", tmp_path)
    assert not passed.before(page)
    passed.remember(page, passed.inputs(page))
    assert passed.before(page)
    assert not passed.before(CHAPTERS[1])
    return page


def _code(monkeypatch, root):
    (root / "src").mkdir()
    (root / "src" / "bounds.py").write_text("changed")
    monkeypatch.setattr(passed, "ROOT", root)


CHANGES = {
    "source": lambda patch, _: patch.setattr(passed, "text", lambda page: "changed"),
    "code": _code,
    "outputs": lambda patch, _: patch.setattr(
        recorded, "executed", lambda page: new_notebook()
    ),
    "what is left": lambda patch, _: patch.setattr(recorded, "left", lambda page: "b"),
    "machine": lambda patch, _: patch.setattr(passed, "machine", lambda: "another"),
    "a switch": lambda patch, _: patch.setenv("ATEN_CPU_CAPABILITY", "default"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_chapter_runs_again_where_anything_of_it_changed(
    remembered, monkeypatch, tmp_path, change
):
    change(monkeypatch, tmp_path)
    assert not passed.before(remembered)


def test_the_numbers_of_a_chapter_depend_on_all_that_executes_it():
    named = {"src", "requirements.txt"}
    named |= {f"tools/book/{each}.py" for each in ("execute", "environment")}
    assert named | {"tools/book/closing_cell.py"} <= set(passed.NUMBERS)
    assert sys.version in passed.machine()


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_no_output_is_kept_from_the_comparison(page):
    assert "NBVAL" not in text(page).upper()
    for cell in recorded.executed(page).cells:
        assert cell.execution_count, "an output without a number is not compared"


def test_the_example_of_a_verdict_is_one_that_a_chapter_shows():
    (example,) = re.findall(r"```text\n(✓.*?)\|Δ\|.*\n```", text("notation"))
    cells = recorded.executed("likelihood/decomposition").cells
    outputs = [out for cell in cells for out in cell.outputs]
    shown = [out.get("data", {}).get("text/plain", "") for out in outputs]
    assert any(line.startswith(example) for line in shown)


def test_a_change_in_the_last_bit_of_anything_is_seen(tmp_path):
    sources = [
        "import torch; from jensengap import check",
        'check.identity("eq-a-b", 0.1, 0.1)',
        'check.glue("name", 0.1)',
        "weights = torch.tensor([0.1])",
        'check.identity("eq-a-b", 0.1, 0.1)',
    ]
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    result, left = run_through(notebook, tmp_path)
    assert result.err is None
    verdict = notebook.cells[1].outputs[0].data[check.MIME]
    verdict["left"] = math.nextafter(verdict["left"], 1)
    published = notebook.cells[2].outputs[0].data
    (full,) = [kind for kind in published if kind.endswith(check.VALUE)]
    published[full] = json.dumps([math.nextafter(*json.loads(published[full]), 1)])
    assert run_again(closed(notebook, left), tmp_path)[0] == [
        "",
        "failure",
        "failure",
        "",
        "",
        "",
    ]

    # weights that no output shows
    notebook.cells[3].source += ".nextafter(torch.ones(1))"
    ends, said = run_again(closed(notebook, left), tmp_path)
    assert ends[3:] == ["", "", "failure"]
    assert "weights" in said


def test_a_kernel_that_does_not_start_gets_one_more_chance(tmp_path, monkeypatch):
    (tmp_path / "ipykernel_launcher.py").write_text(
        "import pathlib, runpy, sys\n"
        "tried = pathlib.Path(__file__).with_name('tried')\n"
        "if not tried.exists():\n"
        "    tried.touch()\n"
        "    raise SystemExit(1)\n"
        "sys.path.remove(str(tried.parent))\n"
        "runpy.run_module('ipykernel_launcher', run_name='__main__')\n"
    )
    variables = environment.clean_variables(ROOT) | {"PYTHONPATH": str(tmp_path)}
    monkeypatch.setattr(environment, "clean_variables", lambda _: variables)
    folder = tmp_path / "notebooks"
    folder.mkdir()
    notebook = new_notebook(cells=[new_code_cell("1 / 1", execution_count=1)])
    notebook.cells[0].outputs = [
        new_output("execute_result", {"text/plain": "1.0"}, execution_count=1)
    ]
    assert run_again(notebook, folder)[0] == [""]
    assert (tmp_path / "tried").exists()
