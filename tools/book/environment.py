"""Make the environment `.venv` from requirements.txt, and never leave it half-made."""

import importlib.util
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tools.book.freshness import digest, read_mark, write_mark

PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")


def python_of(root: Path) -> Path:
    """Return the path of the environment's interpreter."""
    return root / ".venv" / "bin" / "python"


def pins_mark(root: Path) -> str:
    """Hash what the installed packages depend on: pins, Python, the place."""
    version = ".".join(map(str, sys.version_info[:2]))
    return digest(root, ["requirements.txt"], version, str(root))


def package_mark(root: Path) -> str:
    """Hash what the installed package's metadata depends on."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    # Tools' settings stand in the same file and change nothing that is installed.
    parts = {part: settings.get(part) for part in ("project", "build-system")}
    # So does the package's existence: an editable install of nothing finds nothing.
    return digest(root, (), repr(parts), str((root / "src" / "jensengap").is_dir()))


def clean_variables(root: Path) -> dict[str, str]:
    """Return environment variables under which every run computes the same."""
    # the caller's own paths to Python modules would stand before the pins
    kept = {
        k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME")
    }
    scripts = str(root / ".venv" / "bin")
    return kept | {
        "PATH": scripts + os.pathsep + kept.get("PATH", os.defpath),
        # Two chapters at a time on two cores: one thread each is fastest by far.
        "OMP_NUM_THREADS": "1",
        # Progress bars are for readers at work, not for pages.
        "JENSENGAP_QUIET": "1",
        # So are widgets: a page has a kernel behind it only while it is built.
        "JENSENGAP_STATIC": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUTF8": "1",
        # The user's own kernels and start-up files stay out of the chapters.
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(root / "_build" / ".ipython"),
        # So do their matplotlibrc and the list of fonts that another one left behind.
        "MPLCONFIGDIR": str(root / "_build" / ".matplotlib"),
    }


def run(root: Path, *words: str | Path, quiet: bool = False) -> None:
    """Run the environment's Python; files open here stay open there.

    Args:
        root: the repository, where it runs.
        *words: what follows `python` on the command line.
        quiet: shows only what is written as an error.

    Raises:
        SystemExit: the command failed; it has said why.
    """
    command = [str(python_of(root)), *map(str, words)]
    # close_fds=False hands the lock on: it is held until the last of us has ended.
    surroundings = {"cwd": root, "env": clean_variables(root), "close_fds": False}
    heard = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, check=False, stdout=heard, **surroundings)
    if done.returncode:
        raise SystemExit(done.returncode if done.returncode > 0 else 1)


def ensure(root: Path) -> None:
    """Make `.venv` where it is missing, half-made, moved or out of date.

    Raises:
        SystemExit: venv is not available, or pip failed.
    """
    place, pins, package = root / ".venv", pins_mark(root), package_mark(root)
    mark = place / "made-from"
    known = read_mark(mark).split()
    if known == [pins, package] and python_of(root).exists():
        return
    if known[:1] != [pins] or not python_of(root).exists():
        _make(root, place)
    if (root / "src" / "jensengap").is_dir():
        # first the mark: a kill from here on means that all is made again
        mark.unlink(missing_ok=True)
        run(root, *PIP, "install", "-q", "--no-deps", "--no-build-isolation", "-e", ".")
    write_mark(mark, f"{pins} {package}")


def _make(root: Path, place: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        raise SystemExit(
            f"Python's venv is wanted, {sys.executable} comes without ensurepip; "
            "install it (Debian, Ubuntu: apt install python3-venv) and run this again"
        )
    print(
        "Making .venv from requirements.txt: some minutes the first time.", flush=True
    )
    # From scratch: what an interrupted pip leaves behind is not worth repairing.
    (place / "made-from").unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    run(root, *PIP, "install", "-q", "-r", "requirements.txt")
