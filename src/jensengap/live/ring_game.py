"""The game as a picture: the discriminator's belief, real points, generated points."""

from __future__ import annotations

import torch
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

from jensengap import match, plot

CELLS = 72  # a side of the heat map
DPI = 216  # of what is drawn as a picture: three times a screen's
ALPHA = 0.55  # of the surest colour, so that points stay in front


def scene(played: match.Match, extent: float) -> Figure:
    """Draw a match as it stands.

    Args:
        played: the match.
        extent: half the side of the square that is shown.

    Returns:
        The figure; colour is told apart by a dashed line at D = 1/2 as well, and
        points by their marks.
    """
    fig, ax = plot.figure(6.0, 3.9)
    fig.set_dpi(DPI)
    belief, limits = played.belief(extent, CELLS).numpy(), (-extent, extent)
    at = torch.linspace(-extent, extent, 2 * CELLS + 1)[1::2].numpy()
    ax.imshow(belief, cmap=_leaning(), vmin=0, vmax=1, extent=(*limits, *limits))
    if belief.min() < 0.5 < belief.max():
        ax.contour(
            at, -at, belief, [0.5], colors=plot.MUTED, linewidths=1, linestyles="dashed"
        )
    # as one picture: some hundred marks would be most of the page
    style = {"linestyle": "none", "rasterized": True}
    ax.plot(
        *played.real.T.numpy(), ".", color=plot.INK, markersize=3, alpha=0.6, **style
    )
    ax.plot(*played.made().T.numpy(), "x", color=plot.ACCENT, markersize=4.5, **style)
    ax.set(xlim=limits, ylim=limits, aspect="equal", xticks=[], yticks=[])
    lines = {
        f"step {played.num_steps}": plot.INK,
        f"{played.num_covered()} of {played.rules.modes} modes covered": plot.INK,
        "· real": plot.INK,
        "× generated": plot.ACCENT,
        "D says real": plot.RECONSTRUCTION,
        "D says made": plot.PRIOR,
        "- - D = ½": plot.MUTED,
    }
    for row, (words, colour) in enumerate(lines.items()):
        ax.text(
            1.06, 0.97 - 0.085 * row, words, color=colour, transform=ax.transAxes,
            va="top",
        )  # fmt: skip
    return fig


def _leaning() -> LinearSegmentedColormap:
    """Orange where D is near 0, nothing where it only guesses, blue near 1."""
    made, real = to_rgb(plot.PRIOR), to_rgb(plot.RECONSTRUCTION)
    colours = [(*made, ALPHA), (*made, 0), (*real, 0), (*real, ALPHA)]
    places = [0, 0.5, 0.5, 1]
    return LinearSegmentedColormap.from_list(
        "jg-belief", list(zip(places, colours, strict=True))
    )
