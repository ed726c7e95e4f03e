"""The peers' own environment, `_build/bench/environment`, from benchmarks' own pins.

Runs with any Python that is new enough, and makes the environment only where there is
none of these pins. What cannot be installed is named and left out: its peer is then
reported as missing, and the next run tries again.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from jensengap.terminal import say
from tools.book.environment import PIP
from tools.book.freshness import digest, read_mark, write_mark

ROOT = Path(__file__).resolve().parent.parent

PINS = "benchmarks/requirements.txt"
FOLDER = ROOT / "_build" / "bench"


def python_of(folder: Path = FOLDER) -> Path:
    """Return the environment's interpreter."""
    return folder / "environment" / "bin" / "python"


def pins(text: str) -> list[str]:
    """Return the lines of a list of requirements that name one."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def reasons(folder: Path = FOLDER) -> dict[str, str]:
    """Return what could not be installed, and pip's last words about it."""
    try:
        return json.loads((folder / "missing.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


def install(python: Path, wanted: Path) -> dict[str, str]:
    """Install everything that can be had.

    Args:
        python: the environment's interpreter.
        wanted: a list with all that is needed, and what that needs in turn.

    Returns:
        What is missing, and why.
    """
    if not _pip(python, "-r", str(wanted)):
        return {}
    # one after another: the list is complete, so none has to bring another
    return {
        line: why
        for line in pins(wanted.read_text(encoding="utf-8"))
        if (why := _pip(python, "--no-deps", line))
    }


def _pip(python: Path, *words: str) -> str:
    command = [str(python), *PIP, "install", "-q", *words]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if not done.returncode:
        return ""
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    wrong = [line for line in said if line.startswith("ERROR")]
    return (wrong or said or [f"pip ended with {done.returncode}"])[-1]


def ensure(folder: Path = FOLDER) -> Path:
    """Make the environment where there is none of this Python and these pins.

    Args:
        folder: where it is kept.

    Returns:
        The environment's interpreter.
    """
    version = ".".join(map(str, sys.version_info[:2]))
    mark, made = digest(ROOT, [PINS], version, str(folder)), folder / "made-from"
    own = python_of(folder)
    if read_mark(made) == mark and own.exists():
        return own
    say(f"Making the peers' environment from {PINS}: gigabytes, once.")
    for old in (made, folder / "missing.json"):
        old.unlink(missing_ok=True)
    place = folder / "environment"
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    missing = install(own, ROOT / PINS)
    if missing:
        (folder / "missing.json").write_text(json.dumps(missing), encoding="utf-8")
        say(f"Not installed: {', '.join(missing)}.")
    else:
        write_mark(made, mark)
    return own
