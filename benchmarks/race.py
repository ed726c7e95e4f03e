"""How long it takes to train to a given held-out ELBO; judging is not counted."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from benchmarks import turns
from benchmarks.results import Result
from benchmarks.worker import Failed, Worker


def race(
    names: Iterable[str],
    worker: Callable[[str, int], Worker],
    judge: Callable[[Path], float],
    folder: Path,
    *,
    target: float,
    most: int,
    say: Callable[[str], None] = print,
) -> dict[str, Result]:
    """Lets peers train in turns until each has reached the target.

    Args:
        names: of the peers.
        worker: from a name and a seed to its process, not yet started.
        judge: from a file of weights to the held-out ELBO.
        folder: for files of weights.
        target: in nats an image.
        most: epochs after which a peer gives up.
        say: hears what is going on.

    Returns:
        The results by name, ``elbo`` after each epoch. A peer that did not reach the
        target, or failed, says so in ``failed`` and keeps what it had measured.
    """
    results = {name: Result() for name in names}
    team = {name: worker(name, 0) for name in results}
    try:
        turns.take(team, results, say, turns.begin)
        for epoch in range(1, most + 1):
            lap = partial(_lap, epoch=epoch, judge=judge, path=folder / "race.npz")
            turns.take(team, results, say, lap)
            for name in list(team):
                if results[name].elbo[str(epoch)][0] >= target:
                    say(f"{name} reached {target:g} nats after {epoch} epochs")
                    team.pop(name).end()
        for name in team:
            results[name].failed = f"{target:g} nats not reached in {most} epochs"
    finally:
        for each in team.values():
            each.end()
    return results


def seconds(result: Result) -> float:
    """Return how long a peer trained."""
    return sum(result.first) + sum(result.seconds)


def _lap(
    worker: Worker,
    result: Result,
    *,
    epoch: int,
    judge: Callable[[Path], float],
    path: Path,
) -> None:
    answer = worker.ask("epoch")
    (result.seconds if epoch > 1 else result.first).append(answer["seconds"])
    result.images = answer["images"]
    worker.ask(f"weights {path}")
    try:
        result.elbo[str(epoch)] = [judge(path)]
    except (KeyError, ValueError, OSError) as error:
        raise Failed(f"its weights cannot be judged: {error}") from error
