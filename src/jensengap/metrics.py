r"""Measures of latent codes (active units, rate) and of samples (precision, recall).

Codes: active units, and the rate split into information and misfit, measured on a set
of $n$ examples whose codes together make the *aggregate posterior*
$q(z)=\frac1n\sum_i q(z\,|\,x_i)$.

Samples: modes, precision and recall, edges. A mode that is known by its centre is
*covered* when enough samples lie close to it. How close and how many are part of the
result: one sample in a thousand near every mode is no coverage. Where no centre is
known, the balls around neighbours stand for modes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.distributions import Distribution

from jensengap import distances, divergences, gaussians, inputs, numeric
from jensengap.divergences import Estimate


@inputs.checked
def active_units(
    means: Float[Tensor, "n z"], threshold: float = 0.01
) -> Bool[Tensor, "z"]:
    r"""Find the active units, where $\Var_x(\mathbb E_q[z_j])$ exceeds a threshold.

    The variance is over the examples, estimated from them (divided by $n-1$).

    Args:
        means: the encoder's means for ``n`` examples.
        threshold: variance, in the unit of $z^2$, above which a coordinate counts as
            active.

    Returns:
        One truth value for each coordinate; ``.sum()`` counts the active ones.

    Raises:
        ValueError: fewer than two examples, a threshold that is not positive, or a mean
            that is not finite.

    Source: Burda, Grosse and Salakhutdinov (2016), section 5.2.
    """
    if len(means) < 2 or not threshold > 0:
        raise ValueError(
            "active_units needs at least 2 examples and a positive threshold, got "
            f"{len(means)} and {threshold}"
        )
    inputs.finite("means", means)
    # in the widest type: a half's squares overflow
    return means.to(inputs.widest(means)).var(0) > threshold


@inputs.checked
def log_aggregate(
    q: Distribution, z: Float[Tensor, "*s z"], chunk: int = 2048
) -> Float[Tensor, "*s"]:
    r"""Evaluate the aggregate posterior, $\log q(z)=\log\frac1n\sum_i q(z\,|\,x_i)$.

    Args:
        q: the encoder's answers to ``n`` examples, batch shape ``(n,)``.
        z: where to evaluate.
        chunk: points at a time; memory is about ``3 * chunk * n * z`` numbers.

    Returns:
        Nats, one value for each ``z``.

    Raises:
        ValueError: ``q`` without one batch axis, points of another dimension, or
            ``chunk`` below 1.

    Source: Hoffman and Johnson (2016).
    """
    if len(q.batch_shape) != 1 or chunk < 1:
        raise ValueError(
            f"q needs the batch shape (n,) and chunk must be at least 1, got "
            f"{gaussians.name(q)} of batch shape {tuple(q.batch_shape)} and {chunk}"
        )
    if tuple(q.event_shape) != (z.shape[-1],):
        raise ValueError(
            f"z must end with the event shape of q, {tuple(q.event_shape)}, got "
            f"{tuple(z.shape)}"
        )
    points = z.reshape(-1, z.shape[-1])
    # in pieces: n densities at every point of z would not fit into memory
    parts = [
        gaussians.log_prob(q, part[:, None]).logsumexp(1) - math.log(q.batch_shape[0])
        for part in points.split(chunk)
    ]
    return torch.cat(parts).reshape(z.shape[:-1])


class Rate(NamedTuple):
    r"""The rate $\mathbb E_x\mathrm{KL}(q(z|x)\,\|\,p(z))$ and its two parts, in nats.

    Attributes:
        total: the mean KL to the prior, in closed form.
        information: $I_q(x;z)$, at most $\log n$.
        marginal: $\mathrm{KL}(q(z)\,\|\,p(z))$, the aggregate posterior's misfit.

    Source: Hoffman and Johnson (2016).
    """

    total: Tensor
    information: Estimate
    marginal: Estimate


@inputs.checked
def rate(q: Distribution, prior: Distribution, num_samples: int = 10) -> Rate:
    r"""Split the rate of $n$ examples into mutual information and aggregate KL.

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
        ValueError: ``num_samples`` below 2, a prior of another event shape, or one to
            which the KL has no closed form.

    Source: Hoffman and Johnson (2016).
    """
    if num_samples < 2:
        raise ValueError(f"num_samples must be at least 2, got {num_samples}")
    gaussians.same_events(q, prior)
    with torch.no_grad():
        z = q.sample((num_samples,))  # (k, n, z)
        log_own, log_all = q.log_prob(z), log_aggregate(q, z)
        log_prior = gaussians.log_prob(prior, z)
        return Rate(
            divergences.kl(q, prior).mean(),
            # over examples first: the draws are what a standard error is over
            Estimate.of((log_own - log_all).mean(1)),
            Estimate.of((log_all - log_prior).mean(1)),
        )


@inputs.checked
def mode_counts(
    samples: Float[Tensor, "n d"], centers: Float[Tensor, "m d"], radius: float
) -> Int[Tensor, "m"]:
    r"""Count the samples that have mode $k$ as their nearest, at most $r$ away.

    $$n_k=\#\{i:\ \|x_i-c_k\|\le r,\ k=\arg\min_j\|x_i-c_j\|\}$$

    Args:
        samples: points, one a row.
        centers: $c_k$, one a row.
        radius: $r$. A sample further from every centre counts for none.

    Returns:
        One count for each centre; together at most ``n``.

    Raises:
        ValueError: no sample, no centre, a radius that is not positive and finite, or a
            point that is not.

    Source: Srivastava et al. (2017), section 5.1.
    """
    if not 0 < radius < math.inf:
        raise ValueError(
            "mode_counts needs a sample, a centre and a positive finite radius, got "
            f"{len(samples)}, {len(centers)} and {radius}"
        )
    distance, nearest = distances.between(samples, centers).min(1)
    # in the points' own precision: a point on the edge belongs to its mode
    is_near = numeric.within(distance.to(samples.dtype), radius)
    # minlength: a mode that nobody reaches counts 0
    return nearest[is_near].bincount(minlength=len(centers))


@inputs.checked
def modes_covered(
    samples: Float[Tensor, "n d"],
    centers: Float[Tensor, "m d"],
    radius: float,
    min_count: float,
) -> Bool[Tensor, "m"]:
    r"""Find the modes that have ``min_count`` samples or more, $n_k\ge c$.

    A generator that puts the mass $\varepsilon$ near a mode reaches it with at least
    one of $n$ samples with probability $1-(1-\varepsilon)^n$: nearly always, for
    $n\varepsilon\ge 3$. A tenth of the fair share, $n/10m$, is a sensible
    ``min_count``.

    Args:
        samples: points, one a row.
        centers: of the modes, one a row.
        radius: how close a sample must be.
        min_count: how many must be, at least 1.

    Returns:
        One truth value for each mode; ``.sum()`` counts the covered ones.

    Raises:
        ValueError: ``min_count`` outside of 1 to n, and all that ``mode_counts`` says.

    Source: Srivastava et al. (2017), section 5.1, with a radius of three standard
    deviations; there one sample is enough.
    """
    if not 1 <= min_count <= len(samples):
        raise ValueError(
            f"min_count must be from 1 to the number of samples, {len(samples)}, "
            f"got {min_count}; a tenth of the fair share is sensible"
        )
    return mode_counts(samples, centers, radius) >= min_count


class PrecisionRecall(NamedTuple):
    """Precision and recall of generated samples, both in [0, 1].

    Attributes:
        precision: share of generated points that lie in the real points' balls.
        recall: share of real points that lie in the generated points' balls.
    """

    precision: Float[Tensor, ""]
    recall: Float[Tensor, ""]


@inputs.checked
def precision_recall(
    real: Float[Tensor, "n d"],
    fake: Float[Tensor, "m d"],
    num_neighbours: int = 3,
    *,
    chunk: int = 1024,
) -> PrecisionRecall:
    r"""Estimate precision and recall of samples by the balls around their neighbours.

    A point's ball reaches to its $k$-th nearest neighbour within its own set. With
    $B_k(A)$ for the union of the balls of a set $A$,

    $$\mathrm{precision}=\frac1m\#\{j: y_j\in B_k(X)\},\qquad
    \mathrm{recall}=\frac1n\#\{i: x_i\in B_k(Y)\}.$$

    Args:
        real: features of real examples, $X$.
        fake: features of generated examples, $Y$. The balls shrink as a set grows:
            give both sets the same size, and compare values for that size only.
        num_neighbours: $k$.
        chunk: rows of the distance matrix at a time; memory is ``chunk * max(n, m)``.

    Returns:
        :class:`PrecisionRecall`. Swap the sets, and the two change places.

    Raises:
        ValueError: a ``chunk`` below 1, a set that has no ``k``-th neighbour, a point
            that is not finite, or images that still have axes of their own.

    Source: Kynkäänniemi et al. (2019).
    """
    if not 1 <= num_neighbours < min(len(real), len(fake)) or chunk < 1:
        raise ValueError(
            f"num_neighbours must be at least 1 and smaller than both sets, and chunk "
            f"at least 1, got {num_neighbours} for {len(real)} and {len(fake)} points "
            f"and chunk={chunk}"
        )
    share = [
        _inside(fake, real, _radii(real, num_neighbours, chunk), chunk),
        _inside(real, fake, _radii(fake, num_neighbours, chunk), chunk),
    ]
    return PrecisionRecall(*(each.to(inputs.widest(real)).mean() for each in share))


def _radii(points: Tensor, k: int, chunk: int) -> Tensor:
    """Compute each point's distance to its k-th neighbour; the nearest is itself."""
    parts = points.split(chunk)
    return torch.cat(
        [
            distances.between(part, points).kthvalue(k + 1, dim=1).values
            for part in parts
        ]
    )


def _inside(points: Tensor, centres: Tensor, radii: Tensor, chunk: int) -> Tensor:
    """Test whether each point lies in at least one ball."""
    parts = points.split(chunk)
    return torch.cat(
        [(distances.between(part, centres) <= radii).any(1) for part in parts]
    )


@inputs.checked
def edge_steepness(images: Float[Tensor, "n *d"]) -> Float[Tensor, "n"]:
    r"""Measure sharpness: the mean step between neighbouring pixels, by its height.

    A measure of this package's own:

    $$S(x)=\frac{\sum_{p\sim q}(x_p-x_q)^2}{\sum_{p\sim q}|x_p-x_q|}$$

    An edge that rises from 0 to 1 at once has 1, one that takes $m$ equal steps $1/m$.
    How many edges there are does not enter, how dark the ink is does: half of the
    intensity has half of the value. Noise is steep as well: sharp is not good.

    Args:
        images: intensities; rows of a square number of pixels, or images ``(n, h, w)``
            or ``(n, c, h, w)``, whose channels are read one by one.

    Returns:
        One value for each image: in (0, 1] for intensities in [0, 1], and exactly 1
        for binary ones.

    Raises:
        ValueError: rows that are not square, other axes, whole numbers (their
            differences wrap), a value that is not finite, or an image without an edge.
    """
    inputs.finite("images", images)
    x = _pictures(images).to(inputs.widest(images))
    # to the pixel below, and to the one on the right; a first one that is no step
    steps = [x.diff(dim=-2).flatten(1), x.diff(dim=-1).flatten(1)]
    steps = torch.cat([x.new_zeros(len(x), 1), *steps], 1)
    # of the largest: squares neither overflow nor vanish
    size = steps.abs().amax(1, keepdim=True)
    if not inputs.every(size > 0):
        raise ValueError("every image needs an edge, got one that is the same all over")
    steps = steps / size
    steepness = steps.square().sum(1) / steps.abs().sum(1) * size[:, 0]
    return steepness.to(images.dtype)


def _pictures(images: Tensor) -> Tensor:
    """Give rows of pixels their two axes; leave those of images."""
    num, *axes = images.shape
    if len(axes) == 2 or (len(axes) == 3 and axes[0] in (1, 3, 4)):
        return images
    if len(axes) == 3 and axes[-1] in (1, 3, 4):
        raise ValueError(
            f"images must have their channels first, one or three, got "
            f"{tuple(images.shape)}; call .movedim(-1, 1), and leave out transparency"
        )
    # exact for integers, where a square root in floats may be rounded
    side = math.isqrt(axes[0]) if len(axes) == 1 else 0
    if side < 1 or side * side != axes[0]:
        raise ValueError(
            "images must be square rows (n, d), (n, h, w) or (n, c, h, w), got "
            f"{tuple(images.shape)}; x[None] adds the axis of a single image"
        )
    return images.reshape(num, side, side)
