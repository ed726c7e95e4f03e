"""Interactive latent plane: move a point, see what a trained decoder makes of it.

In a page scripts run the decoder, without a kernel; in a live kernel the same call
gives widgets, and torch computes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Tensor, nn

from jensengap import nets, plot, vae
from jensengap.markup import parameters, scripted, svg, widgets

STEP = 0.05  # of the sliders
DPI = 216  # of what is drawn as a picture: three times a screen's
_SHADES = (plot.RECONSTRUCTION, plot.PRIOR, plot.GAP, plot.ACCENT, plot.MUTED)


def same_mean(model: vae.VAE, network: dict[str, Any], extent: float) -> None:
    """Refuse a model whose mean is not what the page will compute.

    Args:
        model: as it is.
        network: as it was written by ``parameters.network``.
        extent: half the side of the plane, on which both are compared.

    Raises:
        ValueError: not from two dimensions to a square picture, or another mean.
    """
    first, final = network["layers"][0], network["layers"][-1]
    side = round(final["outputs"] ** 0.5)
    if first["inputs"] != 2 or side * side != final["outputs"]:
        raise ValueError(
            "wanted a decoder from 2 latent dimensions to a square picture, got "
            f"{first['inputs']} and {final['outputs']} pixels"
        )
    # 25 points show a wrong layer, activation or head
    at = torch.linspace(-extent, extent, 5)
    z = torch.cartesian_prod(at, at).to(next(model.decoder.parameters()))
    # what was packed, rounded as it is: the page computes with this
    h, arrays = z, iter(parameters.unpack(network["weights"]))
    with torch.no_grad():
        for layer in network["layers"]:
            weight, bias = next(arrays).to(h), next(arrays).to(h)
            h = _activated(layer, h @ weight.T + bias)
        error = float((h - model.decode(z).mean).abs().max())
    if not error < 0.01:
        raise ValueError(
            f"the page would draw a mean that is off by {error:g}; give a decoder "
            "whose head is nets.bernoulli or takes its numbers for the mean"
        )


def _activated(layer: dict[str, Any], h: Tensor) -> Tensor:
    """Apply a layer's activation, as the page's script does."""
    if layer["activation"] == "leaky_relu":
        return nn.functional.leaky_relu(h, layer["slope"])
    return h if layer["activation"] == "identity" else getattr(h, layer["activation"])()


def scene(
    model: vae.VAE,
    codes: Float[Tensor, "n 2"],
    labels: Int[Tensor, "n"],
    start: Sequence[float],
    extent: float,
) -> tuple[Figure, Callable[[float, float], None]]:
    """Draw the latent plane beside the decoded picture.

    Args:
        model: decodes.
        codes: drawn behind the point.
        labels: of the codes; a class's name stands at its median.
        start: where the point is.
        extent: half the side of the plane.

    Returns:
        The figure, and what moves the point: a function of its two coordinates.
    """
    fig, (plane, picture) = plot.figure(6.0, 3.4, columns=2, width_ratios=(1.55, 1))
    fig.set_dpi(DPI)
    for label in labels.unique().tolist():
        own = codes[labels == label]
        # as one picture: a thousand marks would be most of the page
        plane.plot(
            *own.T.cpu().numpy(),
            ".",
            color=_SHADES[label % 5],
            markersize=2.5,
            alpha=0.5,
            rasterized=True,
        )
        middle = own.median(0).values.tolist()
        style = {"ha": "center", "va": "center", "fontweight": "bold", "zorder": 5}
        plot.note(plane, *middle, str(label), **style)
    style = {"markersize": 11, "markerfacecolor": "none", "markeredgewidth": 2.2}
    (ring,) = plane.plot([0], [0], "o", color=plot.ACCENT, zorder=6, **style)
    limits = (-extent, extent)
    plane.set(xlim=limits, ylim=limits, aspect="equal", xlabel="z₁", ylabel="z₂")

    def decoded(x: float, y: float) -> Tensor:
        like = next(model.decoder.parameters())
        with torch.no_grad():
            return model.decode(torch.tensor([[x, y]]).to(like)).mean

    plot.digits(picture, decoded(*start), columns=1)
    (image,) = picture.images

    def update(x: float, y: float) -> None:
        ring.set_data([x], [y])
        image.set_data(decoded(x, y).cpu().double().numpy().reshape(image.get_size()))

    update(*start)
    return fig, update


def show(
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
        kind: of number the weights are rounded to, see :func:`parameters.pack`; float16
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
    # the page applies the head, so it draws the mean and not the logits
    last = "sigmoid" if model.decoder.head is nets.bernoulli else "identity"
    network = parameters.network(model.decoder.net, kind, last)
    same_mean(model, network, extent)
    fig, update = scene(model, codes, labels, start, extent)
    if widgets.wanted():
        sliders = [
            widgets.scale(name, value, extent, STEP)
            for name, value in zip(("z₁", "z₂"), start, strict=True)
        ]
        widgets.panel(_drawn(fig, update, alt), sliders, svg.caption(caption))
        return
    data = network | {
        "codes": parameters.pack([codes], "float16"),
        "labels": labels.tolist(),
        "names": [str(label) for label in range(int(labels.max()) + 1)],
        "extent": extent,
        "step": STEP,
    }
    inside = _stage(start, extent)
    written = scripted.markup("decoder", ["decoder"], data, inside, fig, alt, caption)
    scripted.show(written, fig, alt)


def _stage(start: Sequence[float], extent: float) -> str:
    """Write the plane, the picture beside it, and their sliders."""
    sliders = "".join(
        scripted.slider(name, value, -extent, extent, STEP)
        for name, value in zip(("z₁", "z₂"), start, strict=True)
    )
    return (
        f'<div class="jg-pair"><canvas class="jg-pad" style="{scripted.SQUARE}; '
        'touch-action: none" tabindex="0" role="application" aria-label="Latent plane. '
        'Arrow keys move the point, with Shift further; Home puts it at the origin.">'
        "</canvas>"
        f'<div class="jg-side"><canvas class="jg-picture" style="{scripted.SQUARE}; '
        'image-rendering: pixelated" role="img"></canvas><p class="jg-readout">nearest '
        f'code: <b class="jg-near"></b></p><div class="jg-controls">{sliders}</div>'
        "</div></div>"
    )


def _drawn(fig: Figure, update: Callable[..., None], alt: str) -> Callable[..., str]:
    """Make the function that updates a figure and returns its markup."""

    def draw(*values: float) -> str:
        update(*values)
        return f'<div class="jg-figure">{svg.inline(fig, alt)}</div>'

    return draw
