"""The exercises of the chapter on reparameterization."""

from __future__ import annotations

from math import cos, exp

from jensengap.exercises.question import Choice, Mistake, Number


def _second(mu: float, sigma: float, b: float) -> float:
    """Compute E[(z² − b)² ε²], z = μ + σε, from the moments 1, 3, 15 of ε."""
    fourth = mu**4 + 18 * (mu * sigma) ** 2 + 15 * sigma**4
    return fourth - 2 * b * (mu**2 + 3 * sigma**2) + b**2


def _left(mu: float, sigma: float, b: float) -> float:
    """Compute the variance of (z² − b) times the score in μ, which is ε/σ."""
    return _second(mu, sigma, b) / sigma**2 - (2 * mu) ** 2


def _plain(mu: float, sigma: float) -> float:
    """Compute the average of f(z) = z²."""
    return mu**2 + sigma**2


def _crossing(mu: float, sigma: float) -> float:
    """Find where the variances for sin(ωz) agree, by bisection in a = ωσ."""

    def apart(a: float) -> float:
        # their difference, times 2σ²; below zero at 0.6, above at 1.5, for every μ
        r = exp(-2 * a**2) * cos(2 * a * mu / sigma)
        return a**2 - 1 + r * (1 - 3 * a**2)

    low, high = 0.6, 1.5
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if apart(middle) < 0 else (low, middle)
    return low / sigma


_CASES = (
    {"mu": 1.3, "sigma": 0.7},
    {"mu": -0.6, "sigma": 1.1},
    {"mu": 2.0, "sigma": 0.25},
)

QUESTIONS = (
    Number(
        label="ex-reparameterization-variances",
        ask=(
            "f(z) = z² with the baseline b = μ² + σ², the plain average of f: what is "
            "the variance of the score-function gradient in μ, for one sample at "
            "μ = 1.3 and σ = 0.7?"
        ),
        answer=lambda mu, sigma: _left(mu, sigma, _plain(mu, sigma)),
        cases=_CASES,
        mistakes=(
            Mistake(
                lambda mu, sigma: _left(mu, sigma, mu**2 + 3 * sigma**2),
                "That is what the best baseline leaves. It weights f by the squared "
                "score; here b is the plain average of f.",
            ),
            Mistake(
                lambda mu, sigma: _left(mu, sigma, 0.0),
                "That is the variance without any baseline.",
            ),
            Mistake(
                lambda mu, sigma: _left(mu, sigma, _plain(mu, sigma)) + 4 * mu**2,
                "That is the second moment: the square of the mean is still in it.",
            ),
            Mistake(
                lambda mu, sigma: (
                    _left(mu, sigma, _plain(mu, sigma))
                    - (_plain(mu, sigma) / sigma) ** 2
                ),
                "The cross term is there, and the square of b is not: (f − b)² has "
                "three terms.",
            ),
            Mistake(
                lambda mu, sigma: _second(mu, sigma, _plain(mu, sigma)) - (2 * mu) ** 2,
                "The noise ε stands where the score belongs: the score is (z − μ)/σ².",
            ),
            Mistake(
                lambda mu, sigma: sigma**2 * _left(mu, sigma, _plain(mu, sigma)),
                "That is the variance of (f − b)ε; the score is ε/σ.",
            ),
        ),
        why=(
            "The best baseline is E[z²ε²] = μ² + 3σ², and any other b adds its "
            "squared distance from it, divided by σ²."
        ),
        hints=(
            "A baseline leaves the mean alone: it is 2μ for each b. So compare second "
            "moments.",
            "The second moment is E[(z² − b)² ε²]/σ². Multiply out; you need "
            "E[z⁴ε²] and E[z²ε²].",
        ),
        tolerance=0.01,
    ),
    Number(
        label="ex-reparameterization-crossing",
        ask=(
            "f(z) = sin(ωz): at which ω > 0 do the two variances agree, for μ = 1.3 "
            "and σ = 0.1?"
        ),
        answer=_crossing,
        cases=(
            {"mu": 1.3, "sigma": 0.1},
            {"mu": 0.3, "sigma": 0.25},
            {"mu": 1.3, "sigma": 0.35},
        ),
        mistakes=(
            Mistake(
                lambda mu, sigma: 1 / sigma,
                "That is the rule of thumb, which leaves out the terms with r. They "
                "are still alive there.",
            ),
            Mistake(
                lambda mu, sigma: _crossing(0.0, sigma),
                "Here r has lost its cosine of 2ωμ: the place of the mean counts, too.",
            ),
            Mistake(
                lambda mu, sigma: 1 / sigma**2,
                "That is one over the variance; the waves are to be compared with "
                "the width.",
            ),
            Mistake(
                lambda mu, sigma: _crossing(mu, 0.7),
                "That is the crossing for the width of the figure, σ = 0.7.",
            ),
        ),
        why=(
            "At ω = 1/σ the terms with r, which the rule of thumb leaves out, "
            "have not vanished, so they move the crossing."
        ),
        hints=(
            "Both variances subtract the same g²: it may be left out.",
            "Look at the sign of the difference a little below and a little above "
            "1/σ, and halve the interval between.",
        ),
        tolerance=0.01,
        precision=1e-3,  # a fine grid of ω will do
    ),
    Number(
        label="ex-reparameterization-width",
        ask=(
            "f(z) = z²: how large is the variance of the pathwise gradient in σ, for "
            "one sample at μ = 1.3 and σ = 0.7?"
        ),
        answer=lambda mu, sigma: 4 * mu**2 + 8 * sigma**2,
        cases=_CASES,
        mistakes=(
            Mistake(
                lambda mu, sigma: 4 * sigma**2,
                "That is the variance of the gradient in μ; here it is σ that moves.",
            ),
            Mistake(
                lambda mu, sigma: 4 * mu**2 + 12 * sigma**2,
                "That is the second moment: the square of the mean is still in it.",
            ),
            Mistake(
                lambda mu, sigma: 4 * mu**2 + 4 * sigma**2,
                "The variance of ε² is not that of ε: use the fourth moment of ε.",
            ),
            Mistake(
                lambda mu, sigma: mu**2 + 2 * sigma**2,
                "A factor is missing: the derivative of z² is 2z, not z.",
            ),
            Mistake(
                lambda mu, sigma: (mu / sigma) ** 2 + 2,
                "That is the gradient in the variance σ²; wanted is the one in σ.",
            ),
            Mistake(
                lambda mu, sigma: 2 * mu**4 / sigma**2 + 60 * mu**2 + 74 * sigma**2,
                "That is the score function's variance; wanted is the pathwise one.",
            ),
        ),
        why=(
            "The gradient is 2με + 2σε²: its two parts are uncorrelated, and ε² "
            "has the variance 2."
        ),
        hints=(
            "The derivative of z = μ + σε in σ is ε. Use the chain rule for f(z).",
            "Write the gradient as a polynomial in ε. Its parts, ε and ε², are "
            "uncorrelated.",
        ),
        tolerance=0.01,
    ),
    Choice(
        label="ex-reparameterization-peek",
        ask="With b = f(z) of the sample itself, what becomes of the estimator?",
        options={
            "unbiased and without any noise: the best of all baselines": (
                "Without noise it is. But look at the one value that it has: is that "
                "the slope?"
            ),
            "unbiased and noisier, as f is now in it twice": (
                "A second sample of f would add noise; this one is the same, and "
                "cancels."
            ),
            "zero, as the score averages to zero for every q": (
                "The score always does, and that is what makes an honest baseline "
                "harmless. Something else was broken."
            ),
            "zero, as b depends on z and E[b·score] is not b·E[score]": (
                "The baseline takes away not only noise but the whole signal, which is "
                "the average of f times the score."
            ),
            "biased a little, and less so with more samples": (
                "More samples help where the mean is right. Here each sample by itself "
                "is wrong by the whole slope."
            ),
        },
        right="zero, as b depends on z and E[b·score] is not b·E[score]",
        hints=(
            "Write down the estimator for one sample.",
            "Which step of the derivation pulls b out of an expectation, and what must "
            "hold for that?",
        ),
    ),
)
