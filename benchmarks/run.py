"""Run the bench in four sections, and record what came of it.

Training, log p(x) by importance sampling, a GAN, and the time to a given ELBO. In each
the peers take turns; ratios are comparable, seconds are this machine's.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import digits, elbo, installed
from benchmarks.race import race
from benchmarks.results import Result, as_runs
from benchmarks.table import finish, simple, table
from benchmarks.turns import bench
from benchmarks.worker import THREADS, Failed, Worker, variables
from jensengap.experiments import recordings
from jensengap.terminal import say

OURS = ("jensengap", "jensengap_autograd")
PEERS = (*OURS, "pytorch_examples", "pyro", "pythae", "numpyro", "keras_jax")
CEILINGS = ("gemm_float32", "gemm_bfloat16")
CEILING = "gemm_float32"
EVALUATION = ("evidence_jensengap", "evidence_pythae")
GAN = ("gan_jensengap", "gan_dataloader")
TIME_TO = ("jensengap_onecycle", "pytorch_examples")
TARGET = -104.0  # nats an image
QUESTION = (
    "How fast does this package train and evaluate networks, beside what one would use "
    "instead?"
)


class Plan(NamedTuple):
    """How much is measured, and where it is written; the whole takes a quarter hour."""

    path: Path = recordings.FOLDER / "performance.json"
    runs: int = 2
    epochs: int = 10
    marks: tuple[int, ...] = (1, 5, 10)  # epochs after which the ELBO is taken
    network: int = 5  # epochs of the network whose log p(x) is estimated
    turns: int = 3  # of the evaluation
    rounds: int = 3  # epochs of the GANs, after a first
    most: int = 25  # epochs of the race


TRIAL = Plan(installed.FOLDER / "trial.json", 1, 2, (1, 2), 1, 1, 1, 2)


def name_missing(
    results: Mapping[str, Result], missing: Mapping[str, str]
) -> dict[str, str]:
    """Say why a peer is not there, where it could not be installed.

    Args:
        results: of all peers.
        missing: requirements that could not be installed, and pip's words.

    Returns:
        The reasons by name, pip's words joined to those of the import that failed.
    """
    words = "; ".join(
        f"{line} was not installed: {why}" for line, why in missing.items()
    )
    return {
        name: f"{result.failed} ({words})" if words else result.failed
        for name, result in results.items()
        if "ModuleNotFoundError" in result.failed
    }


def main(*names: str) -> None:
    """Run the bench: "trial" is a short one, names are those of peers to train.

    What comes of some peers only is printed and not written down.
    """
    trial = names == ("trial",)
    if unknown := sorted(set(() if trial else names) - set(PEERS)):
        raise SystemExit(
            f"no peer is called {', '.join(unknown)}; there are {', '.join(PEERS)}, "
            "and trial for a short run of everything"
        )
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    # apart: this process stays small, and torch out of it
    asked = [sys.executable, "-m", "benchmarks.digits"]
    if code := subprocess.run(asked, env=variables(), check=False).returncode:
        raise SystemExit(code)
    (installed.FOLDER / "logs").mkdir(parents=True, exist_ok=True)
    test = digits.images(digits.FOLDER, "test")

    def judge(path: Path) -> float:
        return float(elbo.elbo(elbo.load(path), test).mean())

    plan = TRIAL if trial else Plan()
    everyone = PEERS if trial or not names else names
    runs = training(everyone, plan, judge)
    if trial or not names:
        runs += evaluation(plan, judge) + gan(plan, judge) + time_to(plan, judge)
        record(plan.path, runs)
        say(f"Wrote {plan.path}")


def record(path: Path, runs: Sequence[Mapping[str, Any]]) -> None:
    """Write what was measured, with this machine, the date, and the peers' versions.

    Args:
        path: of the recording.
        runs: of all sections.
    """
    date = datetime.now(UTC).date().isoformat()
    machine = recordings.machine(threads_a_process=THREADS, date=date)
    versions = recordings.versions()
    for run in runs:
        versions |= run["versions"]
    recordings.write(path, recordings.Recording(QUESTION, machine, versions, [*runs]))


def begin(name: str, seed: int) -> Worker:
    """Prepare the process of a peer."""
    log = installed.FOLDER / "logs" / f"{name}.txt"
    return Worker(f"benchmarks.peers.{name}", digits.FOLDER, log, seed=seed)


def training(names: tuple[str, ...], plan: Plan, judge) -> list[dict[str, Any]]:
    """Train the same VAE with all peers."""
    settings = {"runs": plan.runs, "epochs": plan.epochs, "marks": plan.marks}
    everyone = (*names, *CEILINGS)
    found = bench(everyone, begin, judge, installed.FOLDER, **settings, say=say)
    explain(found)
    peers, ceilings = ({n: found[n] for n in group} for group in (names, CEILINGS))
    say(table(peers, ceilings, ours=OURS, ceiling=CEILING, epochs=plan.marks))
    role = {**dict.fromkeys(OURS, "ours"), **dict.fromkeys(CEILINGS, "ceiling")}
    runs = as_runs(found, section="training", **settings, ceiling=CEILING)
    return [{"role": role.get(run["peer"], "peer"), **run} for run in runs]


def evaluation(plan: Plan, judge) -> list[dict[str, Any]]:
    """Estimate log p(x) of the same images with the same network."""
    learner = begin("jensengap", 0)
    try:
        learner.begin()
        learner.hear()
        for _ in range(plan.network):
            learner.ask("epoch")
        learner.ask(f"weights {digits.FOLDER / 'network.npz'}")
    except Failed as reason:
        say(f"no network to evaluate: {reason}")
    finally:
        learner.end()
    turns = {"runs": 1, "epochs": plan.turns + 1, "say": say}
    found = bench(EVALUATION, begin, judge, installed.FOLDER, **turns)
    explain(found)
    say(simple(found, "turn"))
    settings = {"turns": plan.turns, "network": plan.network}
    return as_runs(found, section="evaluation", **settings)


def gan(plan: Plan, judge) -> list[dict[str, Any]]:
    """Train the same GAN by two loops."""
    turns = {"runs": 1, "epochs": plan.rounds + 1, "say": say}
    found = bench(GAN, begin, judge, installed.FOLDER, **turns)
    explain(found)
    say(simple(found, "epoch"))
    return as_runs(found, section="gan", epochs=plan.rounds)


def time_to(plan: Plan, judge) -> list[dict[str, Any]]:
    """Train until the target is reached."""
    limits = {"target": TARGET, "most": plan.most}
    found = race(TIME_TO, begin, judge, installed.FOLDER, **limits, say=say)
    explain(found)
    say(finish(found))
    return as_runs(found, section="time_to", **limits)


def explain(found: dict[str, Result]) -> None:
    """Add to a missing peer's reason what pip said of it."""
    for name, reason in name_missing(found, installed.reasons()).items():
        found[name].failed = reason


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)  # who started it says so
