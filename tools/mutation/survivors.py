"""Judge a run of mutation testing: what was killed, what survived, and why it may."""

import tomllib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

WANTED = 0.95


class Change(NamedTuple):
    """A change of one function.

    Attributes:
        function: where it is, `module.function` or `module.Class.method`.
        was: the lines that it replaces, without indentation.
        now: the lines that replace them.
    """

    function: str
    was: str
    now: str

    @property
    def module(self) -> str:
        """Name the module that is changed."""
        return self.function.partition(".")[0]

    def __str__(self) -> str:
        return f"in {self.function}\n    - {self.was}\n    + {self.now}"


class Mutant(NamedTuple):
    """A change that was tried, and how it ended: `killed` where a test noticed it."""

    change: Change
    end: str


def changed_lines(diff: str) -> tuple[str, str]:
    """Return what a unified diff removes and what it adds, each on one line."""
    lines = [x for x in diff.splitlines() if not x.startswith(("---", "+++"))]
    was, now = (
        " ".join(x[1:].strip() for x in lines if x.startswith(sign)) for sign in "-+"
    )
    return was, now


def read_reasons(path: Path) -> dict[Change, str]:
    """Read why changes may survive: tables `survivor` with a `why` each.

    Raises:
        ValueError: a key that is missing, unknown or empty, or a change named twice.
    """
    reasons = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("survivor", []):
        why = entry.pop("why", "").strip()
        whole = why and set(entry) == set(Change._fields)
        if not whole or Change(**entry) in reasons:
            raise ValueError(
                f"a survivor in {path.name} needs {', '.join(Change._fields)} and why, "
                f"and is named once; got {entry}"
            )
        reasons[Change(**entry)] = why
    return reasons


def table(
    mutants: Sequence[Mutant], reasons: Iterable[Change], modules: Sequence[str]
) -> str:
    """Count mutants: a line for each module, and one for all of them."""
    lines = [f"{'':18}  made  killed  explained  unexplained    rate"]
    for name in (*modules, "all"):
        own = [m for m in mutants if name in (m.change.module, "all")]
        living = [m.change for m in own if m.end != "killed"]
        explained = sum(change in reasons for change in living)
        rate = 1 - len(living) / max(1, len(own))
        lines.append(
            f"{name:18}{len(own):6}{len(own) - len(living):8}{explained:11}"
            f"{len(living) - explained:13}{rate:8.1%}"
        )
    return "\n".join(lines)


def faults(
    mutants: Sequence[Mutant], reasons: Iterable[Change], modules: Sequence[str]
) -> Iterator[str]:
    """Yield what is wrong with a run; without a fault it is one to be content with.

    Args:
        mutants: all that were made.
        reasons: the changes that are explained; those of other modules are left alone.
        modules: the modules that were changed.

    Yields:
        A line or three for each module without mutants, survivor without a reason,
        reason without a survivor, and for a rate below 95 %.
    """
    living = {m.change: m.end for m in mutants if m.end != "killed"}
    for module in modules:
        if not any(m.change.module == module for m in mutants):
            yield f"no mutant was made in {module}"
    for change, end in living.items():
        if change not in reasons:
            yield f"{end}, unexplained: {change}"
    for change in reasons:
        if change.module in modules and change not in living:
            yield f"explained, but no mutant survives so: {change}"
    killed = sum(m.end == "killed" for m in mutants)
    if killed < WANTED * len(mutants):
        yield f"{killed} of {len(mutants)} were killed; {WANTED:.0%} are wanted"
