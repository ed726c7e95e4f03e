"""The exercises of the chapter on collapse, rate and distortion."""

from __future__ import annotations

from math import exp, log, sqrt

import torch
from torch import Tensor

from jensengap.exercises.question import Choice, Mistake, Number


def _rate(level: float, spectrum: Tensor) -> float:
    """Compute the rate at the noise ``level``, by reverse water-filling."""
    return sum(max(0.5 * log(each / level), 0.0) for each in spectrum.tolist())


def _level(noise: float, spectrum: Tensor) -> float:
    """Find the noise at which the rate is half of that at ``noise``, by bisection."""
    half = _rate(noise, spectrum) / 2
    low, high = noise, float(spectrum.max())
    for _ in range(60):
        middle = sqrt(low * high)
        low, high = (middle, high) if _rate(middle, spectrum) > half else (low, middle)
    return sqrt(low * high)


def _price(noise: float, spectrum: Tensor) -> float:
    return _level(noise, spectrum) / noise


def _without_darkness(noise: float, spectrum: Tensor) -> float:
    return exp(sum(log(each / noise) for each in spectrum.tolist()) / 2 / len(spectrum))


def _of_the_scale(noise: float, spectrum: Tensor) -> float:
    return sqrt(_price(noise, spectrum))


def _twice(noise: float, spectrum: Tensor) -> float:
    return 2.0


def _case(noise: float, *spectrum: float) -> dict[str, float | Tensor]:
    """Make one case, its eigenvalues as a tensor."""
    return {
        "noise": noise,
        "spectrum": torch.tensor(spectrum, dtype=torch.float64),
    }


QUESTIONS = (
    Number(
        label="ex-rate-distortion-half",
        ask=(
            "With σ² = 0.18 and eigenvalues 2, 1, ½ and ¼: which β halves the rate "
            "that is paid at β = 1?"
        ),
        answer=_price,
        cases=(
            _case(0.18, 2.0, 1.0, 0.5, 0.25),
            _case(0.3, 4.0, 2.0, 0.6, 0.35),
            _case(0.2, 3.0, 1.0, 0.05),
        ),
        mistakes=(
            Mistake(
                _without_darkness,
                "A unit is dark there: its term in the rate is zero then, and not "
                "negative.",
            ),
            Mistake(
                _twice,
                "Twice the price takes ½ log 2 from each active unit; what share of "
                "the rate that is depends on the eigenvalues.",
            ),
            Mistake(
                _of_the_scale,
                "β multiplies the noise's variance; that is the factor of its standard "
                "deviation.",
            ),
            Mistake(
                _level,
                "That is the noise βσ² at which the rate is half; the price is what σ² "
                "is multiplied by.",
            ),
        ),
        why=(
            "A larger β turns off the unit with eigenvalue ¼, and each of the "
            "other three saves ½ log β of its rate."
        ),
        hints=(
            "The rate is the sum of max(½ log(λ/βσ²), 0) over the eigenvalues λ. Which "
            "units are still active when half of it is left?",
            "Suppose that k units stay active: their terms give an equation for log β. "
            "Solve it for each k, and keep the β at which exactly k are active.",
        ),
        tolerance=5e-3,
    ),
    Choice(
        label="ex-rate-distortion-five",
        ask="Whose codes tell next to nothing of the examples, and what shows it?",
        options={
            "B, C and D: they have no active unit": (
                "The threshold for activity has a unit of length. D writes its code "
                "very small, and its noise is smaller still."
            ),
            "B and E: their rates are next to nothing": (
                "These two tell next to nothing. But a rate can be high for another "
                "reason: it is also paid where the codes are not distributed as the "
                "prior says."
            ),
            "B, C and E: their information is small": (
                "What a code tells of the examples is the information, by definition. "
                "The rate also pays for the misfit, and activity depends on the unit "
                "of length."
            ),
            "B alone: it fails by all three numbers": (
                "The numbers need not agree, and only one of them is about telling "
                "examples apart. B is not the only one to fail by that."
            ),
            "C and D: their rates are the highest": (
                "The rate bounds the information from above, so a high one proves "
                "neither that something is told nor that nothing is."
            ),
        },
        right="B, C and E: their information is small",
        hints=(
            "The rate is information plus misfit. For which encoders are the two far "
            "apart?",
            "A mean that moves by 0.1 can be read easily where the noise is 0.01, and "
            "hardly at all where it is 1.",
        ),
    ),
    Choice(
        label="ex-rate-distortion-ceiling",
        ask="Which of the two measurements tells the information of the code?",
        options={
            "that at β = ¼: it grows with the number of digits": (
                "It grows as log N does. So it tells how many digits were used, and of "
                "the code only that it tells them apart."
            ),
            "that at β = 2: it levels off well below log N": (
                "The ceiling does not touch it, more digits change it little, and the "
                "rate, which bounds it for any number of digits, is close."
            ),
            "both: neither is larger than log N": (
                "No measurement on N examples is larger, so that is no sign. What "
                "matters is whether log N is what holds it down."
            ),
            "neither: to see R nats takes e^R digits or more": (
                "That rules out the measurement whose rate R is far above log 1000. "
                "The other one's rate is below it."
            ),
        },
        right="that at β = 2: it levels off well below log N",
        hints=(
            "Print log N beside each measurement, and the rate as well.",
            "By how much does each of the two grow when there are four times as many "
            "digits? And log N?",
        ),
    ),
)
