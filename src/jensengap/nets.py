"""Networks, and heads that turn their outputs into ``torch.distributions`` objects.

A network returns numbers; a head says what they mean; :class:`Conditional` joins the
two into $p(\\cdot\\,|\\,\\text{input})$. Encoders and decoders differ in nothing else.
Perceptrons serve points and flat images, two small convolutional shapes digits. Images
are rows of 784 pixels, as everywhere in the package; any number of axes may lead.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal
from torch.nn.functional import softplus

from jensengap import bernoulli_pixels, inputs

# A posterior narrower than this is never needed here, and log(0) is never reached.
SCALE_FLOOR = 1e-4
SIDE = 28  # of a digit
NUM_PIXELS = SIDE * SIDE
_SLOPE = 0.2  # of the leaky units: none is ever lost, as in Radford et al., section 4


@inputs.checked
def mlp(*dims: int, activation: type[nn.Module] = nn.Tanh) -> nn.Sequential:
    """Build a multilayer perceptron: linear maps with an activation between them.

    Args:
        dims: sizes of input, hidden layers and output; at least two.
        activation: the non-linearity; tanh is smooth, so that grids converge fast.

    Returns:
        A module from ``(*b, dims[0])`` to ``(*b, dims[-1])``.

    Raises:
        ValueError: fewer than two sizes, or a size below 1.
    """
    if len(dims) < 2 or min(dims) < 1:
        raise ValueError(f"mlp needs two or more sizes, each at least 1, got {dims}")
    layers: list[nn.Module] = []
    for num_in, num_out in itertools.pairwise(dims):
        layers += [nn.Linear(num_in, num_out), activation()]
    # no activation behind the last map: heads want any real number
    return nn.Sequential(*layers[:-1])


@inputs.checked
def bernoulli(logits: Float[Tensor, "*b d"]) -> Independent:
    r"""Make a factorised Bernoulli, $\prod_j\mathrm{Bernoulli}(x_j;\sigma(\ell_j))$.

    Args:
        logits: log-odds of each pixel, ``(*b, d)``; infinite where it is certain.

    Returns:
        A distribution over ``{0, 1}^d``; its ``log_prob`` is in nats per example and
        refuses grey values, which have no probability under it.

    Raises:
        ValueError: log-odds that are NaN.

    Source: Kingma and Welling (2014), eq. 11, by log-odds.
    """
    inputs.no_nan("logits", logits)
    return Independent(bernoulli_pixels.Bernoulli(logits=logits), 1)


@inputs.checked
def bernoulli_log_probs(
    logits: Float[Tensor, "m d"], x: Float[Tensor, "n d"]
) -> Float[Tensor, "m n"]:
    r"""Score every image under every row of logits, by one matrix product.

    What ``bernoulli(logits[:, None]).log_prob(x)`` gives, in nats, without a tensor of
    ``m * n * d`` numbers; see :mod:`jensengap.bernoulli_pixels` for the formula.

    Args:
        logits: log-odds, one row for each ``z`` say; infinite where a pixel is certain.
        x: binary images, or grey ones as targets of the cross-entropy.

    Raises:
        ValueError: other shapes, dtypes or devices, a target outside of [0, 1], or NaN.

    Source: Kingma and Welling (2014), eq. 11, by log-odds.
    """
    inputs.alike("x", x, logits)
    inputs.no_nan("logits", logits)
    if not inputs.every((x >= 0) & (x <= 1)):
        raise ValueError(
            f"x must be in [0, 1], got {x.min().item():g} to {x.max().item():g}; "
            "data.unit_pixels gives such numbers"
        )
    return bernoulli_pixels.log_probs(logits, x)


@inputs.checked
def gaussian(
    loc: Float[Tensor, "*#b #d"],
    scale: float | Float[Tensor, ""] | Float[Tensor, "*#b #d"],
) -> Independent:
    r"""Make a diagonal Gaussian, $\prod_j\mathcal N(x_j;\mu_j,\sigma_j^2)$.

    Args:
        loc: means, ``(*b, d)``.
        scale: standard deviations, a number or broadcastable to ``loc``.

    Returns:
        A distribution over $\mathbb R^d$, ``log_prob`` in nats per example.

    Raises:
        ValueError: a scale that is not positive and finite, or a mean that is NaN.
    """
    scale = torch.as_tensor(scale, dtype=loc.dtype, device=loc.device)
    inputs.positive_scale("scale", scale)
    inputs.no_nan("loc", loc)
    return Independent(Normal(loc, scale), 1)


@inputs.checked
def gaussian_head(numbers: Float[Tensor, "*b d2"]) -> Independent:
    r"""Make a diagonal Gaussian from $2d$ numbers: $d$ means, then $d$ raw scales.

    $\sigma=\mathrm{softplus}(\rho)+10^{-4}$: positive for every input, linear for
    large ones, so that no step of training can overflow it as an exponential can.

    Args:
        numbers: ``(*b, 2 d)``.

    Raises:
        ValueError: an odd number of columns, or NaN.

    Source: Kingma and Welling (2014), eq. 12, with softplus for the exponential.
    """
    if numbers.shape[-1] % 2:
        raise ValueError(
            f"a Gaussian head needs an even number of columns (means, then scales), "
            f"got {numbers.shape[-1]}"
        )
    # before the scale, which would be blamed for it
    inputs.no_nan("numbers", numbers)
    loc, raw = numbers.chunk(2, -1)
    return gaussian(loc, softplus(raw) + SCALE_FLOOR)


@inputs.checked
def fixed_scale(scale: float) -> Callable[[Tensor], Independent]:
    r"""Make a Gaussian head: a network gives the means, the scale is set by hand.

    Args:
        scale: $\sigma$, positive. $-\log p$ is the squared error over $2\sigma^2$, plus
            a constant.

    Returns:
        A head: means ``(*b, d)`` to $\mathcal N(\mu,\sigma^2I)$. It can be pickled.

    Raises:
        ValueError: a scale that is not positive and finite.
    """
    inputs.positive_scale("scale", torch.tensor(scale, dtype=torch.float64))
    # partial, and no lambda: a model is saved with its head
    return functools.partial(gaussian, scale=scale)


class SharedScale(nn.Module):
    r"""Head of a Gaussian with one learned scale for all coordinates.

    $\sigma=\mathrm{softplus}(\rho)+\text{floor}$. The likelihood's best $\sigma^2$ is
    the mean squared error; where that can reach zero, only the floor keeps the density
    finite.

    Args:
        scale: where $\sigma$ starts, above ``floor``.
        floor: the smallest scale allowed, not negative.

    Raises:
        ValueError: a ``scale`` not finite, or not above a ``floor`` of at least 0.

    Source: Rybkin, Daniilidis and Levine (2021).
    """

    @inputs.checked
    def __init__(self, scale: float = 1.0, floor: float = SCALE_FLOOR) -> None:
        super().__init__()
        if not 0 <= floor < scale < float("inf"):
            raise ValueError(
                f"wanted 0 <= floor < scale < inf, got floor={floor} and scale={scale}"
            )
        self.floor = floor
        start = torch.tensor(scale - floor, dtype=torch.float64)
        # the inverse of softplus, which does not overflow where start is large
        self.raw = nn.Parameter((start + torch.log(-torch.expm1(-start))).float())

    @property
    def scale(self) -> Float[Tensor, ""]:
        r"""Return the scale $\sigma$ as it stands."""
        return softplus(self.raw) + self.floor

    @inputs.checked
    def forward(self, loc: Float[Tensor, "*b d"]) -> Independent:
        r"""Return $\mathcal N(\mu,\sigma^2I)$ for means ``loc``."""
        # an axis, so that one scale is broadcast over the coordinates
        return gaussian(loc, self.scale[None])


class Conditional(nn.Module):
    r"""A distribution whose parameters a network computes, $p(\cdot\,|\,\text{input})$.

    Args:
        net: module from the input to the head's numbers.
        head: function from numbers to a distribution, :func:`bernoulli` for example.
    """

    def __init__(self, net: nn.Module, head: Callable[[Tensor], Distribution]) -> None:
        super().__init__()
        self.net = net
        self.head = head

    @inputs.checked
    def forward(self, given: Shaped[Tensor, "..."]) -> Distribution:
        """Return one distribution a row; refuse rows that the network does not take."""
        return self.head(inputs.run(self.net, given))


class StandardNormal(nn.Module):
    r"""The prior $\mathcal N(0, I)$ as a module, so that it follows dtype and device.

    Args:
        latent_dim: number of dimensions, at least 1.

    Raises:
        ValueError: ``latent_dim`` below 1.
    """

    @inputs.checked
    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        if latent_dim < 1:
            raise ValueError(f"latent_dim must be at least 1, got {latent_dim}")
        # a buffer moves with .to() and is saved, but is not trained
        self.register_buffer("loc", torch.zeros(latent_dim))

    def forward(self) -> Independent:
        """Return the distribution, event shape ``(latent_dim,)``."""
        return gaussian(self.loc, 1.0)


@inputs.checked
def start_at_mean(net: nn.Sequential, probs: Float[Tensor, "d"]) -> None:
    r"""Set the last bias to the pixels' log-odds, so that training starts at the mean.

    A Bernoulli decoder then begins near the entropy of the factorised model, not at
    $D\log 2$: common practice, which saves the first passes over the data.

    Args:
        net: a network whose last layer is linear.
        probs: how often each pixel is on, in [0, 1].

    Raises:
        ValueError: no bias in the last layer or one of another shape than ``probs``, or
            a probability outside [0, 1].
    """
    bias = getattr(net[-1], "bias", None)
    if bias is None:
        raise ValueError(
            f"the last layer must have a bias to start from, got {net[-1]}; leave it "
            "out, or end the network with a linear map"
        )
    if bias.shape != probs.shape:
        raise ValueError(
            f"the last layer has {tuple(bias.shape)} outputs but probs has shape "
            f"{tuple(probs.shape)}; give one probability for each output"
        )
    if not inputs.every((probs >= 0) & (probs <= 1)):
        raise ValueError(
            f"probs must be in [0, 1], got {probs.min().item():g} to "
            f"{probs.max().item():g}; data.unit_pixels gives such numbers"
        )
    # one part in a thousand of a fair coin: a pixel never on has log-odds -inf
    with torch.no_grad():
        bias.copy_(torch.logit(0.999 * probs + 0.0005))


class OnRows(nn.Sequential):
    """A sequence of layers on rows, whatever axes lead: ``(*b, i)`` to ``(*b, o)``.

    Convolutions want one batch axis; a decoder is given several draws of ``z`` at once.
    """

    @inputs.checked
    def forward(self, rows: Float[Tensor, "*b i"]) -> Float[Tensor, "*b o"]:
        """Apply the layers to each row."""
        # all leading axes become the one batch axis, and come back below
        flat = inputs.run(super().forward, rows.reshape(-1, rows.shape[-1]))
        return flat.reshape(*rows.shape[:-1], flat.shape[-1])


class PixelBias(nn.Module):
    """A bias for each pixel, which convolutions lack; :func:`start_at_mean` sets it."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(NUM_PIXELS))

    @inputs.checked
    def forward(self, x: Float[Tensor, "*b d"]) -> Float[Tensor, "*b d"]:
        """Return ``x`` with the bias added."""
        if x.shape[-1] != NUM_PIXELS:
            raise ValueError(f"x must have {NUM_PIXELS} pixels, got {x.shape[-1]}")
        return x + self.bias


@inputs.checked
def to_image(latent_dim: int, width: int = 16) -> OnRows:
    """Build a decoder or generator: ``(*b, latent_dim)`` to log-odds ``(*b, 784)``.

    A linear map to ``2 * width`` maps of 7 by 7, then two transposed convolutions that
    double the side; freshly drawn from torch's global generator.

    Args:
        latent_dim: dimensions of ``z``.
        width: feature maps at 14 by 14.

    Raises:
        ValueError: a size below 1.

    Source: Radford, Metz and Chintala (2016), section 3, made small and without batch
    normalisation.
    """
    _at_least_one(latent_dim=latent_dim, width=width)
    return OnRows(
        nn.Linear(latent_dim, 2 * width * 49),
        nn.LeakyReLU(_SLOPE),
        nn.Unflatten(1, (2 * width, 7, 7)),
        # kernel 4, stride 2: each pixel has as many taps, so no checkerboard
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1),
        nn.LeakyReLU(_SLOPE),
        nn.ConvTranspose2d(width, 1, 4, 2, 1),
        nn.Flatten(),
        PixelBias(),
    )


@inputs.checked
def from_image(num_outputs: int, width: int = 16) -> OnRows:
    """Build an encoder, discriminator or classifier: ``(*b, 784)`` to numbers.

    Two convolutions that halve the side, then a linear map; freshly drawn from torch's
    global generator.

    Args:
        num_outputs: ``2 * latent_dim`` for an encoder, 1 for a discriminator.
        width: feature maps at 14 by 14.

    Raises:
        ValueError: a size below 1.

    Source: Radford, Metz and Chintala (2016), section 3, made small and without batch
    normalisation.
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


@inputs.checked
def multiplications(net: nn.Module, rows: Float[Tensor, "b i"]) -> int:
    """Count the multiplications of linear layers and convolutions for one row.

    Args:
        net: a network of linear layers and convolutions, such as this module makes.
        rows: a batch of inputs; the network is run on the first.

    Returns:
        The number, biases and activations not counted.

    Raises:
        ValueError: no row, or one that the network does not take.
    """
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

    # only a run knows the sizes of the maps: hooks see each layer's
    hooks = [layer.register_forward_hook(count) for layer in net.modules()]
    try:
        with torch.no_grad():
            inputs.run(net, rows[:1])
    finally:
        for hook in hooks:
            hook.remove()
    return sum(counts)


def _at_least_one(**sizes: int) -> None:
    if min(sizes.values()) < 1:
        raise ValueError(f"sizes must be at least 1, got {sizes}")
