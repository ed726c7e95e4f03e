r"""Euclidean distances between rows, by differences: no digit is lost, none overflows.

The shortcut $\|x-y\|^2=\|x\|^2-2x^\top y+\|y\|^2$ is a matrix product, and loses what
two close points far from the origin differ by.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from jensengap import inputs


@inputs.checked
def between(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    r"""Compute $\|x_i-y_j\|$ of all pairs of rows.

    Args:
        x: points, one a row.
        y: others.

    Returns:
        Distances in float64 where the device has it, without gradients.

    Raises:
        ValueError: another number of dimensions or device, or a value that is NaN or
            infinite, which is at no distance from anything.
    """
    inputs.alike("y", y, x.to(y.dtype))
    inputs.finite("x", x)
    inputs.finite("y", y)
    with torch.no_grad():
        wide = inputs.widest(x)
        x, y = x.to(wide), y.to(wide)
        # of the largest: squares neither overflow nor vanish
        size = torch.maximum(x.abs().amax(), y.abs().amax())
        size = size.clamp(min=torch.finfo(wide).tiny)
        # a power of two, so that the division rounds nothing
        size = (size.frexp().exponent - 1).to(wide).exp2()
        mode = "donot_use_mm_for_euclid_dist"
        return torch.cdist(x / size, y / size, compute_mode=mode) * size
