"""The exercises of the chapter on dynamics and failure."""

from __future__ import annotations

from math import ceil, floor, log, sqrt

import torch
from torch import Tensor

from jensengap.exercises.question import Mistake, Number

_TEN = 10.0  # times the critical penalty


def _slower(gamma: float, a: float) -> float:
    """Find the root of λ² + γλ + a² = 0 nearer to zero, both being real."""
    return -0.5 * (gamma - sqrt(gamma**2 - 4 * a**2))


def _doubling(growth: float) -> float:
    """Count the steps of this growth, not rounded, that double a distance."""
    return log(2) / log(growth)


def _growth(h: float) -> float:
    """Compute the factor by which a step multiplies a small distance."""
    return sqrt(1 + h**2 / 4)


def _needed(eps: float, prob: float) -> float:
    """Find the n, not rounded, at which 1 − (1 − ε)ⁿ is the probability wanted."""
    return log(1 - prob) / log(1 - eps)


def _agreeing(p: Tensor) -> float:
    """Compute the probability that two samples are the same."""
    return float((p**2).sum())


def _shares(*p: float) -> dict[str, Tensor]:
    return {"p": torch.tensor(p, dtype=torch.float64)}


QUESTIONS = (
    Number(
        label="ex-dynamics-critical",
        ask="Wasserstein Dirac-GAN, with a γ ten times as large as the critical one: "
        "what is the slower eigenvalue?",
        answer=lambda a: _slower(2 * _TEN * a, a),
        cases=({"a": 1.0}, {"a": 2.0}, {"a": 0.7}),
        mistakes=(
            Mistake(
                lambda a: 2 * a,
                "That is the critical γ itself. Now take ten times as much, and look "
                "at the eigenvalues.",
            ),
            Mistake(
                lambda a: -a,
                "That is the double root at the critical γ; take ten times as much.",
            ),
            Mistake(
                lambda a: -_TEN * a,
                "−γ/2 is the real part as long as the orbit turns; beyond the critical "
                "γ the two roots are real, and differ.",
            ),
            Mistake(
                lambda a: a**2 / _slower(2 * _TEN * a, a),
                "That is the faster root, which dies out first; the slower one sets "
                "the pace of the last stretch.",
            ),
            Mistake(
                lambda a: _slower(_TEN, a),
                "That is ten times the critical γ of the logistic games, where the "
                "slope is ½; here it is one.",
            ),
            Mistake(
                lambda a: _slower(2 * _TEN * a, 0.5),
                "The last term of the characteristic equation is the slope squared; "
                "¼ belongs to the logistic games.",
            ),
            Mistake(
                lambda a: _slower(4 * _TEN * a**2, a),
                "That γ is ten times 4a². The discriminant is γ² − 4a²: for which γ, "
                "not γ², is it zero?",
            ),
        ),
        why=(
            "The eigenvalues' sum is −γ and their product is 1, so a penalty above "
            "the critical value moves one away from zero and the other towards it."
        ),
        hints=(
            "The Jacobian has the rows (0, a) and (−a, −γ), with a = 1 for this game: "
            "write down its characteristic equation.",
            "γ is critical where the discriminant vanishes. Beyond it both roots are "
            "real and negative, and the one nearer to zero is the slower one.",
        ),
    ),
    Number(
        label="ex-dynamics-double",
        ask="Steps of h = 0.2: after how many of them are the players at least twice "
        "as far away?",
        answer=lambda h: ceil(_doubling(_growth(h))),
        cases=({"h": 0.2}, {"h": 0.02}, {"h": 0.5}),
        mistakes=(
            Mistake(
                lambda h: _doubling(_growth(h)),
                "Steps are whole: at which step are they at least twice as far for the "
                "first time?",
            ),
            Mistake(
                lambda h: floor(_doubling(_growth(h))),
                "After that many they are not quite twice as far.",
            ),
            Mistake(
                lambda h: 8 * log(2) / h**2,
                "8 log 2/h² is what small steps tend to; take the logarithm of the "
                "factor itself.",
            ),
            Mistake(
                lambda h: ceil(_doubling(1 + h**2 / 4)),
                "1 + h²/4 is the factor of the squared distance: what is that of the "
                "distance?",
            ),
            Mistake(
                lambda h: ceil(_doubling(sqrt(1 + h**2))),
                "That is for a game of slope one; in the minimax game σ(0) = ½ stands "
                "before h.",
            ),
            Mistake(
                lambda h: 8 / h**2,
                "Growth was added up, h²/8 a step; but each step multiplies what the "
                "last one left.",
            ),
        ),
        why=(
            "Each step multiplies the distance by √(1 + h²/4), so the number of "
            "steps is a ratio of logarithms, rounded up."
        ),
        hints=(
            "Near the solution each step multiplies the distance by √(1 + h²/4).",
            "Which power of that factor is two? Round up to a whole step.",
        ),
        unit="steps",
        tolerance=0.1,
        precision=1e-7,
    ),
    Number(
        label="ex-dynamics-stray",
        ask="How many samples does it take to hit a mode of mass 10⁻³ at least once, "
        "with a probability of at least 0.95?",
        answer=lambda eps, prob: ceil(_needed(eps, prob)),
        cases=(
            {"eps": 1e-3, "prob": 0.95},
            {"eps": 0.03, "prob": 0.9},
            {"eps": 0.2, "prob": 0.99},
        ),
        mistakes=(
            Mistake(
                _needed,
                "Samples are whole: round to the first number that is enough.",
            ),
            Mistake(
                lambda eps, prob: floor(_needed(eps, prob)),
                "With that many the probability is still a little too small.",
            ),
            Mistake(
                lambda eps, prob: 3 / eps,
                "nε = 3 is a rule of thumb; solve the equation itself.",
            ),
            Mistake(
                lambda eps, prob: ceil(-log(1 - prob) / eps),
                "exp(−nε) stands there for (1 − ε)ⁿ: nearly the same, but larger.",
            ),
            Mistake(
                lambda eps, prob: ceil(_needed(eps, 1 - prob)),
                "So many miss the mode with that probability; they were to hit it.",
            ),
            Mistake(
                lambda eps, prob: prob / eps,
                "nε is the mean number of hits; the probability of at least one is "
                "smaller than that.",
            ),
        ),
        why=(
            "All n samples miss the mode with probability (1 − ε)ⁿ, which must "
            "not exceed 0.05."
        ),
        hints=(
            "All n samples miss the mode with probability (1 − ε)ⁿ.",
            "That may be at most one in twenty: take logarithms. They are negative, "
            "so mind the direction of the inequality.",
        ),
        unit="samples",
        tolerance=0.1,
        precision=1e-7,
    ),
    Number(
        label="ex-dynamics-birthday",
        ask="Four pictures have the probabilities ½, ¼, ⅛ and ⅛. Of how many equally "
        "frequent pictures would two samples agree just as often?",
        answer=lambda p: 1 / _agreeing(p),
        cases=(
            _shares(1 / 2, 1 / 4, 1 / 8, 1 / 8),
            _shares(0.7, 0.2, 0.1),
            _shares(0.4, 0.3, 0.1, 0.1, 0.06, 0.04),
        ),
        mistakes=(
            Mistake(
                lambda p: len(p),
                "So many are there; but the rare ones hardly ever make a pair.",
            ),
            Mistake(
                _agreeing,
                "That is the probability that two samples agree; among N equally "
                "frequent pictures it would be 1/N.",
            ),
            Mistake(
                lambda p: float((-(p * p.log()).sum()).exp()),
                "That is the exponential of the entropy; the test counts pairs, and a "
                "pair has the probability p².",
            ),
            Mistake(
                lambda p: 1 / float(p.max()),
                "That is the most frequent picture alone; the others make pairs, too.",
            ),
        ),
        why=(
            "Two samples agree with probability Σ pₖ², and among N equally "
            "frequent pictures they agree with probability 1/N."
        ),
        hints=(
            "Two samples are both picture k with probability p² of that picture: add "
            "over the pictures.",
            "Of N equally frequent pictures, two samples agree with probability 1/N.",
        ),
        unit="pictures",
        tolerance=0.01,
    ),
    Number(
        label="ex-dynamics-slope-one",
        ask="At weight one: how far from the data does the forgery come to rest?",
        answer=lambda weight: 2 * weight,
        cases=({"weight": 1.0}, {"weight": 2.0}, {"weight": 3.5}),
        mistakes=(
            Mistake(
                lambda weight: 0.0,
                "At the data with ψ = 0 the penalty is not at rest: it wants a slope "
                "of one, and pulls at ψ.",
            ),
            Mistake(
                lambda weight: weight,
                "Wanted is the θ at which nothing moves ψ any more; the derivative of "
                "a square has a factor of two.",
            ),
            Mistake(
                lambda weight: 4 * weight,
                "A ½ was put before θ, as in the logistic games; the Wasserstein game "
                "has the slope one.",
            ),
        ),
        why=(
            "At rest ψ is zero, and there the penalty pushes ψ by twice its "
            "weight, which only a forgery at that distance balances."
        ),
        hints=(
            "The forger moves with velocity ψ, so it rests only at ψ = 0. What moves "
            "ψ there?",
            "For ψ > 0 the penalty is (ψ − 1)²: it moves ψ with −2(ψ − 1), the game "
            "with −θ.",
        ),
        tolerance=0.01,
    ),
)
