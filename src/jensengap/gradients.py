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
from torch.distributions import Distribution, Independent, TransformedDistribution
from torch.distributions.constraints import Constraint
from torch.distributions.transforms import AffineTransform, IndependentTransform

from jensengap import gaussians, inputs

Family = Callable[[Tensor], Distribution]
Function = Callable[[Tensor], Tensor]
End = Tensor | float | int  # of a support


@inputs.checked
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
        ValueError: ``num_samples`` below 1, a family without ``rsample``, or an ``f``
            that is not differentiable or returns another shape.

    Source: Kingma and Welling (2014), section 2.4; Rezende, Mohamed and Wierstra
    (2014), section 3.
    """
    with inputs.differentiable():
        copies, q = _one_copy_each(family, phi, num_samples)
        if not q.has_rsample:
            raise ValueError(
                f"{gaussians.name(q)} has no rsample: its samples do not move smoothly "
                "with the parameters; use score_function instead"
            )
        # row i feeds sample i alone, so the sum's gradient is one a row
        return _gradient(_values(f, q.rsample()), copies, "f")


@inputs.checked
def score_function(
    f: Function,
    family: Family,
    phi: Float[Tensor, "p"],
    num_samples: int,
    baseline: Float[Tensor, ""] | Float[Tensor, "#p"] | float = 0.0,
) -> Float[Tensor, "k p"]:
    r"""Draw score-function gradients, $(f(z_i)-b)\,\nabla_\phi\log q_\phi(z_i)$.

    Their mean is the gradient if the support of $q_\phi$ does not depend on $\phi$:
    where an end of it moves, mass that crosses the end is missing.

    Args:
        f: any function of ``z``, ``(k,)`` to ``(k,)``, with truth values too; it is
            never differentiated.
        family: parameters to a distribution that has ``log_prob``.
        phi: the parameters at which the gradient is wanted.
        num_samples: independent gradients to draw, at least 1.
        baseline: a number, or one number for each parameter ``(p,)``, that does not
            depend on the samples: it changes the variance and not the mean.

    Returns:
        One unbiased gradient a row, ``(k, p)``.

    Raises:
        ValueError: ``num_samples`` below 1, an ``f`` that returns another shape, or a
            support whose ends depend on ``phi``, as far as torch knows them.

    Source: Glynn (1990); Williams (1992), section 4 and theorem 1.
    """
    values, score = _scores(f, family, phi, num_samples)
    return (values[:, None] - baseline) * score


@inputs.checked
def best_baseline(
    f: Function, family: Family, phi: Float[Tensor, "p"], num_samples: int
) -> Float[Tensor, "p"]:
    r"""Estimate the variance-minimising baseline, $\mathbb E[f s^2]/\mathbb E[s^2]$.

    Here $s=\partial_\phi\log q_\phi(z)$, one baseline for each parameter. Draw it
    from samples of its own: a baseline that has seen the samples it is subtracted
    from makes the gradient biased.

    Args:
        f: as for :func:`score_function`.
        family: parameters to a distribution that has ``log_prob``.
        phi: the parameters at which the gradient is wanted.
        num_samples: samples that the two expectations are estimated from.

    Returns:
        One baseline for each parameter, ``(p,)``; 0 where no score was other than 0.

    Raises:
        ValueError: as :func:`score_function`.

    Source: Greensmith, Bartlett and Baxter (2004).
    """
    values, score = _scores(f, family, phi, num_samples)
    # of the largest score: squares of small ones would underflow
    squared = score / score.abs().amax(0).clamp(min=torch.finfo(phi.dtype).tiny)
    squared = squared.square()
    total = squared.mean(0)
    # a ratio of two means: biased by O(1/k), which a baseline may be
    best = (values[:, None] * squared).mean(0) / total
    return torch.where(total > 0, best, 0.0)


def _scores(
    f: Function, family: Family, phi: Tensor, num_samples: int
) -> tuple[Tensor, Tensor]:
    """Draw samples; return the values of f and the scores, one row each."""
    with inputs.differentiable():
        copies, q = _one_copy_each(family, phi, num_samples)
        _fixed_support(q)
        # sample, not rsample: z counts as a constant, only log q is differentiated
        z = q.sample()
        score = _gradient(q.log_prob(z), copies, "log q")
        return _values(f, z).detach().to(score.dtype), score


def _values(f: Function, z: Tensor) -> Tensor:
    """Evaluate f, and refuse what is not one number for each sample."""
    values = f(z)
    shape = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
    if shape != (len(z),):
        raise ValueError(
            f"f must return one number for each sample, shape ({len(z)},), got {shape} "
            f"for z of shape {tuple(z.shape)}; sum over what belongs to one sample, "
            "or call .squeeze(-1)"
        )
    return values


def _gradient(values: Tensor, copies: Tensor, name: str) -> Tensor:
    """Differentiate each value by its own copy of the parameters."""
    if not values.requires_grad:
        raise ValueError(
            f"{name} must depend on phi by differentiable steps, got values without a "
            "gradient; compute with torch and without .detach()"
        )
    (gradient,) = torch.autograd.grad(values.sum(), copies, allow_unused=True)
    return torch.zeros_like(copies) if gradient is None else gradient


def _fixed_support(q: Distribution) -> None:
    """Refuse a support whose ends move with the parameters."""
    if any(isinstance(end, Tensor) and end.requires_grad for end in _ends(q)):
        raise ValueError(
            f"the support of {gaussians.name(q)} must not depend on phi, and it does: "
            "the score function's mean is then not the gradient; use pathwise"
        )


def _ends(q: Distribution) -> list[End]:
    """List the finite ends of a support."""
    while isinstance(q, Independent):
        q = q.base_dist
    if type(q) is not TransformedDistribution:
        return _bounds(q.support)
    ends = _ends(q.base_dist)
    for transform in q.transforms:
        for part in getattr(transform, "parts", [transform]):
            while isinstance(part, IndependentTransform):
                part = part.base_transform
            # torch says that shift and scale lead to the whole line, from anywhere
            is_affine = isinstance(part, AffineTransform)
            ends = _moved(ends, part) if is_affine else _bounds(part.codomain)
    return ends


def _moved(ends: list[End], part: AffineTransform) -> list[End]:
    """Shift and scale the ends; an end at 0 stays there under any scale."""
    is_zero = [bool((torch.as_tensor(end) == 0).all()) for end in ends]
    return [
        part.loc if zero else part.loc + part.scale * end
        for zero, end in zip(is_zero, ends, strict=True)
    ]


def _bounds(support: Constraint) -> list[End]:
    """Read the bounds that torch's description of a support has."""
    while hasattr(support, "base_constraint"):
        support = support.base_constraint
    found = [getattr(support, name, None) for name in ("lower_bound", "upper_bound")]
    return [bound for bound in found if bound is not None]


def _one_copy_each(
    family: Family, phi: Tensor, num_samples: int
) -> tuple[Tensor, Distribution]:
    """Copy the parameters for every sample: autograd then returns a row for each."""
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, got {num_samples}")
    # clone: expanded rows share memory, and with it one gradient
    copies = phi.detach().expand(num_samples, -1).clone().requires_grad_()
    q = family(copies)
    if tuple(q.batch_shape) != (num_samples,):
        raise ValueError(
            "family must turn parameters (k, p) into a distribution of batch shape "
            f"(k,), got {tuple(q.batch_shape)} for k = {num_samples}; take "
            "phi[..., 0], and wrap vectors in Independent(…, 1)"
        )
    return copies, q
