"""Results of runs that are too long for a chapter, with their settings and seeds.

``make recordings`` makes them afresh. Trainings are chaotic: another machine rounds
otherwise and sees other trajectories, so a chapter that repeats a run compares what is
claimed about it, not its last bit.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, NamedTuple

_FOLDER = files("jensengap.experiments") / "recorded"


class Recording(NamedTuple):
    """What was run, and what came of it.

    Attributes:
        question: what the runs were made to answer.
        versions: of Python and of the packages that the numbers depend on.
        runs: for each run its settings, its ``seed`` and its results, by name.
    """

    question: str
    versions: dict[str, str]
    runs: list[dict[str, Any]]

    def where(self, **settings: Any) -> list[dict[str, Any]]:
        """Select runs by their settings, in the order of their seeds.

        Args:
            **settings: names and the values wanted.

        Returns:
            The runs that have all of them.

        Raises:
            KeyError: no run has them; the message lists what was recorded.
        """
        wanted = settings.items()
        found = [run for run in self.runs if wanted <= _hashable(run)]
        if not found:
            known = {
                name: sorted({run[name] for run in self.runs if name in run}, key=repr)
                for name in settings
            }
            raise KeyError(f"no run was recorded with {settings}; there are {known}")
        return found


def load(name: str) -> Recording:
    """Read a recording that comes with the package.

    Args:
        name: what it is called, such as ``"mode-collapse"``.

    Returns:
        The recording.

    Raises:
        ValueError: there is none of that name.
    """
    path = _FOLDER / f"{name}.json"
    if not path.is_file():
        every = (each.name for each in _FOLDER.iterdir() if each.is_file())
        known = sorted(name.removesuffix(".json") for name in every)
        raise ValueError(f"no recording is called {name!r}; there are {known}")
    return Recording(**json.loads(path.read_text(encoding="utf-8")))


def _hashable(run: dict[str, Any]) -> set[tuple[str, Any]]:
    return {pair for pair in run.items() if not isinstance(pair[1], list | dict)}
