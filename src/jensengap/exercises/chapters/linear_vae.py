"""The exercises of the chapter on a VAE that can be solved."""

from __future__ import annotations

from math import sqrt

from jensengap.exercises.question import Choice, Mistake, Number


def _fourth(mean2: float, variance: float) -> float:
    """Compute E[z⁴] of a Gaussian with this squared mean."""
    return mean2**2 + 6 * mean2 * variance + 3 * variance**2


_CASES = (
    {"eigenvalue": 0.4, "sigma2": 0.1},
    {"eigenvalue": 3.0, "sigma2": 0.5},
    {"eigenvalue": 0.09, "sigma2": 0.03},
)

QUESTIONS = (
    Choice(
        label="ex-linear-vae-half",
        ask="With eigenvalues λ₁ > λ₂ > …: at which σ² are exactly ten units active?",
        options={
            "at those from λ₁₀ up to λ₉": (
                "There the tenth eigenvalue is covered by the noise: nine are active."
            ),
            "at those from λ₁₁ up to λ₁₀": (
                "A unit is active if and only if its eigenvalue exceeds σ²: the tenth "
                "still does, the eleventh does not."
            ),
            "at those from √λ₁₁ up to √λ₁₀": (
                "Between these roots lies σ, a standard deviation; asked was for σ², a "
                "variance."
            ),
            "at the mean of λ₁₁ and all that follow": (
                "That is the best noise of a model with ten units. With twenty it is "
                "too quiet: more than ten eigenvalues stand above it."
            ),
            "at none for sure, for it depends on the training": (
                "Training can stop short, but the optimum is known from the "
                "eigenvalues, and so is the number of its active units."
            ),
        },
        right="at those from λ₁₁ up to λ₁₀",
        hints=("In the figure that moves, watch when the tenth unit goes dark.",),
    ),
    Number(
        label="ex-linear-vae-shrunk",
        ask=(
            "λ = 0.4 and σ² = 0.1: by which positive factor are the scores multiplied "
            "to give the means?"
        ),
        answer=lambda eigenvalue, sigma2: sqrt(eigenvalue - sigma2) / sqrt(eigenvalue),
        cases=_CASES,
        mistakes=(
            Mistake(
                lambda eigenvalue, sigma2: 1 - sigma2 / eigenvalue,
                "That is the variance of the means. Scores have variance one, and a "
                "factor changes a variance by its square.",
            ),
            Mistake(
                lambda eigenvalue, sigma2: sqrt(sigma2 / eigenvalue),
                "That is the width of the posterior, not the size of its mean.",
            ),
            Mistake(
                lambda eigenvalue, sigma2: sqrt(eigenvalue - sigma2) / eigenvalue,
                "That multiplies the raw coordinate; a score has been divided by √λ "
                "already.",
            ),
            Mistake(
                lambda eigenvalue, sigma2: sqrt(eigenvalue / (eigenvalue + sigma2)),
                "The noise is counted twice: the eigenvalue λ = ℓ² + σ² holds it "
                "already.",
            ),
            Mistake(
                lambda eigenvalue, sigma2: sqrt(1 - sigma2**2 / eigenvalue),
                "The noise level σ² is a variance as it stands; it was squared once "
                "more.",
            ),
        ),
        why=(
            "The mean is √(λ − σ²)/λ times the projection on the direction, and "
            "the score is 1/√λ times it."
        ),
        hints=(
            "The mean is w·(x − b)/λ, and the column w has the length √(λ − σ²).",
            "The coordinate of x − b along the eigenvector is √λ times the score.",
        ),
    ),
    Number(
        label="ex-linear-vae-beta",
        ask=(
            "σ² = 0.1 and β = 3: above which value must an eigenvalue lie for its unit "
            "to be active?"
        ),
        answer=lambda sigma2, beta: beta * sigma2,
        cases=(
            {"sigma2": 0.1, "beta": 3.0},
            {"sigma2": 0.25, "beta": 0.5},
            {"sigma2": 0.04, "beta": 4.0},
        ),
        mistakes=(
            Mistake(
                lambda sigma2, beta: sigma2,
                "That is the threshold of the ELBO, where the KL has the weight one.",
            ),
            Mistake(
                lambda sigma2, beta: sigma2 / beta,
                "The wrong way round: a heavier KL makes units more expensive, so "
                "fewer of them pay.",
            ),
            Mistake(
                lambda sigma2, beta: beta**2 * sigma2,
                "That multiplies the scale σ by β; in the objective β stands beside "
                "its square.",
            ),
            Mistake(
                lambda sigma2, beta: sqrt(beta) * sigma2,
                "That is half of the way: the root of β belongs to the scale σ, and an "
                "eigenvalue is compared with a variance.",
            ),
            Mistake(
                lambda sigma2, beta: sqrt(beta * sigma2),
                "That is a standard deviation; an eigenvalue is a variance.",
            ),
        ),
        why=(
            "Divided by β, the objective is the ELBO of a model with the noise "
            "βσ², and its active units have an eigenvalue above that noise."
        ),
        hints=(
            "Divide the whole objective by β, so that the KL has weight one again.",
            "What stands below the squared errors now, in the place of 2σ²?",
        ),
    ),
    Number(
        label="ex-linear-vae-moments",
        ask=(
            "Such a direction has λ = 0.4, and σ² = 0.1: how large is E[z⁴] of its "
            "unit under q(z)?"
        ),
        answer=lambda eigenvalue, sigma2: (
            1 + 4 * sigma2 / eigenvalue - 2 * (sigma2 / eigenvalue) ** 2
        ),
        cases=_CASES,
        mistakes=(
            Mistake(
                lambda eigenvalue, sigma2: 3.0,
                "That is the prior's fourth moment; only the second ones must agree.",
            ),
            Mistake(
                lambda eigenvalue, sigma2: 1.0,
                "That is the fourth moment of the scores, which are ±1; a code is "
                "shrunk and has a width.",
            ),
            Mistake(
                lambda eigenvalue, sigma2: _fourth(1 - sigma2 / eigenvalue, 0.0),
                "That is the means alone; around each mean the posterior has a width.",
            ),
            Mistake(
                lambda eigenvalue, sigma2: (
                    _fourth(1 - sigma2 / eigenvalue, 0.0)
                    + _fourth(0.0, sigma2 / eigenvalue)
                ),
                "The mixed term is missing: (mean + width · noise)⁴ has one with both "
                "squares.",
            ),
            Mistake(
                lambda eigenvalue, sigma2: _fourth(
                    1 - sigma2 / eigenvalue, (sigma2 / eigenvalue) ** 2
                ),
                "σ²/λ is the variance of the posterior; it stands here for its width.",
            ),
            Mistake(
                lambda eigenvalue, sigma2: _fourth(
                    (1 - sigma2 / eigenvalue) ** 2, sigma2 / eigenvalue
                ),
                "1 − σ²/λ is the variance of the means; it stands here for a mean.",
            ),
        ),
        why=(
            "Each of the two posteriors has a mean of ±√(1 − σ²/λ) and a variance "
            "of σ²/λ, and by symmetry both have the same fourth moment."
        ),
        hints=(
            "The scores are ±1, so the means are ±√(1 − σ²/λ), and each posterior has "
            "the variance σ²/λ.",
            "A Gaussian with mean m and variance v has E[z⁴] = m⁴ + 6m²v + 3v².",
        ),
    ),
)
