"""A verdict on one equation: its numbers, the line that shows it, its error.

A verdict that holds is shown once, as one line for the reader and as JSON for pages
that list them all; one that does not hold is raised as :class:`CheckError`. The verdict
on a mistake holds where the mistake is refused.
"""

from __future__ import annotations

import html
import json
import math
from typing import NamedTuple

from IPython.core.getipython import get_ipython
from IPython.display import display

MIME = "application/vnd.jensengap.verdict+json"
NUM_STDERR = 4.0
REFUSED = "refused "  # stands before the kind of a claim that is seen to fail
_SIGNS = {"identity": "=≠", "bound": "≤≰", "estimate": "≈≉"}


class CheckError(AssertionError):
    """A claim that was checked does not hold."""


class Verdict(NamedTuple):
    """What was compared and how it came out.

    Attributes:
        kind: ``identity``, ``bound`` or ``estimate``; with ``refused`` before it
            where a mistake was held against such a claim, and failed.
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


def conclude(verdict: Verdict, spread: str = "") -> Verdict:
    """Show a verdict that holds, raise one that does not.

    Args:
        verdict: what came out.
        spread: what stands behind the left side, an error bar for example.

    Returns:
        The same verdict.

    Raises:
        CheckError: it does not hold; the message has both sides, the error and what
            was allowed.
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
    """Format for reading: a true minus sign, and no more digits than carry meaning.

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
        print(text)
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
