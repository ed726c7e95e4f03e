"""Verdicts: an identity, a bound, an estimate, a mistake refused, an exercise's answer.

Each names the equation it is about, shows one line, keeps its numbers in the cell's
output (MIME type ``application/vnd.jensengap.verdict+json``), and raises
:class:`CheckError` where the claim does not hold, or the mistake goes unnoticed.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from jensengap.ask import exercise, hint, save_answers, solution, verify_answers
from jensengap.divergences import Estimate
from jensengap.glue import VALUE, glue
from jensengap.verdict import (
    MIME,
    NUM_STDERR,
    REFUSED,
    CheckError,
    Verdict,
    conclude,
    number,
)

__all__ = [
    "MIME", "NUM_STDERR", "VALUE", "CheckError", "Verdict", "bound", "estimate",
    "exercise", "glue", "hint", "identity", "number", "refuses", "save_answers",
    "solution", "verify_answers",
]  # fmt: skip


def identity(
    equation: str, left: Any, right: Any, tolerance: float = 1e-12, *, case: str = ""
) -> Verdict:
    r"""Check $|\text{left}-\text{right}|\le\text{tolerance}$, element by element.

    Args:
        equation: label of the equation, ``eq-<chapter>-<name>``.
        left: number or tensor.
        right: number or tensor of the same shape, computed another way.
        tolerance: largest absolute difference allowed, in the unit of the sides.
        case: what it was evaluated on.

    Returns:
        The verdict, shown as one line.

    Raises:
        CheckError: the sides differ by more, or one is not finite.
        ValueError: shapes differ, nothing to compare, or a tolerance that is
            negative or not finite.
    """
    left, right = _pair(equation, left, right)
    _tolerable(equation, tolerance)
    error = _nan_is_infinite((left - right).abs())
    worst = int(error.argmax())
    return conclude(
        Verdict(
            "identity", equation, case, float(left[worst]), float(right[worst]),
            float(error[worst]), tolerance, len(error), bool(error[worst] <= tolerance),
        )
    )  # fmt: skip


def bound(
    equation: str, lower: Any, upper: Any, tolerance: float = 0.0, *, case: str = ""
) -> Verdict:
    r"""Check $\text{lower}\le\text{upper}+\text{tolerance}$, element by element.

    Args:
        equation: label of the equation.
        lower: number or tensor.
        upper: number or tensor of the same shape.
        tolerance: slack for rounding, in the unit of the sides.
        case: what it was evaluated on.

    Returns:
        The verdict; its ``error`` is the smallest ``upper - lower`` that was seen.

    Raises:
        CheckError: the bound is broken somewhere, or a side is not finite: below
            infinity everything lies, and nothing is learned from it.
        ValueError: shapes differ, nothing to compare, or a tolerance that is
            negative or not finite.
    """
    lower, upper = _pair(equation, lower, upper)
    _tolerable(equation, tolerance)
    finite = lower.isfinite() & upper.isfinite()
    slack = torch.where(finite, upper - lower, -math.inf)
    worst = int(slack.argmin())
    return conclude(
        Verdict(
            "bound", equation, case, float(lower[worst]), float(upper[worst]),
            float(slack[worst]), tolerance, len(slack),
            bool(slack[worst] >= -tolerance),
        )
    )  # fmt: skip


def estimate(
    equation: str,
    estimated: Estimate,
    exact: Any,
    *,
    max_stderr: float,
    case: str = "",
) -> Verdict:
    r"""Check that an estimate lies within four standard errors of the exact value.

    Args:
        equation: label of the equation.
        estimated: mean and standard error, see :meth:`Estimate.of`.
        exact: number or tensor of the same shape, computed without sampling.
        max_stderr: the largest standard error that still makes this a test; a wide
            enough interval contains everything.
        case: what it was evaluated on.

    Returns:
        The verdict; its ``error`` is the largest distance in standard errors.

    Raises:
        CheckError: further away than four standard errors, or an error bar that is
            zero, not finite, or above ``max_stderr``.
        ValueError: shapes differ, nothing to compare, or a ``max_stderr`` that is
            not positive and finite.
    """
    if not 0 < max_stderr < math.inf:
        raise ValueError(
            f"{equation}: max_stderr must be positive and finite, got {max_stderr}; "
            "give the widest error bar that would still catch a mistake"
        )
    mean, right = _pair(equation, estimated.mean, exact)
    stderr, _ = _pair(equation, estimated.stderr, exact)
    usable = bool(((stderr > 0) & (stderr <= max_stderr)).all())
    error = _nan_is_infinite((mean - right).abs() / stderr)
    worst = int(error.argmax())
    verdict = Verdict(
        "estimate", equation, case, float(mean[worst]), float(right[worst]),
        float(error[worst]), NUM_STDERR, len(error),
        usable and bool(error[worst] <= NUM_STDERR),
    )  # fmt: skip
    if not usable:
        raise CheckError(
            f"{equation}: standard errors must be in (0, {max_stderr:g}], got "
            f"{float(stderr.min()):g} to {float(stderr.max()):g}; draw more samples, "
            "and check that they differ"
        )
    return conclude(verdict, f"± {number(float(stderr[worst]), 2)}")


def refuses(
    equation: str,
    left: Any,
    right: Any,
    margin: float,
    *,
    kind: str = "identity",
    case: str = "",
) -> Verdict:
    r"""Check that a mistake is caught: a claim fails, by more than ``margin``.

    Args:
        equation: label of the equation that the mistake breaks.
        left: what the mistake computes; an :class:`Estimate` for an estimate, and for
            a bound the side that ought to be the lower one.
        right: number or tensor of the same shape.
        margin: what the largest error must exceed, in the unit of the kind: at least
            the tolerance that the cure is held to; standard errors for an estimate.
        kind: the claim that fails: ``identity``, ``bound`` or ``estimate``.
        case: the name of the mistake.

    Returns:
        The verdict, shown as one line; its ``error`` is the largest one.

    Raises:
        CheckError: the mistake is not refused, or a number is not finite.
        ValueError: an unknown kind, shapes differ, nothing to compare, or a margin
            that is not positive and finite, or at which an estimate is accepted.
    """
    least = {"identity": 0.0, "bound": 0.0, "estimate": NUM_STDERR}.get(kind)
    if least is None:
        raise ValueError(f"kind must be identity, bound or estimate, got {kind!r}")
    if not least < margin < math.inf:
        raise ValueError(
            f"{equation}: margin must be above {least:g} and finite, got {margin}; "
            "give the smallest error that is no accident"
        )
    value, stderr = left if kind == "estimate" else (left, None)
    value, truth = _pair(equation, value, right)
    error = value - truth
    if stderr is not None:
        stderr, _ = _pair(equation, stderr, right)
        error = error / stderr
    if not bool(error.isfinite().all()):
        raise CheckError(
            f"{equation}: a mistake is refused by a finite number, got "
            f"{value.tolist()} and {truth.tolist()}; compare what stays finite"
        )
    error = error if kind == "bound" else error.abs()
    worst = int(error.argmax())
    verdict = Verdict(
        REFUSED + kind, equation, case, float(value[worst]), float(truth[worst]),
        float(error[worst]), margin, len(error), bool(error[worst] > margin),
    )  # fmt: skip
    bar = "" if stderr is None else f"± {number(float(stderr[worst]), 2)}"
    return conclude(verdict, bar)


def _pair(equation: str, left: Any, right: Any) -> tuple[Tensor, Tensor]:
    if not equation.startswith("eq-"):
        raise ValueError(f"an equation's label starts with 'eq-', got {equation!r}")
    left, right = (
        torch.as_tensor(side, dtype=torch.float64).detach() for side in (left, right)
    )
    if left.shape != right.shape or left.numel() == 0:
        raise ValueError(
            f"{equation}: both sides must have the same shape and at least one value, "
            f"got {tuple(left.shape)} and {tuple(right.shape)}; compare like with like"
        )
    return left.flatten(), right.flatten()


def _tolerable(equation: str, tolerance: float) -> None:
    # an infinite tolerance would pass NaN, and everything else
    if not 0 <= tolerance < math.inf:
        raise ValueError(
            f"{equation}: tolerance must be at least 0 and finite, got {tolerance}; "
            "give the largest difference that rounding may leave"
        )


def _nan_is_infinite(error: Tensor) -> Tensor:
    return error.nan_to_num(nan=math.inf, posinf=math.inf)
