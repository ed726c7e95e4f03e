"""What one bench has measured, and the numbers that follow from it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any, NamedTuple


class Spread(NamedTuple):
    """The middle and both ends of some measurements."""

    median: float
    least: float
    most: float


def spread(values: list[float]) -> Spread | None:
    """Return median and range; nothing where nothing was measured."""
    return Spread(median(values), min(values), max(values)) if values else None


@dataclass
class Result:
    """One peer, over all runs.

    Attributes:
        first: seconds of the first epoch of each run, what is compiled then included.
        seconds: of every later epoch.
        images: seen in an epoch.
        elbo: by the number of epochs: held-out, in nats an image, one for each run.
        megabytes: the most that the process held, one for each run.
        imported: seconds to import it, one for each run.
        scores: what an epoch found, where it evaluates and does not train.
        notes: what the peer says of itself.
        versions: of what is installed for it.
        failed: why it is not there, or not there to the end.
    """

    first: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    images: int = 0
    elbo: dict[str, list[float]] = field(default_factory=dict)
    megabytes: list[float] = field(default_factory=list)
    imported: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    failed: str = ""

    @property
    def rate(self) -> float:
        """Images a second in the median epoch; 0 where there is none."""
        times = self.seconds or self.first
        return self.images / median(times) if times else 0.0


def fastest(results: Mapping[str, Result], ours: tuple[str, ...]) -> str:
    """Return the name of the fastest peer that is not ours; nothing if none ran."""
    rates = {name: r.rate for name, r in results.items() if name not in ours and r.rate}
    return max(rates, key=rates.__getitem__, default="")


def as_runs(results: Mapping[str, Result], **settings: Any) -> list[dict[str, Any]]:
    """Turn results into the runs of a recording: a peer's name, settings and results.

    Args:
        results: by the peers' names.
        **settings: that all of them had.
    """
    return [
        {"peer": name, **settings, **asdict(result)} for name, result in results.items()
    ]
