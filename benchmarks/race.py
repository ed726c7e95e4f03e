"""How long it takes to train to a given held-out ELBO; judging is not counted."""

from collections.abc import Callable, Iterable
from pathlib import Path

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
        for name in list(team):
            _guard(team, results, name, say, lambda one, into: _begin(one, into))
        for epoch in range(1, most + 1):
            for name in list(team):
                _guard(
                    team, results, name, say,
                    lambda one, into, epoch=epoch: _lap(
                        one, into, epoch, judge, folder / "race.npz"
                    ),
                )  # fmt: skip
                if name in team and results[name].elbo[str(epoch)][0] >= target:
                    say(f"{name} reached {target:g} nats after {epoch} epochs")
                    team.pop(name).end()
        for name in team:
            results[name].failed = f"{target:g} nats not reached in {most} epochs"
    finally:
        for each in team.values():
            each.end()
    return results


def seconds(result: Result) -> float:
    """Returns how long a peer trained."""
    return sum(result.first) + sum(result.seconds)


def _guard(team, results, name, say, work) -> None:
    try:
        work(team[name], results[name])
    except Failed as reason:
        results[name].failed = str(reason)
        team.pop(name).end()
        say(f"{name}: {reason}")


def _begin(worker: Worker, result: Result) -> None:
    begun = worker.begin()
    result.imported.append(begun["imported"])
    result.versions, result.notes = begun["versions"], worker.hear()["notes"]


def _lap(worker, result, epoch, judge, path) -> None:
    answer = worker.ask("epoch")
    (result.seconds if epoch > 1 else result.first).append(answer["seconds"])
    result.images = answer["images"]
    worker.ask(f"weights {path}")
    try:
        result.elbo[str(epoch)] = [judge(path)]
    except (KeyError, ValueError, OSError) as error:
        raise Failed(f"its weights cannot be judged: {error}") from error
