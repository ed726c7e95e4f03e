r"""Bounds on $\log p(x)$ computed from $k$ importance log-weights.

Everything starts from $\log w_i=\log p(x,z_i)-\log q(z_i\,|\,x)$ with
$z_i\sim q(\cdot\,|\,x)$, sample axis first. Bounds are in nats per example. The lower
bounds are raised in training: a loss is minus one of them, negated where it is used.
:func:`cubo` is an upper bound, so the tighter one is smaller; the effective sample size
is a count. Weights of zero, $\log w=-\infty$, are weights like others.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from jensengap import inputs


@inputs.checked
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

    Source: Jordan et al. (1999); Kingma and Welling (2014), eq. 2, and eq. 6 for the
    estimate.
    """
    return log_w.mean(0)


@inputs.checked
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


@inputs.checked
def renyi(
    log_w: Float[Tensor, "k *b"], alpha: float | Float[Tensor, ""]
) -> Float[Tensor, "*b"]:
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

    Source: Li and Turner (2016), eq. 4, and eq. 5 for the estimate; theorems 1 and 2.
    """
    if not 0 <= alpha < 1:
        raise ValueError(f"alpha must be in [0, 1), got {alpha}; use elbo for alpha=1")
    return _power_mean(log_w, 1 - alpha)


@inputs.checked
def cubo(
    log_w: Float[Tensor, "k *b"], order: float | Float[Tensor, ""] = 2.0
) -> Float[Tensor, "*b"]:
    r"""Estimate the $\chi$ upper bound (CUBO), $\frac1n\log\frac1k\sum_i w_i^n$.

    $\frac1n\log\mathbb E_q[w^n]\ge\log p(x)$ for every $n\ge1$, if $q$ has mass
    wherever $p(x,z)$ has. *This estimate of it* stands outside that promise: the
    logarithm of an average lies below the logarithm of the expectation on average, so a
    small ``k`` can put it under $\log p(x)$.

    Args:
        log_w: log-weights, ``(k, *b)``.
        order: $n$, at least 1; with 1 it is :func:`iwae`.

    Returns:
        Nats per example, ``(*b)``: never below :func:`iwae` of the same samples.

    Raises:
        ValueError: no samples, or an order below 1 or not finite.

    Source: Dieng et al. (2017); Li and Turner (2016), eq. 5 with $\alpha=1-n$.
    """
    if not 1 <= order < math.inf:
        raise ValueError(
            f"order must be at least 1 and finite, got {order}; below 1 the bound is a "
            "lower one, see renyi"
        )
    return _power_mean(log_w, order)


@inputs.checked
def effective_sample_size(log_w: Float[Tensor, "k *b"]) -> Float[Tensor, "*b"]:
    r"""Compute the effective sample size (ESS), $(\sum w)^2/\sum w^2$.

    Args:
        log_w: log-weights, ``(k, *b)``.

    Returns:
        Between 1 (one weight rules) and ``k`` (all equal), ``(*b)``.

    Raises:
        ValueError: no samples, or weights that are all zero, or infinite: their ratio
            is then not defined.

    Source: Kong (1992).
    """
    # from normalised weights: with log_w near -1e4 a difference of two logarithms
    # keeps three digits of float32, and exceeds k
    # a half has too few digits to count in
    size = inputs.single(log_w).softmax(0).square().sum(0).reciprocal()
    if not inputs.every(~size.isnan()):
        raise ValueError(
            "log_w must have a finite largest value for every example, got "
            f"{log_w.amax(0)[size.isnan()][0].item():g}; no draw has a weight of which "
            "a share could be taken: does q put its mass where p(x, z) has some?"
        )
    return size.to(log_w.dtype)


def _power_mean(log_w: Tensor, power: float | Tensor) -> Tensor:
    r"""Compute $\frac1p\log\frac1k\sum_i w_i^p$: the bounds differ in $p$ alone."""
    # a half has too few digits for a small power, and too small a range for a large one
    wide = log_w if log_w.dtype.itemsize > 2 else log_w.float()
    power = min(power, torch.finfo(wide.dtype).max)
    # from the largest: exp of hundreds of nats below 0 underflows, and a large power of
    # it would even as a logarithm
    top = wide.detach().amax(0)
    has_mass = top > -torch.inf
    # where every weight is zero so is their mean, and no sample has a share in it
    shifted = torch.where(has_mass, wide - top.nan_to_num(neginf=0.0), 0.0)
    far = top + (torch.logsumexp(power * shifted, 0) - math.log(len(wide))) / power
    if power >= 0.5:
        return far.to(log_w.dtype)
    # close to power 0 the logarithm above is that of k to the last digit, and nothing
    # is left of their difference: there it is a sum of small terms, from the mean
    mean = wide.mean(0)
    distance = power * (wide - mean)
    is_near = (distance.abs() < 0.5).all(0)
    small = torch.where(is_near, distance, 0.0)
    near = mean + torch.log1p(small.expm1().mean(0)) / power
    return torch.where(is_near, near, far).to(log_w.dtype)
