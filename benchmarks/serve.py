"""The peer's side: a process that imports one peer, and trains an epoch when told to.

It reads a command a line and answers each with a line of JSON:

- at the start, by itself: ``{"imported": seconds, "versions": {…}}``, then
  ``{"ready": true, "notes": {…}}``;
- ``epoch``: ``{"seconds": …, "images": …, "score": …}``, the score null where a peer
  gives none;
- ``weights PATH``: ``{"saved": true}``, or false where a peer has none;
- ``memory``: ``{"megabytes": …}``, the most that the process has held.

An error is the last answer: ``{"failed": "…"}``.
"""

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jensengap.experiments import recordings

Say = Callable[..., None]


def megabytes() -> int:
    """Return the most memory that this process has held at once."""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most // (1 << 20 if sys.platform == "darwin" else 1 << 10)
    # ru_maxrss may be that of the process that started this one
    held = next(line for line in lines if line.startswith("VmHWM"))
    return int(held.split()[1]) // 1024


def serve(module: str, folder: Path, seed: int, say: Say) -> None:
    """Answer until there are no more commands.

    Args:
        module: where the peer is.
        folder: of the digits.
        seed: of the peer's training.
        say: sends an answer.
    """
    start = time.perf_counter()
    peer = importlib.import_module(module)
    seconds = time.perf_counter() - start
    say(imported=seconds, versions=recordings.versions(*peer.DISTRIBUTIONS))
    training = peer.Training(folder, seed)
    say(ready=True, notes=getattr(training, "notes", {}))
    for line in sys.stdin:
        say(**_answer(training, *line.split(maxsplit=1)))


def _answer(training: Any, command: str, rest: str = "") -> dict[str, Any]:
    if command == "epoch":
        start = time.perf_counter()
        images = training.epoch()
        seconds = time.perf_counter() - start
        score = getattr(training, "score", None)
        return {"seconds": seconds, "images": images, "score": score}
    if command == "memory":
        return {"megabytes": megabytes()}
    if command == "weights":
        weights = training.weights()
        if weights is not None:
            from benchmarks import elbo

            elbo.save(Path(rest.strip()), weights)
        return {"saved": weights is not None}
    raise ValueError(f"a command is epoch, weights PATH or memory, got {command!r}")


def main(module: str, folder: str, seed: str) -> int:
    """Keep the answers apart from what libraries print; return the exit status."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**answer: Any) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    try:
        serve(module, Path(folder), int(seed), say)
    except Exception as error:
        traceback.print_exc()
        say(failed=f"{type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
