r"""Discretised Gaussian likelihood of grey pixels: masses of bins, not a density.

A density of pixels that take 256 values can be made as large as one likes: a spike on
each level. Probabilities of bins cannot; they are at most one, and comparable between
models whatever their noise.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal, constraints
from torch.special import log_ndtr, ndtr

from jensengap import inputs

# Bins narrower than this, in scales: the density at the middle is right to 1e-11.
NARROW = 1e-5


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

    Source: Ho, Jain and Abbeel (2020), eq. 13, there on [-1, 1]; Salimans et al.
    (2017), eq. 2, with a logistic distribution in the Gaussian's place.
    """

    arg_constraints = {}  # noqa: RUF012 - torch's protocol; checked below instead
    support = constraints.unit_interval

    @inputs.checked
    def __init__(
        self,
        loc: Float[Tensor, "*#b"],
        scale: float | Float[Tensor, "*#b"],
        num_levels: int = 256,
    ) -> None:
        scale = torch.as_tensor(scale, dtype=loc.dtype, device=loc.device)
        if num_levels < 2 or not inputs.every((scale > 0) & scale.isfinite()):
            raise ValueError(
                "DiscretizedNormal needs num_levels >= 2 and a positive, finite scale, "
                f"got {num_levels} and scales from {scale.min().item():g} to "
                f"{scale.max().item():g}"
            )
        inputs.finite("loc", loc)
        self.loc, self.scale = torch.broadcast_tensors(loc, scale)
        self.top = num_levels - 1
        super().__init__(self.loc.shape, validate_args=False)

    @inputs.checked
    def log_prob(self, value: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        r"""Return $\log P(x)$ in nats, never positive.

        Computed in float64: a bin far out, or much narrower than $\sigma$, has the
        small difference of two numbers that are nearly equal.

        Args:
            value: grey levels, broadcastable to ``loc``.

        Raises:
            ValueError: a value that is none of the levels.
        """
        level = self._level(value)
        wide = inputs.widest(self.loc)
        loc, scale, level = (each.to(wide) for each in (self.loc, self.scale, level))
        # in scales from the mean; a bin in the right tail, where both probabilities are
        # close to one, is mirrored into the left one
        middle = (level / self.top - loc) / scale
        is_right = middle > 0
        log_p = _log_bin(
            torch.where(is_right, -middle, middle),
            1 / (self.top * scale),
            # the outermost bins reach to infinity, each on its side
            torch.where(is_right, level == self.top, level == 0),
            torch.where(is_right, level == 0, level == self.top),
        )
        return log_p.to(self.loc.dtype)

    def _level(self, value: Tensor) -> Tensor:
        """Return the number of each grey level; refuse what is none."""
        level = (value * self.top).round()
        # float32 keeps k/255 to 1e-5 of a level; what is none is further off
        slack = max(1e-3, 4 * self.top * torch.finfo(value.dtype).eps)
        on_level = (value * self.top - level).abs() < slack
        if not inputs.every(on_level & (level >= 0) & (level <= self.top)):
            raise ValueError(
                f"value must be one of the levels k/{self.top} in [0, 1], got "
                f"{value.min().item():g} to {value.max().item():g}; data.unit_pixels "
                "gives such levels"
            )
        return level

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


def _log_bin(
    middle: Tensor, width: Tensor, is_lowest: Tensor, is_highest: Tensor
) -> Tensor:
    r"""Compute $\log[\Phi(m+w/2)-\Phi(m-w/2)]$, $m\le0$; an edge may be infinite."""
    low, high = _log_tail(middle - width / 2), _log_tail(middle + width / 2)
    # far out the squares are all of both logarithms: their difference is taken by hand
    far_ratio = width * middle + low.mills - high.mills
    ratio = torch.where(middle + width / 2 < -1, far_ratio, low.log_cdf - high.log_cdf)
    inner = high.log_cdf + _log_less(ratio)
    # narrow: density at the middle, times the width, times sinh(a)/a for its slope
    slope = (middle * width / 2).abs()
    is_steep = slope > 1e-8
    steep = torch.where(is_steep, slope, 1.0)
    growth = steep + _log_less(-2 * steep) - torch.log(2 * steep)
    density = -middle.square() / 2 - math.log(2 * math.pi) / 2
    narrow = density + torch.log(width) + torch.where(is_steep, growth, 0.0)
    log_p = torch.where(width < NARROW, narrow, inner)
    log_p = torch.where(is_lowest, high.log_cdf, log_p)
    return torch.where(is_highest, _log_less(low.log_cdf), log_p)


def _log_less(log_ratio: Tensor) -> Tensor:
    r"""Compute $\log(1-r)$ from $\log r<0$."""
    # beyond these the result is 0 and the least float, and no gradient is infinite
    least = torch.finfo(log_ratio.dtype).tiny
    return torch.log(-torch.expm1(log_ratio.clamp(-1e4, -least)))


class _Tail(NamedTuple):
    r"""Logarithm of $\Phi(x)$, and the same plus $x^2/2$."""

    log_cdf: Tensor
    mills: Tensor


def _log_tail(x: Tensor) -> _Tail:
    """Compute the left tail; far out by a series, as torch's gradient goes astray."""
    is_far = x < -50.0
    # where() differentiates the branch not taken as well: keep both finite
    far, near = torch.where(is_far, x, -50.0), torch.where(is_far, -50.0, x)
    u = far.square().reciprocal()
    series = torch.log1p(-u * (1 - 3 * u * (1 - 5 * u)))  # the next term: 3e-12
    mills = -torch.log(-far) - math.log(2 * math.pi) / 2 + series
    log_cdf = log_ndtr(near)
    return _Tail(
        torch.where(is_far, mills - far.square() / 2, log_cdf),
        torch.where(is_far, mills, log_cdf + near.clamp(max=0.0).square() / 2),
    )


@inputs.checked
def discretized_gaussian(
    scale: float, num_levels: int = 256
) -> Callable[[Tensor], Independent]:
    r"""Make a head of :class:`DiscretizedNormal` pixels, their scale set by hand.

    Args:
        scale: $\sigma$ of every pixel, positive.
        num_levels: how many grey levels, at least 2.

    Returns:
        A head: means ``(*b, d)`` to a distribution over grey images whose
        ``log_prob`` is in nats per example and never positive. It can be pickled.

    Raises:
        ValueError: as :class:`DiscretizedNormal`.

    Source: Ho, Jain and Abbeel (2020), eq. 13.
    """
    # tried once: a head that is refused at its first use would be found late
    DiscretizedNormal(torch.zeros(1), scale, num_levels)
    return functools.partial(_head, scale=scale, num_levels=num_levels)


def _head(loc: Tensor, scale: float, num_levels: int) -> Independent:
    """Join the pixels of an image; a function of the module, so that it is pickled."""
    return Independent(DiscretizedNormal(loc, scale, num_levels), 1)
