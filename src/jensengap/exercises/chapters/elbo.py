"""The exercises of the chapter on the evidence lower bound."""

from __future__ import annotations

from math import log, pi

import torch
from torch import Tensor
from torch.distributions import Normal

from jensengap import quadrature
from jensengap.exercises.question import Mistake, Number


def _variance(r: float) -> float:
    """Compute the variance of ½ (1 − r²) t², t a standard Gaussian: that of log w."""
    return (1 - r**2) ** 2 / 2


def _variance_of_scales(r: float) -> float:
    return (1 - r) ** 2 / 2


def _variance_under_posterior(r: float) -> float:
    return (1 - 1 / r**2) ** 2 / 2


def _variance_halved(r: float) -> float:
    return (1 - r**2) ** 2 / 4


def _bumps(x: float, a: float, s: float) -> tuple[Tensor, Tensor]:
    """Return nodes and weighted p(x, z): z ~ N(0, 1), x ~ N(a z² + 0.2 z, s²)."""
    rule = quadrature.grid(2001, limit=10.0, dim=1)
    z = rule.nodes[:, 0]
    log_lik = Normal(a * z**2 + 0.2 * z, s).log_prob(torch.tensor(x).double())
    log_joint = log_lik + Normal(0.0, 1.0).log_prob(z)
    return z, (log_joint + rule.log_weight).exp()


def _spread(z: Tensor, mass: Tensor) -> Tensor:
    mass = mass / mass.sum()
    return mass @ z**2 - (mass @ z) ** 2


def _cover(x: float, a: float, s: float) -> Tensor:
    return _spread(*_bumps(x, a, s))


def _cover_scale(x: float, a: float, s: float) -> Tensor:
    return _cover(x, a, s).sqrt()


def _one_bump(x: float, a: float, s: float) -> Tensor:
    z, mass = _bumps(x, a, s)
    return _spread(z[z > 0], mass[z > 0])


def _not_normalised(x: float, a: float, s: float) -> Tensor:
    z, mass = _bumps(x, a, s)
    return mass @ z**2 - (mass @ z) ** 2


def _log_p(x: float, variance: float) -> float:
    """Compute the log-density of N(0, variance) at x."""
    return -0.5 * log(2 * pi * variance) - x**2 / (2 * variance)


def _fall(x: float, step: float) -> float:
    """Compute the fall of log p(x) when w goes from 1 to 1 − step."""
    return _log_p(x, 1 + (1 - step) ** 2) - _log_p(x, 2.0)


def _rise_of_bound(x: float, step: float) -> float:
    return (1 - (1 - step) ** 2) / 2


def _other_way(x: float, step: float) -> float:
    return _fall(x, -step)


def _without_normaliser(x: float, step: float) -> float:
    return x**2 / 4 - x**2 / (2 + 2 * (1 - step) ** 2)


def _weight_unsquared(x: float, step: float) -> float:
    return _log_p(x, 2 - step) - _log_p(x, 2.0)


def _slope(w: float, b: float, s: float, x: float) -> float:
    """Differentiate log N(x; b, w² + s²) in w."""
    total = w**2 + s**2
    return w * ((x - b) ** 2 / total - 1) / total


def _slope_without_spread(w: float, b: float, s: float, x: float) -> float:
    return w * (x - b) ** 2 / (w**2 + s**2) ** 2


def _slope_in_square(w: float, b: float, s: float, x: float) -> float:
    return _slope(w, b, s, x) / (2 * w)


def _slope_at_prior(w: float, b: float, s: float, x: float) -> float:
    return -w / s**2


def _slope_unsquared(w: float, b: float, s: float, x: float) -> float:
    return _slope(w, b, s, x) * s


QUESTIONS = (
    Number(
        label="ex-elbo-tight",
        ask=(
            "Let q have the posterior's mean and r = 2 times its standard deviation: "
            "how large is the variance of log w under q?"
        ),
        answer=_variance,
        cases=({"r": 2.0}, {"r": 0.5}, {"r": 1.3}),
        mistakes=(
            Mistake(
                _variance_of_scales,
                "A standard deviation stands where a variance belongs.",
            ),
            Mistake(
                _variance_under_posterior,
                "That is the variance under the posterior; here z comes from q.",
            ),
            Mistake(
                lambda r: 0.0,
                "So it is with the posterior itself; this q is another.",
            ),
            Mistake(
                _variance_halved,
                "The square of a standard Gaussian number varies more than that: its "
                "variance is its fourth moment less one.",
            ),
        ),
        why=(
            "Up to a constant, log w is ½(1 − r²)t² with a standard Gaussian t, "
            "and t² has the variance 2."
        ),
        hints=(
            "Up to a constant, log w is the difference of two Gaussian log-densities "
            "with the same mean.",
            "Put z = mean + r σ t, with the posterior's σ and a standard Gaussian t: "
            "log w is a constant and a multiple of t².",
        ),
        tolerance=0.05,  # an average over a million draws is that exact
    ),
    Number(
        label="ex-elbo-forward-reverse",
        ask=(
            "How large is the variance of the Gaussian that KL(p‖q) chooses, for the "
            "first figure's posterior (x = 1.5, a = 1, s = 0.5)?"
        ),
        answer=_cover,
        cases=(
            {"x": 1.5, "a": 1.0, "s": 0.5},
            {"x": 2.0, "a": 0.5, "s": 0.4},
            {"x": 1.0, "a": 1.5, "s": 0.7},
        ),
        mistakes=(
            Mistake(_cover_scale, "That is its standard deviation: square it."),
            Mistake(
                _one_bump,
                "That is the spread of one bump by itself. Under KL(p‖q) a q that "
                "leaves out the other one pays dearly.",
            ),
            Mistake(
                _not_normalised,
                "The average was taken over p(x, z); divide by p(x) to have a "
                "posterior.",
            ),
        ),
        why=(
            "KL(p‖q) is smallest for the Gaussian with the mean and the variance "
            "of p, and the distance between the two modes adds to that variance."
        ),
        hints=(
            "Only −E[log q] depends on q, and the expectation is under p. Set its "
            "derivatives in mean and variance to zero.",
            "Two moments of the posterior are wanted; log_post and weight hold it on "
            "the grid.",
        ),
        tolerance=0.02,
    ),
    Number(
        label="ex-elbo-up-down",
        ask=(
            "By how much does log p(x) change, for x = 2 and a step of length 0.3 from "
            "w = 1? Mind the sign."
        ),
        answer=_fall,
        cases=(
            {"x": 2.0, "step": 0.3},
            {"x": 3.0, "step": 0.2},
            {"x": 0.5, "step": 0.6},
        ),
        mistakes=(
            Mistake(_rise_of_bound, "That is the change of the bound."),
            Mistake(
                _other_way,
                "The step went the wrong way: look at the sign of the bound's slope.",
            ),
            Mistake(
                _without_normaliser,
                "The variance of x changes, and the normaliser of its density with it.",
            ),
            Mistake(
                _weight_unsquared, "In the variance of x the weight stands squared."
            ),
        ),
        why=(
            "The bound's slope at w = 1 is −1, so the step leads to w = 0.7, "
            "where x = 2 has a lower density under N(0, w² + 1)."
        ),
        hints=(
            "With q at the prior the bound is a constant less half of x² + w². What is "
            "its slope at w = 1?",
            "Then x is a Gaussian number with mean 0 and variance w² + 1, before and "
            "after the step.",
        ),
        unit="nats",
    ),
    Number(
        label="ex-elbo-fisher",
        ask=(
            "How steep is the bound in w, with q held at the posterior, for w = 1.7, "
            "b = 0.3, s = 0.8 and x = 1.9? Mind the sign."
        ),
        answer=_slope,
        cases=(
            {"w": 1.7, "b": 0.3, "s": 0.8, "x": 1.9},
            {"w": -0.6, "b": 0.1, "s": 0.5, "x": -1.2},
            {"w": 2.5, "b": -1.0, "s": 1.5, "x": 0.5},
        ),
        mistakes=(
            Mistake(
                _slope_without_spread,
                "A part is missing: the spread of q, if you averaged over the "
                "posterior, or the normaliser, if you took log p(x).",
            ),
            Mistake(_slope_in_square, "That is the slope in w²; asked is that in w."),
            Mistake(
                _slope_at_prior,
                "That is the slope with q at the prior, which has not seen x.",
            ),
            Mistake(
                _slope_unsquared,
                "The noise's standard deviation stands where its variance belongs.",
            ),
        ),
        why=(
            "At the posterior the KL has its minimum, so its derivative in w is "
            "zero and the bound is as steep as log p(x)."
        ),
        hints=(
            "Only the reconstruction contains w while q is held.",
            "With another q you would need its moments; with this one log p(x) has the "
            "same slope, and x is a Gaussian number.",
        ),
    ),
)
