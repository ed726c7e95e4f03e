"""Runs the bench in four sections and writes down what came of it.

Training, log p(x) by importance sampling, a GAN, and the time to a given ELBO. In each
the peers take turns; ratios are comparable, seconds are this machine's.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import digits, elbo, installed
from benchmarks.race import race
from benchmarks.recording import record
from benchmarks.results import Result, as_json
from benchmarks.table import finish, simple, table
from benchmarks.turns import bench
from benchmarks.worker import THREADS, Failed, Worker, variables

OURS = ("jensengap", "jensengap_autograd")
PEERS = (*OURS, "pytorch_examples", "pyro", "pythae", "numpyro", "keras_jax")
CEILINGS = ("gemm_float32", "gemm_bfloat16")
CEILING = "gemm_float32"
EVALUATION = ("evidence_jensengap", "evidence_pythae")
GAN = ("gan_jensengap", "gan_dataloader")
TIME_TO = ("jensengap_onecycle", "pytorch_examples")
TARGET = -104.0  # nats an image
ROOT = Path(__file__).resolve().parent.parent
RECORDED = (
    ROOT
    / "src"
    / "jensengap"
    / "experiments"
    / "recorded"
    / "bench"
    / "performance.json"
)


class Plan(NamedTuple):
    """How much is measured, and where it is written; the whole takes a quarter hour."""

    path: Path = RECORDED
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
    """Says why a peer is not there, where it could not be installed.

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
    """Runs the bench: "trial" is a short one, names are those of peers to train.

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
    sections = {"training": training(everyone, plan, judge)}
    if trial or not names:
        sections["evaluation"] = evaluation(plan, judge)
        sections["gan"] = gan(plan, judge)
        sections["time_to"] = time_to(plan, judge)
        record(plan.path, **sections)
        print(f"Wrote {plan.path}")


def begin(name: str, seed: int) -> Worker:
    """Prepares the process of a peer."""
    log = installed.FOLDER / "logs" / f"{name}.txt"
    return Worker(f"benchmarks.peers.{name}", digits.FOLDER, log, seed=seed)


loud = partial(print, flush=True)


def training(names: tuple[str, ...], plan: Plan, judge) -> dict[str, Any]:
    """Trains the same VAE with all peers."""
    settings = {"runs": plan.runs, "epochs": plan.epochs, "marks": plan.marks}
    everyone = (*names, *CEILINGS)
    found = bench(everyone, begin, judge, installed.FOLDER, **settings, say=loud)
    explain(found)
    ceilings = {name: found.pop(name) for name in CEILINGS}
    loud(table(found, ceilings, ours=OURS, ceiling=CEILING, epochs=plan.marks))
    both = {"peers": as_json(found), "ceilings": as_json(ceilings)}
    return settings | {"ours": OURS, "ceiling": CEILING} | both


def evaluation(plan: Plan, judge) -> dict[str, Any]:
    """Estimates log p(x) of the same images with the same network."""
    learner = begin("jensengap", 0)
    try:
        learner.begin()
        learner.hear()
        for _ in range(plan.network):
            learner.ask("epoch")
        learner.ask(f"weights {digits.FOLDER / 'network.npz'}")
    except Failed as reason:
        loud(f"no network to evaluate: {reason}")
    finally:
        learner.end()
    turns = {"runs": 1, "epochs": plan.turns + 1, "say": loud}
    found = bench(EVALUATION, begin, judge, installed.FOLDER, **turns)
    explain(found)
    loud(simple(found, "turn"))
    return {"turns": plan.turns, "network": plan.network, "peers": as_json(found)}


def gan(plan: Plan, judge) -> dict[str, Any]:
    """Trains the same GAN by two loops."""
    turns = {"runs": 1, "epochs": plan.rounds + 1, "say": loud}
    found = bench(GAN, begin, judge, installed.FOLDER, **turns)
    explain(found)
    loud(simple(found, "epoch"))
    return {"epochs": plan.rounds, "peers": as_json(found)}


def time_to(plan: Plan, judge) -> dict[str, Any]:
    """Trains until the target is reached."""
    limits = {"target": TARGET, "most": plan.most}
    found = race(TIME_TO, begin, judge, installed.FOLDER, **limits, say=loud)
    explain(found)
    loud(finish(found))
    return limits | {"peers": as_json(found)}


def explain(found: dict[str, Result]) -> None:
    """Adds to a missing peer's reason what pip said of it."""
    for name, reason in name_missing(found, installed.reasons()).items():
        found[name].failed = reason


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)  # who started it says so
