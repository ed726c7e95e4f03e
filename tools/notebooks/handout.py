"""Copy the exported notebooks without their solutions, for a class to work on."""

import shutil
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from jensengap.terminal import say


def without_solutions(notebook: NotebookNode) -> tuple[NotebookNode, int]:
    """Drop what belongs to a solution.

    Args:
        notebook: as the build exports it; it stays as it is.

    Returns:
        A copy, and how many solutions it lacks: cells that stand together are one.
    """
    kept, count, inside = [], 0, False
    for cell in notebook.cells:
        solution = "solution" in cell.metadata.get("tags", [])
        # text and code of one solution are cells in a row
        count += solution and not inside
        inside = solution
        if not solution:
            kept.append(cell)
    return NotebookNode(notebook | {"cells": kept}), count


def write(notebooks: Path, folder: Path) -> dict[str, int]:
    """Write the copies under the same paths, into a folder that is made anew.

    Args:
        notebooks: the folder that the build exports to.
        folder: where the copies go.

    Returns:
        For each path the number of solutions left out.

    Raises:
        FileNotFoundError: there is no notebook to copy.
    """
    paths = sorted(notebooks.rglob("*.ipynb"))
    if not paths:
        raise FileNotFoundError(
            f"notebooks are wanted in {notebooks}, there are none; run make book"
        )
    shutil.rmtree(folder, ignore_errors=True)
    counts = {}
    for path in paths:
        name = path.relative_to(notebooks)
        copy, counts[name.as_posix()] = without_solutions(nbformat.read(path, 4))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        text = nbformat.writes(copy) + "\n"
        (folder / name).write_text(text, encoding="utf-8")
    return counts


def main(site: str, folder: str) -> None:
    """Write the copies, and say where they are."""
    counts = write(Path(site, "notebooks"), Path(folder))
    for name, count in counts.items():
        say(f"{count:4}  {name}")
    say(f"{len(counts)} notebooks without {sum(counts.values())} solutions: {folder}")


if __name__ == "__main__":
    main(*sys.argv[1:])
