"""The exercises of the chapter on the intractable posterior KL."""

from __future__ import annotations

from math import hypot, log

from jensengap.exercises.question import Choice, Mistake, Number


def _price(r: float) -> float:
    """Compute the least KL of independent coordinates to a correlation of r."""
    return -0.5 * log(1 - r**2)


def _price_doubled(r: float) -> float:
    return -log(1 - r**2)


def _price_unsquared(r: float) -> float:
    return -0.5 * log(1 - r)


def _price_with_marginals(r: float) -> float:
    """Compute KL(q‖p) for a q with the variances of the posterior's coordinates."""
    return r**2 / (1 - r**2) + 0.5 * log(1 - r**2)


def _errors(
    seen: float, seen_error: float, unseen: float, unseen_error: float
) -> float:
    return (unseen - seen) / hypot(seen_error, unseen_error)


def _errors_added(
    seen: float, seen_error: float, unseen: float, unseen_error: float
) -> float:
    return (unseen - seen) / (seen_error + unseen_error)


def _only_larger(
    seen: float, seen_error: float, unseen: float, unseen_error: float
) -> float:
    return (unseen - seen) / max(seen_error, unseen_error)


def _not_rooted(
    seen: float, seen_error: float, unseen: float, unseen_error: float
) -> float:
    return (unseen - seen) / (seen_error**2 + unseen_error**2)


QUESTIONS = (
    Choice(
        label="ex-posterior-kl-wider",
        ask="The decoder is frozen: what can a wider encoder make smaller?",
        options={
            "the approximation gap alone": (
                "The best q of the family is the best for this x, whoever finds it: no "
                "encoder occurs in its gap."
            ),
            "both parts of the gap": (
                "One of the two depends on the decoder and on the family alone, and "
                "both of these are as before."
            ),
            "the amortisation gap alone": (
                "It is how far the network's q stays behind the best one, and a wider "
                "network may come closer. Whether it does is for you to measure."
            ),
            "neither, since the posterior does not move": (
                "The posterior stays, but q moves, and with it the distance between "
                "the two."
            ),
        },
        right="the amortisation gap alone",
        hints=("In the split of the gap, where does the encoder's q occur?",),
    ),
    Number(
        label="ex-posterior-kl-tilt",
        ask=(
            "If a posterior is a Gaussian of correlation r = 0.8, by how much does the "
            "approximation gap fall when q may tilt?"
        ),
        answer=_price,
        cases=({"r": 0.8}, {"r": -0.5}, {"r": 0.3}),
        mistakes=(
            Mistake(
                _price_doubled,
                "A Gaussian's log-density holds half the logarithm of a determinant.",
            ),
            Mistake(
                _price_unsquared,
                "In the determinant of the covariance the correlation stands squared.",
            ),
            Mistake(
                _price_with_marginals,
                "That q has the variances of the posterior's coordinates; the best "
                "upright q is narrower.",
            ),
        ),
        why=(
            "A tilted Gaussian equals this posterior and leaves no gap, so the "
            "whole gap of the upright Gaussian goes: it depends on the "
            "correlation alone."
        ),
        hints=(
            "A tilted Gaussian can follow this posterior exactly. So what was the gap "
            "of the best upright one?",
            "Scales do not matter: let both variances be one, invert the covariance, "
            "and look at the closed form for Gaussian posteriors.",
        ),
        unit="nats",
    ),
    Number(
        label="ex-posterior-kl-train",
        ask=(
            "Say the mean gaps were 0.6 nats (standard error 0.1) for digits seen and "
            "0.9 (0.2) for digits held out: what is the difference, divided by its own "
            "standard error?"
        ),
        answer=_errors,
        cases=(
            {"seen": 0.6, "seen_error": 0.1, "unseen": 0.9, "unseen_error": 0.2},
            {"seen": 1.0, "seen_error": 0.3, "unseen": 1.8, "unseen_error": 0.4},
            {"seen": 0.7, "seen_error": 0.05, "unseen": 0.75, "unseen_error": 0.03},
        ),
        mistakes=(
            Mistake(
                _errors_added,
                "Standard errors of independent means do not add; their squares do.",
            ),
            Mistake(
                _only_larger,
                "Both means are uncertain, and only one standard error was used.",
            ),
            Mistake(
                _not_rooted,
                "That divides by a variance; take the root first.",
            ),
        ),
        why=(
            "The two means are independent, so the variance of their difference "
            "is the sum of the two squared standard errors."
        ),
        hints=(
            "The two sets of digits are independent, so the variances of the two means "
            "add.",
        ),
        tolerance=0.01,
    ),
)
