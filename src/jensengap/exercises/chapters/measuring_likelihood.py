"""The exercises of the chapter on measuring the likelihood."""

from __future__ import annotations

from math import erf, log, sqrt

import torch
from torch import Tensor

from jensengap.exercises.question import Mistake, Number


def _order(v: float, tau: float) -> float:
    """Find the m with m/v + (1 − m)/τ² = 0, the curvature of E_q[wᵐ]'s integrand."""
    return v / (v - tau**2)


def _log_of_sum(log_w: Tensor) -> Tensor:
    return torch.logsumexp(log_w, 0)


def _log_of_mean(log_w: Tensor) -> Tensor:
    return _log_of_sum(log_w) - log(len(log_w))


def _upside_down(log_w: Tensor) -> Tensor:
    return _log_of_mean(-log_w)


def _of_the_largest(log_w: Tensor) -> Tensor:
    return log_w.amax(0)


def _no_log(log_w: Tensor) -> Tensor:
    return log_w.exp().mean(0)


def _best_scale(h: float) -> float:
    """Choose h so that the kernels turn N(0, s²) into N(0, s² + h²) = N(0, 1)."""
    return sqrt(1 - h**2)


def _inside(v: float, tau: float) -> float:
    """Find how many scales of q from the middle the two densities are equal."""
    return sqrt(log(v / tau**2) / (1 - tau**2 / v))


def _within(scales: float) -> float:
    """Compute the percentage of a Gaussian within so many scales of its mean."""
    return 100 * erf(scales / sqrt(2))


def _too_low(v: float, tau: float) -> float:
    # log w < log p(x) where q's density is the higher one: around the middle
    return _within(_inside(v, tau))


QUESTIONS = (
    Number(
        label="ex-measuring-likelihood-narrow",
        ask="With v = 0.5 and τ = 0.35: E_q[wᵐ] is finite for all m below which order?",
        answer=_order,
        cases=(
            {"v": 0.5, "tau": 0.35},
            {"v": 0.8, "tau": 0.6},
            {"v": 2.0, "tau": 1.2},
        ),
        mistakes=(
            Mistake(
                lambda v, tau: v / (v - tau),
                "τ is a scale; in the exponent stands its square.",
            ),
            Mistake(
                lambda v, tau: v**2 / (v**2 - tau**2),
                "v is a variance already: it is not squared again.",
            ),
            Mistake(
                lambda v, tau: tau**2 / (v - tau**2),
                "That is for the expectation of wᵐ under the posterior; the samples "
                "come from q.",
            ),
            Mistake(
                lambda v, tau: v / tau**2,
                "That is the ratio of the two variances. The expectation is under q, "
                "so the integrand is pᵐ q¹⁻ᵐ: where does its exponent change its sign?",
            ),
        ),
        why=(
            "The integrand pᵐq¹⁻ᵐ decays only while m/v + (1 − m)/τ² is positive, "
            "and beyond that its integral is infinite."
        ),
        hints=(
            "E_q[wᵐ] is the integral of p(z)ᵐ q(z)¹⁻ᵐ, up to a constant. It is that of "
            "an exponential of a multiple of z².",
            "The integral is finite while that multiple, −½(m/v + (1 − m)/τ²), is "
            "negative.",
        ),
        tolerance=5e-3,
    ),
    Number(
        label="ex-measuring-likelihood-mean-of-log",
        ask=(
            "Two samples have the weights 1 and 3: what is the importance-weighted "
            "estimate of log p(x)?"
        ),
        answer=_log_of_mean,
        cases=(
            {"log_w": torch.tensor([1.0, 3.0], dtype=torch.float64).log()},
            {"log_w": torch.tensor([0.4, -1.3, 2.2, 0.0, 1.0], dtype=torch.float64)},
            {
                "log_w": torch.tensor(
                    [[-801.0, -95.0], [-803.5, -95.5], [-800.0, -91.0]],
                    dtype=torch.float64,
                )
            },
        ),
        mistakes=(
            Mistake(
                lambda log_w: log_w.mean(0),
                "That is the mean of the logarithms, which estimates the ELBO for any "
                "number of samples. Wanted is the logarithm of the mean.",
            ),
            Mistake(
                _log_of_sum,
                "That is the logarithm of the sum; divide by the number of samples "
                "first.",
            ),
            Mistake(
                _upside_down,
                "The weights are upside down: w is p(x, z)/q(z|x), and log_w its "
                "logarithm.",
            ),
            Mistake(_no_log, "That estimates p(x); wanted is its logarithm."),
            Mistake(
                _of_the_largest,
                "That is the largest log-weight alone; the others count as well, and "
                "their number.",
            ),
        ),
        why=(
            "The weights are averaged before the logarithm is taken, because it "
            "is their average that estimates p(x)."
        ),
        hints=(
            "Of the weights it is the average that has the expectation p(x). In which "
            "order come average and logarithm?",
            "torch.logsumexp sums weights that are given by their logarithms, however "
            "small they are; log k turns the sum into an average.",
        ),
        unit="nats",
        tolerance=5e-3,
    ),
    Number(
        label="ex-measuring-likelihood-kernels",
        ask="Kernels N(0, h²) with h = 0.6: which s gets the best score?",
        answer=_best_scale,
        cases=({"h": 0.6}, {"h": 0.3}, {"h": 0.9}),
        mistakes=(
            Mistake(
                lambda h: 1.0,
                "That is the s with the best likelihood. The score is that of the "
                "samples with a kernel on each.",
            ),
            Mistake(
                lambda h: 1 - h,
                "Variances of independent noises add, not scales.",
            ),
            Mistake(
                lambda h: 1 - h**2,
                "That is a variance; s is a scale.",
            ),
            Mistake(
                lambda h: sqrt(1 + h**2),
                "The kernels add noise; samples that are to fit with it need less of "
                "their own, not more.",
            ),
        ),
        why=(
            "With endless samples the score is that of N(0, s² + h²), and no "
            "density scores higher on data than the one they come from."
        ),
        hints=(
            "A sample plus its kernel's noise: how is the sum distributed?",
            "Its density is scored on data from N(0, 1); no density scores higher "
            "there than that of N(0, 1) itself.",
        ),
        tolerance=5e-3,
    ),
    Number(
        label="ex-measuring-likelihood-upper",
        ask=(
            "v = 0.5, τ = 0.35, and a single sample (k = 1): in how many percent of "
            "all runs is the estimate below log p(x)?"
        ),
        answer=_too_low,
        cases=(
            {"v": 0.5, "tau": 0.35},
            {"v": 1.0, "tau": 0.8},
            {"v": 2.0, "tau": 0.5},
        ),
        mistakes=(
            Mistake(
                lambda v, tau: 50 + _too_low(v, tau) / 2,
                "z may lie on either side of the middle; one tail was forgotten.",
            ),
            Mistake(
                lambda v, tau: 100 - _too_low(v, tau),
                "That is how often it is above.",
            ),
            Mistake(
                lambda v, tau: _within(_inside(v, tau) * tau / sqrt(v)),
                "That would be so for draws from the posterior; the sample comes from "
                "q.",
            ),
            Mistake(
                lambda v, tau: _within(_inside(v, sqrt(tau))),
                "A scale stands where a variance belongs: square it.",
            ),
        ),
        why=(
            "One sample estimates log p(x) by log w, which is too low where q is "
            "the denser of the two: in an interval around zero."
        ),
        hints=(
            "With one sample the estimate is ½ log w² = log w: below log p(x) where "
            "q's density is higher than the posterior's.",
            "The two densities are equal at z² = τ² log(v/τ²)/(1 − τ²/v), on both "
            "sides.",
        ),
        unit="%",
        tolerance=0.1,
    ),
)
