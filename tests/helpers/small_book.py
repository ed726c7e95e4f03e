"""Build very small books by Sphinx, each in a process that need not import it anew."""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

# What takes seconds to import; a server that has done so once is forked for each book.
_IMPORTED = ["sphinx.cmd.build", "sphinx.builders.html", "myst_nb", "jensengap.check"]
_SECONDS = 120


def build(
    *words: str | Path, variables: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run `sphinx-build`.

    Args:
        *words: its arguments.
        variables: of the environment, beside those that are set.

    Returns:
        The exit status, and what was said as warnings and errors.
    """
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(_IMPORTED)
    with tempfile.NamedTemporaryFile() as said:
        given = list(map(str, words)), dict(variables or {}), said.name
        one = processes.Process(target=_build, args=given)
        one.start()
        one.join(_SECONDS)
        if one.is_alive():
            one.kill()
            raise TimeoutError(f"a small book took more than {_SECONDS} s")
        status = one.exitcode
        one.close()
        return status, Path(said.name).read_text(encoding="utf-8")


def _build(words: list[str], variables: dict[str, str], said: str) -> None:
    from sphinx.cmd.build import main

    os.environ.update(variables)
    with open(os.devnull, "w") as nothing, open(said, "w") as heard:
        os.dup2(nothing.fileno(), sys.stdout.fileno())
        os.dup2(heard.fileno(), sys.stderr.fileno())
        status = main(words)
        sys.stderr.flush()
    sys.exit(status)
