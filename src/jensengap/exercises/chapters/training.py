"""The exercises of the chapter on training a variational autoencoder."""

from __future__ import annotations

from math import log, pi

import torch
from torch import Tensor

from jensengap import divergences, nets
from jensengap.exercises.question import Choice, Mistake, Number


def _reconstruction(x: Tensor, mean: Tensor, variance: Tensor | float) -> Tensor:
    """Compute E[log p(x|z)] of pixels N(z, 1), for z of this mean and variance."""
    return -0.5 * (log(2 * pi) + (x - mean) ** 2 + variance).sum()


def _kl(mu: Tensor, logvar: Tensor) -> Tensor:
    q = nets.gaussian(mu[None], (0.5 * logvar).exp()[None])
    return divergences.kl(q, nets.gaussian(torch.zeros_like(q.mean), 1.0))


def _elbo(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _reconstruction(x, mu, logvar.exp()) - _kl(mu, logvar)


def _variance_for_scale(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _reconstruction(x, mu, logvar.exp() ** 2) - _kl(mu, logvar)


def _one_sigma_away(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _reconstruction(x, mu + (0.5 * logvar).exp(), 0.0) - _kl(mu, logvar)


def _without_noise(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _reconstruction(x, mu, 0.0) - _kl(mu, logvar)


def _kl_added(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _reconstruction(x, mu, logvar.exp()) + _kl(mu, logvar)


def _mean_over_pixels(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _reconstruction(x, mu, logvar.exp()) / len(x) - _kl(mu, logvar)


def _no_normaliser(x: Tensor, mu: Tensor, logvar: Tensor) -> Tensor:
    return _elbo(x, mu, logvar) + 0.5 * log(2 * pi) * len(x)


def _case(x: list[float], mu: float, logvar: float) -> dict[str, Tensor]:
    case = {"x": x, "mu": mu, "logvar": logvar}
    return {name: torch.tensor(v, dtype=torch.float64) for name, v in case.items()}


def _entropy(ink: Tensor) -> Tensor:
    return (torch.special.entr(ink) + torch.special.entr(1 - ink)).sum()


def _fair_coins(ink: Tensor) -> float:
    return len(ink) * log(2)


def _saved(ink: Tensor) -> Tensor:
    return _fair_coins(ink) - _entropy(ink)


def _half_an_entropy(ink: Tensor) -> Tensor:
    return _fair_coins(ink) - torch.special.entr(ink).sum()


QUESTIONS = (
    Number(
        label="ex-training-bugs",
        ask=(
            "One latent, a law N(z, 1) for each pixel; x = (1, 2), mu = ½, "
            "logvar = −1: what does a correct version give on average?"
        ),
        answer=_elbo,
        cases=(
            _case([1.0, 2.0], 0.5, -1.0),
            _case([-0.5, 1.5, 0.3], -0.8, 0.6),
            _case([2.0, 0.0], 1.2, -2.0),
        ),
        mistakes=(
            Mistake(
                _variance_for_scale,
                "The noise has the wrong width: exp(logvar) is the variance of z, and "
                "its scale is the root of that.",
            ),
            Mistake(
                _one_sigma_away,
                "That is the value at the one point mean + scale; z has to be drawn, "
                "and the value averaged over the draws.",
            ),
            Mistake(
                _without_noise,
                "That is the value at z = mu; the squared error grows when z is drawn "
                "around it.",
            ),
            Mistake(
                _kl_added, "The KL was added: it is what the code costs, a deduction."
            ),
            Mistake(
                _mean_over_pixels,
                "The reconstruction was divided by the number of pixels; in the bound "
                "it is a sum over them.",
            ),
            Mistake(
                _no_normaliser,
                "The pixels' Gaussian lacks its normaliser: ½ log 2π for each of them.",
            ),
        ),
        why=(
            "The log-likelihood is quadratic in z, so its average needs only the "
            "mean ½ and the variance e⁻¹, and the KL is then subtracted once."
        ),
        hints=(
            "Average each pixel's log-density over z first, then subtract the KL in "
            "closed form.",
            "If z has the mean m and the variance v, then (x − z)² has the mean "
            "(x − m)² + v.",
        ),
        unit="nats",
        tolerance=0.01,
    ),
    Number(
        label="ex-training-start",
        ask=(
            "Three pixels have ink in 0.1, 0.2 and 0.5 of the images, and a decoder "
            "ignores z: by how much is its first loss lower with start_at_mean than "
            "with a bias of zero?"
        ),
        answer=_saved,
        cases=tuple(
            {"ink": torch.tensor(ink, dtype=torch.float64)}
            for ink in ([0.1, 0.2, 0.5], [0.7, 0.9, 0.3, 0.05], [0.0, 0.35, 0.02])
        ),
        mistakes=(
            Mistake(
                _entropy, "That is the loss with the bias at the mean, not the saving."
            ),
            Mistake(
                _fair_coins, "That is the loss with a bias of zero, not the saving."
            ),
            Mistake(
                _half_an_entropy,
                "The entropy lacks the pixels without ink: −(1 − p) log(1 − p).",
            ),
            Mistake(
                lambda ink: _saved(ink) / len(ink),
                "That is the mean over pixels; a loss in nats per image is their sum.",
            ),
            Mistake(
                lambda ink: _saved(ink.mean().expand(len(ink))),
                "That takes the average share of ink for every pixel; each has a bias "
                "of its own.",
            ),
        ),
        why=(
            "With a bias of zero each pixel costs log 2 nats and with the bias at "
            "the mean its entropy, and the pixels' savings add up."
        ),
        hints=(
            "A bias of zero makes a fair coin of each pixel. What does a fair coin "
            "cost, whatever it shows?",
            "With the bias at the mean a pixel costs the entropy of its share of ink; "
            "0 log 0 counts as 0.",
        ),
        unit="nats",
        tolerance=0.005,
        precision=1e-3,  # start_at_mean stays away from log-odds without end
    ),
    Choice(
        label="ex-training-grey",
        ask="Which of these makes the binary digits' bound the higher one?",
        options={
            "the grey number lacks a normaliser that the binary one has": (
                "Neither number contains the one that grey pixels would need, and at "
                "fixed z both agree on average. Look at what is not fixed."
            ),
            "the logarithm is concave, so that averaging over draws costs something": (
                "The cross-entropy is linear in x: at fixed z that of the average draw "
                "is the average over the draws, and nothing is lost."
            ),
            "speckled pixels are harder to predict than smooth ones": (
                "Then the binary bound would be the lower one; and at fixed z both "
                "cost the same on average."
            ),
            "z may answer one draw, where the grey image's z serves all of them": (
                "An encoder that sees a draw can tell the decoder about its very "
                "speckles; one that sees the grey image cannot know them."
            ),
            "the KL to the prior has another formula for grey pixels": (
                "The KL compares two laws of z; pixels, grey or binary, do not occur "
                "in its formula."
            ),
        },
        right="z may answer one draw, where the grey image's z serves all of them",
        hints=(
            "At fixed z the two numbers agree on average. So ask who chooses z, and "
            "what is known at that time.",
        ),
    ),
)
