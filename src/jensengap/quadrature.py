r"""Quadrature: rules that replace an integral over ``z`` by a weighted sum.

A rule is nodes and the *logarithms* of its weights, so that densities far too small for
a float can be summed. A grid is float64; nodes for a ``q`` have its dtype and device.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.linalg import eigvalsh_tridiagonal
from scipy.special import logsumexp
from torch import Tensor
from torch.distributions import Distribution

from jensengap import gaussians, inputs

# Numbers in the nodes of a rule: 400 MB in float64. A product rule grows as num ** dim.
LARGEST = 50_000_000
LARGEST_DEGREE = 10_000  # of a Gauss-Hermite rule: a few seconds


class Grid(NamedTuple):
    """Nodes and log-weights of a quadrature rule for a low-dimensional ``z``.

    Attributes:
        nodes: ``(n, z)``.
        log_weight: ``(n,)``; the integral of ``f`` is ``(log_weight.exp() * f).sum()``.
    """

    nodes: Float[Tensor, "n z"]
    log_weight: Float[Tensor, "n"]


@inputs.checked
def grid(num: int, limit: float = 8.0, dim: int = 2) -> Grid:
    r"""Make the trapezoidal rule on $[-\text{limit},\text{limit}]^{\text{dim}}$.

    For integrands that are smooth and vanish at the edges together with all their
    derivatives, as Gaussians nearly do, its error falls faster than any power of the
    spacing, so that doubling ``num`` shows whether it has converged. Where only the
    integrand vanishes, as $1-z^2$ on $[-1,1]$, each halving divides the error by four.

    Args:
        num: nodes a side, at least 2.
        limit: half the side; densities must be negligible beyond it.
        dim: dimensions of ``z``; the cost is ``num ** dim``.

    Raises:
        ValueError: ``num`` below 2, ``dim`` below 1, a ``limit`` that is not positive
            and finite, or more nodes than :data:`LARGEST` allows.

    Source: Trefethen and Weideman (2014), whose theorem 5.1 has the faster, exponential
    rate of functions that are analytic in a strip around the real line.
    """
    if num < 2 or not 0 < 2 * limit < math.inf or dim < 1:
        raise ValueError(
            "grid needs num >= 2, a finite limit > 0 and dim >= 1, got "
            f"{num}, {limit}, {dim}"
        )
    _affordable(num, dim)
    side = torch.linspace(-limit, limit, num, dtype=torch.float64)
    nodes = torch.cartesian_prod(*[side] * dim).reshape(-1, dim)
    # apart: the quotient of a tiny limit would be zero
    log_cell = dim * (math.log(2 * limit) - math.log(num - 1))
    # a node on an edge belongs to half a cell, one in a corner to a quarter
    num_edges = (nodes.abs() == limit).sum(-1).double()
    return Grid(nodes, log_cell - num_edges * math.log(2.0))


@inputs.checked
def gauss_hermite(
    q: Distribution, num: int
) -> tuple[Float[Tensor, "n *b z"], Float[Tensor, "n"]]:
    r"""Make Gauss-Hermite nodes and log-weights for a Gaussian.

    $$\mathbb E_q[f(z)]\approx\sum_i w_i f(\mu+L\,t_i)$$

    with the ``num ** z`` nodes of the product Gauss-Hermite rule and the Cholesky
    factor $L$ of the covariance: exact for polynomials of degree below ``2 num`` in
    each coordinate of $t$.

    Args:
        q: a Gaussian vector, batch shape ``(*b)``, event shape ``(z,)``: independent
            coordinates, ``Independent(Normal, 1)``, or a ``MultivariateNormal``.
        num: nodes in each dimension, at least 1.

    Returns:
        Nodes ``(n, *b, z)`` and log-weights ``(n,)``, of ``q``'s dtype and on its
        device. The weights, not their logarithms, sum to one.

    Raises:
        ValueError: another distribution, ``num`` below 1, or more nodes than
            :data:`LARGEST_DEGREE` and :data:`LARGEST` allow.

    Source: Golub and Welsch (1969) for the nodes; the weights are not computed by their
    eigenvectors but from the orthonormal polynomials (Christoffel numbers).
    """
    if not 1 <= num <= LARGEST_DEGREE:
        raise ValueError(
            f"gauss_hermite needs num >= 1 nodes a dimension and at most "
            f"{LARGEST_DEGREE}, got {num}; grid has rules that are finer"
        )
    factor = gaussians.scale_tril(q)
    loc, dim = q.mean, q.event_shape[0]
    _affordable(num, dim)
    kind = {"dtype": loc.dtype, "device": loc.device}
    # from Python's numbers: numpy's float64 is not on every device
    node, log_weight = (torch.tensor(each.tolist(), **kind) for each in _hermite(num))
    # reshape: of one list cartesian_prod makes a vector, not a column
    t = torch.cartesian_prod(*[node] * dim).reshape(-1, dim)
    logs = torch.cartesian_prod(*[log_weight] * dim).reshape(-1, dim).sum(-1)
    # axes for the batch between nodes and coordinates
    t = t.reshape(-1, *[1] * len(q.batch_shape), dim)
    if gaussians.is_diagonal(q):
        return loc + q.base_dist.scale * t, logs
    return loc + (factor @ t[..., None])[..., 0], logs


@functools.cache
def _hermite(num: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Compute nodes and log-weights of $\mathbb E[f(t)]$, $t$ standard normal.

    The orthonormal Hermite polynomials obey
    $\sqrt{k+1}\,p_{k+1}=t\,p_k-\sqrt k\,p_{k-1}$. The nodes are the eigenvalues of this
    recurrence, and $1/w_i=\sum_{k<n}p_k(t_i)^2$. A weight may be far too small for a
    float, so the sum is kept as a logarithm.
    """
    roots = np.sqrt(np.arange(num))
    node = eigvalsh_tridiagonal(np.zeros(num), roots[1:]) if num > 1 else np.zeros(1)
    # the rule is symmetric; rounding is not
    node = (node - node[::-1]) / 2
    last, here = np.zeros(num), np.ones(num)
    total, log_size = np.ones(num), np.zeros(num)
    for k in range(1, num):
        last, here = here, (node * here - roots[k - 1] * last) / roots[k]
        # divided by its size: a polynomial of degree 400 overflows
        size = np.sqrt(total + here**2)
        last, here, total = last / size, here / size, np.ones(num)
        log_size += np.log(size)
    log_weight = -2 * log_size
    return node, log_weight - logsumexp(log_weight)


def _affordable(num: int, dim: int) -> None:
    """Refuse a rule that no memory holds."""
    if dim * math.log(num) + math.log(dim) > math.log(LARGEST):
        raise ValueError(
            f"a rule of {num} ** {dim} nodes is too large, a rule may hold {LARGEST:,} "
            "numbers; take fewer nodes a side, or sample (kl_monte_carlo, log_evidence)"
        )


@inputs.checked
def log_evidence(
    log_joint: Float[Tensor, "n *b"], log_weight: Float[Tensor, "n"]
) -> Float[Tensor, "*b"]:
    r"""Integrate $\log p(x)=\log\int p(x,z)\,\mathrm dz$ by a rule, nats an example.

    Args:
        log_joint: $\log p(x,z_i)$ at the nodes, node axis first.
        log_weight: the rule's log-weights, :attr:`Grid.log_weight`.

    Returns:
        ``(*b)``.

    Raises:
        ValueError: another number of weights than of nodes.
    """
    weights = log_weight.reshape(-1, *[1] * (log_joint.dim() - 1))
    # p(x, z) of an image is about e^-100: only its logarithm is a float
    return (log_joint + weights).logsumexp(0)
