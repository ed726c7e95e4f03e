"""Linear codes that a probe of a learned code is read beside: PCA, and mere chance."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize


class Projection(NamedTuple):
    """A linear code, $z=(x-\\mu)P$: ``loc`` $\\mu$ and ``matrix`` $P$."""

    loc: Float[Tensor, "i"]
    matrix: Float[Tensor, "i d"]

    def encode(self, x: Float[Tensor, "n i"]) -> Float[Tensor, "n d"]:
        """Return the code of each row."""
        return (x.to(self.loc) - self.loc) @ self.matrix


def principal_components(x: Float[Tensor, "n i"], num_dims: int) -> Projection:
    """The first principal components, the control that learns from pixels alone.

    Args:
        x: examples, one a row.
        num_dims: how many components.

    Returns:
        :class:`Projection`, float64, orthonormal columns. Computed by scikit-learn,
        which settles their signs.

    Raises:
        ValueError: more components than rows or columns, or fewer than 1.
    """
    _dims(num_dims, min(x.shape))
    from sklearn.decomposition import PCA  # a second to import

    found = PCA(num_dims, svd_solver="full").fit(x.double().numpy())
    return Projection(
        torch.from_numpy(found.mean_), torch.from_numpy(found.components_).mT
    )


def random_projection(x: Float[Tensor, "n i"], num_dims: int) -> Projection:
    """Random directions of unit length, the control that learns nothing.

    Args:
        x: examples, for their mean and size only.
        num_dims: how many directions, drawn from torch's global generator.

    Returns:
        :class:`Projection`, float64.

    Raises:
        ValueError: more directions than columns, or fewer than 1.
    """
    _dims(num_dims, x.shape[1])
    matrix = torch.randn(x.shape[1], num_dims, dtype=torch.float64)
    return Projection(x.double().mean(0), normalize(matrix, dim=0))


def _dims(num_dims: int, most: int) -> None:
    if not 1 <= num_dims <= most:
        raise ValueError(f"num_dims must be from 1 to {most}, got {num_dims}")
