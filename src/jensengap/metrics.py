r"""What a code is worth: active units, and the rate split into information and misfit.

Everything is measured on a set of $n$ examples, whose codes together make the
*aggregate posterior* $q(z)=\frac1n\sum_i q(z\,|\,x_i)$.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.distributions import Distribution, Independent, kl_divergence

from jensengap.divergences import Estimate


def active_units(
    means: Float[Tensor, "n z"], threshold: float = 0.01
) -> Bool[Tensor, "z"]:
    r"""Which latent coordinates react to the data: $\Var_x(\mathbb E_q[z_j])$ is not 0.

    Args:
        means: the encoder's means for ``n`` examples.
        threshold: variance above which a coordinate counts as active.

    Returns:
        One truth value for each coordinate; ``.sum()`` counts the active ones.

    Raises:
        ValueError: fewer than two examples, or a threshold that is not positive.

    Source: Burda, Grosse and Salakhutdinov (2016), section 5.
    """
    if len(means) < 2 or not threshold > 0:
        raise ValueError(
            "active_units needs at least 2 examples and a positive threshold, got "
            f"{len(means)} and {threshold}"
        )
    return means.var(0) > threshold


def log_aggregate(
    q: Independent, z: Float[Tensor, "*s z"], chunk: int = 2048
) -> Float[Tensor, "*s"]:
    r"""$\log q(z)=\log\frac1n\sum_i q(z\,|\,x_i)$, log-density of all codes together.

    Args:
        q: the encoder's answers to ``n`` examples, batch shape ``(n,)``.
        z: where to evaluate.
        chunk: points at a time; memory is about ``3 * chunk * n * z`` numbers.

    Returns:
        Nats, one value for each ``z``.

    Raises:
        ValueError: ``q`` without one batch axis, or ``chunk`` below 1.
    """
    if len(q.batch_shape) != 1 or chunk < 1:
        raise ValueError(
            f"q needs the batch shape (n,) and chunk must be at least 1, got "
            f"{tuple(q.batch_shape)} and {chunk}"
        )
    points = z.reshape(-1, z.shape[-1])
    parts = [
        q.log_prob(part[:, None]).logsumexp(1) - math.log(q.batch_shape[0])
        for part in points.split(chunk)
    ]
    return torch.cat(parts).reshape(z.shape[:-1])


class Rate(NamedTuple):
    r"""The rate $\mathbb E_x\mathrm{KL}(q(z|x)\,\|\,p(z))$ and its two parts, in nats.

    Attributes:
        total: the mean KL to the prior, in closed form.
        information: $I_q(x;z)$, at most $\log n$.
        marginal: $\mathrm{KL}(q(z)\,\|\,p(z))$, the aggregate posterior's misfit.
    """

    total: Tensor
    information: Estimate
    marginal: Estimate


def rate(q: Independent, prior: Distribution, num_samples: int = 10) -> Rate:
    r"""Split the rate of $n$ examples into information and misfit of the aggregate.

    $$\frac1n\sum_i\mathrm{KL}(q(z|x_i)\,\|\,p(z))
    =\underbrace{\frac1n\sum_i\mathbb E_{q(z|x_i)}[\log q(z|x_i)-\log q(z)]}_{I_q(x;z)}
    +\mathrm{KL}(q(z)\,\|\,p(z))$$

    Args:
        q: the encoder's answers to the examples, batch shape ``(n,)``.
        prior: $p(z)$.
        num_samples: draws of ``z`` for each example, at least 2.

    Returns:
        :class:`Rate`. The two estimates come from the same draws; their standard
        errors are over draws, for these very examples.

    Raises:
        ValueError: ``num_samples`` below 2.

    Source: Hoffman and Johnson (2016), eq. 7.
    """
    if num_samples < 2:
        raise ValueError(f"num_samples must be at least 2, got {num_samples}")
    with torch.no_grad():
        z = q.sample((num_samples,))  # (k, n, z)
        log_own, log_all = q.log_prob(z), log_aggregate(q, z)
        log_prior = prior.log_prob(z)
        return Rate(
            kl_divergence(q, prior).mean(),
            Estimate.of((log_own - log_all).mean(1)),
            Estimate.of((log_all - log_prior).mean(1)),
        )
