"""Synthetic data of known density: Gaussians on a ring; a seed decides the points."""

import math
from typing import SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor

from jensengap import inputs


@inputs.checked
def ring_centers(modes: int, radius: float) -> Float[Tensor, "m 2"]:
    r"""Place centres on a circle, $c_k=r\,(\cos 2\pi k/m,\ \sin 2\pi k/m)$.

    Args:
        modes: $m$, how many.
        radius: $r$, of the circle.

    Returns:
        One centre a row.

    Raises:
        ValueError: modes or radius not positive and finite.

    Source: Metz et al. (2017), section 3.1.
    """
    _positive(modes=modes, radius=radius)
    angle = torch.arange(modes) * (2 * math.pi / modes)
    return radius * torch.stack([angle.cos(), angle.sin()], dim=1)


@inputs.checked
def ring_of_gaussians(
    n: int,
    *,
    modes: int = 8,
    radius: float = 2.0,
    scale: float = 0.02,
    seed: SupportsIndex | torch.Generator,
) -> Float[Tensor, "n 2"]:
    r"""Draw points from m Gaussians on a circle, the usual test of mode collapse.

    $$p(x)=\frac1m\sum_k\mathcal N(x;\,c_k,\,s^2I),$$

    with the centres $c_k$ of :func:`ring_centers`.

    Args:
        n: how many points.
        modes: $m$, how many Gaussians.
        radius: $r$, of the circle.
        scale: $s$, the standard deviation of each Gaussian.
        seed: the same seed gives the same points; of a generator the next ones come,
            on its device.

    Returns:
        Points, ``(n, 2)``, in random order of their modes.

    Raises:
        ValueError: n, modes, radius or scale not positive and finite.

    Source: Metz et al. (2017), section 3.1, for the eight on a circle.
    """
    _positive(n=n, modes=modes, radius=radius, scale=scale)
    generator = seed
    if not isinstance(seed, torch.Generator):
        generator = _seeded(seed)
    where = {"generator": generator, "device": generator.device}
    # the order of draws is part of what a seed means: modes first, then noise
    which = torch.randint(modes, (n,), **where)
    noise = scale * torch.randn(n, 2, **where)
    return ring_centers(modes, radius).to(noise.device)[which] + noise


@inputs.checked
def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _positive(**numbers: int | float) -> None:
    for name, value in numbers.items():
        if not (value > 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be positive and finite, got {value}")
