"""Verdicts: an identity, a bound, or an estimate against its standard error.

Each names the equation it is about, shows one line, keeps its numbers in the cell's
output (MIME type ``application/vnd.jensengap.verdict+json``), and raises
:class:`CheckError` where the claim does not hold.
"""

from __future__ import annotations

import html
import math
from typing import Any, NamedTuple

import torch
from IPython.core.getipython import get_ipython
from IPython.display import display
from torch import Tensor

from jensengap.divergences import Estimate

MIME = "application/vnd.jensengap.verdict+json"
NUM_STDERR = 4.0


class CheckError(AssertionError):
    """A claim that was checked does not hold."""


class Verdict(NamedTuple):
    """What was compared and how it came out.

    Attributes:
        kind: ``identity``, ``bound`` or ``estimate``.
        equation: the label of the equation, ``eq-…``.
        case: what it was evaluated on, in a few words; may be empty.
        left: the left side where the error is largest.
        right: the right side there.
        error: the largest error: absolute for an identity, the least slack for a
            bound (negative: broken), in standard errors for an estimate.
        tolerance: what the error was held against.
        count: how many pairs were compared.
        ok: whether the claim holds.
    """

    kind: str
    equation: str
    case: str
    left: float
    right: float
    error: float
    tolerance: float
    count: int
    ok: bool

    def _ipython_display_(self) -> None:
        """Show nothing: the verdict was shown when it was made."""


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
        ValueError: shapes differ, nothing to compare, or a negative tolerance.
    """
    left, right = _pair(equation, left, right)
    _nonnegative(equation, "tolerance", tolerance)
    error = _nan_is_infinite((left - right).abs())
    worst = int(error.argmax())
    return _conclude(
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
        CheckError: the bound is broken somewhere, or a side is NaN.
        ValueError: shapes differ, nothing to compare, or a negative tolerance.
    """
    lower, upper = _pair(equation, lower, upper)
    _nonnegative(equation, "tolerance", tolerance)
    slack = (upper - lower).nan_to_num(nan=-math.inf, posinf=math.inf)
    worst = int(slack.argmin())
    return _conclude(
        Verdict(
            "bound", equation, case, float(lower[worst]), float(upper[worst]),
            float(slack[worst]), tolerance, len(slack), bool(slack[worst] >= -tolerance),
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
        ValueError: shapes differ or nothing to compare.
    """
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
    return _conclude(verdict, f"± {number(float(stderr[worst]), 2)}")


def glue(name: str, value: Any, spec: str = ".3f") -> None:
    """Publish a measured number for the prose, as ``{glue:text}`` finds it.

    Args:
        name: what the prose calls it.
        value: a number, an :class:`Estimate` (printed with its ±), or a string.
        spec: format of the number.

    Raises:
        ValueError: a number that is not finite has no place in a sentence.
    """
    if isinstance(value, str):
        text = value
    else:
        parts = value if isinstance(value, Estimate) else (value,)
        values = [float(part) for part in parts]
        if not all(math.isfinite(v) for v in values):
            raise ValueError(f"{name} must be finite to be printed, got {value}")
        text = " ± ".join(format(v, spec) for v in values).replace("-", "−")
    if get_ipython() is not None:
        # the prefix hides the output from the page; only the prose shows it
        display(
            {"application/papermill.record/text/plain": text},
            raw=True,
            metadata={
                "scrapbook": {
                    "name": name,
                    "mime_prefix": "application/papermill.record/",
                }
            },
        )


def number(value: float, digits: int = 7) -> str:
    """Format for reading: a true minus sign, and no more digits than carry meaning."""
    magnitude = abs(value)
    if magnitude == 0 or not math.isfinite(value):
        text = f"{value:g}"
    elif 1e-3 <= magnitude < 1e6:
        decimals = digits - 1 - math.floor(math.log10(magnitude))
        text = f"{value:.{min(6, max(0, decimals))}f}"
    else:
        text = f"{value:.{min(digits, 3) - 1}e}"
    return text.replace("-", "−")


def _conclude(verdict: Verdict, spread: str = "") -> Verdict:
    sign = {"identity": "=", "bound": "≤", "estimate": "≈"}[verdict.kind]
    middle = f" {spread} " if spread else " "
    sides = f"{number(verdict.left)}{middle}{sign} {number(verdict.right)}"
    error = {
        "identity": f"|Δ| {verdict.error:.0e}".replace("-", "−"),
        "bound": f"slack {number(verdict.error, 2)}",
        "estimate": f"{verdict.error:.1f} se",
    }[verdict.kind]
    if verdict.count > 1:
        count = f"{verdict.count:,}".replace(",", "\u202f")
        error += f", worst of {count}"
    if not verdict.ok:
        allowed = {"estimate": f"{NUM_STDERR:g} se"}.get(
            verdict.kind, f"{verdict.tolerance:g}"
        )
        raise CheckError(
            f"✗ {verdict.equation} ({verdict.case or verdict.kind}) does not hold: "
            f"{sides}, {error}, allowed {allowed}. Left and right are "
            f"{verdict.left!r} and {verdict.right!r}"
        )
    _show(verdict, sides, error)
    return verdict


def _show(verdict: Verdict, sides: str, error: str) -> None:
    name = verdict.equation.removeprefix("eq-")
    name += f" · {verdict.case}" if verdict.case else ""
    text = f"✓ eq. {name}  {sides}  {error}"
    if get_ipython() is None:
        print(text)
        return
    anchor = f"#equation-{verdict.equation}"
    markup = (
        f'<div class="jg-verdict" data-kind="{verdict.kind}" '
        f'data-equation="{html.escape(verdict.equation)}">'
        f'<span class="jg-mark">✓</span> '
        f'<a class="jg-name" href="{html.escape(anchor)}">eq. {html.escape(name)}</a> '
        f'<span class="jg-sides">{sides}</span> '
        f'<span class="jg-error">{error}</span></div>'
    )
    bundle = {"text/plain": text, "text/html": markup, MIME: verdict._asdict()}
    display(bundle, raw=True)


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


def _nonnegative(equation: str, name: str, value: float) -> None:
    if not value >= 0:
        raise ValueError(f"{equation}: {name} must be at least 0, got {value}")


def _nan_is_infinite(error: Tensor) -> Tensor:
    return error.nan_to_num(nan=math.inf, posinf=math.inf)
