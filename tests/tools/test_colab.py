"""What make colab holds the notebooks to, without making its environment."""

import subprocess
import sys

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from tools.book.toc import ROOT
from tools.notebooks import colab


def test_only_additions_change_nothing():
    before = {"numpy": "2.1.3", "torch": "2.15.0"}
    assert colab.changed(before, before | {"jaxtyping": "0.3"}) == []
    assert colab.changed(before, {"numpy": "2.4.0"}) == [
        "numpy 2.1.3 is now 2.4.0",
        "torch 2.15.0 is now gone",
    ]


def test_what_is_installed_is_the_package_as_it_stands_here(tmp_path):
    place = colab.repository(tmp_path)
    asked = ["git", "-C", str(place), "ls-tree", "-r", "--name-only", "main"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    own = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "src" / "jensengap").rglob("*.py")
    }
    assert own < set(listed.split())
    assert "pyproject.toml" in listed.split()


def test_git_finds_the_copy_under_the_address_that_notebooks_name(tmp_path):
    address = "https://github.com/owner/name"
    place = colab.repository(tmp_path)
    variables = colab.variables(tmp_path / "bin" / "python", address, place)
    asked = ["git", "ls-remote", "--heads", address]
    told = subprocess.run(
        asked, capture_output=True, text=True, check=True, env=variables
    )
    assert told.stdout.split()[-1] == "refs/heads/main"
    assert not [name for name in variables if name.startswith("JENSENGAP")]


def test_a_notebook_runs_as_in_colab_in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(colab, "FOLDER", tmp_path)
    monkeypatch.setenv("JUPYTER_PATH", "")
    sources = [
        'import os, sys; assert "google.colab" in sys.modules; assert not os.listdir()',
        "x = 1",
    ]
    good = new_notebook(cells=[new_code_cell(each) for each in sources])
    bad = new_notebook(cells=[new_code_cell("1 / 0")])
    nbformat.write(good, tmp_path / "good.ipynb")
    nbformat.write(bad, tmp_path / "bad.ipynb")
    kernel = colab.kernel_of(sys.executable)
    variables = colab.variables(colab.Path(sys.executable), "https://x.org", tmp_path)
    done = colab.run("good", tmp_path / "good.ipynb", kernel, variables)
    assert done.fault == ""
    assert done.peak > 10
    failed = colab.run("bad", tmp_path / "bad.ipynb", kernel, variables)
    assert failed.fault == "cell 0: ZeroDivisionError: division by zero"
