"""Read what the build recorded when it executed a page."""

from functools import cache

import jupytext
from jupyter_cache import get_cache
from nbformat import NotebookNode

from tools import make
from tools.book.execute import LEFT
from tools.book.toc import pages, source


@cache
def _record(page: str):
    """Return the cache, and the one record in it that is about a page."""
    kept = get_cache(make.CACHE)
    uri = str(source(page))
    found = [each for each in kept.list_cache_records() if each.uri == uri]
    assert len(found) == 1, f"{page}: wanted one executed notebook, got {len(found)}"
    return kept, found[0]


@cache
def executed(page: str) -> NotebookNode:
    """Return the executed notebook of a page: its code cells with their outputs."""
    kept, record = _record(page)
    return kept.get_cache_bundle(record.pk).nb


def seconds() -> dict[str, float]:
    """Return how long each page took to be executed; none where none was."""
    if not make.CACHE.is_dir():
        return {}
    took = {each.uri: each.data for each in get_cache(make.CACHE).list_cache_records()}
    return {
        page: took[uri]["execution_seconds"]
        for page in pages()
        if (uri := str(source(page))) in took
    }


def left(page: str) -> str:
    """Return what the closing cell printed: a hash of each value left behind."""
    return _record(page)[1].data[LEFT]


def notebook(page: str) -> NotebookNode:
    """Return the page as a notebook that holds the outputs that were recorded."""
    made = jupytext.read(source(page))
    code = [cell for cell in made.cells if cell.cell_type == "code"]
    for cell, old in zip(code, executed(page).cells, strict=True):
        assert cell.source == old.source, f"{page} has changed; run make book first"
        cell.outputs, cell.execution_count = old.outputs, old.execution_count
    return made
