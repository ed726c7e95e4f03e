r"""Functions of log-weights: what $k$ samples say about $\log p(x)$.

Everything starts from $\log w_i=\log p(x,z_i)-\log q(z_i\,|\,x)$ with
$z_i\sim q(\cdot\,|\,x)$, sample axis first. All values are in nats per example, and
larger is better: a loss is minus one of these, negated where it is used.
"""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor


def elbo(log_w: Float[Tensor, "k *b"]) -> Float[Tensor, "*b"]:
    r"""Evidence lower bound, $\frac1k\sum_i\log w_i$.

    Args:
        log_w: log-weights, ``(k, *b)``.

    Returns:
        Nats per example, ``(*b)``: an unbiased estimate of a lower bound of
        $\log p(x)$, for every ``k``.

    Raises:
        ValueError: no samples.

    Example:
        >>> import torch
        >>> elbo(torch.tensor([[-3.0], [-1.0]]))
        tensor([-2.])

    Source: Jordan et al. (1999); Kingma and Welling (2014), eq. 2.
    """
    _num_samples(log_w)
    return log_w.mean(0)


def iwae(log_w: Float[Tensor, "k *b"]) -> Float[Tensor, "*b"]:
    r"""Importance-weighted bound, $\log\frac1k\sum_i w_i$.

    The mean stands inside the logarithm: with the two exchanged this would be
    :func:`elbo` whatever ``k`` is.

    Args:
        log_w: log-weights, ``(k, *b)``.

    Returns:
        Nats per example, ``(*b)``. Its expectation lies below $\log p(x)$ and
        never falls as ``k`` grows.

    Raises:
        ValueError: no samples.

    Source: Burda, Grosse and Salakhutdinov (2016), eq. 8 and theorem 1.
    """
    return log_w.logsumexp(0) - math.log(_num_samples(log_w))


def effective_sample_size(log_w: Float[Tensor, "k *b"]) -> Float[Tensor, "*b"]:
    r"""How many equally weighted samples these are worth, $(\sum w)^2/\sum w^2$.

    Args:
        log_w: log-weights, ``(k, *b)``.

    Returns:
        Between 1 (one weight rules) and ``k`` (all equal), ``(*b)``.

    Raises:
        ValueError: no samples.

    Source: Kong (1992).
    """
    _num_samples(log_w)
    # from normalised weights: with log_w near -1e4 a difference of two logarithms
    # keeps three digits of float32, and exceeds k
    return log_w.softmax(0).square().sum(0).reciprocal()


def _num_samples(log_w: Tensor) -> int:
    k = log_w.shape[0] if log_w.dim() else 0
    if k < 1:
        raise ValueError(
            f"log_w must hold k >= 1 samples on its first axis, got shape "
            f"{tuple(log_w.shape)}; draw at least one z from q"
        )
    return k
