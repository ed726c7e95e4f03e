"""The exercises of the chapter on the minimax game."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from jensengap import quadrature
from jensengap.exercises.question import Choice, Mistake, Number


def _in_width(m: float, s: float) -> float:
    """Differentiate KL(N(m, s²) ‖ N(0, 1)) in s."""
    return s - 1 / s


def _in_mean(m: float, s: float) -> float:
    return m


def _in_variance(m: float, s: float) -> float:
    return 0.5 * (1 - 1 / s**2)


def _no_entropy(m: float, s: float) -> float:
    return s


def _reversed(m: float, s: float) -> float:
    return 1 / s - (1 + m**2) / s**3


def _saturating(m: float, s: float) -> float:
    """Differentiate E_q[log(1 − D)] alone in s, as noise u moves x = m + su."""
    rule = quadrature.grid(2001, limit=12.0, dim=1)
    u = rule.nodes[:, 0]
    x = m + s * u
    mass = (rule.log_weight - 0.5 * u**2).exp()
    logits = 0.5 * u**2 + log(s) - 0.5 * x**2
    moved = torch.sigmoid(logits) * u * (u / s - x)
    return -float((mass * moved).sum() / mass.sum())


def _non_saturating(m: float, s: float) -> float:
    return _in_width(m, s) - _saturating(m, s)


def _box_jsd(a: float) -> float:
    """Compute the JSD of boxes on [0, 1] and [a, a + 1]: log 2 times what is apart."""
    return min(abs(a), 1.0) * log(2)


def _lower(real: Tensor, fake: Tensor) -> float:
    """Compute ½(V + log 4) from D: a sigmoid, its complement, their logarithms."""
    on_real, on_fake = 1 / (1 + (-real).exp()), 1 / (1 + (-fake).exp())
    payoff = on_real.log().mean() + (1 - on_fake).log().mean()
    return 0.5 * (float(payoff) + log(4))


def _bound(on_real: Tensor, on_fake: Tensor) -> float:
    """Compute ½(V + log 4) from log-probabilities, right or mistaken."""
    return 0.5 * (float(on_real + on_fake) + log(4))


def _logits(real: list[float], fake: list[float]) -> dict[str, Tensor]:
    return {
        "real": torch.tensor(real, dtype=torch.float64),
        "fake": torch.tensor(fake, dtype=torch.float64),
    }


QUESTIONS = (
    Number(
        label="ex-minimax-sum",
        ask="Generator N(−1, 0.6²), D held at D*: how large is the sum of the two "
        "losses' derivatives in the width s, at s = 0.6?",
        answer=_in_width,
        cases=({"m": -1.0, "s": 0.6}, {"m": 2.0, "s": 1.7}, {"m": 0.5, "s": 0.8}),
        mistakes=(
            Mistake(
                _in_mean,
                "That is the derivative in the mean; here the width moves, and the "
                "mean stays.",
            ),
            Mistake(
                _in_variance,
                "That is the derivative in the variance s²; wanted is that in the "
                "width s.",
            ),
            Mistake(
                _no_entropy,
                "The generator's own entropy is missing: KL(q‖p) = E_q[log q − log p], "
                "and log q depends on the width as well.",
            ),
            Mistake(
                _reversed,
                "That belongs to KL(p‖q), where the data are averaged over; the losses "
                "average over the generator.",
            ),
            Mistake(
                _saturating,
                "That is the saturating loss alone; the other loss is to be added.",
            ),
            Mistake(
                _non_saturating,
                "That is the non-saturating loss alone; the other loss is to be added.",
            ),
        ),
        why=(
            "With D held at D*, the two losses together have the gradient of "
            "KL(q‖p), in which the width s appears as ½s² − log s."
        ),
        hints=(
            "By the sum rule no discriminator is needed: differentiate KL(q‖p).",
            "KL(N(m, s²) ‖ N(0, 1)) = ½(s² + m² − 1) − log s.",
        ),
        tolerance=0.01,
    ),
    Number(
        label="ex-minimax-disjoint",
        ask="How large is the JSD at a = 2?",
        answer=_box_jsd,
        cases=({"a": 2.0}, {"a": 0.25}, {"a": 3.5}, {"a": 0.6}),
        mistakes=(
            Mistake(
                lambda a: 2 * _box_jsd(a),
                "That is V(D*, G) + log 4, which is twice the JSD.",
            ),
            Mistake(
                lambda a: 2 * _box_jsd(a) - log(4),
                "That is the value of the game, V(D*, G), and at a = 2 also the "
                "gradient; the JSD is zero only where p = q.",
            ),
            Mistake(
                lambda a: abs(a),
                "That is how far q would have to move; the JSD sees only how much of "
                "the two overlaps.",
            ),
            Mistake(
                lambda a: _box_jsd(a) / 2,
                "That is one of the two halves, ½ KL(p‖m) or ½ KL(q‖m); the JSD is "
                "their sum.",
            ),
        ),
        why=(
            "The two intervals do not overlap, so D* knows the source of every "
            "example and the JSD has its largest value."
        ),
        hints=(
            "Where only p lives, p/m = p/(½p): what is KL(p‖m)?",
            "For a < 1 the boxes share the stretch from a to 1. There p = q = m, and "
            "it adds nothing.",
        ),
        unit="nats",
    ),
    Number(
        label="ex-minimax-lower",
        ask="Three real examples have the logits 2, 1 and 0, two fakes −1 and 0.5. "
        "With averages for the expectations: how large is the lower bound on the JSD?",
        answer=_lower,
        cases=(
            _logits([2.0, 1.0, 0.0], [-1.0, 0.5]),
            _logits([0.3, 4.0], [-2.0, -0.7, 1.2]),
            _logits([1.5, -0.5, 2.5, 0.1], [-3.0, 0.4, -1.1]),
        ),
        mistakes=(
            Mistake(
                lambda real, fake: 2 * _lower(real, fake),
                "That is V + log 4, which is below twice the JSD.",
            ),
            Mistake(
                lambda real, fake: 2 * _lower(real, fake) - log(4),
                "That is V; a discriminator that only guesses would have −log 4, and "
                "the bound is to be zero there.",
            ),
            Mistake(
                lambda real, fake: _lower(real, fake) - log(2) / 2,
                "log 2 was added to V. There are two terms in V, and a discriminator "
                "that only guesses loses log 2 in each.",
            ),
            Mistake(
                lambda real, fake: _lower(-real, -fake),
                "Real and fake have changed places: D is the probability of real.",
            ),
            Mistake(
                lambda real, fake: _bound(
                    logsigmoid(real).mean(), logsigmoid(fake).mean()
                ),
                "On the fakes stands log D; it should be log(1 − D).",
            ),
            Mistake(
                lambda real, fake: _bound(
                    logsigmoid(real).sum(), logsigmoid(-fake).sum()
                ),
                "The examples were summed; an expectation is an average, of the real "
                "ones and of the fakes separately.",
            ),
        ),
        why=(
            "For every discriminator ½(V + log 4) is a lower bound, and V adds "
            "its average log-probabilities of the right decision on real and on "
            "fake examples."
        ),
        hints=(
            "With D = σ(ℓ): log D = −log(1 + exp(−ℓ)), and log(1 − D) = "
            "−log(1 + exp(ℓ)).",
            "Average log D over the real examples and log(1 − D) over the fakes. The "
            "sum is V.",
        ),
        unit="nats",
    ),
    Choice(
        label="ex-minimax-who",
        ask="Where is log(1 − D) nearly flat in the logit of a fake, so that it "
        "teaches the generator nothing?",
        options={
            "where the generator wins, D near 1": (
                "There log(1 − D) plunges: its slope in the logit, −D, is as steep as "
                "it gets."
            ),
            "where neither wins, D near ½": (
                "There the slope in the logit is −½: half of its full strength."
            ),
            "nowhere, for in D its slope is −1/(1 − D), at least one in size": (
                "That is the slope in D. The generator reaches D through the logit, "
                "and the sigmoid's own slope, D(1 − D), is a factor of what arrives."
            ),
            "where the discriminator wins, D near 0": (
                "The slope in the logit is −D: the surer the discriminator is of its "
                "fakes, the less the generator learns from it."
            ),
            "wherever −log D is flat too, for both reward the same D": (
                "The slopes are −D and −(1 − D): where one of them vanishes the other "
                "is at full strength."
            ),
        },
        right="where the discriminator wins, D near 0",
        hints=(
            "Write both losses as functions of the logit ℓ, with D = σ(ℓ), and "
            "differentiate in ℓ.",
        ),
    ),
)
