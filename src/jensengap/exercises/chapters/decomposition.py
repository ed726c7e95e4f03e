"""The exercises of the chapter on the log-likelihood decomposition."""

from __future__ import annotations

from math import log, pi

from jensengap.exercises.question import Choice, Mistake, Number


def _posterior(w: float, b: float, s: float, x: float) -> tuple[float, float]:
    """Return mean and variance of z given x."""
    return w * (x - b) / (w**2 + s**2), s**2 / (w**2 + s**2)


def _kl(mean: float, variance: float, other: float, other_variance: float) -> float:
    """Compute KL(N(mean, variance) ‖ N(other, other_variance))."""
    ratio = variance / other_variance
    return 0.5 * ((mean - other) ** 2 / other_variance + ratio - 1 - log(ratio))


def _gap(w: float, b: float, s: float, x: float, mean: float, scale: float) -> float:
    return _kl(mean, scale**2, *_posterior(w, b, s, x))


def _reversed(
    w: float, b: float, s: float, x: float, mean: float, scale: float
) -> float:
    return _kl(*_posterior(w, b, s, x), mean, scale**2)


def _scale_for_variance(
    w: float, b: float, s: float, x: float, mean: float, scale: float
) -> float:
    return _kl(mean, scale, *_posterior(w, b, s, x))


def _to_prior(
    w: float, b: float, s: float, x: float, mean: float, scale: float
) -> float:
    return _kl(mean, scale**2, 0.0, 1.0)


def _uniform_gap(w: float, b: float, s: float, x: float) -> float:
    m, v = _posterior(w, b, s, x)
    return 0.5 * log(2 * pi * v) + (1 / 3 - m + m**2) / (2 * v)


def _at_the_middle(w: float, b: float, s: float, x: float) -> float:
    m, v = _posterior(w, b, s, x)
    return 0.5 * log(2 * pi * v) + (0.5 - m) ** 2 / (2 * v)


def _no_constant(w: float, b: float, s: float, x: float) -> float:
    m, v = _posterior(w, b, s, x)
    return (1 / 3 - m + m**2) / (2 * v)


def _of_a_gaussian(w: float, b: float, s: float, x: float) -> float:
    return _kl(0.5, 1 / 12, *_posterior(w, b, s, x))


_MODEL = {"w": 1.7, "b": 0.3, "s": 0.8, "x": 1.9}

QUESTIONS = (
    Number(
        label="ex-decomposition-by-hand",
        ask="The last of the three terms: how large is the KL from q to the posterior?",
        answer=_gap,
        cases=(
            _MODEL | {"mean": 0.4, "scale": 0.55},
            {"w": -0.6, "b": 0.1, "s": 0.5, "x": -1.2, "mean": 1.1, "scale": 1.3},
            {"w": 2.5, "b": -1.0, "s": 1.5, "x": 0.0, "mean": 0.0, "scale": 0.3},
        ),
        mistakes=(
            Mistake(
                _reversed,
                "That is the KL from the posterior to q; here the expectation is "
                "under q.",
            ),
            Mistake(
                _scale_for_variance,
                "A scale stands where a variance belongs: square it.",
            ),
            Mistake(
                _to_prior, "That is the KL to the prior, which is the second term."
            ),
        ),
        why=(
            "Both densities are Gaussian, so averaging their log-ratio under q "
            "needs only the two means and the two variances."
        ),
        hints=(
            "The posterior is Gaussian: its mean is w(x − b)/(w² + s²), its variance "
            "s²/(w² + s²).",
            "Put both into the KL of two Gaussians: half of squared distance over "
            "variance, plus the ratio of variances, minus one, minus the ratio's "
            "logarithm.",
        ),
        unit="nats",
    ),
    Choice(
        label="ex-decomposition-what-moves",
        ask="q stays and the decoder's noise s is doubled: what does not move?",
        options={
            "only the reconstruction": (
                "The reconstruction is the decoder's density, averaged over q: the "
                "noise is in it."
            ),
            "only log p(x)": (
                "log p(x) stays when q moves; here the model moved, and with it the "
                "density of x."
            ),
            "only the KL to the prior": "It is the one term without the decoder.",
            "both KL terms": (
                "The posterior depends on the noise, and so does the KL to it."
            ),
        },
        right="only the KL to the prior",
        hints=("Write the four numbers down and mark where s occurs in each.",),
    ),
    Choice(
        label="ex-decomposition-signs",
        ask=(
            "x is continuous: which of the five, log p(x), the reconstruction, the two "
            "KL terms and the ELBO, can be positive?"
        ),
        options={
            "only the two KL terms": (
                "The KL terms are never negative; but the logarithm of a density can "
                "be positive, too, where the density exceeds one."
            ),
            "all but log p(x) and the ELBO": (
                "If the reconstruction can be positive and the KL to the prior small, "
                "the ELBO is positive, and log p(x) is larger still."
            ),
            "all but the ELBO": (
                "The ELBO is a lower bound of log p(x), and p(x) is a density here, no "
                "probability: nothing keeps its logarithm below zero."
            ),
            "all five": (
                "A density may exceed one, so its logarithm may have any sign; and a "
                "KL is positive unless its two distributions are the same."
            ),
        },
        right="all five",
        hints=(
            "For binary x all logarithms are those of probabilities. What changes "
            "when x is continuous?",
        ),
    ),
    Number(
        label="ex-decomposition-uniform",
        ask=(
            "q uniform on [0, 1], and w = 1.7, b = 0.3, s = 0.8, x = 1.9: how large is "
            "the gap, the KL from q to the posterior?"
        ),
        answer=_uniform_gap,
        cases=(
            _MODEL,
            {"w": 1.0, "b": 0.0, "s": 1.0, "x": 0.5},
            {"w": -0.5, "b": 0.2, "s": 0.7, "x": 1.0},
        ),
        mistakes=(
            Mistake(
                _at_the_middle,
                "That looks at the posterior at z = ½ alone; average the logarithm of "
                "its density over the interval.",
            ),
            Mistake(
                _no_constant,
                "The posterior's normaliser is missing: ½ log(2πv).",
            ),
            Mistake(
                _of_a_gaussian,
                "That is the gap of a Gaussian with the same mean and variance; the "
                "uniform has another entropy.",
            ),
        ),
        why=(
            "The density of q is one on [0, 1] and its logarithm zero, so the gap "
            "is minus the average of the posterior's log-density there."
        ),
        hints=(
            "log q is zero on the interval, so the gap is minus the average of the "
            "posterior's log-density.",
        ),
        unit="nats",
    ),
)
