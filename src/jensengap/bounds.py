r"""Bounds on $\log p(x)$ computed from $k$ importance log-weights.

Everything starts from $\log w_i=\log p(x,z_i)-\log q(z_i\,|\,x)$ with
$z_i\sim q(\cdot\,|\,x)$, sample axis first. All values are in nats per example, and
larger is better: a loss is minus one of these, negated where it is used.
"""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor


def elbo(log_w: Float[Tensor, "k *b"]) -> Float[Tensor, "*b"]:
    r"""Compute the evidence lower bound (ELBO), $\frac1k\sum_i\log w_i$.

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
    r"""Compute the importance-weighted bound (IWAE), $\log\frac1k\sum_i w_i$.

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
    return _power_mean(log_w, 1.0)


def renyi(log_w: Float[Tensor, "k *b"], alpha: float) -> Float[Tensor, "*b"]:
    r"""Compute the Rényi bound, $\frac{1}{1-\alpha}\log\frac1k\sum_i w_i^{1-\alpha}$.

    Between :func:`iwae` at $\alpha=0$ and :func:`elbo`, its limit as $\alpha\to1$; for
    the same samples it falls as $\alpha$ grows.

    Args:
        log_w: log-weights, ``(k, *b)``.
        alpha: the order, in [0, 1).

    Returns:
        Nats per example, ``(*b)``. Its expectation lies below $\log p(x)$.

    Raises:
        ValueError: no samples, or an order outside [0, 1).

    Source: Li and Turner (2016), eqs. 4 and 6.
    """
    if not 0 <= alpha < 1:
        raise ValueError(f"alpha must be in [0, 1), got {alpha}; use elbo for alpha=1")
    return _power_mean(log_w, 1 - alpha)


def cubo(log_w: Float[Tensor, "k *b"], order: float = 2.0) -> Float[Tensor, "*b"]:
    r"""Estimate the $\chi$ upper bound (CUBO), $\frac1n\log\frac1k\sum_i w_i^n$.

    $\frac1n\log\mathbb E_q[w^n]\ge\log p(x)$ for every $n\ge1$. *This estimate of it*
    stands outside that promise: the logarithm of an average lies below the logarithm
    of the expectation on average, so a small ``k`` can put it under $\log p(x)$.

    Args:
        log_w: log-weights, ``(k, *b)``.
        order: $n$, at least 1; with 1 it is :func:`iwae`.

    Returns:
        Nats per example, ``(*b)``: never below :func:`iwae` of the same samples.

    Raises:
        ValueError: no samples, or an order below 1 or not finite.

    Source: Dieng et al. (2017), eq. 3.
    """
    if not 1 <= order < math.inf:
        raise ValueError(
            f"order must be at least 1 and finite, got {order}; below 1 the bound is a "
            "lower one, see renyi"
        )
    return _power_mean(log_w, order)


def effective_sample_size(log_w: Float[Tensor, "k *b"]) -> Float[Tensor, "*b"]:
    r"""Compute the effective sample size (ESS), $(\sum w)^2/\sum w^2$.

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


def _power_mean(log_w: Tensor, power: float) -> Tensor:
    r"""Compute $\frac1p\log\frac1k\sum_i w_i^p$: the bounds differ in $p$ alone."""
    k = _num_samples(log_w)
    # logsumexp: log-weights are hundreds of nats below 0, where exp underflows
    return ((power * log_w).logsumexp(0) - math.log(k)) / power


def _num_samples(log_w: Tensor) -> int:
    k = log_w.shape[0] if log_w.dim() else 0
    if k < 1:
        raise ValueError(
            f"log_w must hold k >= 1 samples on its first axis, got shape "
            f"{tuple(log_w.shape)}; draw at least one z from q"
        )
    return k
