"""The latent plane as a picture: codes behind, a point to move, and its digit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from torch import Tensor, nn

from jensengap import plot, vae, weights

DPI = 216  # of what is drawn as a picture: three times a screen's
_SHADES = (plot.RECONSTRUCTION, plot.PRIOR, plot.GAP, plot.ACCENT, plot.MUTED)


def same_mean(model: vae.VAE, network: dict[str, Any], extent: float) -> None:
    """Refuse a model whose mean is not what the page will compute.

    Args:
        model: as it is.
        network: as it was written by ``weights.network``.
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
    at = torch.linspace(-extent, extent, 5)
    z = torch.cartesian_prod(at, at).to(next(model.decoder.parameters()))
    h, arrays = z, iter(weights.unpack(network["weights"]))
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
    """Draw the plane beside the picture.

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
            *own.T.numpy(), ".", color=_SHADES[label % 5], markersize=2.5, alpha=0.5,
            rasterized=True,
        )  # fmt: skip
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
        image.set_data(decoded(x, y).double().numpy().reshape(image.get_size()))

    update(*start)
    return fig, update
