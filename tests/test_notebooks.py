"""Every chapter runs from its first cell to its last as a notebook of its own."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import jupytext
import pytest
from myst_nb.core.read import is_myst_markdown_notebook
from reading import cells, text

from toc import chapters, pages, source

NOTEBOOKS = [page for page in pages() if is_myst_markdown_notebook(text(page))]
SECONDS_A_CELL = 300


def test_no_chapter_is_missing_among_the_notebooks():
    assert len(chapters()) == 6
    assert set(chapters()) <= set(NOTEBOOKS)
    for page in set(pages()) - set(NOTEBOOKS):
        assert "{code-cell}" not in text(page), f"{page} lacks the front matter"


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_a_chapter_runs_as_a_notebook(page, tmp_path):
    notebook = tmp_path / f"{page.replace('/', '-')}.ipynb"
    jupytext.write(jupytext.read(source(page)), notebook)
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull]
    command += ["--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["--nbval-lax", "--nbval-current-env"]
    command += [f"--nbval-cell-timeout={SECONDS_A_CELL}"]
    command += ["--junitxml", str(tmp_path / "cells.xml"), str(notebook)]
    outside = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run(
        command, cwd=tmp_path, env=outside, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    counts = ET.parse(tmp_path / "cells.xml").getroot().find("testsuite").attrib
    # An empty notebook, or one whose cells were skipped, would pass as well.
    assert int(counts["tests"]) == len(cells(page))
    assert int(counts["skipped"]) == 0
