"""Recordings: what was run, with which settings, on what machine, and what came of it.

Whatever is recorded has this one shape: what is too long for a chapter (``make
recordings``), the runs of a paper's table (``reproduce``), and ``make bench``. A
training is chaotic: another machine rounds otherwise and sees other trajectories, so a
chapter that repeats a run compares what is claimed about it, not its last bit.

Only the standard library is used: the bench writes recordings in an environment of its
own, from a process that stays small.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from jensengap import files

FOLDER = Path(__file__).parent / "recorded"  # of those that come with the package
_SHAPE = {
    "question": "str", "machine": "dict", "versions": "dict", "runs": "list of dict"
}  # fmt: skip


class Recording(NamedTuple):
    """What was asked, what was run, and what came of it.

    Attributes:
        question: what the runs were made to answer.
        machine: what computed, as far as it is known; with the date where speed was
            measured.
        versions: of Python and of the packages that the numbers depend on.
        runs: for each run its settings and its results, by name. One that was made
            elsewhere than the others has a ``machine`` and ``versions`` of its own.
    """

    question: str
    machine: dict[str, str | int]
    versions: dict[str, str]
    runs: list[dict[str, Any]]

    def where(self, **settings: Any) -> list[dict[str, Any]]:
        """Select runs by their settings, in the order in which they were recorded.

        Args:
            **settings: names and the values wanted.

        Returns:
            The runs that have all of them.

        Raises:
            KeyError: no run has them; the message lists what was recorded.
        """
        wanted = settings.items()
        found = [run for run in self.runs if all(one in run.items() for one in wanted)]
        if not found:
            known = {
                name: [*dict.fromkeys(repr(r[name]) for r in self.runs if name in r)]
                for name in settings
            }
            there = "; ".join(f"{name}: {', '.join(v)}" for name, v in known.items())
            raise KeyError(f"no run was recorded with {settings}; there are {there}")
        return found


def read(path: Path) -> Recording:
    """Read a recording from a file, and verify its shape.

    Args:
        path: a file that :func:`write` has written.

    Returns:
        The recording.

    Raises:
        ValueError: the file is torn, or has another shape.
        FileNotFoundError: there is no such file.
    """
    text = path.read_text(encoding="utf-8")
    try:
        content = json.loads(text)
    except ValueError as error:
        raise ValueError(
            f"{path} is torn: wanted JSON, got {error}; make it afresh"
        ) from error
    _verify(path, content)
    return Recording(**content)


def write(path: Path, recording: Recording) -> None:
    """Write a recording to a file, whole or not at all.

    Args:
        path: of the file. Each run has a line, so that a difference can be read.
        recording: what to write.

    Raises:
        ValueError: there is no run, or a number is not finite; an old file stands.
        OSError: see :func:`jensengap.files.write_whole`.
    """
    content = recording._asdict()
    _verify(path, content)
    lines = ",\n".join(_line(run) for run in content.pop("runs"))
    head = _line(content).removesuffix("}")
    files.write_whole(path, f'{head}, "runs": [\n{lines}\n]}}\n')


def load(name: str) -> Recording:
    """Read a recording that comes with the package.

    Args:
        name: what it is called, such as ``"mode-collapse"``.

    Returns:
        The recording.

    Raises:
        ValueError: there is none of that name.
    """
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        known = sorted(each.stem for each in FOLDER.glob("*.json"))
        raise ValueError(f"no recording is called {name!r}; there are {known}")
    return read(path)


def machine(**more: str | int) -> dict[str, str | int]:
    """Describe this machine.

    Args:
        **more: what else decides what comes of a run here, such as ``device``.
    """
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    models = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return {
        "processor": models[0] if models else platform.processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 0,
        "system": platform.system(),
        **more,
    }


def versions(*packages: str) -> dict[str, str]:
    """Name the versions of Python and of installed packages.

    Args:
        *packages: as they are called where they are installed from.
    """
    found = {"python": platform.python_version()}
    for name in packages:
        # torch itself says of which build it is, its package does not always
        own = getattr(sys.modules.get(name), "__version__", None)
        found[name] = str(own or metadata.version(name))
    return found


def _line(content: dict[str, Any]) -> str:
    try:
        return json.dumps(content, allow_nan=False)
    except ValueError as error:
        raise ValueError(
            f"wanted finite numbers, got {str(content)[:200]} … ({error}); a run that "
            "failed is not recorded"
        ) from error


def _verify(path: Path, content: Any) -> None:
    """Refuse what has other fields than a recording, or other kinds of them."""
    got: dict[str, str] | str = type(content).__name__
    if isinstance(content, dict):
        got = {name: type(value).__name__ for name, value in content.items()}
        if got.get("runs") == "list":
            kinds = sorted({type(run).__name__ for run in content["runs"]})
            got["runs"] = f"list of {' and '.join(kinds) or 'nothing'}"
    if got != _SHAPE:
        raise ValueError(
            f"{path} is no recording: wanted {_SHAPE}, got {got}; name another file, "
            "or make it afresh"
        )
