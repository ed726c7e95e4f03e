"""Matplotlib in the book's style: axes in, axes out, colours that carry meaning.

Figures are drawn by matplotlib without pyplot and shown as inline SVG. Their colours
become CSS custom properties and their labels stay text, so one drawing follows the
page's light and dark theme and can be read aloud.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
from IPython.core.getipython import get_ipython
from IPython.display import display
from jaxtyping import Float, Shaped
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from torch import Tensor

from jensengap import inputs
from jensengap.markup import svg
from jensengap.markup.svg import ACCENT, GAP, INK, LINE, MUTED, PRIOR, RECONSTRUCTION
from jensengap.terminal import say

# a hyphen that begins a number
_MINUS = re.compile(r"(?<![\w-])-(?=[\d.])")

STYLE = {
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.facecolor": "none",
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": MUTED,
    "axes.titlecolor": INK, "xtick.color": MUTED, "ytick.color": MUTED,
    "grid.color": LINE, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False,
    "font.size": 11, "axes.titlesize": 11, "axes.titlelocation": "left",
    "axes.labelsize": 11, "xtick.labelsize": 10, "ytick.labelsize": 10,
    "legend.frameon": False, "legend.fontsize": 10.5, "lines.linewidth": 1.8,
    "axes.linewidth": 0.8, "xtick.major.width": 0.8, "ytick.major.width": 0.8,
    "axes.unicode_minus": True, "svg.fonttype": "none", "svg.hashsalt": "jensengap",
    "axes.prop_cycle": mpl.cycler(color=[RECONSTRUCTION, PRIOR, GAP, ACCENT, MUTED]),
}  # fmt: skip


@inputs.checked
def figure(
    width: float = 6.0,
    height: float = 3.0,
    *,
    rows: int = 1,
    columns: int = 1,
    **grid: Any,
) -> tuple[Figure, np.ndarray | Axes]:
    """Create a figure in the book's style, which then holds for the session.

    Args:
        width: inches; 6 fills the text's measure, so that type keeps its size.
        height: inches.
        rows: rows of axes.
        columns: columns of axes.
        **grid: handed to matplotlib's ``Figure.subplots``.

    Returns:
        The figure and its axes: one, or an array of them.
    """
    # for the session, not a context: some settings are read at drawing
    mpl.rcParams.update(STYLE)
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, columns, **grid)


def show(fig: Figure, *, alt: str, caption: str = "") -> None:
    """Show a figure in the page, with what a reader who cannot see it needs to know.

    Args:
        fig: the figure.
        alt: one or two sentences that say what is to be seen.
        caption: what to look for; stands below the figure.

    Raises:
        ValueError: an empty ``alt``.

    Outside a kernel there is no page, and the ``alt`` text is printed instead.
    """
    # before the question for a page: an empty alt is refused everywhere
    markup = (
        f'<div class="jg-figure">{svg.inline(fig, alt)}{svg.caption(caption)}</div>'
    )
    if get_ipython() is None:
        say(alt)
        return
    bundle = {"text/plain": alt, "text/html": markup, "image/png": svg.png(fig)}
    display(bundle, raw=True)


def colour_map(colour: str) -> LinearSegmentedColormap:
    """Make a colour map from fully transparent to one colour, for any background.

    Args:
        colour: what the largest value becomes.

    Returns:
        A matplotlib colour map.
    """
    rgb = to_rgb(colour)
    return LinearSegmentedColormap.from_list("jg", [(*rgb, 0.0), (*rgb, 1.0)])


@inputs.checked
def digits(
    ax: Axes, images: Shaped[Tensor, "n d"], columns: int, *, gap: int = 2
) -> Axes:
    """Draw square images side by side, ink on a transparent ground.

    Args:
        ax: where to draw; its frame is removed.
        images: intensities in [0, 1], a square number of pixels each.
        columns: images in a row.
        gap: empty pixels between images.

    Returns:
        The axes.

    Raises:
        ValueError: no image, no column, or images that are not square.
    """
    num, num_pixels = images.shape
    if columns < 1:
        raise ValueError(
            f"digits needs an image and a column, got {num} images in {columns} columns"
        )
    # exact for integers, where a square root in floats may be rounded
    side = math.isqrt(num_pixels)
    if side * side != num_pixels:
        raise ValueError(f"images must be square, got {num_pixels} pixels each")
    # rounded up
    rows = -(-num // columns)
    sheet = np.zeros((rows * (side + gap) - gap, columns * (side + gap) - gap))
    for i, image in enumerate(images.detach().cpu().double().numpy()):
        top, left = (side + gap) * (i // columns), (side + gap) * (i % columns)
        sheet[top : top + side, left : left + side] = image.reshape(side, side)
    ax.imshow(sheet, cmap=colour_map(INK), vmin=0, vmax=1, interpolation="none")
    ax.set_axis_off()
    return ax


@inputs.checked
def gaussian_ellipse(
    ax: Axes,
    loc: Float[Tensor, "2"],
    cov: Float[Tensor, "2 2"],
    colour: str,
    **style: Any,
) -> Axes:
    r"""Draw the $2\sigma$ ellipse of a two-dimensional Gaussian.

    Args:
        ax: where to draw.
        loc: mean, ``(2,)``.
        cov: covariance, ``(2, 2)``.
        colour: of the outline.
        **style: handed to matplotlib's ``Ellipse``.

    Returns:
        The axes.

    Raises:
        ValueError: a covariance that is not finite and positive definite.
    """
    # ascending: values[0] is the least, vectors[:, 0] its axis
    inputs.finite("cov", cov)
    values, vectors = np.linalg.eigh(cov.detach().cpu().double().numpy())
    if not values[0] > 0:
        raise ValueError(
            f"cov must be positive definite, got eigenvalues {values.tolist()}; "
            "it holds variances, not standard deviations with a sign"
        )
    # two standard deviations to either side
    width, height = 4 * np.sqrt(values)
    angle = np.degrees(np.arctan2(vectors[1, 0], vectors[0, 0]))
    style = {"fill": False, "linewidth": 1.8} | style
    ax.add_patch(
        Ellipse(loc.tolist(), width, height, angle=angle, edgecolor=colour, **style)
    )
    return ax


def wipe(ax: Axes) -> Axes:
    """Remove what was drawn and keep limits, labels and ticks: for the next frame.

    Args:
        ax: what to wipe.

    Returns:
        The axes; the first curve drawn next has the first colour again.
    """
    for artist in [*ax.lines, *ax.patches, *ax.collections, *ax.images, *ax.texts]:
        artist.remove()
    # or every frame would begin with the colour after the last frame's last
    ax.set_prop_cycle(None)
    return ax


@inputs.checked
def three_bars(ax: Axes, reconstruction: float, kl_prior: float, gap: float) -> Axes:
    r"""Draw $\log p(x)$ as three bars, each beginning where the last one ended.

    Down by the reconstruction, down by the KL to the prior (there the ELBO is
    reached), up by the KL to the posterior: the end is $\log p(x)$, marked by a line.

    Args:
        ax: where to draw.
        reconstruction: $\mathbb E_q[\log p(x\,|\,z)]$, nats.
        kl_prior: $\mathrm{KL}(q\,\|\,p(z))$, nats.
        gap: $\mathrm{KL}(q\,\|\,p(z\,|\,x))$, nats.

    Returns:
        The axes.
    """
    elbo = reconstruction - kl_prior
    changes = (reconstruction, -kl_prior, gap)
    starts = (0.0, reconstruction, elbo)
    colours = (RECONSTRUCTION, PRIOR, GAP)
    ax.plot((-0.4, 2.4), [elbo + gap] * 2, color=INK, linewidth=1.0, zorder=3)
    for i, (start, change, colour) in enumerate(
        zip(starts, changes, colours, strict=True)
    ):
        ax.bar(i, change, bottom=start, color=colour, width=0.62)
        text = f"{change:+.2f}".replace("-", "−")
        ax.text(i, 0.0, text, color=colour, ha="center", va="bottom")
    ax.text(2.4, elbo + gap, "log p(x)", color=INK, ha="right", va="bottom")
    names = ("recon-\nstruction", "− KL to\nprior", "+ gap")
    ax.set_xticks(range(3), names, color=INK)
    ax.tick_params(bottom=False)
    return ax


@inputs.checked
def note(
    ax: Axes, x: float, y: float, text: str, colour: str = INK, **style: Any
) -> Axes:
    """Label a curve in its own colour: a label is read faster than a legend.

    Args:
        ax: where to write.
        x: where the text begins, in the axes' data units.
        y: its baseline.
        text: what to write.
        colour: of the text, that of its curve.
        **style: handed to matplotlib's ``Axes.text``.

    Returns:
        The axes.
    """
    ax.text(x, y, text, color=colour, **style)
    return ax


def table(
    head: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()
) -> None:
    """Display a table: HTML for the site, aligned text wherever there is none.

    Outputs of a cell know no Markdown, so a table that is computed is written here.

    Args:
        head: what the columns are.
        rows: cells as they are to be read; a hyphen before a number becomes a minus.
        notes: sentences that stand below it, a line each.

    Raises:
        ValueError: a row has more cells than there are columns, or fewer.
    """
    for row in rows:
        if len(row) != len(head):
            raise ValueError(
                f"a row must have {len(head)} cells, as the head has, got {len(row)}: "
                f"{list(row)}"
            )
    lines = [[_MINUS.sub("−", str(cell)) for cell in row] for row in (head, *rows)]
    first, *others = (
        "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in line)
        for tag, line in zip(["th"] + ["td"] * len(rows), lines, strict=True)
    )
    body = "".join(f"<tr>{line}</tr>" for line in others)
    markup = (
        f'<table class="table"><thead><tr>{first}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    below = [_MINUS.sub("−", note) for note in notes]
    markup += "".join(f"<p>{escape(note)}</p>" for note in below)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    plain = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]
    text = "\n".join(line.rstrip() for line in [*plain, *below])
    display({"text/html": markup, "text/plain": text}, raw=True)
