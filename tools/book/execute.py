"""Execute the chapters whose code has changed, two at a time, into the cache."""

import fcntl
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.cache.db import NbCacheRecord
from jupyter_cache.cache.main import JupyterCacheBase
from jupyter_cache.executors.utils import (
    ExecutionResult,
    create_cache_bundle,
    single_nb_execution,
)
from myst_nb.core.read import is_myst_markdown_notebook
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

from jensengap.terminal import say
from tools.book.toc import ROOT, pages, source

SECONDS_A_CELL = 600
CELL_FAILED = 3  # not 1, which Python itself exits with
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
READER = {"name": "myst_nb_md", "type": "plugin"}  # the one that Sphinx reads with
CLOSING_CELL = Path(__file__).with_name("closing_cell.py").read_text(encoding="utf-8")
LEFT = "left"  # where the cache keeps what the closing cell printed


def sound_cache(folder: Path) -> JupyterCacheBase:
    """Open the cache, and drop what is incomplete in it.

    An interrupted run leaves half a file, and Sphinx, which executes what was written
    while the book was built, does not run the closing cell.
    """
    cache = get_cache(folder)
    for record in cache.list_cache_records():
        place = folder / "executed" / record.hashkey
        try:
            json.loads((place / "base.ipynb").read_text(encoding="utf-8"))
            record.data[LEFT]
        except (OSError, ValueError, KeyError):  # no file, half of one, or nothing left
            shutil.rmtree(place, ignore_errors=True)
            NbCacheRecord.remove_records([record.pk], cache.db)
    return cache


def outdated(cache: JupyterCacheBase, sources: list[Path]) -> list[Path]:
    """Return the notebooks whose code is not in the cache; forget all others."""
    # the list of chapters is made anew, so that a deleted one is forgotten
    for record in cache.list_project_records():
        cache.remove_nb_from_project(record.pk)
    for path in sources:
        cache.add_nb_to_project(str(path), read_data=READER)
    wanted = {record.uri for record in cache.list_unexecuted()}
    kept = set()
    for path in sources:
        if str(path) not in wanted:
            kept.add(cache.get_cached_project_nb(str(path)).pk)
    for record in cache.list_cache_records():
        if record.pk not in kept:
            cache.remove_cache(record.pk)
    return [path for path in sources if str(path) in wanted]


def run_through(notebook: NotebookNode, folder: Path) -> tuple[ExecutionResult, str]:
    """Execute a notebook in place, and the closing cell after it.

    Returns:
        The result, and what the closing cell printed; the cell itself is gone again.
    """
    # in the chapter's own kernel, where all its values still are
    notebook.cells.append(new_code_cell(CLOSING_CELL))
    result = single_nb_execution(
        notebook, cwd=str(folder), timeout=SECONDS_A_CELL, allow_errors=False
    )
    outputs = notebook.cells.pop().outputs
    return result, "".join(out.get("text", "") for out in outputs)


def execute_one(folder: Path, path: Path) -> int:
    """Execute one chapter in this process; print its traceback where it fails."""
    cache = get_cache(folder)
    notebook = cache.get_project_notebook(str(path))
    result, left = run_through(notebook.nb, path.parent)
    if result.err is not None:
        say(result.exc_string)
        return CELL_FAILED
    bundle = create_cache_bundle(notebook, result.cwd, None, result.time, None)
    bundle.data[LEFT] = left
    with open(folder / "writing.lock", "w") as lock:  # one writer at a time
        fcntl.flock(lock, fcntl.LOCK_EX)
        # overwrite: what is executed again replaces what was there
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
    say(f"{result.time:5.1f} s  {os.path.relpath(path, ROOT)}")
    return 0


def in_own_process(folder: Path, path: Path) -> bool:
    """Execute one chapter in a process of its own and show what it said."""
    command = [sys.executable, "-m", "tools.book.execute", str(folder), str(path)]
    for attempt in (1, 2):
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            close_fds=False,
            cwd=ROOT,
        )
        said = done.stdout.rstrip()
        if done.returncode in (0, CELL_FAILED):
            break
        # No cell failed: a kernel did not start (two may draw the same free port) or
        # was killed. That says nothing about the chapter, so it gets one more chance.
        said = f"{said}\n{done.stderr.rstrip()}\nno kernel, attempt {attempt} of 2"
        if attempt == 1:
            say(said)
    if done.returncode:
        said = f"FAILED   {os.path.relpath(path, ROOT)}\n{said}"
    say(said if sys.stdout.isatty() else _COLOUR.sub("", said))
    return done.returncode == 0


def main(folder: Path) -> int:
    """Bring the cache up to date; return the process's exit status."""
    sources = [source(page) for page in pages()]
    missing = [path for path in sources if not path.is_file()]
    if missing:
        names = map(str, missing)
        say("\n  ".join(["_toc.yml names pages that are not there:", *names]))
        return 1
    notebooks = [p for p in sources if is_myst_markdown_notebook(p.read_text("utf-8"))]
    todo = outdated(sound_cache(folder), notebooks)
    if todo:
        say(f"Executing {len(todo)} of {len(notebooks)} chapters.")
        # Lists the fonts once, here: a kernel that has to do it says so on the page.
        importlib.import_module("matplotlib.font_manager")
    # threads only wait: each chapter runs in a process of its own
    with ThreadPoolExecutor(max_workers=2) as pool:
        done = list(pool.map(lambda path: in_own_process(folder, path), todo))
    return 0 if all(done) else 1


if __name__ == "__main__":
    where = Path(sys.argv[1])
    sys.exit(execute_one(where, Path(sys.argv[2])) if sys.argv[2:] else main(where))
