r"""Discretised Gaussian likelihood of grey pixels: masses of bins, not a density.

A density of pixels that take 256 values can be made as large as one likes: a spike on
each level. Probabilities of bins cannot; they are at most one, and comparable between
models whatever their noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal, constraints
from torch.special import log_ndtr, ndtr


class DiscretizedNormal(Distribution):
    r"""Gaussian on the levels $0,\delta,2\delta,\dots,1$, each with its bin's mass.

    $$P(x)=\Phi\Bigl(\frac{x+\delta/2-\mu}{\sigma}\Bigr)
    -\Phi\Bigl(\frac{x-\delta/2-\mu}{\sigma}\Bigr),$$

    where the bins of the two outermost levels reach to infinity, so that the masses
    sum to one.

    Args:
        loc: $\mu$, ``(*b)``.
        scale: $\sigma$, a number or broadcastable to ``loc``, positive.
        num_levels: how many grey levels, $1/\delta+1$, at least 2.

    Raises:
        ValueError: a scale that is not positive and finite, or fewer than 2 levels.

    Source: Salimans et al. (2017), eq. 2, with a Gaussian in the logistic's place.
    """

    arg_constraints = {}  # noqa: RUF012 - torch's protocol; checked below instead
    support = constraints.unit_interval

    def __init__(
        self, loc: Tensor, scale: float | Tensor, num_levels: int = 256
    ) -> None:
        scale = torch.as_tensor(scale, dtype=loc.dtype, device=loc.device)
        if num_levels < 2 or not bool(((scale > 0) & scale.isfinite()).all()):
            raise ValueError(
                "DiscretizedNormal needs num_levels >= 2 and a positive, finite scale, "
                f"got {num_levels} and scales from {scale.min().item():g} to "
                f"{scale.max().item():g}"
            )
        self.loc, self.scale = torch.broadcast_tensors(loc, scale)
        self.top = num_levels - 1
        super().__init__(self.loc.shape, validate_args=False)

    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        r"""Return $\log P(x)$ in nats, never positive.

        Args:
            value: grey levels, broadcastable to ``loc``.

        Raises:
            ValueError: a value that is none of the levels.
        """
        level = (value * self.top).round()
        # float32 keeps k/255 to 1e-5 of a level; what is none is further off
        on_level = (value * self.top - level).abs() < 1e-3
        if not bool((on_level & (level >= 0) & (level <= self.top)).all()):
            raise ValueError(
                f"value must be one of the levels k/{self.top} in [0, 1], got "
                f"{value.min().item():g} to {value.max().item():g}; data.unit_pixels "
                "gives such levels"
            )
        low = ((level - 0.5) / self.top - self.loc) / self.scale
        high = ((level + 0.5) / self.top - self.loc) / self.scale
        # an infinite edge would have no gradient, and ten thousand scales are as good
        low = torch.where(level == 0, high.clamp(max=0.0) - 1e4, low)
        high = torch.where(level == self.top, low.clamp(min=0.0) + 1e4, high)
        # in the right tail both probabilities are close to one: measure from there
        right = low > 0
        low, high = torch.where(right, -high, low), torch.where(right, -low, high)
        # log(e^a - e^b) = a + log(1 - e^(b-a)): no difference of rounded numbers
        log_high = _log_ndtr(high)
        return log_high + torch.log(-torch.expm1(_log_ndtr(low) - log_high))

    def sample(self, sample_shape: torch.Size | tuple[int, ...] = ()) -> Tensor:
        """Draw from the Gaussian and round to the nearest level."""
        with torch.no_grad():
            drawn = Normal(self.loc, self.scale).sample(sample_shape)
            # the outermost bins reach to infinity: what is beyond belongs to them
            return (drawn.clamp(0.0, 1.0) * self.top).round() / self.top

    @property
    def mean(self) -> Float[Tensor, "*b"]:
        r"""Return the expected level, $\delta\sum_{k\ge1}P(x\ge k\delta)$."""
        total = torch.zeros_like(self.loc)
        # level by level: all at once would take 255 times the memory of an image
        for k in range(1, self.top + 1):
            total = total + ndtr((self.loc - (k - 0.5) / self.top) / self.scale)
        return total / self.top


def _log_ndtr(x: Tensor) -> Tensor:
    r"""Compute $\log\Phi(x)$; far out by a series, as torch's gradient goes astray."""
    far = x < -50.0
    # where() differentiates the branch not taken as well: keep both finite
    tail = torch.where(far, x, -50.0)
    u = tail.square().reciprocal()
    series = torch.log1p(-u * (1 - 3 * u * (1 - 5 * u)))  # the next term: 3e-12
    tail = -tail.square() / 2 - torch.log(-tail) - math.log(2 * math.pi) / 2 + series
    return torch.where(far, tail, log_ndtr(torch.where(far, -50.0, x)))


def discretized_gaussian(
    scale: float, num_levels: int = 256
) -> Callable[[Tensor], Independent]:
    r"""Make a head of :class:`DiscretizedNormal` pixels, their scale set by hand.

    Args:
        scale: $\sigma$ of every pixel, positive.
        num_levels: how many grey levels, at least 2.

    Returns:
        A head: means ``(*b, d)`` to a distribution over grey images whose
        ``log_prob`` is in nats per example and never positive.
    """
    return lambda loc: Independent(DiscretizedNormal(loc, scale, num_levels), 1)
