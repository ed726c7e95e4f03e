"""KL and Jensen-Shannon divergence: closed form, quadrature, or Monte Carlo.

Three families that never stand in for one another: :func:`kl` is exact or raises,
:func:`kl_quadrature` and :func:`jensen_shannon` integrate densities given on a grid,
and :func:`kl_monte_carlo` returns an :class:`Estimate` with its standard error.
All values are in nats.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution, kl_divergence


class Estimate(NamedTuple):
    """A Monte Carlo estimate: ``mean`` and the standard error of that mean."""

    mean: Tensor
    stderr: Tensor

    @classmethod
    def of(cls, samples: Float[Tensor, "k *b"]) -> Estimate:
        r"""Compute mean and standard error of samples along their first axis.

        $$\bar s = \frac1k\sum_i s_i,\qquad
        \mathrm{se} = \sqrt{\frac{1}{k(k-1)}\sum_i (s_i-\bar s)^2}$$

        Args:
            samples: independent draws, sample axis first, ``(k, *b)``.

        Returns:
            ``mean`` and ``stderr``, each ``(*b)``, in the unit of the samples.

        Raises:
            ValueError: fewer than two samples; their spread is then unknown.
        """
        k = samples.shape[0]
        if k < 2:
            raise ValueError(f"a standard error needs at least 2 samples, got {k}")
        # std divides by k - 1; the mean of k has a k-th of that variance
        return cls(samples.mean(0), samples.std(0) / math.sqrt(k))


def kl(q: Distribution, p: Distribution) -> Float[Tensor, "*b"]:
    r"""Compute the Kullback-Leibler divergence $\mathrm{KL}(q\,\|\,p)$ in closed form.

    Args:
        q: the distribution that the expectation is taken under.
        p: the reference.

    Returns:
        Nats, one value for each element of the common batch shape.

    Raises:
        ValueError: torch knows no closed form for this pair. The function never
            falls back to sampling; call :func:`kl_monte_carlo` for that.

    Example:
        >>> from torch.distributions import Normal
        >>> kl(Normal(0.0, 1.0), Normal(0.0, 1.0))
        tensor(0.)

    Source: Kullback and Leibler (1951); the formulas are torch.distributions'.
    """
    try:
        return kl_divergence(q, p)
    except NotImplementedError as error:
        raise ValueError(
            f"no closed form of KL({type(q).__name__} || {type(p).__name__}) is known; "
            "use kl_monte_carlo(q, p, num_samples), which returns a standard error"
        ) from error


def kl_monte_carlo(q: Distribution, p: Distribution, num_samples: int) -> Estimate:
    r"""Estimate $\mathrm{KL}(q\,\|\,p)=\mathbb E_q[\log q(z)-\log p(z)]$ by sampling.

    Args:
        q: the distribution that is sampled, batch shape ``(*b)``.
        p: the reference, same event shape.
        num_samples: draws from ``q`` for each batch element, at least 2.

    Returns:
        Unbiased mean and standard error, each ``(*b)``, in nats. A single run may
        come out negative although the divergence never is.

    Raises:
        ValueError: ``num_samples`` below 2.
    """
    if num_samples < 2:
        raise ValueError(f"num_samples must be at least 2, got {num_samples}")
    # sample, not rsample: an estimate to be read, not to be differentiated
    z = q.sample((num_samples,))
    return Estimate.of(q.log_prob(z) - p.log_prob(z))


def kl_quadrature(
    log_q: Float[Tensor, "n *b"],
    log_p: Float[Tensor, "n *b"],
    log_weight: Float[Tensor, "n"],
) -> Float[Tensor, "*b"]:
    r"""Integrate the KL divergence of densities tabulated on a quadrature rule.

    $$\mathrm{KL}(q\,\|\,p)\approx\sum_i w_i\,q(z_i)\,[\log q(z_i)-\log p(z_i)]$$

    Args:
        log_q: log-density of ``q`` at the nodes, node axis first.
        log_p: log-density of ``p`` at the same nodes.
        log_weight: logarithms of the rule's weights.

    Returns:
        Nats, ``(*b)``. Nodes where ``q`` is zero contribute nothing; where ``p``
        alone is zero the divergence is infinite.
    """
    mass = (log_q + _along_nodes(log_weight, log_q)).exp()
    # 0 log 0 = 0: where q has no mass, -inf - log p would become NaN
    difference = torch.where(mass > 0, log_q - log_p, 0.0)
    return (mass * difference).sum(0)


def jensen_shannon(
    log_p: Float[Tensor, "n *b"],
    log_q: Float[Tensor, "n *b"],
    log_weight: Float[Tensor, "n"],
) -> Float[Tensor, "*b"]:
    r"""Integrate the Jensen-Shannon divergence of densities on a quadrature rule.

    $$\mathrm{JSD}(p,q)=\tfrac12\mathrm{KL}(p\,\|\,m)+\tfrac12\mathrm{KL}(q\,\|\,m),
    \qquad m=\tfrac12(p+q)$$

    Args:
        log_p: log-density of ``p`` at the nodes, node axis first.
        log_q: log-density of ``q`` at the same nodes.
        log_weight: logarithms of the rule's weights.

    Returns:
        Nats, ``(*b)``, between 0 (equal) and log 2 (disjoint supports).

    Source: Lin (1991), eq. 3.2.
    """
    # by logarithms: far out both densities underflow, their ratio does not
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    to_p = kl_quadrature(log_p, log_m, log_weight)
    to_q = kl_quadrature(log_q, log_m, log_weight)
    return (to_p + to_q) / 2


def _along_nodes(log_weight: Tensor, values: Tensor) -> Tensor:
    """Give the weights as many trailing axes as the values have."""
    return log_weight.reshape(-1, *[1] * (values.dim() - 1))
