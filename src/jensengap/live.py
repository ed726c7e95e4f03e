"""Live figures: a trained decoder to walk in, and a GAN that trains under your eyes.

In a page both are run by scripts, without a kernel; in a live kernel the same call
gives widgets, and torch computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Tensor, nn

from jensengap import (
    arena,
    latent_plane,
    match,
    nets,
    page,
    plot,
    stage,
    vae,
    weights,
    widgets,
)

STEP = 0.05  # of the sliders in the latent plane
EXTENT = 1.6  # half the side of the game's square, in radii of the ring
INTERVAL, STEPS = 500, 20  # the game in a live kernel: milliseconds and steps a tick

# With the element: a canvas that had its size from its own pixels would grow for ever.
_SQUARE = "width: 100%; aspect-ratio: 1"
_KEY = (
    '<ul class="jg-key"><li><span class="jg-dot"></span>real</li>'
    '<li><span class="jg-cross">×</span>generated</li>'
    '<li><span class="jg-real"></span>D says real</li>'
    '<li><span class="jg-made"></span>D says made</li>'
    '<li><span class="jg-half"></span>D = ½</li></ul>'
)


def decoder(
    model: vae.VAE,
    codes: Float[Tensor, "n 2"],
    labels: Int[Tensor, "m"],
    *,
    alt: str,
    caption: str = "",
    start: tuple[float, float] = (0.0, 0.0),
    extent: float = 3.5,
    kind: str = "float16",
) -> None:
    r"""Show the latent plane with a point to move, and what the decoder makes of it.

    Args:
        model: a VAE with two latent dimensions, whose decoder is a perceptron with a
            Bernoulli head, or one whose numbers are the mean.
        codes: where the encoder puts held-out examples.
        labels: their classes, counted from 0; as many.
        alt: what is to be seen, and what moving the point changes.
        caption: what to look for; stands below the figure.
        start: where the point starts; multiples of 0.05.
        extent: the plane goes from ``-extent`` to ``extent``, a multiple of 0.05.
        kind: of number the weights are rounded to, see :func:`weights.pack`; float16
            moves a pixel of a digit by less than a thousandth.

    Outside a kernel there is no page, and the ``alt`` text is printed instead.

    Raises:
        ValueError: not two latent dimensions, codes and labels that do not match, a
            network that the page cannot run, a picture that is not square, or a mean
            that the page would get wrong.
    """
    if codes.shape[-1:] != (2,) or len(codes) != len(labels) or not len(codes):
        raise ValueError(
            "wanted codes (n, 2) and as many labels, got "
            f"{tuple(codes.shape)} and {tuple(labels.shape)}"
        )
    last = "sigmoid" if model.decoder.head is nets.bernoulli else "identity"
    network = weights.network(model.decoder.net, kind, last)
    latent_plane.same_mean(model, network, extent)
    fig, update = latent_plane.scene(model, codes, labels, start, extent)
    if widgets.wanted():
        sliders = [
            widgets.scale(name, value, extent, STEP)
            for name, value in zip(("z₁", "z₂"), start, strict=True)
        ]
        widgets.panel(_drawn(fig, update, alt), sliders, plot.caption_html(caption))
        return
    data = network | {
        "codes": weights.pack([codes], "float16"),
        "labels": labels.tolist(),
        "names": [str(label) for label in range(int(labels.max()) + 1)],
        "extent": extent,
        "step": STEP,
    }
    sliders = "".join(
        stage.slider(name, value, -extent, extent, STEP)
        for name, value in zip(("z₁", "z₂"), start, strict=True)
    )
    inside = (
        f'<div class="jg-pair"><canvas class="jg-pad" style="{_SQUARE}; touch-action: '
        'none" tabindex="0" role="application" aria-label="Latent plane. Arrow keys '
        'move the point, with Shift further; Home puts it at the origin."></canvas>'
        f'<div class="jg-side"><canvas class="jg-picture" style="{_SQUARE}; '
        'image-rendering: pixelated" role="img"></canvas><p class="jg-readout">nearest '
        f'code: <b class="jg-near"></b></p><div class="jg-controls">{sliders}</div>'
        "</div></div>"
    )
    written = stage.markup("decoder", ["decoder"], data, inside, fig, alt, caption)
    stage.show(written, fig, alt)


def game(
    discriminator: nn.Sequential,
    generator: nn.Sequential,
    rules: match.Rules = match.RULES,
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
        "discriminator": weights.network(discriminator),
        "generator": weights.network(generator),
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
    played = match.Match(discriminator, generator, rules)
    played.play(still, ratio)
    fig = arena.scene(played, extent)
    data = networks | rules._asdict()
    data |= {"extent": extent, "ratios": list(ratios), "names": names}
    start = list(ratios).index(ratio)
    slider = stage.slider("D’s rate ÷ G’s", start, 0, len(ratios) - 1, 1)
    inside = (
        '<div class="jg-pair"><canvas class="jg-field" style="'
        f'{_SQUARE}" role="img" aria-label="Real '
        "points as dots, generated points as crosses, the discriminator’s belief as "
        'colour."></canvas><div class="jg-side"><div class="jg-buttons">'
        '<button type="button">Start</button><button type="button">Step</button>'
        '<button type="button">Reset</button></div><div class="jg-controls">'
        f'{slider}</div><p class="jg-readout">step <b class="jg-count"></b> · modes '
        f'covered <b class="jg-count"></b> of {rules.modes}</p><canvas '
        'class="jg-chart" style="width: 100%; height: 8rem" role="img" '
        'aria-label="Modes covered, from the first step to this one."></canvas>'
        f"{_KEY}</div></div>"
    )
    written = stage.markup("arena", ["game", "arena"], data, inside, fig, alt, caption)
    stage.show(written, fig, alt)


def _play(
    discriminator: nn.Sequential,
    generator: nn.Sequential,
    rules: match.Rules,
    ratios: Sequence[float],
    ratio: float,
    alt: str,
    caption: str,
) -> None:
    """Show the game as widgets: a tick of the clock is some steps of torch."""
    now = {"tick": 0, "match": match.Match(discriminator, generator, rules)}

    def draw(tick: int, place: int) -> str:
        if tick == 0 and now["tick"]:
            now["match"] = match.Match(discriminator, generator, rules)
        elif tick != now["tick"]:
            now["match"].play(STEPS, ratios[place])
        now["tick"] = tick
        fig = arena.scene(now["match"], EXTENT * rules.radius)
        return f'<div class="jg-figure">{page.svg(fig, alt)}</div>'

    names = [f"{value:g} ×" for value in ratios]
    controls = [
        widgets.clock("play", INTERVAL, 10_000),
        widgets.choice("D’s rate ÷ G’s", names, list(ratios).index(ratio)),
    ]
    widgets.panel(draw, controls, plot.caption_html(caption))


def _drawn(fig: Figure, update: Callable[..., None], alt: str) -> Callable[..., str]:
    """Make the function that updates a figure and returns its markup."""

    def draw(*values: float) -> str:
        update(*values)
        return f'<div class="jg-figure">{page.svg(fig, alt)}</div>'

    return draw
