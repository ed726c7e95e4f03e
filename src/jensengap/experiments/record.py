"""Run the experiments that are too long for a chapter, and write what came of them.

Each is a function of the package, called with every setting and seed that stands here,
two runs at a time with one thread each. A run depends on nothing but its arguments.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch

from jensengap import ring
from jensengap.experiments import meaning, recordings
from jensengap.terminal import say


class Experiment(NamedTuple):
    """What is asked, the function that answers, and all that it is called with."""

    question: str
    run: Callable[..., Mapping[str, Any]]
    settings: Sequence[Mapping[str, Any]]
    seeds: Sequence[int]

    def calls(self) -> Iterator[dict[str, Any]]:
        """Yield the arguments of each run."""
        for setting in self.settings:
            for seed in self.seeds:
                yield {**setting, "seed": seed}


EXPERIMENTS: dict[str, Experiment] = {
    "mode-collapse": Experiment(
        question="At which step sizes and penalties does a small GAN cover the ring?",
        run=ring.run,
        settings=[
            {"generator_rate": 1e-3, "discriminator_rate": rate, "gamma": gamma}
            for rate in (1e-3, 3e-4, 1e-4)
            for gamma in (0.0, 0.1, 1.0, 10.0)
        ]
        # equal again, and both slow: is it the ratio that matters?
        + [{"generator_rate": 3e-4, "discriminator_rate": 3e-4, "gamma": 0.0}],
        seeds=range(8),
    ),
    "latent-meaning": Experiment(
        question="Does a linear probe read digits better from a VAE's z than a GAN's?",
        run=meaning.run,
        settings=[{"num_epochs": 5}, {"num_epochs": 40}],
        seeds=range(6),
    ),
}


def _one(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    torch.set_num_threads(1)
    return {**arguments, **EXPERIMENTS[name].run(**arguments)}


def record(name: str, pool: Executor, folder: Path = recordings.FOLDER) -> Path:
    """Run one experiment and write its recording, whole or not at all.

    Args:
        name: its name in ``EXPERIMENTS``.
        pool: the processes that do the work.
        folder: where the recording is kept.

    Returns:
        The file.
    """
    experiment = EXPERIMENTS[name]
    pending = [pool.submit(_one, name, call) for call in experiment.calls()]
    runs = []
    for number, each in enumerate(pending, 1):
        runs.append(each.result())
        say(f"{name}: {number} of {len(pending)} runs")
    path = folder / f"{name}.json"
    machine = recordings.machine(threads_a_process=1)
    versions = recordings.versions("torch")
    found = recordings.Recording(experiment.question, machine, versions, runs)
    recordings.write(path, found)
    return path


def main(*names: str) -> None:
    """Record the experiments named, or all.

    Args:
        *names: of experiments.

    Raises:
        SystemExit: one is not known.
    """
    unknown = sorted(set(names) - set(EXPERIMENTS))
    if unknown:
        raise SystemExit(
            f"no experiment is called {', '.join(unknown)}; there are "
            f"{', '.join(EXPERIMENTS)}"
        )
    os.environ["JENSENGAP_QUIET"] = "1"
    # spawn: a fork after torch has started its threads may wait for ever
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for name in names or EXPERIMENTS:
            say(f"Wrote {record(name, pool)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
