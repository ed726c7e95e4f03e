"""The exercises of the chapter on likelihoods, units and the hidden σ."""

from __future__ import annotations

from math import log, sqrt

from jensengap.exercises.question import Mistake, Number


def _excess(D: int, shrink: int) -> float:
    """Subtract the averaged error term from the true one, where σ² = MSE / shrink."""
    return (D - 1) * shrink / 2


QUESTIONS = (
    Number(
        label="ex-likelihoods-sigma",
        ask="The colour images: which σ is hidden in MSE + 0.00025 KL?",
        answer=lambda w, D: sqrt(w * D / 2),
        cases=(
            {"w": 0.00025, "D": 3 * 64 * 64},
            {"w": 0.01, "D": 784},
            {"w": 0.05, "D": 64},
        ),
        mistakes=(
            Mistake(
                lambda w, D: w * D / 2,
                "That is the noise's variance σ²; asked is its scale.",
            ),
            Mistake(
                lambda w, D: sqrt(w * D),
                "A factor of two is lost: in a Gaussian's log-density the squared "
                "error stands over 2σ².",
            ),
            Mistake(
                lambda w, D: sqrt(w / 2),
                "That would be the noise if the squared errors were summed; MSE is "
                "their mean over all D numbers of an image.",
            ),
            Mistake(
                lambda w, D: sqrt(w * D / 6),
                "D counts the numbers of an image: each pixel has three colours.",
            ),
            Mistake(
                lambda w, D: sqrt(D / (2 * w)),
                "w is on the wrong side: the more the KL weighs, the less the squared "
                "error does, and the wider is the noise.",
            ),
        ),
        why=(
            "Multiplied by D/(2σ²), the loss is a negative ELBO if its weight on "
            "the KL is 2σ²/D, where D counts the colours of all pixels."
        ),
        hints=(
            "Divide the loss by w, so that the KL has the factor one, as it has in "
            "minus the ELBO.",
            "Which factor does a single squared error have then? In minus a Gaussian's "
            "log-density it has 1/(2σ²).",
        ),
        tolerance=0.01,
    ),
    Number(
        label="ex-likelihoods-bug",
        ask=(
            "D = 784, and σ is the one that the function learns: by how much does the "
            "log-density that it reports exceed the true one, on average over images?"
        ),
        answer=lambda D: _excess(D, D),
        cases=({"D": 784}, {"D": 64}, {"D": 3}),
        mistakes=(
            Mistake(
                lambda D: _excess(D, 1),
                "That is the difference at σ² = MSE; this function learns another σ.",
            ),
            Mistake(
                lambda D: D**2 / 2,
                "That is the true error term at this σ; the function's own error term "
                "is smaller, and not zero.",
            ),
            Mistake(
                lambda D: D * log(D) / 2,
                "That compares the function at its best σ with the truth at another, "
                "where the truth is best; take the same σ for both.",
            ),
            Mistake(
                lambda D: _excess(D, D**2),
                "That is the difference at σ² = MSE/D²; there the function's "
                "derivative is not zero.",
            ),
        ),
        why=(
            "At the σ² that the function learns, MSE/D, it reports an error term "
            "of D/2, and the true one is D²/2."
        ),
        hints=(
            "Call the squared error's mean over pixels and images MSE, and set the "
            "derivative of the function's mean in σ² to zero.",
            "The normaliser is right, so the difference is one of error terms: "
            "MSE/(2σ²) against D·MSE/(2σ²).",
        ),
        unit="nats",
        tolerance=0.5,
    ),
    Number(
        label="ex-likelihoods-diameter",
        ask="D = 784 and Δ = 14: what is the smallest w that the proof covers?",
        answer=lambda delta, D: delta**2 / (2 * D),
        cases=(
            {"delta": 14.0, "D": 784},
            {"delta": 3.0, "D": 49},
            {"delta": 5.0, "D": 100},
        ),
        mistakes=(
            Mistake(
                lambda delta, D: 1 / 2,
                "That is the threshold for the whole cube, whose diameter is √D.",
            ),
            Mistake(
                lambda delta, D: delta**2 / D,
                "A factor of two is lost: Pinsker's inequality has one half before "
                "the KL.",
            ),
            Mistake(
                lambda delta, D: delta / (2 * D),
                "Here the distance stands unsquared. Moving a mass t by Δ moves the "
                "mean by Δt, but what counts is the squared distance.",
            ),
            Mistake(
                lambda delta, D: delta / 2,
                "That is the noise σ at the threshold; asked is the weight w.",
            ),
            Mistake(
                lambda delta, D: delta**2 / 2,
                "That would be the weight beside a summed error; the loss has the MSE, "
                "a mean over D pixels.",
            ),
        ),
        why=(
            "The proof moves no image further than Δ, so a nat of KL saves at "
            "most ½Δ² of squared error, and wD must be at least that."
        ),
        hints=(
            "Of the proof's four steps only one uses the cube: how far anything is "
            "moved inside it.",
            "Put Δ where √D stood, follow the factor to the end, and remember that "
            "MSE is divided by D.",
        ),
        tolerance=0.002,
    ),
)
