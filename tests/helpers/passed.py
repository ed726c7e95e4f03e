"""Chapters that ran again and gave the recorded numbers, remembered with their inputs.

A chapter is left out of a later `make test` only where nothing has changed that its
result depends on, and `make test-all` leaves out none.
"""

import os
import platform
import sys
from functools import cache
from pathlib import Path

import nbformat
import recorded
from reading import text

from tools import make
from tools.book.freshness import NUMBERS, digest, read_mark, write_mark
from tools.book.toc import ROOT

AGAIN = "passed before with the same inputs; make test-all runs it again"
# The tests that run it, beside what its numbers come from.
_RUN_BY = ("tests/book/test_notebooks.py", "tests/helpers/recorded.py")
# What tells a library which of its kernels to take, or moves the seeds.
_SWITCHES = (
    "ATEN_",
    "BLAS_",
    "DNNL_",
    "MKL_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "JENSENGAP_",
)


@cache
def machine() -> str:
    """Describe what else a last bit depends on: Python, C library, processor."""
    # platform.processor() is empty on many a Linux
    lines = (platform.processor(), platform.machine(), sys.version, *_processor())
    return "\n".join([*lines, *platform.libc_ver()])


def _processor() -> list[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        return []
    return sorted({each for each in lines if each.startswith(("model name", "flags"))})


def inputs(page: str) -> str:
    """Hash all that decides whether a chapter runs again to the recorded numbers."""
    switches = sorted(
        each for each in os.environ.items() if each[0].startswith(_SWITCHES)
    )
    outputs = nbformat.writes(recorded.executed(page))
    words = (text(page), outputs, recorded.left(page), machine(), repr(switches))
    return digest(ROOT, (*NUMBERS, *_RUN_BY), *words)


def _mark(page: str) -> Path:
    return make.BUILD / "passed" / f"{page.replace('/', '-')}.made-from"


def before(page: str) -> bool:
    """Say whether the page has passed with the inputs that it has now."""
    return read_mark(_mark(page)) == inputs(page)


def remember(page: str, with_inputs: str) -> None:
    """Write down that a page passed.

    Args:
        page: such as `likelihood/elbo`.
        with_inputs: its inputs from before it ran; they may have changed since.
    """
    _mark(page).parent.mkdir(parents=True, exist_ok=True)
    write_mark(_mark(page), with_inputs)
