"""Small convolutional networks for 28 by 28 images, which stay flat outside of them.

Two shapes do for four roles: one from numbers to an image (decoder, generator) and one
from an image to numbers (encoder, discriminator, classifier). Images are rows of 784
pixels, as everywhere in the package, and any number of axes may lead.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

SIDE = 28
NUM_PIXELS = SIDE * SIDE
_SLOPE = 0.2  # of the leaky units: no unit is ever lost, as in Radford et al.


class OnRows(nn.Sequential):
    """A sequence of layers on rows, whatever axes lead: ``(*b, i)`` to ``(*b, o)``.

    Convolutions want exactly one batch axis; a decoder is also asked for several draws
    of ``z`` at a time, sample axis first.
    """

    def forward(self, rows: Float[Tensor, "*b i"]) -> Float[Tensor, "*b o"]:
        """Apply the layers to each row."""
        flat = super().forward(rows.reshape(-1, rows.shape[-1]))
        return flat.reshape(*rows.shape[:-1], flat.shape[-1])


class PixelBias(nn.Module):
    """Adds one number to each pixel: what convolutions, alike everywhere, cannot say.

    As the last layer it carries the ``bias`` that ``nets.start_at_mean`` sets.
    """

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(NUM_PIXELS))

    def forward(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Return ``x`` with the bias added."""
        return x + self.bias


def to_image(latent_dim: int, width: int = 16) -> OnRows:
    """Build a decoder or generator: ``(*b, latent_dim)`` to log-odds ``(*b, 784)``.

    A linear map to ``2 * width`` maps of 7 by 7, then two transposed convolutions that
    double the side.

    Args:
        latent_dim: dimensions of ``z``.
        width: feature maps at 14 by 14.

    Returns:
        The network, freshly drawn from torch's global generator.

    Raises:
        ValueError: a size below 1.

    Source: Radford, Metz and Chintala (2016), section 3, made small.
    """
    _at_least_one(latent_dim=latent_dim, width=width)
    return OnRows(
        nn.Linear(latent_dim, 2 * width * 49),
        nn.LeakyReLU(_SLOPE),
        nn.Unflatten(1, (2 * width, 7, 7)),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
        nn.LeakyReLU(_SLOPE),
        nn.ConvTranspose2d(width, 1, 4, 2, 1),
        nn.Flatten(),
        PixelBias(),
    )


def from_image(num_outputs: int, width: int = 16) -> OnRows:
    """Build an encoder, discriminator or classifier: ``(*b, 784)`` to numbers.

    Two convolutions that halve the side, then a linear map.

    Args:
        num_outputs: how many numbers: ``2 * latent_dim`` for an encoder, 1 for a
            discriminator.
        width: feature maps at 14 by 14.

    Returns:
        The network, freshly drawn from torch's global generator.

    Raises:
        ValueError: a size below 1.

    Source: Radford, Metz and Chintala (2016), section 3, made small.
    """
    _at_least_one(num_outputs=num_outputs, width=width)
    return OnRows(
        nn.Unflatten(1, (1, SIDE, SIDE)),
        nn.Conv2d(1, width, 4, 2, 1),
        nn.LeakyReLU(_SLOPE),
        nn.Conv2d(width, 2 * width, 4, 2, 1),
        nn.LeakyReLU(_SLOPE),
        nn.Flatten(),
        nn.Linear(2 * width * 49, num_outputs),
    )


def multiplications(net: nn.Module, rows: Float[Tensor, "b i"]) -> int:
    """Count the multiplications of linear layers and convolutions for one row.

    Args:
        net: a network of this module, or of ``nets.mlp``.
        rows: a batch of inputs; the network is run on the first.

    Returns:
        The number, biases and activations not counted.

    Raises:
        ValueError: no row.
    """
    if len(rows) < 1:
        raise ValueError("multiplications needs a row to run the network on, got none")
    counts: list[int] = []

    def count(layer: nn.Module, given: tuple[Tensor, ...], out: Tensor) -> None:
        # each weight of a convolution is used once a place: of the output where it
        # gathers, of the input where it spreads
        if isinstance(layer, nn.Linear):
            counts.append(layer.weight.numel())
        elif isinstance(layer, nn.Conv2d):
            counts.append(layer.weight.numel() * out[0, 0].numel())
        elif isinstance(layer, nn.ConvTranspose2d):
            counts.append(layer.weight.numel() * given[0][0, 0].numel())

    hooks = [layer.register_forward_hook(count) for layer in net.modules()]
    with torch.no_grad():
        net(rows[:1])
    for hook in hooks:
        hook.remove()
    return sum(counts)


def _at_least_one(**sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ValueError(f"{name} must be at least 1, got {size}")
