r"""Pathwise and score-function estimators of $\nabla_\phi\,\mathbb E_{q_\phi}[f(z)]$.

Both return one gradient for each sample, so that their spread can be measured. A
``family`` is a function from parameters ``(..., p)`` to a distribution with batch
shape ``(...)``; for a Gaussian ``lambda phi: Normal(phi[..., 0], phi[..., 1])``.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.distributions import Distribution

Family = Callable[[Tensor], Distribution]
Function = Callable[[Tensor], Tensor]


def pathwise(
    f: Function, family: Family, phi: Float[Tensor, "p"], num_samples: int
) -> Float[Tensor, "k p"]:
    r"""Draw pathwise (reparameterised) gradients, $\nabla_\phi f(g(\varepsilon,\phi))$.

    Args:
        f: differentiable function of ``z``, ``(k,)`` to ``(k,)``.
        family: parameters to a distribution that has ``rsample``.
        phi: the parameters at which the gradient is wanted.
        num_samples: independent gradients to draw, at least 1.

    Returns:
        One unbiased gradient a row, ``(k, p)``.

    Raises:
        ValueError: ``num_samples`` below 1, or a family without ``rsample``.

    Source: Kingma and Welling (2014), section 2.4; Rezende et al. (2014), eq. 7.
    """
    copies, q = _one_copy_each(family, phi, num_samples)
    if not q.has_rsample:
        raise ValueError(
            f"{type(q).__name__} has no rsample: its samples do not move smoothly "
            "with the parameters; use score_function instead"
        )
    # row i feeds sample i alone, so the sum's gradient is one a row
    (gradient,) = torch.autograd.grad(f(q.rsample()).sum(), copies)
    return gradient


def score_function(
    f: Function,
    family: Family,
    phi: Float[Tensor, "p"],
    num_samples: int,
    baseline: Float[Tensor, "#p"] | float = 0.0,
) -> Float[Tensor, "k p"]:
    r"""Draw score-function gradients, $(f(z_i)-b)\,\nabla_\phi\log q_\phi(z_i)$.

    Args:
        f: any function of ``z``, ``(k,)`` to ``(k,)``; it is never differentiated.
        family: parameters to a distribution that has ``log_prob``.
        phi: the parameters at which the gradient is wanted.
        num_samples: independent gradients to draw, at least 1.
        baseline: a number, or one number for each parameter ``(p,)``, that does not
            depend on the samples: it changes the variance and not the mean.

    Returns:
        One unbiased gradient a row, ``(k, p)``.

    Raises:
        ValueError: ``num_samples`` below 1.

    Source: Glynn (1990); Williams (1992), eq. 4.
    """
    copies, q = _one_copy_each(family, phi, num_samples)
    # sample, not rsample: z counts as a constant, only log q is differentiated
    z = q.sample()
    (score,) = torch.autograd.grad(q.log_prob(z).sum(), copies)
    return (f(z).detach()[:, None] - baseline) * score


def best_baseline(
    f: Function, family: Family, phi: Float[Tensor, "p"], num_samples: int
) -> Float[Tensor, "p"]:
    r"""Estimate the variance-minimising baseline, $\mathbb E[f s^2]/\mathbb E[s^2]$.

    Here $s=\partial_\phi\log q_\phi(z)$, one baseline for each parameter. Draw it
    from samples of its own: a baseline that has seen the samples it is subtracted
    from makes the gradient biased.

    Args:
        f: any function of ``z``, ``(k,)`` to ``(k,)``.
        family: parameters to a distribution that has ``log_prob``.
        phi: the parameters at which the gradient is wanted.
        num_samples: samples that the two expectations are estimated from.

    Returns:
        One baseline for each parameter, ``(p,)``.

    Raises:
        ValueError: ``num_samples`` below 1.

    Source: Greensmith, Bartlett and Baxter (2004), section 3.
    """
    copies, q = _one_copy_each(family, phi, num_samples)
    z = q.sample()
    (score,) = torch.autograd.grad(q.log_prob(z).sum(), copies)
    squared = score.square()
    # a ratio of two means: biased by O(1/k), which a baseline may be
    return (f(z).detach()[:, None] * squared).mean(0) / squared.mean(0)


def _one_copy_each(
    family: Family, phi: Tensor, num_samples: int
) -> tuple[Tensor, Distribution]:
    """Copy the parameters for every sample: autograd then returns a row for each."""
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}")
    # clone: expanded rows share memory, and with it one gradient
    copies = phi.detach().expand(num_samples, -1).clone().requires_grad_()
    return copies, family(copies)
