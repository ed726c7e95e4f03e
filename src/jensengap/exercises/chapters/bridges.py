"""The exercises of the chapter on what came of it."""

from __future__ import annotations

from statistics import NormalDist

import torch
from torch import Tensor

from jensengap.exercises.question import Choice, Mistake, Number


def _leap(a: Tensor, b: Tensor) -> Tensor:
    """Compute the variance after all steps, one step at a time."""
    variance = torch.zeros((), dtype=torch.float64)
    for shrink, noise in zip(a, b, strict=True):
        variance = shrink**2 * variance + noise**2
    return variance


def _leap_with_scales(a: Tensor, b: Tensor) -> Tensor:
    return _leap(a.sqrt(), b.sqrt())


def _leap_not_squared(a: Tensor, b: Tensor) -> Tensor:
    return _leap(a.sqrt(), b)


def _leap_backwards(a: Tensor, b: Tensor) -> Tensor:
    return _leap(a.flip(0), b.flip(0))


def _leap_of_the_chapter(a: Tensor, b: Tensor) -> Tensor:
    return 1 - a.square().prod()


def _leap_in_scales(a: Tensor, b: Tensor) -> Tensor:
    return _leap(a, b).sqrt()


def _leap_own_step(a: Tensor, b: Tensor) -> Tensor:
    return _leap(a, a * b)


def _leap_not_shrunk(a: Tensor, b: Tensor) -> Tensor:
    return b.square().sum()


def _turn(c: float, b: float, s: float) -> float:
    """Find the φ at which a share c of the outputs chooses the code 1."""
    return NormalDist(b, s).inv_cdf(c)


def _steps(a: list[float], b: list[float]) -> dict[str, Tensor]:
    """Make one case, as tensors."""
    return {
        "a": torch.tensor(a, dtype=torch.float64),
        "b": torch.tensor(b, dtype=torch.float64),
    }


QUESTIONS = (
    Number(
        label="ex-bridges-leap",
        ask=(
            "Two steps with a = (a₁, a₂) = (0.8, 0.5) and b = (1, 2): what is the "
            "variance of q(x₂ | x₀)?"
        ),
        answer=_leap,
        cases=(
            _steps([0.8, 0.5], [1.0, 2.0]),
            _steps([0.9, 0.6, 1.2], [0.3, 0.7, 0.8]),
            _steps([0.7, 0.8, 0.4, 0.9], [1.5, 0.2, 0.6, 1.1]),
        ),
        mistakes=(
            Mistake(
                _leap_not_shrunk,
                "The noise of a step is shrunk by the steps after it.",
            ),
            Mistake(
                _leap_with_scales,
                "Variances add up, not scales: square each noise and what shrinks it.",
            ),
            Mistake(
                _leap_not_squared,
                "What multiplies x by a multiplies its variance by a².",
            ),
            Mistake(
                _leap_backwards,
                "A noise is shrunk by the later steps, not by the earlier ones.",
            ),
            Mistake(
                _leap_own_step,
                "A step shrinks what was there before and then adds its noise, which "
                "it does not shrink.",
            ),
            Mistake(
                _leap_of_the_chapter,
                "That holds where a² + b² = 1 in each step, and here it is not so.",
            ),
            Mistake(_leap_in_scales, "That is the scale; wanted is the variance."),
        ),
        why=(
            "The second step multiplies the first noise's variance b₁² by a₂² and "
            "adds a noise of its own, of variance b₂²."
        ),
        hints=(
            "Write x₂ as a sum: x₀ times a number, plus each noise times a number.",
            "The noises are independent, so the squares of their factors add up.",
        ),
        tolerance=5e-3,
    ),
    Choice(
        label="ex-bridges-parameters",
        ask="Which terms of minus the bound carry no parameters of the network?",
        options={
            "L₀ alone": (
                "The last step of the way back is the network's as well: its mean is "
                "made from a predicted noise."
            ),
            "L_T and L₀": (
                "The one at the noisy end carries none. The one at the data's end "
                "does: p(x₀ | x₁) has the network's mean."
            ),
            "L_T and all Lₜ₋₁ with t ≥ 2": (
                "In the Lₜ₋₁ only q's side is known. The other side's mean is the "
                "network's."
            ),
            "L_T alone": (
                "It compares q(x_T | x₀), which is fixed, with N(0, I), which nobody "
                "learns."
            ),
            "none of them": (
                "One of them compares two distributions, neither of which is made by "
                "the network."
            ),
        },
        right="L_T alone",
        hints=(
            "The network makes the means of p(xₜ₋₁ | xₜ). In which terms does such "
            "a step stand?",
            "diffusion.terms gives the three kinds of terms; requires_grad of each "
            "tells whether a parameter had a part in it.",
        ),
    ),
    Number(
        label="ex-bridges-straight",
        ask=(
            "c = 0.8, the boundary is b = 0.5, and the outputs are N(φ, s²) with "
            "s = 0.3: at which φ is the straight-through gradient zero on average?"
        ),
        answer=_turn,
        cases=(
            {"c": 0.8, "b": 0.5, "s": 0.3},
            {"c": 0.25, "b": 0.5, "s": 0.6},
            {"c": 0.65, "b": 0.4, "s": 0.2},
        ),
        mistakes=(
            Mistake(
                lambda c, b, s: _turn(1 - c, b, s),
                "There a share c of the outputs chooses the code 0; look again which "
                "code has the slope −2c.",
            ),
            Mistake(
                lambda c, b, s: _turn(c, b, s**2),
                "A variance stands where the scale s belongs.",
            ),
            Mistake(
                lambda c, b, s: c,
                "The gradient is taken at the codes 0 and 1, not at the output itself; "
                "so it need not vanish where the outputs are c on average.",
            ),
            Mistake(
                lambda c, b, s: b,
                "There half of the outputs choose each code; but the slopes of f at "
                "the two codes are not equally steep.",
            ),
        ),
        why=(
            "The average gradient is 2(P₂ − c), where P₂ is the share of outputs "
            "beyond b, so it is zero where that share is c."
        ),
        hints=(
            "On average the straight-through gradient is P₁ f′(0) + P₂ f′(1), with "
            "P₁ = 1 − P₂. For which P₂ is that zero?",
            "P₂ is the mass of N(φ, s²) beyond b. Ask the Gaussian's quantile function "
            "for φ.",
        ),
        tolerance=5e-3,
    ),
)
