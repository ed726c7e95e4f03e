"""The build knows what is out of date, and survives being interrupted."""

import subprocess
import sys

import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from reading import FRONT_MATTER

from tools import make
from tools.book import execute, freshness
from tools.book.toc import ROOT

NAMES = ("src", "requirements.txt")


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "src" / "inner").mkdir(parents=True)
    (tmp_path / "src" / "one.py").write_text("one")
    (tmp_path / "src" / "inner" / "two.py").write_text("two")
    (tmp_path / "requirements.txt").write_text("a==1\n")
    return tmp_path


def test_equal_trees_hash_alike(tree):
    before = freshness.digest(tree, NAMES)
    (tree / "src" / "one.py").write_text("one")  # written again, nothing changed
    assert freshness.digest(tree, NAMES) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "src" / "one.py").write_text("One"),
        lambda tree: (tree / "src" / "inner" / "two.py").unlink(),
        lambda tree: (tree / "src" / "new.py").write_text(""),
        lambda tree: (tree / "src" / "one.py").rename(tree / "src" / "renamed.py"),
        lambda tree: (tree / "requirements.txt").write_text("a==2\n"),
    ],
)
def test_every_change_changes_the_hash(tree, change):
    before = freshness.digest(tree, NAMES)
    change(tree)
    assert freshness.digest(tree, NAMES) != before


def test_extra_words_change_the_hash(tree):
    assert freshness.digest(tree, NAMES, "ab", "c") != freshness.digest(
        tree, NAMES, "a", "bc"
    )


@pytest.mark.parametrize(
    "litter", ["__pycache__/one.pyc", "x.egg-info/PKG-INFO", ".one.py.swp", "one.py~"]
)
def test_litter_does_not_change_the_hash(tree, litter):
    before = freshness.digest(tree, NAMES)
    path = tree / "src" / litter
    path.parent.mkdir(exist_ok=True)
    path.write_text("left behind")
    assert freshness.digest(tree, NAMES) == before


def test_a_mark_reads_as_written_and_a_missing_one_as_nothing(tmp_path):
    assert freshness.read_mark(tmp_path / "mark") == ""
    assert freshness.read_mark(tmp_path / "no" / "mark") == ""
    freshness.write_mark(tmp_path / "mark", "abc")
    freshness.write_mark(tmp_path / "mark", "def")
    assert freshness.read_mark(tmp_path / "mark") == "def"
    assert [path.name for path in tmp_path.iterdir()] == ["mark"]


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://github.com/owner/a.b-c.git", "https://github.com/owner/a.b-c"),
        ("https://me:secret@github.com/owner/name", "https://github.com/owner/name"),
        ("git@github.com:owner/name.git", "https://github.com/owner/name"),
        ("ssh://git@github.com/owner/name", "https://github.com/owner/name"),
        ("/somewhere/on/this/disk", ""),
        ("https://example.org/owner/name", ""),
        ("", ""),
    ],
)
def test_only_an_address_on_github_makes_buttons(remote, address):
    assert freshness.github_address(remote) == address


def test_a_wrong_address_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("JENSENGAP_REPOSITORY", "not an address")
    with pytest.raises(ValueError, match="got 'not an address'"):
        freshness.repository_address(tmp_path)


def test_no_repository_no_address(monkeypatch, tmp_path):
    monkeypatch.delenv("JENSENGAP_REPOSITORY", raising=False)
    assert freshness.repository_address(tmp_path) == ""


def test_a_change_of_code_empties_the_cache(monkeypatch, tree):
    cache = tree / "cache"
    for name, value in (
        ("ROOT", tree),
        ("CACHE", cache),
        ("CACHE_MARK", cache / "mark"),
    ):
        monkeypatch.setattr(make, name, value)
    make._fresh_cache()
    (cache / "numbers").write_text("yesterday's")
    make._fresh_cache()
    assert (cache / "numbers").exists()
    (tree / "src" / "one.py").write_text("broken")
    make._fresh_cache()
    assert not (cache / "numbers").exists()


def _cached(folder, tmp_path, **data):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")])
    bundle = CacheBundleIn(notebook, str(tmp_path / "one.md"), data=data)
    record = get_cache(folder).cache_notebook_bundle(bundle, check_validity=False)
    return folder / "executed" / record.hashkey / "base.ipynb"


@pytest.mark.parametrize("harm", ["half", "gone"])
def test_what_an_interrupted_run_left_in_the_cache_is_dropped(tmp_path, harm):
    folder = tmp_path / "cache"
    file = _cached(folder, tmp_path, left="x  int  1\n")
    assert len(execute.sound_cache(folder).list_cache_records()) == 1
    if harm == "half":
        file.write_text(file.read_text()[:40])
    else:
        file.unlink()
    assert execute.sound_cache(folder).list_cache_records() == []


def test_what_sphinx_executed_without_the_closing_cell_is_executed_again(tmp_path):
    _cached(tmp_path / "cache", tmp_path)
    assert execute.sound_cache(tmp_path / "cache").list_cache_records() == []


CHAPTER = (
    FRONT_MATTER
    + """
# A chapter

```{code-cell} ipython3
%s
```
"""
)


@pytest.mark.parametrize(
    ("code", "status", "left"), [("1 / 0", execute.CELL_FAILED, 1), ("2", 0, 0)]
)
def test_a_failing_chapter_is_never_taken_for_done(
    tmp_path, capsys, code, status, left
):
    path = tmp_path / "chapter.md"
    path.write_text(CHAPTER % code)
    cache = get_cache(tmp_path / "cache")
    assert execute.outdated(cache, [path]) == [path]
    assert execute.execute_one(tmp_path / "cache", path) == status
    assert ("ZeroDivisionError" in capsys.readouterr().out) == bool(status)
    assert len(execute.outdated(cache, [path])) == left


def test_what_a_chapter_leaves_is_kept_beside_it_and_not_in_it(tmp_path):
    path = tmp_path / "chapter.md"
    path.write_text(CHAPTER % "weights = [0.5]")
    cache = get_cache(tmp_path / "cache")
    execute.outdated(cache, [path])
    assert execute.execute_one(tmp_path / "cache", path) == 0
    (record,) = cache.list_cache_records()
    assert record.data[execute.LEFT].startswith("weights  list  ")
    (cell,) = cache.get_cache_bundle(record.pk).nb.cells
    assert cell.source == "weights = [0.5]"


def test_two_runs_at_once_wait_for_each_other(monkeypatch, tmp_path):
    monkeypatch.setattr(make, "ROOT", tmp_path)
    script = (
        "import sys, pathlib\nfrom tools import make\n"
        "make.ROOT = pathlib.Path(sys.argv[1])\n"
        "with make.alone(): print('mine')"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    where = {"cwd": ROOT, "text": True}
    with make.alone():
        second = subprocess.Popen(command, stdout=subprocess.PIPE, **where)
        assert "waiting for it" in second.stdout.readline()
    assert second.communicate(timeout=30)[0] == "mine\n"
