"""The exercises of the chapter on latent-variable models."""

from __future__ import annotations

from math import exp, pi, sqrt

from jensengap.exercises.question import Mistake, Number


def _upper(w: float, b: float, s: float, x: float) -> float:
    """Add two of its standard deviations to the posterior's mean."""
    total = w**2 + s**2
    return w * (x - b) / total + 2 * s / sqrt(total)


def _variance_for_scale(w: float, b: float, s: float, x: float) -> float:
    total = w**2 + s**2
    return w * (x - b) / total + 2 * s**2 / total


def _without_prior(w: float, b: float, s: float, x: float) -> float:
    return (x - b) / w + 2 * s / abs(w)


def _without_bias(w: float, b: float, s: float, x: float) -> float:
    return _upper(w, 0.0, s, x)


def _noise_unsquared(w: float, b: float, s: float, x: float) -> float:
    return _upper(w, b, sqrt(s), x)


def _density(y: float, variance: float) -> float:
    """Compute the density of N(0, variance) at y."""
    return exp(-(y**2) / (2 * variance)) / sqrt(2 * pi * variance)


def _excess(w: float, y: float, s: float) -> float:
    """Compute V at x − b = y: the mean square over the squared mean, less one."""
    mean_square = _density(y, w**2 + s**2 / 2) / (2 * s * sqrt(pi))
    return mean_square / _density(y, w**2 + s**2) ** 2 - 1


def _draws(w: float, b: float, s: float, x: float) -> float:
    return _excess(w, x - b, s) / 0.01**2


def _draws_by_mean_square(w: float, b: float, s: float, x: float) -> float:
    return (1 + _excess(w, x - b, s)) / 0.01**2


def _draws_unsquared(w: float, b: float, s: float, x: float) -> float:
    return _excess(w, x - b, s) / 0.01


def _draws_rooted(w: float, b: float, s: float, x: float) -> float:
    return sqrt(_excess(w, x - b, s)) / 0.01


def _draws_at_the_middle(w: float, b: float, s: float, x: float) -> float:
    return _excess(w, 0.0, s) / 0.01**2


def _mode(x1: float, s: float) -> float:
    return sqrt(2 * (x1 - s**2 - 1 / 4))


def _mode_without_prior(x1: float, s: float) -> float:
    return sqrt(2 * (x1 - 1 / 4))


def _mode_without_height(x1: float, s: float) -> float:
    return sqrt(2 * (x1 - s**2))


def _mode_unsquared(x1: float, s: float) -> float:
    return sqrt(2 * (x1 - s - 1 / 4))


def _mode_squared(x1: float, s: float) -> float:
    return 2 * (x1 - s**2 - 1 / 4)


_AT = {"w": 1.7, "b": 0.3, "s": 0.8, "x": 1.9}

QUESTIONS = (
    Number(
        label="ex-latent-variables-line",
        ask=(
            "How large is the posterior's mean plus two of its standard deviations, "
            "at w = 1.7, b = 0.3, s = 0.8 and x = 1.9?"
        ),
        answer=_upper,
        cases=(
            _AT,
            {"w": 2.5, "b": -1.0, "s": 1.5, "x": 0.5},
            {"w": -0.6, "b": 0.1, "s": 0.5, "x": -1.2},
        ),
        mistakes=(
            Mistake(
                _variance_for_scale,
                "A variance stands where a standard deviation belongs: take its root.",
            ),
            Mistake(
                _without_prior,
                "The prior is missing: this is what the likelihood alone says of z.",
            ),
            Mistake(
                _without_bias,
                "The line does not pass through zero: x counts from b.",
            ),
            Mistake(
                _noise_unsquared,
                "The noise's standard deviation stands where its variance belongs.",
            ),
        ),
        why=(
            "The logarithm of the joint density is quadratic in z, so the "
            "posterior is a Gaussian: its slope gives the mean and its curvature "
            "the variance."
        ),
        hints=(
            "Write log p(x | z) + log p(z) as a function of z and leave out what does "
            "not depend on z: what sort of function is it?",
            "The mean is where its slope is zero; the variance is minus one over its "
            "second derivative.",
        ),
    ),
    Number(
        label="ex-latent-variables-percent",
        ask=(
            "How many draws does a relative error of 1 % take, for the line with "
            "w = 1.7, b = 0.3, s = 0.8 at x = 1.9?"
        ),
        answer=_draws,
        cases=(
            _AT,
            {"w": -0.6, "b": 0.1, "s": 0.5, "x": -1.2},
            {"w": 3.0, "b": 0.5, "s": 0.5, "x": 2.0},
        ),
        mistakes=(
            Mistake(
                _draws_by_mean_square,
                "That takes the mean square for the variance: V is one less.",
            ),
            Mistake(
                _draws_unsquared,
                "V/K is a squared error: the one per cent is to be squared as well.",
            ),
            Mistake(
                _draws_rooted,
                "The error falls with the root of the number of draws: square this.",
            ),
            Mistake(
                _draws_at_the_middle,
                "That many would do at x = b; this x is farther out.",
            ),
        ),
        why=(
            "An average of n draws has 1/n of the relative variance of a single "
            "draw, and a relative error of 1 % is a relative variance of 0.01²."
        ),
        hints=(
            "The relative error is the root of V/K. Solve for K.",
            "V follows from the theorem of this chapter, with one factor, and "
            "y = x − b.",
        ),
        unit="draws",
        tolerance=5.0,
        precision=1e-4,  # a number of draws may be rounded up
    ),
    Number(
        label="ex-latent-variables-modes",
        ask="How far from z = 0 are the two modes at x₁ = 1.3, with s = 0.4?",
        answer=_mode,
        cases=(
            {"x1": 1.3, "s": 0.4},
            {"x1": 2.0, "s": 0.8},
            {"x1": 0.9, "s": 0.3},
        ),
        mistakes=(
            Mistake(
                _mode_without_prior,
                "The prior is missing: these are the peaks of the likelihood.",
            ),
            Mistake(
                _mode_without_height,
                "The second coordinate has a say, too: the wire is z/2 off the axis.",
            ),
            Mistake(
                _mode_unsquared,
                "The noise's standard deviation stands where its variance belongs.",
            ),
            Mistake(_mode_squared, "That is the square of the distance."),
        ),
        why=(
            "The slope of the log-joint is zero at z = 0, which is a dip, and "
            "where z² = 2(x₁ − s² − ¼): there the modes are."
        ),
        hints=(
            "Write down log p(x | z) + log p(z) for x = (x₁, 0), up to a constant.",
            "Its slope is z times something, so z = 0 is always a peak or a dip. Where "
            "is the something zero?",
        ),
        precision=1e-3,  # a search on a grid will do
    ),
)
