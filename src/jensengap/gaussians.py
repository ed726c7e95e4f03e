r"""Gaussians in whatever form torch has them: mean and Cholesky factor.

Mean and standard deviation can be read from every distribution, and say nothing of its
correlations or of its shape. What needs a Gaussian asks for its factor here.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import (
    Distribution,
    Independent,
    LowRankMultivariateNormal,
    MultivariateNormal,
    Normal,
)

from jensengap import inputs


def is_diagonal(q: Distribution) -> bool:
    """Test for independent Gaussian coordinates, event shape ``(d,)``.

    Args:
        q: any distribution.

    Returns:
        Whether it is ``Independent(Normal(…), 1)``.
    """
    return (
        isinstance(q, Independent)
        and type(q.base_dist) is Normal
        and len(q.event_shape) == 1
    )


def is_gaussian(q: Distribution) -> bool:
    """Test for a Gaussian vector, with any covariance.

    Args:
        q: any distribution.

    Returns:
        Whether :func:`scale_tril` knows its factor.
    """
    joint = isinstance(q, MultivariateNormal | LowRankMultivariateNormal)
    return is_diagonal(q) or joint


def scale_tril(q: Distribution) -> Tensor:
    r"""Compute the lower triangular $L$ of a Gaussian, $\Sigma=LL^\top$.

    Args:
        q: a Gaussian, batch shape ``(*b)``, event shape ``(d,)``.

    Returns:
        ``(*b, d, d)``; diagonal where the coordinates are independent.

    Raises:
        ValueError: another distribution; names it, and says how to wrap a plain one.
    """
    if is_diagonal(q):
        # not stddev, the root of a square that may vanish or overflow
        return torch.diag_embed(q.base_dist.scale)
    if not is_gaussian(q):
        raise ValueError(
            f"q must be a Gaussian vector, got {name(q)} of event shape "
            f"{tuple(q.event_shape)}; take Independent(Normal(loc, scale), 1) or "
            "MultivariateNormal"
        )
    return q.scale_tril


def joint(q: Distribution) -> MultivariateNormal:
    """Write a Gaussian vector as torch's multivariate normal.

    Args:
        q: a Gaussian, see :func:`scale_tril`.

    Returns:
        The same distribution.

    Raises:
        ValueError: another distribution.
    """
    return MultivariateNormal(q.mean, scale_tril=scale_tril(q), validate_args=False)


def name(q: Distribution) -> str:
    """Name a distribution in a message, with what it wraps.

    Args:
        q: any distribution.

    Returns:
        Such as ``Independent(Normal, 1)``.
    """
    if isinstance(q, Independent):
        return f"Independent({name(q.base_dist)}, {q.reinterpreted_batch_ndims})"
    return type(q).__name__


def same_events(q: Distribution, p: Distribution) -> torch.Size:
    """Refuse two distributions of different things; return their common batch shape.

    Args:
        q: the first.
        p: the second.

    Returns:
        The batch shape that both are expanded to.

    Raises:
        ValueError: event shapes differ, or batch shapes that fit no common one.
    """
    for letter, each in (("q", q), ("p", p)):
        if not isinstance(each, Distribution):
            raise ValueError(
                f"{letter} must be a distribution, got {type(each).__name__}; a prior "
                "or a head is called first: prior()"
            )
    events = tuple(q.event_shape), tuple(p.event_shape)
    if events[0] != events[1]:
        # the one whose coordinates count as a batch is the one to wrap
        which, plain = ("p", p) if len(events[0]) > len(events[1]) else ("q", q)
        missing = abs(len(events[0]) - len(events[1]))
        cure = "the distributions are of different things"
        if missing:
            cure = f"wrap {which} in Independent({which}, {missing})"
            if isinstance(plain, Independent):
                count = plain.reinterpreted_batch_ndims + missing
                cure = f"make {which} Independent({which}.base_dist, {count})"
        raise ValueError(f"event shapes differ, {events[0]} and {events[1]}: {cure}")
    if q.batch_shape == p.batch_shape:
        return q.batch_shape
    try:
        return torch.broadcast_shapes(q.batch_shape, p.batch_shape)
    except RuntimeError:
        raise ValueError(
            f"batch shapes must fit each other, got {tuple(q.batch_shape)} and "
            f"{tuple(p.batch_shape)}; expand one, or add axes of size 1"
        ) from None


def log_prob(p: Distribution, z: Tensor) -> Tensor:
    r"""Evaluate $\log p(z)$, which is $-\infty$ outside of the support.

    torch raises there or returns some number, as its ``validate_args`` is set.

    Args:
        p: any distribution, batch shape ``(*b)``.
        z: points, ``(*s, *b, *event)``.

    Returns:
        Nats, ``(*s, *b)``.
    """
    if isinstance(p, Independent):
        axes = range(-p.reinterpreted_batch_ndims, 0)
        own = log_prob(p.base_dist, z)
        return own.sum(tuple(axes)) if len(axes) else own
    try:
        inside = p.support.check(z)
    except NotImplementedError:  # somebody's own distribution
        return p.log_prob(z)
    mass = _mass(p, z)
    if mass is not None:
        inside = inside & (mass > 0)
    if inputs.every(inside):
        return p.log_prob(z)
    # some point that has a density stands in where z has none
    num_batch, num_event = len(p.batch_shape), len(p.event_shape)
    with torch.no_grad():
        some = p.sample(inside.shape[: max(0, inside.dim() - num_batch)])
    held = torch.where(inside.reshape(*inside.shape, *[1] * num_event), z, some)
    found = p.log_prob(held)
    lost = z.isnan().flatten(z.dim() - num_event).any(-1) if num_event else z.isnan()
    outside = torch.where(lost, torch.nan, -torch.inf).to(found)
    return torch.where(inside, found, outside)


def _mass(p: Distribution, z: Tensor) -> Tensor | None:
    """Return the probabilities of which torch keeps only what it clamps to a float."""
    if isinstance(p, torch.distributions.Bernoulli):
        return torch.where(z == 1, p.probs, 1 - p.probs)
    if isinstance(p, torch.distributions.Categorical):
        num = p.probs.shape[-1]
        is_known = (z >= 0) & (z < num)
        place = torch.where(is_known, z, 0).long()
        probs = p.probs.expand(*torch.broadcast_shapes(place.shape, p.batch_shape), num)
        place = place.expand(probs.shape[:-1])
        return probs.gather(-1, place[..., None])[..., 0] * is_known
    return None
