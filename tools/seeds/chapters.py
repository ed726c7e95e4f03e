"""Run chapters with every seed moved, on other settings: which claims were luck?

    python -m tools.seeds.chapters gan/bridges vae/training --moves 1 2 3
    python -m tools.seeds.chapters --threads 1 2 --capability default avx2

runs the named chapters, or all of them, once under each combination, and prints a table
of the runs that failed: the cell, its last line, and what it said. No cache is read or
written. A run takes as long as the chapter does; all of them are for the night.
"""

import argparse
import itertools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from jensengap.terminal import say
from tools.book.environment import clean_variables
from tools.book.toc import ROOT, pages, source
from tools.seeds import seeds

MOVES = [1, 2, 3, 1000, 12345]
# What torch picks its kernels by; unset, it takes the best that the processor has.
CAPABILITIES = ["unset", "default", "avx2"]
# Pages that hold for their seeds only, and why: these are run with move 0.
EXACT = {"appendix/reproduction": "a record names digits that were drawn with its seed"}
SECONDS_A_CELL = 600
FIRST_CELL = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + (
    "from tools.seeds import seeds; seeds.move(seeds.asked())\n"
    "sys.path.pop(0); del sys, seeds  # the chapter starts with no name of ours"
)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


class Setting(NamedTuple):
    """Where a chapter is run: what its seeds are moved by, threads, capability."""

    move: int
    threads: int
    capability: str

    def variables(self) -> dict[str, str]:
        """Return the environment variables of the kernel."""
        found = clean_variables(ROOT)
        found.pop("ATEN_CPU_CAPABILITY", None)
        if self.capability != "unset":
            found["ATEN_CPU_CAPABILITY"] = self.capability
        return found | {
            # this checkout's package, whichever environment runs it
            "PYTHONPATH": str(ROOT / "src"),
            "OMP_NUM_THREADS": str(self.threads),
            seeds.VARIABLE: str(self.move),
        }


def exact_where_needed(run: tuple[str, Setting]) -> tuple[str, Setting]:
    """Return the run, with the seeds as written where the page needs that."""
    page, setting = run
    return page, setting._replace(move=0) if page in EXACT else setting


def code_pages() -> list[str]:
    """Return the pages that have cells."""
    return [p for p in pages() if "{code-cell}" in source(p).read_text("utf-8")]


def run_cells(page: str) -> dict:
    """Run a chapter in a kernel that has this process's environment.

    Returns:
        ``seconds``, and of the cell that failed, if one did, ``cell`` (its number among
        the cells of code, from 1), ``line`` and ``said``.
    """
    import jupytext
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from nbformat.v4 import new_code_cell

    path = source(page)
    notebook = jupytext.read(path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    notebook.cells = [new_code_cell(FIRST_CELL), *code]
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=SECONDS_A_CELL,
        resources={"metadata": {"path": str(path.parent)}},
    )
    start, failed = time.monotonic(), {}
    try:
        client.execute()
    except CellExecutionError as error:
        failed = _where(notebook.cells, f"{error.ename}: {error.evalue}")
    return {"seconds": time.monotonic() - start, **failed}


def _where(cells: list, said: str) -> dict:
    """Find the cell that failed, and the line of it that its traceback points at."""
    for number, cell in enumerate(cells):
        for out in cell.outputs:
            if out.output_type == "error":
                trace = _COLOUR.sub("", "\n".join(out.traceback))
                pointed = re.findall(r"^-+> *\d+ (.*)$", trace, re.MULTILINE)
                line = pointed[0].strip() if pointed else cell.source.splitlines()[0]
                return {"cell": number, "line": line, "said": said}
    return {"cell": 0, "line": "", "said": said}


def in_own_process(page: str, setting: Setting) -> dict:
    """Run a chapter under a setting, in a process and a kernel of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.seeds.chapters", "--one", page], cwd=ROOT,
        check=False, capture_output=True, text=True, env=setting.variables(),
    )  # fmt: skip
    try:
        result = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):  # no kernel, or it was killed
        last = (done.stderr.strip() or "no word").splitlines()[-1]
        result = {"seconds": 0.0, "cell": 0, "line": "", "said": f"no run: {last}"}
    mark = "FAILED" if "said" in result else "passed"
    where = " ".join(f"{name}={part}" for name, part in setting._asdict().items())
    say(f"{mark} {result['seconds']:6.1f} s  {page}  {where}")
    return {"page": page, **setting._asdict(), **result}


def table(results: list[dict]) -> Iterator[str]:
    """Yield the lines of a Markdown table of what failed; none if nothing did."""
    failed = [result for result in results if "said" in result]
    if failed:
        yield "| chapter | move | threads | capability | cell | line | said |"
        yield "|---|---|---|---|---|---|---|"
    for each in failed:
        names = ("page", "move", "threads", "capability", "cell", "line", "said")
        parts = (" ".join(str(each[name]).split()) for name in names)
        yield "| " + " | ".join(part.replace("|", "\\|") for part in parts) + " |"


def parsed(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], allow_abbrev=False
    )
    parser.add_argument("chapter", nargs="*", help="such as gan/bridges; none: all")
    parser.add_argument("--moves", type=int, nargs="+", default=MOVES, metavar="N")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], metavar="N")
    parser.add_argument(
        "--capability", nargs="+", default=["unset"], choices=CAPABILITIES,
        help="what torch may use of the processor",
    )  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    found = parser.parse_args(words)
    known = code_pages()
    for page in found.chapter:
        if page not in known:
            parser.error(f"{page} is no page with cells; there are {', '.join(known)}")
    found.chapter = found.chapter or known
    return found


def main(words: list[str]) -> int:
    """Run what the command line asks for; returns the process's exit status."""
    asked = parsed(words)
    if asked.one:
        say(json.dumps(run_cells(asked.chapter[0])))
        return 0
    settings = itertools.starmap(
        Setting, itertools.product(asked.moves, asked.threads, asked.capability)
    )
    every = [(page, setting) for setting in settings for page in asked.chapter]
    runs = list(dict.fromkeys(map(exact_where_needed, every)))
    os.environ.pop("MPLBACKEND", None)  # the kernel's own draws into the page
    with ThreadPoolExecutor(max_workers=asked.jobs) as pool:
        results = list(pool.map(lambda run: in_own_process(*run), runs))
    lines = list(table(results))
    say("\n".join(lines or [f"All {len(results)} runs passed."]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
