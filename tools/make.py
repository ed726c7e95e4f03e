"""Run a target of the Makefile: each is a function of this file."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jensengap.terminal import say
from tools.book import chromium, environment
from tools.book.freshness import (
    NUMBERS,
    SITE,
    digest,
    read_mark,
    repository_address,
    site_address,
    write_mark,
)
from tools.chapters.new_chapter import add_chapter

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
SITE_FOLDER = BUILD / "html"
PDF = BUILD / "the-jensen-gap.pdf"
SITE_MARK = BUILD / "html.made-from"
CACHE = BUILD / ".jupyter_cache"
CACHE_MARK = CACHE / "made-from"


@contextmanager
def alone() -> Iterator[None]:
    """Lock this folder for one run at a time; a later one waits and says for whom.

    The system gives the lock back when the last process of a run has ended, killed or
    not, so no lock is ever left behind.
    """
    with open(ROOT / ".make.lock", "a+", encoding="utf-8") as lock:
        # child processes hold the lock as well, until the last has ended
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            other = lock.read().strip() or "unknown"
            say(
                f"Another make (process {other}) works here; waiting for it.",
            )
            fcntl.flock(lock, fcntl.LOCK_EX)
        # whoever waits reads here for whom
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def site_inputs() -> str:
    """Hash everything that the site is made of."""
    addresses = repository_address(ROOT), site_address(ROOT)
    return digest(ROOT, SITE, *addresses, environment.pins_mark(ROOT))


def book() -> None:
    """Bring the environment, the chapters' numbers and the site up to date."""
    with alone():
        environment.ensure(ROOT)
        inputs = site_inputs()
        if read_mark(SITE_MARK) == inputs and (SITE_FOLDER / "index.html").is_file():
            say("The book is up to date.")
        else:
            _build(inputs)
    say(f"Open {SITE_FOLDER / 'index.html'}, or run: make serve")


def _build(inputs: str) -> None:
    """Execute what is outdated, build the site aside, and put it in place."""
    numbers = _fresh_cache()
    try:
        environment.run(ROOT, "-m", "tools.book.execute", CACHE)
    except SystemExit:
        raise SystemExit(
            "A chapter failed, and no site was built; its last lines above say why."
        ) from None
    next_site = _sphinx(BUILD / "next")
    # somebody saved a file meanwhile: the pages may be of both versions
    if site_inputs() != inputs:
        if _numbers() != numbers:
            CACHE_MARK.unlink(missing_ok=True)
        raise SystemExit(
            "Sources changed while the book was built; run make book again."
        )
    # The mark goes first and comes last: in between, the site counts as out of date.
    SITE_MARK.unlink(missing_ok=True)
    old = BUILD / "old"
    shutil.rmtree(old, ignore_errors=True)
    if SITE_FOLDER.exists():
        # two renames: for a moment there is no site, but never half of one
        SITE_FOLDER.rename(old)
    next_site.rename(SITE_FOLDER)
    write_mark(SITE_MARK, inputs)
    for left in (old, BUILD / "next"):
        shutil.rmtree(left, ignore_errors=True)


def _numbers() -> str:
    """Hash everything that the chapters' numbers come from."""
    return digest(ROOT, NUMBERS, environment.pins_mark(ROOT))


def _fresh_cache() -> str:
    """Empty the cache of executed chapters where code or pins have changed."""
    numbers = _numbers()
    if read_mark(CACHE_MARK) != numbers:
        CACHE_MARK.unlink(missing_ok=True)
        shutil.rmtree(CACHE, ignore_errors=True)
        CACHE.mkdir(parents=True)
        write_mark(CACHE_MARK, numbers)
    return numbers


def _sphinx(aside: Path) -> Path:
    """Build the whole site afresh, aside: yesterday's pages hide today's warnings."""
    shutil.rmtree(aside, ignore_errors=True)
    # the second address follows from the first where nobody names it
    os.environ["JENSENGAP_SITE"] = site_address(ROOT)
    os.environ["JENSENGAP_REPOSITORY"] = repository_address(ROOT)
    start = "from jupyter_book.cli.main import main; main()"
    command = ["-c", start, "build", "book", "--config", "_config.yml"]
    command += ["--toc", ROOT / "_toc.yml", "--path-output", aside, "-q"]
    say("Building the site.")
    try:
        environment.run(ROOT, *command, "-W", "-n", "--keep-going", quiet=True)
    except SystemExit:
        raise SystemExit("No site was built; the warnings above say why.") from None
    return aside / "_build" / "html"


def test(*words: str) -> None:
    """Run what guards a change, against an up-to-date book."""
    _tests("-m", "not nightly", *(words or ["tests"]))


def test_all(*words: str) -> None:
    """Run all tests, those that are too slow for every change as well."""
    _tests("--every-chapter", *(words or ["tests"]))


def _tests(*words: str) -> None:
    book()
    # in the order and the parts of tests/helpers/turns.py
    workers = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]
    environment.run(ROOT, "-m", "pytest", *workers, *words)


def moved_seeds(*words: str) -> None:
    """Run tests and chapters with every seed moved: is a claim luck?"""
    with alone():
        environment.ensure(ROOT)
    environment.run(ROOT, "-m", "tools.seeds.moved", *words)


def mutants(*modules: str) -> None:
    """Break the package on purpose (mutation testing): does a test notice?"""
    with alone():
        environment.ensure(ROOT)
    environment.run(ROOT, "-m", "tools.mutation.mutants", *modules)


def recordings(*names: str) -> None:
    """Run afresh the experiments that are too long for a chapter."""
    with alone():
        environment.ensure(ROOT)
    environment.run(ROOT, "-m", "jensengap.experiments.record", *names)


def bench(*names: str) -> None:
    """Train the same VAE with this package and with its peers, in turns."""
    with alone():
        raise SystemExit(subprocess.call([sys.executable, "-m", "benchmarks", *names]))


def colab(python: str = "") -> None:
    """Run the exported notebooks in an environment like Colab's."""
    book()
    address = repository_address(ROOT) or "https://github.com/owner/name"
    os.environ["JENSENGAP_REPOSITORY"] = address
    with alone():
        site = _sphinx(BUILD / "colab" / "site")
    words = [site, address, *filter(None, [python])]
    environment.run(ROOT, "-m", "tools.notebooks.colab", *words)


def handout() -> None:
    """Copy the notebooks without their solutions, for a class."""
    book()
    where = [SITE_FOLDER, BUILD / "handout"]
    environment.run(ROOT, "-m", "tools.notebooks.handout", *where)


def new_chapter(name: str = "", title: str = "") -> None:
    """Make a chapter from the template, and enter it where chapters are listed."""
    with alone():
        try:
            add_chapter(ROOT, name, title)
        except OSError as error:
            raise SystemExit(
                f"Nothing was made: {error.filename}, {error.strerror}."
            ) from None


def pdf() -> None:
    """Print the whole book into one PDF."""
    chromium.needed()  # sooner than after minutes of building
    book()
    environment.run(ROOT, "-m", "tools.pdf.pdf", SITE_FOLDER, PDF)


def serve(port: str = "8000") -> None:
    """Serve the site to this machine alone."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            raise SystemExit(
                f"Port {port} cannot be had ({error.strerror}); "
                "name another: make serve PORT=8001"
            ) from None
    book()
    where = ["--bind", "127.0.0.1", "--directory", SITE_FOLDER]
    environment.run(ROOT, "-m", "http.server", *where, port)


def lint() -> None:
    """Check the code's style and the text's spelling."""
    with alone():
        environment.ensure(ROOT)
    code = ["src", "tests", "tools", "book/_ext", "binder", "benchmarks"]
    environment.run(ROOT, "-m", "ruff", "check", *code)
    environment.run(ROOT, "-m", "ruff", "format", "--check", *code)
    environment.run(ROOT, "-m", "codespell_lib")


def clean() -> None:
    """Remove the site, what the chapters computed, and what pip left behind."""
    with alone():
        for folder in (BUILD, ROOT / "build"):
            shutil.rmtree(folder, ignore_errors=True)


def distclean() -> None:
    """Remove the environment as well."""
    clean()
    with alone():
        shutil.rmtree(ROOT / ".venv", ignore_errors=True)


_ALL = (
    book,
    test,
    test_all,
    moved_seeds,
    mutants,
    recordings,
    bench,
    colab,
    handout,
    pdf,
    new_chapter,
    serve,
    lint,
    clean,
    distclean,
)
TARGETS = {each.__name__.replace("_", "-"): each for each in _ALL}

if __name__ == "__main__":
    try:
        TARGETS[sys.argv[1]](*sys.argv[2:])
    except KeyboardInterrupt:
        raise SystemExit("\nInterrupted; nothing is half-done, run it again.") from None
    except ValueError as error:
        raise SystemExit(str(error)) from None
