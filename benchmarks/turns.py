"""Peers take turns: an epoch each, so that a slow minute meets all of them alike.

All of a run's processes are alive together and only one works at a time: A B C A B C.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from benchmarks.results import Result
from benchmarks.worker import Failed, Worker


def bench(
    names: Iterable[str],
    worker: Callable[[str, int], Worker],
    judge: Callable[[Path], float],
    folder: Path,
    *,
    runs: int,
    epochs: int,
    marks: tuple[int, ...] = (),
    say: Callable[[str], None] = print,
) -> dict[str, Result]:
    """Lets all peers train, taking turns.

    Args:
        names: of the peers.
        worker: from a name and a run's seed to its process, not yet started.
        judge: from a file of weights to the held-out ELBO.
        folder: for files of weights.
        runs: how often all of it is done, with seeds 0, 1, …
        epochs: of each run.
        marks: after which of them the ELBO is taken.
        say: hears what is going on.

    Returns:
        The results by name. One that fails keeps its reason, and what it had measured;
        it takes no part in what follows.
    """
    results = {name: Result() for name in names}
    for seed in range(runs):
        alive = [name for name in results if not results[name].failed]
        team = {name: worker(name, seed) for name in alive}
        turn = partial(take, team, results, say)
        try:
            turn(begin)
            for epoch in range(1, epochs + 1):
                turn(partial(_epoch, first=epoch == 1))
                say(f"run {seed + 1} of {runs}, epoch {epoch} of {epochs}")
                if epoch in marks:
                    path = folder / "weights.npz"
                    turn(partial(_judge, path=path, judge=judge, epoch=epoch))
            turn(_memory)
        finally:
            for each in team.values():
                each.end()
    return results


def take(
    team: dict[str, Worker],
    results: Mapping[str, Result],
    say: Callable[[str], None],
    work: Callable[[Worker, Result], None],
) -> None:
    """Lets one after another do a piece of work; who fails leaves the team.

    Args:
        team: the processes by name; those that fail are ended and taken out.
        results: by name; a failure's reason is kept there.
        say: hears of it.
        work: done with each process and its result.
    """
    for name in list(team):
        try:
            work(team[name], results[name])
        except Failed as reason:
            results[name].failed = str(reason)
            team.pop(name).end()
            say(f"{name}: {reason}")


def begin(worker: Worker, result: Result) -> None:
    """Start a process, and keep what it says of itself."""
    imported = worker.begin()
    result.imported.append(imported["imported"])
    result.versions = imported["versions"]
    result.notes = worker.hear()["notes"]


def _epoch(worker: Worker, result: Result, *, first: bool) -> None:
    answer = worker.ask("epoch")
    (result.first if first else result.seconds).append(answer["seconds"])
    result.images = answer["images"]
    if answer["score"] is not None:
        result.scores.append(answer["score"])


def _judge(
    worker: Worker,
    result: Result,
    *,
    path: Path,
    judge: Callable[[Path], float],
    epoch: int,
) -> None:
    if not worker.ask(f"weights {path}")["saved"]:
        return
    try:
        value = judge(path)
    except (KeyError, ValueError, OSError) as error:
        raise Failed(f"its weights cannot be judged: {error}") from error
    result.elbo.setdefault(str(epoch), []).append(value)


def _memory(worker: Worker, result: Result) -> None:
    result.megabytes.append(worker.ask("memory")["megabytes"])
