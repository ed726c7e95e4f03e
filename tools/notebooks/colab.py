"""Run every exported notebook in an environment like Colab's, from an empty folder.

Each notebook gets a kernel that takes itself for Colab's, so its first cell really
installs the package: from the address that it names, which git is told to look for in
a copy of this folder. Nothing that was installed before may change.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil
from nbclient import NotebookClient
from nbclient.exceptions import (
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)

from jensengap.terminal import say
from tools.book.environment import PIP
from tools.book.freshness import digest, read_mark, write_mark
from tools.book.toc import ROOT

FOLDER = ROOT / "_build" / "colab"
NAMES = ("python3.14", "python3.13", "python3.12", "python3.11")
# What pip needs to make the package.
PACKAGE = ("pyproject.toml", "README.md", "LICENSE", "src")
SECONDS = 60
# A kernel that has this at its start takes itself for Colab's.
FAKE = "import sys, types\nsys.modules['google.colab'] = types.ModuleType('colab')\n"


class Run(NamedTuple):
    """Result of one notebook: seconds, memory, and what went wrong.

    Attributes:
        install: seconds of the first cell, which installs the package.
        rest: seconds of all others.
        busy: of these, the kernel's own on the processor; less where others worked.
        peak: the most memory that the kernel held, in megabytes.
        fault: what went wrong; nothing where all is well.
    """

    page: str
    install: float
    rest: float
    busy: float
    peak: int
    fault: str = ""

    def __str__(self) -> str:
        numbers = f"{self.install:8.1f}{self.rest:8.1f}{self.busy:8.1f}{self.peak:8}"
        return f"{self.page:32}{numbers}  {self.fault}".rstrip()


def newest() -> str:
    """Return the newest Python that is found."""
    return next(filter(None, map(shutil.which, NAMES)), sys.executable)


def environment(python: str, folder: Path = FOLDER) -> Path:
    """Make the environment where there is none of this Python and this list.

    Args:
        python: the interpreter to make it with.
        folder: where it is kept.

    Returns:
        The environment's own interpreter.
    """
    wanted = "tools/notebooks/colab.txt"
    version = subprocess.run([python, "--version"], capture_output=True, check=True)
    mark = digest(ROOT, [wanted], version.stdout.decode(), str(folder))
    place, made = folder / "environment", folder / "made-from"
    own = place / "bin" / "python"
    if read_mark(made) == mark and own.exists():
        return own
    say("Making an environment like Colab's: some gigabytes, once.")
    made.unlink(missing_ok=True)
    shutil.rmtree(place, ignore_errors=True)
    subprocess.run([python, "-m", "venv", str(place)], check=True)
    subprocess.run([own, *PIP, "install", "-q", "-r", str(ROOT / wanted)], check=True)
    (folder / "brought.json").write_text(json.dumps(packages(own)), encoding="utf-8")
    write_mark(made, mark)
    return own


def as_brought(python: Path, folder: Path = FOLDER) -> dict[str, str]:
    """Undo what an earlier run did; return what Colab brings."""
    brought = json.loads((folder / "brought.json").read_text(encoding="utf-8"))
    now = packages(python)
    # an earlier run installed the package and what it needs
    if added := now.keys() - brought.keys():
        subprocess.run([python, *PIP, "uninstall", "-q", "-y", *added], check=True)
    if changed(brought, now):
        old = [f"{name}=={version}" for name, version in brought.items()]
        subprocess.run([python, *PIP, "install", "-q", *old], check=True)
    return brought


def packages(python: Path) -> dict[str, str]:
    """List what is installed: names and versions."""
    asked = [python, *PIP, "list", "--format=json"]
    listed = subprocess.run(asked, capture_output=True, check=True).stdout
    return {each["name"]: each["version"] for each in json.loads(listed)}


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """List what was installed and is no longer, or in another version."""
    return [
        f"{name} {version} is now {after.get(name, 'gone')}"
        for name, version in before.items()
        if after.get(name) != version
    ]


def repository(folder: Path) -> Path:
    """Make a repository of the package as it is here, committed or not."""
    place = folder / "repository"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in PACKAGE:
        if (ROOT / name).is_dir():
            litter = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, place / name, ignore=litter)
        else:
            shutil.copyfile(ROOT / name, place / name)
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "-A", "-f"],
        [*who, "commit", "-q", "--no-verify", "-m", "the package"],
    ):
        subprocess.run(["git", "-C", str(place), *words], check=True)
    return place


def variables(python: Path, address: str, place: Path) -> dict[str, str]:
    """Return the environment variables of a kernel.

    Args:
        python: the interpreter that it runs.
        address: of the repository, as the notebooks name it.
        place: where git finds that repository instead.
    """
    own = ("JENSENGAP_", "PYTHON", "GIT_", "VIRTUAL_ENV")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(own)}
    return kept | {
        "PATH": str(python.parent) + os.pathsep + kept.get("PATH", os.defpath),
        "PYTHONPATH": str(FOLDER / "fake"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else each start warns of it
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{place.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": address,
    }


def kernel_of(python: Path) -> str:
    """Install a kernel specification for the environment; return the kernel's name."""
    spec = FOLDER / "jupyter" / "kernels" / "colab" / "kernel.json"
    spec.parent.mkdir(parents=True, exist_ok=True)
    words = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    told = {"argv": words, "display_name": "like Colab's", "language": "python"}
    spec.write_text(json.dumps(told), encoding="utf-8")
    fake = FOLDER / "fake" / "sitecustomize.py"
    fake.parent.mkdir(parents=True, exist_ok=True)
    # Python runs a module of this name whenever it starts
    fake.write_text(FAKE, encoding="utf-8")
    os.environ["JUPYTER_PATH"] = str(FOLDER / "jupyter")
    return spec.parent.name


def peak(process: int) -> int:
    """Return the most memory that a process has held, in megabytes; 0 if unknown."""
    try:
        lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    except OSError:
        return 0
    held = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(held[0]) // 1024 if held else 0


def run(page: str, path: Path, kernel: str, env: dict[str, str]) -> Run:
    """Run one notebook, top to bottom, in a folder with nothing in it."""
    notebook = nbformat.read(path, as_version=4)
    times, spent, most, fault = [], [], 0, ""
    with tempfile.TemporaryDirectory() as empty:
        client = NotebookClient(notebook, timeout=600, kernel_name=kernel)
        with client.setup_kernel(env=env, cwd=empty):
            try:
                for number, cell in enumerate(notebook.cells):
                    start = time.monotonic()
                    client.execute_cell(cell, number)
                    times.append(time.monotonic() - start)
                    # after each cell: the kernel is gone when all are done
                    used = psutil.Process(client.km.provisioner.pid).cpu_times()
                    spent.append(used.user + used.system)
            except CellExecutionError as error:
                fault = f"cell {number}: {error.ename}: {error.evalue}"
            except (CellTimeoutError, DeadKernelError) as error:
                fault = f"cell {number}: {error}"
            most = peak(client.km.provisioner.pid)
    first, rest = sum(times[:1]), sum(times[1:])
    busy = spent[-1] - spent[0] if spent else 0.0
    # one that had to wait for its neighbours is not slow
    if not fault and min(rest, busy) > SECONDS:
        fault = f"longer than {SECONDS} s"
    return Run(page, first, rest, busy, most, fault)


def main(site: str, address: str, python: str = "") -> int:
    """Print a line for each notebook; return the process's exit status."""
    own = environment(python or newest())
    before = as_brought(own)
    words = ("torch", "torchvision", "numpy", "matplotlib", "ipython", "ipywidgets")
    say(", ".join(f"{name} {before[name]}" for name in words if name in before))
    env = variables(own, address, repository(FOLDER))
    paths = sorted((Path(site) / "notebooks").rglob("*.ipynb"))
    say(f"{'notebook':32}{'install':>8}{'rest, s':>8}{'busy':>8}{'MB':>8}")
    faults = [] if paths else [f"no notebook lies in {site}"]
    kernel = kernel_of(own)
    for path in paths:
        page = path.relative_to(Path(site) / "notebooks").with_suffix("")
        done = run(page.as_posix(), path, kernel, env)
        say(done)
        faults += [f"{done.page}: {done.fault}"] if done.fault else []
    after = packages(own)
    say("added:", ", ".join(f"{n} {after[n]}" for n in after if n not in before))
    faults += changed(before, after)
    say("\n".join(faults) or f"All {len(paths)} ran; no package of Colab's changed.")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
