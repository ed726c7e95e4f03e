"""Interactive GAN on a ring of Gaussians, which trains in the page.

In a page scripts play it, without a kernel; in a live kernel the same call gives
widgets, and torch plays.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from torch import nn

from jensengap import plot, ring
from jensengap.markup import parameters, scripted, svg, widgets

EXTENT = 1.6  # half the side of the square, in radii of the ring
INTERVAL, STEPS = 500, 20  # in a live kernel: milliseconds and steps a tick
CELLS = 72  # a side of the heat map
DPI = 216  # of what is drawn as a picture: three times a screen's
ALPHA = 0.55  # of the surest colour, so that points stay in front

_KEY = (
    '<ul class="jg-key"><li><span class="jg-dot"></span>real</li>'
    '<li><span class="jg-cross">×</span>generated</li>'
    '<li><span class="jg-real"></span>D says real</li>'
    '<li><span class="jg-made"></span>D says made</li>'
    '<li><span class="jg-half"></span>D = ½</li></ul>'
)


def scene(played: ring.Match, extent: float) -> Figure:
    """Draw data, samples and discriminator of a game as it stands.

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
    # matplotlib warns of a contour that crosses no cell
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
            1.06,
            0.97 - 0.085 * row,
            words,
            color=colour,
            transform=ax.transAxes,
            va="top",
        )
    return fig


def _leaning() -> LinearSegmentedColormap:
    """Make the colour map of D: orange near 0, transparent at ½, blue near 1."""
    made, real = to_rgb(plot.PRIOR), to_rgb(plot.RECONSTRUCTION)
    colours = [(*made, ALPHA), (*made, 0), (*real, 0), (*real, ALPHA)]
    # one place twice: the hue jumps where both colours are transparent
    places = [0, 0.5, 0.5, 1]
    return LinearSegmentedColormap.from_list(
        "jg-belief", list(zip(places, colours, strict=True))
    )


def show(
    discriminator: nn.Sequential,
    generator: nn.Sequential,
    rules: ring.Rules = ring.RULES,
    *,
    alt: str,
    caption: str = "",
    ratios: Sequence[float] = (0.1, 0.3, 1.0, 3.0),
    ratio: float = 1.0,
    still: int = 600,
) -> None:
    r"""Show a GAN that trains while you look: start, pause, step, and begin again.

    Both play the non-saturating game on a ring of Gaussians, each with its own Adam.
    Reset begins again from the same weights and the same seed.

    Args:
        discriminator: from points ``(n, 2)`` to logits ``(n, 1)``, as it starts.
        generator: from noise ``(n, z)`` to points ``(n, 2)``, as it starts.
        rules: what both are given.
        alt: what is to be seen, and what can be done.
        caption: what to look for; stands below the figure.
        ratios: discriminator's learning rates over the generator's, to choose from.
        ratio: the one that is chosen first.
        still: steps that torch plays for the still picture, without touching the
            networks given or torch's global generator.

    Outside a kernel there is no page, and the ``alt`` text is printed instead.

    Raises:
        ValueError: fewer than two ratios, a first one that is not among them, or
            networks that do not fit the plane or that the page cannot run.
    """
    if len(ratios) < 2 or ratio not in ratios or min(ratios) <= 0:
        raise ValueError(
            "wanted two or more positive ratios, and the first one to be among them, "
            f"got {list(ratios)} and {ratio}"
        )
    networks = {
        "discriminator": parameters.network(discriminator),
        "generator": parameters.network(generator),
    }
    ends = [networks[name]["layers"] for name in networks]
    sizes = (ends[0][0]["inputs"], ends[0][-1]["outputs"], ends[1][-1]["outputs"])
    if sizes != (2, 1, 2):
        raise ValueError(
            "wanted a discriminator from 2 numbers to 1 and a generator to 2, got "
            f"from {sizes[0]} to {sizes[1]}, and to {sizes[2]}"
        )
    extent, names = EXTENT * rules.radius, [f"{value:g} ×" for value in ratios]
    if widgets.wanted():
        _play(discriminator, generator, rules, ratios, ratio, alt, caption)
        return
    played = ring.Match(discriminator, generator, rules)
    # a match has its own generator, so the reader's numbers stay the same
    played.play(still, ratio)
    fig = scene(played, extent)
    data = networks | rules._asdict()
    data |= {"extent": extent, "ratios": list(ratios), "names": names}
    start = list(ratios).index(ratio)
    slider = scripted.slider("D’s rate ÷ G’s", start, 0, len(ratios) - 1, 1)
    inside = _stage(slider, rules.modes)
    written = scripted.markup(
        "arena", ["game", "arena"], data, inside, fig, alt, caption
    )
    scripted.show(written, fig, alt)


def _stage(slider: str, modes: int) -> str:
    """Write the field, its buttons, the counts, and their chart."""
    return (
        '<div class="jg-pair"><canvas class="jg-field" style="'
        f'{scripted.SQUARE}" role="img" aria-label="Real '
        "points as dots, generated points as crosses, the discriminator’s belief as "
        'colour."></canvas><div class="jg-side"><div class="jg-buttons">'
        '<button type="button">Start</button><button type="button">Step</button>'
        '<button type="button">Reset</button></div><div class="jg-controls">'
        f'{slider}</div><p class="jg-readout">step <b class="jg-count"></b> · modes '
        f'covered <b class="jg-count"></b> of {modes}</p><canvas '
        'class="jg-chart" style="width: 100%; height: 8rem" role="img" '
        'aria-label="Modes covered, from the first step to this one."></canvas>'
        f"{_KEY}</div></div>"
    )


def _play(
    discriminator: nn.Sequential,
    generator: nn.Sequential,
    rules: ring.Rules,
    ratios: Sequence[float],
    ratio: float,
    alt: str,
    caption: str,
) -> None:
    """Show the game with ipywidgets: a tick of the clock is some steps of torch."""
    # what the callback changes from one tick to the next
    now = {"tick": 0, "match": ring.Match(discriminator, generator, rules)}

    def draw(tick: int, place: int) -> str:
        # the Play widget's button for "again" sets its value to 0
        if tick == 0 and now["tick"]:
            now["match"] = ring.Match(discriminator, generator, rules)
        elif tick != now["tick"]:
            now["match"].play(STEPS, ratios[place])
        now["tick"] = tick
        fig = scene(now["match"], EXTENT * rules.radius)
        return f'<div class="jg-figure">{svg.inline(fig, alt)}</div>'

    names = [f"{value:g} ×" for value in ratios]
    controls = [
        widgets.clock("play", INTERVAL, 10_000),
        widgets.choice("D’s rate ÷ G’s", names, list(ratios).index(ratio)),
    ]
    widgets.panel(draw, controls, svg.caption(caption))
