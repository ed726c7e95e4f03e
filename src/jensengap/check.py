"""Numerical checks of equations: identity, bound, estimate, and refused mistake.

Each names the equation it is about, shows one line for the reader, keeps its numbers in
the cell's output (MIME type :data:`MIME`) for pages that list them all, and raises
:class:`CheckError` where the claim does not hold, or the mistake goes unnoticed. A
measured number goes into the prose by :func:`glue`.
"""

from __future__ import annotations

import html
import json
import math
from typing import Any, NamedTuple

import torch
from IPython.core.getipython import get_ipython
from IPython.display import display
from torch import Tensor

from jensengap import numeric
from jensengap.divergences import Estimate
from jensengap.terminal import say

MIME = "application/vnd.jensengap.verdict+json"
VALUE = "application/vnd.jensengap.value"
NUM_STDERR = 4.0
REFUSED = "refused "  # stands before the kind of a claim that is seen to fail
_SIGNS = {"identity": "=≠", "bound": "≤≰", "estimate": "≈≉"}


class CheckError(AssertionError):
    """Raised where a claim that is checked does not hold."""


class Verdict(NamedTuple):
    """Result of a check: the two sides, the largest error, the tolerance.

    Attributes:
        kind: ``identity``, ``bound`` or ``estimate``; with ``refused`` before it
            where a mistake was held against such a claim.
        equation: the label of the equation, ``eq-…``.
        case: what it was evaluated on, in a few words; may be empty.
        left: the left side where the error is largest.
        right: the right side there.
        error: the largest error: absolute for an identity, the least slack for a
            bound (negative: broken), in standard errors for an estimate. Of a refused
            bound it is the excess, so that larger is worse.
        tolerance: what the error was held against; a refused one is above it.
        count: how many pairs were compared.
        ok: whether the claim holds, or the mistake is refused.
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
        ValueError: shapes differ, nothing to compare, or a tolerance that is
            negative or not finite.
    """
    left, right = _pair(equation, left, right)
    limit = _limit(equation, "tolerance", tolerance)
    error = _nan_is_infinite((left - right).abs())
    return conclude(_verdict(("identity", equation, case), left, right, error, limit))


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
    limit = _limit(equation, "tolerance", tolerance)
    finite = lower.isfinite() & upper.isfinite()
    slack = torch.where(finite, upper - lower, -math.inf)
    return conclude(_verdict(("bound", equation, case), lower, upper, slack, limit))


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
    max_stderr = _limit(equation, "max_stderr", max_stderr, above=0.0)
    estimated, stderr = _mean_and_stderr(equation, estimated)
    mean, right = _pair(equation, estimated, exact)
    stderr, _ = _pair(equation, stderr, exact)
    if not bool(((stderr > 0) & numeric.within(stderr, max_stderr)).all()):
        raise CheckError(
            f"{equation}: standard errors must be in (0, {max_stderr:g}], got "
            f"{float(stderr.min()):g} to {float(stderr.max()):g}; draw more samples, "
            "and check that they differ"
        )
    error = _nan_is_infinite((mean - right).abs() / stderr)
    verdict = _verdict(("estimate", equation, case), mean, right, error, NUM_STDERR)
    return conclude(verdict, f"± {number(float(stderr[error.argmax()]), 2)}")


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
    margin = _limit(equation, "margin", margin, above=least)
    value, stderr = left, None
    if kind == "estimate":
        value, stderr = _mean_and_stderr(equation, left)
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
    about = REFUSED + kind, equation, case
    verdict = _verdict(about, value, truth, error, margin)
    bar = ""
    if stderr is not None:
        bar = f"± {number(float(stderr[error.argmax()]), 2)}"
    return conclude(verdict, bar)


def _verdict(
    about: tuple[str, str, str],
    left: Tensor,
    right: Tensor,
    error: Tensor,
    tolerance: float,
) -> Verdict:
    """Judge the claim by the pair of numbers at which its error is worst."""
    kind = about[0]
    worst = int(error.argmin() if kind == "bound" else error.argmax())
    value = float(error[worst])
    ok = numeric.within(-value if kind == "bound" else value, tolerance)
    if kind.startswith(REFUSED):
        ok = not ok
    sides = float(left[worst]), float(right[worst])
    return Verdict(*about, *sides, value, tolerance, len(error), ok)


def _pair(equation: str, left: Any, right: Any) -> tuple[Tensor, Tensor]:
    if not equation.startswith("eq-"):
        raise ValueError(f"an equation's label starts with 'eq-', got {equation!r}")
    left, right = numeric.float64(left), numeric.float64(right)
    if left.shape != right.shape or left.numel() == 0:
        raise ValueError(
            f"{equation}: both sides must have the same shape and at least one value, "
            f"got {tuple(left.shape)} and {tuple(right.shape)}; compare like with like"
        )
    return left.flatten(), right.flatten()


def _mean_and_stderr(equation: str, estimated: Any) -> tuple[Any, Any]:
    if not isinstance(estimated, tuple) or len(estimated) != 2:
        raise ValueError(
            f"{equation}: an estimate has a mean and a standard error, got "
            f"{numeric.named(estimated)}; Estimate.of makes both from samples"
        )
    return estimated


def _limit(equation: str, name: str, limit: Any, above: float | None = None) -> float:
    number = numeric.real(f"{equation}: {name}", limit)
    is_in = number >= 0 if above is None else number > above
    # an infinite one would pass NaN, and everything else
    if not is_in or number == math.inf:
        least = "at least 0" if above is None else f"above {above:g}"
        raise ValueError(
            f"{equation}: {name} must be {least} and finite, got {limit}; give what "
            "tells a mistake from rounding and chance"
        )
    return number


def _nan_is_infinite(error: Tensor) -> Tensor:
    return error.nan_to_num(nan=math.inf, posinf=math.inf)


def glue(name: str, value: Any, spec: str = ".3f") -> None:
    """Publish a measured number for the prose, as ``{glue:text}`` finds it.

    The output keeps the number in full beside its text (MIME type ``VALUE``, as JSON),
    so that two runs can be compared to the last bit.

    Args:
        name: what the prose calls it.
        value: a number, an :class:`Estimate` (printed with its ±), or a string.
        spec: format of the number.

    Raises:
        ValueError: a number that is not finite has no place in a sentence.
    """
    bundle = {}
    if isinstance(value, str):
        text = value
    else:
        parts = value if isinstance(value, Estimate) else (value,)
        values = [numeric.real(name, part) for part in parts]
        if not all(math.isfinite(v) for v in values):
            raise ValueError(f"{name} must be finite to be printed, got {value}")
        text = " ± ".join(_printed(part, spec) for part in parts)
        bundle[VALUE] = json.dumps(values)
    if get_ipython() is not None:
        # a repr, because the page evaluates what it finds: 0.280 would turn into 0.28
        bundle["text/plain"] = repr(text)
        # the prefix hides the output from the page; only the prose shows it
        prefix = "application/papermill.record/"
        display(
            {prefix + kind: data for kind, data in bundle.items()},
            raw=True,
            metadata={"scrapbook": {"name": name, "mime_prefix": prefix}},
        )


def _printed(value: Any, spec: str) -> str:
    text = format(value if isinstance(value, int) else float(value), spec)
    if not text.strip("-0."):  # rounded to zero, which has no sign
        text = text.lstrip("-")
    return text.replace("-", "−")


def conclude(verdict: Verdict, spread: str = "") -> Verdict:
    """Show a verdict that holds, raise one that does not.

    Args:
        verdict: what came out.
        spread: what stands behind the left side, such as an error bar.

    Returns:
        The same.

    Raises:
        CheckError: it does not hold; says both sides, the error and the limit.
    """
    claim = verdict.kind.removeprefix(REFUSED)
    refused = claim != verdict.kind
    sign = _SIGNS[claim][refused]
    middle = f" {spread} " if spread else " "
    sides = f"{number(verdict.left)}{middle}{sign} {number(verdict.right)}"
    error = measured(verdict.kind, verdict.error)
    if verdict.count > 1:
        count = f"{verdict.count:,}".replace(",", "\u202f")
        error += f", worst of {count}"
    if not verdict.ok:
        limit = f"{verdict.tolerance:g}" + " se" * (claim == "estimate")
        fault = "does not hold: {}, allowed {}"
        if refused:
            fault = "is not refused: {}, wanted more than {}"
        raise CheckError(
            f"✗ {verdict.equation} ({verdict.case or verdict.kind}) "
            f"{fault.format(f'{sides}, {error}', limit)}. Left and right are "
            f"{verdict.left!r} and {verdict.right!r}"
        )
    _show(verdict, sides, error)
    return verdict


def measured(kind: str, error: float) -> str:
    """Format an error as its kind of verdict has it.

    Args:
        kind: as in :class:`Verdict`.
        error: what was measured, as in :class:`Verdict`.

    Returns:
        Text such as ``|Δ| 3e−15``, ``slack 0.0037``, ``over by 2.1`` or ``1.3 se``.
    """
    return {
        "identity": f"|Δ| {number(error, 1)}",
        "bound": f"slack {number(error, 2)}",
        "estimate": f"{error:.1f} se",
        REFUSED + "identity": f"|Δ| {number(error, 2)}",
        REFUSED + "bound": f"over by {number(error, 2)}",
        REFUSED + "estimate": f"{error:.0f} se",
    }[kind]


def number(value: float, digits: int = 7) -> str:
    """Format a number to be read: a true minus sign, only digits that mean something.

    Args:
        value: any number.
        digits: significant digits wanted; at most six stand behind the point.

    Returns:
        Text such as ``−1.912194`` or ``3.1e−15``.
    """
    magnitude = abs(value)
    if magnitude == 0:
        text = "0"  # and not −0
    elif not math.isfinite(value):
        text = f"{value:g}"
    elif 1e-3 <= magnitude < 1e6:
        decimals = digits - 1 - math.floor(math.log10(magnitude))
        text = f"{value:.{min(6, max(0, decimals))}f}"
    else:
        text = f"{value:.{min(digits, 3) - 1}e}"
    return text.replace("-", "−")


def _show(verdict: Verdict, sides: str, error: str) -> None:
    name = "eq. " + verdict.equation.removeprefix("eq-")
    name += f" · {verdict.case}" if verdict.case else ""
    mark = "✓"
    if verdict.kind.startswith(REFUSED):  # a word as well: a sign may be overlooked
        mark, name = "✗", REFUSED + name
    text = f"{mark} {name}  {sides}  {error}"
    if get_ipython() is None:
        say(text)
        return
    anchor = f"#equation-{verdict.equation}"
    # in the line as well: a page keeps no output of a kind that it cannot show
    numbers = json.dumps(verdict._asdict(), ensure_ascii=False)
    markup = (
        f'<div class="jg-verdict" data-kind="{verdict.kind}" '
        f'data-equation="{html.escape(verdict.equation)}" '
        f'data-verdict="{html.escape(numbers)}">'
        f'<span class="jg-mark">{mark}</span> '
        f'<a class="jg-name" href="{html.escape(anchor)}">{html.escape(name)}</a> '
        f'<span class="jg-sides">{sides}</span> '
        f'<span class="jg-error">{error}</span></div>'
    )
    bundle = {"text/plain": text, "text/html": markup, MIME: verdict._asdict()}
    display(bundle, raw=True)
