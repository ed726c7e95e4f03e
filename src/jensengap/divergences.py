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
from torch.distributions import Distribution, Independent, Normal, kl_divergence

from jensengap import gaussians, inputs

_SAMPLE = "use kl_monte_carlo(q, p, num_samples), which returns a standard error"


class Estimate(NamedTuple):
    """A Monte Carlo estimate: ``mean`` and the standard error of that mean."""

    mean: Tensor
    stderr: Tensor

    @classmethod
    @inputs.checked
    def of(cls, samples: Float[Tensor, "k *b"]) -> Estimate:
        r"""Compute mean and standard error of samples along their first axis.

        $$\bar s = \frac1k\sum_i s_i,\qquad
        \mathrm{se} = \sqrt{\frac{1}{k(k-1)}\sum_i (s_i-\bar s)^2}$$

        Args:
            samples: independent draws, sample axis first, ``(k, *b)``.

        Returns:
            ``mean`` and ``stderr``, each ``(*b)``, in the unit of the samples. With
            an infinite sample the mean is infinite, and so is its error.

        Raises:
            ValueError: fewer than two samples; their spread is then unknown.
        """
        k = samples.shape[0]
        if k < 2:
            raise ValueError(
                f"a standard error needs at least 2 samples, got {k}; draw more"
            )
        # std divides by k - 1; the mean of k has a k-th of that variance
        stderr = samples.std(0) / math.sqrt(k)
        # infinity less infinity would be no number
        return cls(
            samples.mean(0), stderr.masked_fill(samples.isinf().any(0), math.inf)
        )


def kl(q: Distribution, p: Distribution) -> Float[Tensor, "*b"]:
    r"""Compute the Kullback-Leibler divergence $\mathrm{KL}(q\,\|\,p)$ in closed form.

    Args:
        q: the distribution that the expectation is taken under.
        p: the reference, of the same event shape. Of two Gaussian vectors one may have
            independent coordinates and the other a full covariance.

    Returns:
        Nats, one value for each element of the common batch shape; infinite where q
        has mass outside of p's support.

    Raises:
        ValueError: event shapes differ; or torch knows no closed form for this pair.
            The function never falls back to sampling; call :func:`kl_monte_carlo`.

    Example:
        >>> from torch.distributions import Normal
        >>> kl(Normal(0.0, 1.0), Normal(0.0, 1.0))
        tensor(0.)

    Source: Kullback and Leibler (1951); the formulas are torch.distributions'.
    """
    gaussians.same_events(q, p)
    both = q, p
    if all(gaussians.is_gaussian(each) for each in both) and (
        gaussians.is_diagonal(q) != gaussians.is_diagonal(p)
    ):
        both = gaussians.joint(q), gaussians.joint(p)
    try:
        value = kl_divergence(*both)
    except NotImplementedError as error:
        raise ValueError(
            f"no closed form of {_pair(q, p)} is known; {_SAMPLE}"
        ) from error
    except RuntimeError as error:  # of Categoricals with other numbers of classes
        raise ValueError(
            f"q and p must be of the same things, got {_pair(q, p)} of parameters that "
            f"do not fit. torch says: {str(error).splitlines()[0]}"
        ) from error
    if not inputs.every(~value.isinf()):
        value = torch.where(value.isinf(), _kl_of_far_scales(q, p, value), value)
    if not inputs.every(~value.isnan()):
        raise ValueError(
            f"the closed form of {_pair(q, p)} is 0/0, or infinity less infinity, for "
            f"these parameters; {_SAMPLE}"
        )
    return value


def _kl_of_far_scales(q: Distribution, p: Distribution, value: Tensor) -> Tensor:
    """Compute the KL of Gaussians whose ratio of variances is beyond a float."""
    if isinstance(q, Independent) and isinstance(p, Independent):
        axes = tuple(range(-q.reinterpreted_batch_ndims, 0))
        terms = kl(q.base_dist, p.base_dist)
        return terms.sum(axes) if axes else terms
    if type(q) is not Normal or type(p) is not Normal:
        return value
    ratio, distance = q.scale / p.scale, (q.loc - p.loc) / p.scale
    # each logarithm for itself: the square of the ratio is no float
    log_ratio = q.scale.log() - p.scale.log()
    return (ratio.square() + distance.square() - 1) / 2 - log_ratio


def _pair(q: Distribution, p: Distribution) -> str:
    return f"KL({gaussians.name(q)} || {gaussians.name(p)})"


@inputs.checked
def kl_monte_carlo(q: Distribution, p: Distribution, num_samples: int) -> Estimate:
    r"""Estimate $\mathrm{KL}(q\,\|\,p)=\mathbb E_q[\log q(z)-\log p(z)]$ by sampling.

    Args:
        q: the distribution that is sampled, batch shape ``(*b)``.
        p: the reference, same event shape, a batch shape that fits.
        num_samples: draws from ``q`` for each batch element, at least 2.

    Returns:
        Unbiased mean and standard error, each of the common batch shape, in nats. A
        single run may come out negative although the divergence never is; where a
        draw lies outside of p's support, both are infinite.

    Raises:
        ValueError: ``num_samples`` below 2, or event or batch shapes that differ.
    """
    if num_samples < 2:
        raise ValueError(
            f"num_samples must be at least 2, got {num_samples}; one draw has no spread"
        )
    batch = gaussians.same_events(q, p)
    # expanded first: else the sample axis of one would meet the batch of the other
    q, p = (d if d.batch_shape == batch else d.expand(batch) for d in (q, p))
    # sample, not rsample: an estimate to be read, not to be differentiated
    z = q.sample((num_samples,))
    return Estimate.of(q.log_prob(z) - gaussians.log_prob(p, z))


@inputs.checked
def kl_quadrature(
    log_q: Float[Tensor, "n *#b"],
    log_p: Float[Tensor, "n *#b"],
    log_weight: Float[Tensor, "n"],
) -> Float[Tensor, "*#b"]:
    r"""Integrate the KL divergence of densities tabulated on a quadrature rule.

    $$\mathrm{KL}(q\,\|\,p)\approx\sum_i w_i\,q(z_i)\,[\log q(z_i)-\log p(z_i)]$$

    Args:
        log_q: log-density of ``q`` at the nodes, node axis first.
        log_p: log-density of ``p`` at the same nodes; batch axes are broadcast.
        log_weight: logarithms of the rule's weights.

    Returns:
        Nats, ``(*b)``. Nodes where ``q`` is zero contribute nothing; where ``p``
        alone is zero the divergence is infinite.

    Raises:
        ValueError: shapes that differ, or a mass ``w q`` too large for a float.
    """
    log_q, log_p = _aligned(log_q, log_p)
    mass = (log_q + _along_nodes(log_weight, log_q)).exp()
    if not inputs.every(mass < math.inf):
        raise ValueError(
            "log_q + log_weight must be the logarithms of masses that sum to one, got "
            f"{(log_q + _along_nodes(log_weight, log_q)).max().item():g}; normalise q"
        )
    # 0 log 0 = 0: where q has no mass, -inf - log p would become NaN
    difference = torch.where(mass > 0, log_q - log_p, 0.0)
    return (mass * difference).sum(0)


@inputs.checked
def jensen_shannon(
    log_p: Float[Tensor, "n *#b"],
    log_q: Float[Tensor, "n *#b"],
    log_weight: Float[Tensor, "n"],
) -> Float[Tensor, "*#b"]:
    r"""Integrate the Jensen-Shannon divergence of densities on a quadrature rule.

    $$\mathrm{JSD}(p,q)=\tfrac12\mathrm{KL}(p\,\|\,m)+\tfrac12\mathrm{KL}(q\,\|\,m),
    \qquad m=\tfrac12(p+q)$$

    Args:
        log_p: log-density of ``p`` at the nodes, node axis first.
        log_q: log-density of ``q`` at the same nodes.
        log_weight: logarithms of the rule's weights.

    Returns:
        Nats, ``(*b)``, between 0 (equal) and log 2 (disjoint supports), up to the
        rule's error. Nodes where both are zero contribute nothing, to its gradient too.

    Raises:
        ValueError: as :func:`kl_quadrature`.

    Source: Lin (1991), eq. 4.1 with equal weights, there written by entropies.
    """
    log_p, log_q = _aligned(log_p, log_q)
    # both zero: logaddexp has no slope there, and no mass needs one
    empty = (log_p == -math.inf) & (log_q == -math.inf)
    # by logarithms: far out both densities underflow, their ratio does not
    log_m = torch.logaddexp(
        log_p.masked_fill(empty, 0.0), log_q.masked_fill(empty, 0.0)
    ) - math.log(2)
    to_p = kl_quadrature(log_p, log_m, log_weight)
    to_q = kl_quadrature(log_q, log_m, log_weight)
    return (to_p + to_q) / 2


def _aligned(*tables: Tensor) -> list[Tensor]:
    """Give tables as many axes as the longest has, the node axis first in each."""
    most = max(table.dim() for table in tables)
    return [
        table.reshape(len(table), *[1] * (most - table.dim()), *table.shape[1:])
        for table in tables
    ]


def _along_nodes(log_weight: Tensor, values: Tensor) -> Tensor:
    """Give the weights as many trailing axes as the values have."""
    return log_weight.reshape(-1, *[1] * (values.dim() - 1))
