"""The score function's mean is the gradient where the support stands still."""

import pytest
import torch
from torch.distributions import (
    Categorical,
    Exponential,
    Independent,
    LogNormal,
    MixtureSameFamily,
    Normal,
    Pareto,
    Poisson,
    TransformedDistribution,
    Uniform,
)
from torch.distributions.transforms import (
    AffineTransform,
    ComposeTransform,
    ExpTransform,
    IndependentTransform,
    SigmoidTransform,
    TanhTransform,
)

from jensengap import gradients
from jensengap.divergences import Estimate

PHI = torch.tensor([0.7], dtype=torch.float64)


def unit(phi):
    return Uniform(torch.zeros_like(phi), torch.ones_like(phi))


def after(base, *parts):
    """Make the distribution of a base's draws after some maps."""
    return TransformedDistribution(base, list(parts))


def scaled(phi):
    return AffineTransform(torch.zeros_like(phi), phi)


def shifted(phi):
    return AffineTransform(phi, torch.ones_like(phi))


def normal(phi):
    return Normal(torch.zeros_like(phi), torch.ones_like(phi))


def exponential(phi):
    return Exponential(torch.ones_like(phi))


def mixed(phi):
    """Make a mixture of two uniforms from 0, up to phi and up to 2."""
    ends = torch.stack([phi, torch.full_like(phi, 2.0)], -1)
    return MixtureSameFamily(
        Categorical(torch.ones_like(ends)), Uniform(torch.zeros_like(ends), ends)
    )


def beyond_two(phi):
    return Pareto(torch.full_like(phi, 2.0), torch.full_like(phi, 5.0))


MOVING = {
    "mixture": mixed,
    "uniform": lambda phi: Uniform(torch.zeros_like(phi), phi),
    "pareto": lambda phi: Pareto(phi, torch.full_like(phi, 3.0)),
    "scaled uniform": lambda phi: after(unit(phi), scaled(phi)),
    "shifted exponential": lambda phi: after(exponential(phi), shifted(phi)),
    "shifted log-normal": lambda phi: after(LogNormal(phi, 1.0), shifted(phi)),
    "scaled tanh": lambda phi: after(normal(phi), TanhTransform(), scaled(phi)),
    "composed": lambda phi: after(
        unit(phi), ComposeTransform([shifted(phi), scaled(phi)])
    ),
    "nested": lambda phi: after(after(unit(phi), scaled(phi)), shifted(phi)),
}
STANDING = {
    # its end is moved to 0 at first, where a scale leaves it
    "scaled from its end": lambda phi: after(
        beyond_two(phi), AffineTransform(-2.0, 1.0), scaled(phi)
    ),
    "scaled exponential": lambda phi: after(exponential(phi), scaled(phi)),
    "scaled normal": lambda phi: after(normal(phi), scaled(phi)),
    "log-normal": lambda phi: after(normal(phi), scaled(phi), ExpTransform()),
    "logistic": lambda phi: after(unit(phi), SigmoidTransform().inv, scaled(phi)),
    "tanh": lambda phi: after(normal(phi), scaled(phi), TanhTransform()),
}


@pytest.mark.parametrize("family", MOVING.values(), ids=MOVING)
def test_a_support_that_moves_with_phi_is_refused(family):
    with pytest.raises(ValueError, match="must not depend on phi"):
        gradients.score_function(torch.square, lambda phi: family(phi[..., 0]), PHI, 2)


def test_counts_have_a_support_that_stands_still():
    torch.manual_seed(0)
    gradient = Estimate.of(
        gradients.score_function(
            lambda z: z, lambda phi: Poisson(phi[..., 0]), PHI, 2000
        )
    )
    # d E[z] / d rate = 1
    assert (gradient.mean - 1).abs() < 4 * gradient.stderr


@pytest.mark.parametrize(
    "family",
    [
        lambda phi: Independent(after(unit(phi), scaled(phi)), 1),
        lambda phi: after(unit(phi), IndependentTransform(scaled(phi), 1)),
    ],
)
def test_coordinates_of_a_support_that_moves_are_refused(family):
    with pytest.raises(ValueError, match="must not depend on phi"):
        gradients.score_function(lambda z: z.sum(-1), family, PHI, 2)


@pytest.mark.parametrize("family", STANDING.values(), ids=STANDING)
def test_both_estimators_agree_where_the_support_stands_still(family):
    torch.manual_seed(0)
    score, path = (
        Estimate.of(estimator(torch.tanh, lambda phi: family(phi[..., 0]), PHI, 20_000))
        for estimator in (gradients.score_function, gradients.pathwise)
    )
    stderr = torch.hypot(score.stderr, path.stderr)
    assert ((score.mean - path.mean).abs() < 4 * stderr).all()
