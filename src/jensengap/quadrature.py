r"""Quadrature: rules that replace an integral over ``z`` by a weighted sum.

A rule is nodes and the *logarithms* of its weights, so that densities far too small for
a float can be summed. Everything is float64 unless ``q`` says otherwise.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Independent


class Grid(NamedTuple):
    """Nodes and log-weights of a quadrature rule for a low-dimensional ``z``.

    Attributes:
        nodes: ``(n, z)``.
        log_weight: ``(n,)``; the integral of ``f`` is ``(log_weight.exp() * f).sum()``.
    """

    nodes: Float[Tensor, "n z"]
    log_weight: Float[Tensor, "n"]


def grid(num: int, limit: float = 8.0, dim: int = 2) -> Grid:
    r"""Make the trapezoidal rule on $[-\text{limit},\text{limit}]^{\text{dim}}$.

    For smooth integrands that vanish at the edges its error falls faster than any
    power of the spacing, so that doubling ``num`` shows whether it has converged.

    Args:
        num: nodes a side, at least 2.
        limit: half the side; densities must be negligible beyond it.
        dim: dimensions of ``z``; the cost is ``num ** dim``.

    Raises:
        ValueError: ``num`` below 2, ``dim`` below 1, or a ``limit`` that is not
            positive and finite.

    Source: Trefethen and Weideman (2014).
    """
    if num < 2 or not 0 < limit < math.inf or dim < 1:
        raise ValueError(
            "grid needs num >= 2, a finite limit > 0 and dim >= 1, got "
            f"{num}, {limit}, {dim}"
        )
    side = torch.linspace(-limit, limit, num, dtype=torch.float64)
    nodes = torch.cartesian_prod(*[side] * dim).reshape(-1, dim)
    log_cell = dim * math.log(2 * limit / (num - 1))
    # a node on an edge belongs to half a cell, one in a corner to a quarter
    num_edges = (nodes.abs() == limit).sum(-1).double()
    return Grid(nodes, log_cell - num_edges * math.log(2.0))


def gauss_hermite(
    q: Independent, num: int
) -> tuple[Float[Tensor, "n *b z"], Float[Tensor, "n"]]:
    r"""Make Gauss-Hermite nodes and log-weights for a diagonal Gaussian.

    $$\mathbb E_q[f(z)]\approx\sum_i w_i f(\mu+\sigma\odot t_i)$$

    with the ``num ** z`` nodes of the product Gauss-Hermite rule: exact for
    polynomials of degree below ``2 num`` in each coordinate.

    Args:
        q: diagonal Gaussian, batch shape ``(*b)``, event shape ``(z,)``.
        num: nodes in each dimension, at least 1.

    Returns:
        Nodes ``(n, *b, z)`` and log-weights ``(n,)`` that sum to one, of ``q``'s dtype.

    Raises:
        ValueError: ``num`` below 1.

    Source: Golub and Welsch (1969), through numpy.
    """
    if num < 1:
        raise ValueError(f"gauss_hermite needs num >= 1 nodes a dimension, got {num}")
    # the probabilists' polynomials: their weight is exp(-t^2 / 2)
    node, weight = np.polynomial.hermite_e.hermegauss(num)
    node, weight = (torch.as_tensor(a).to(q.mean.dtype) for a in (node, weight))
    dim = q.event_shape[0]
    # reshape: of one list cartesian_prod makes a vector, not a column
    t = torch.cartesian_prod(*[node] * dim).reshape(-1, dim)
    logs = torch.cartesian_prod(*[weight.log()] * dim).reshape(-1, dim).sum(-1)
    # axes for the batch between nodes and coordinates
    t = t.reshape(-1, *[1] * len(q.batch_shape), dim)
    # normalised: numpy's weights sum to sqrt(2 pi)
    return q.mean + q.stddev * t, logs - logs.logsumexp(0)


def log_evidence(
    log_joint: Float[Tensor, "n *b"], log_weight: Float[Tensor, "n"]
) -> Float[Tensor, "*b"]:
    r"""Integrate $\log p(x)=\log\int p(x,z)\,\mathrm dz$ by a rule, nats an example.

    Args:
        log_joint: $\log p(x,z_i)$ at the nodes, node axis first.
        log_weight: the rule's log-weights, :attr:`Grid.log_weight`.

    Returns:
        ``(*b)``.
    """
    weights = log_weight.reshape(-1, *[1] * (log_joint.dim() - 1))
    # p(x, z) of an image is about e^-100: only its logarithm is a float
    return (log_joint + weights).logsumexp(0)
