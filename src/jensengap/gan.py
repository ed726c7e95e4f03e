r"""GAN losses on the discriminator's logits (or scores), and gradient penalties.

``D(x) = sigmoid(logits)`` is the probability that ``x`` is real: real = 1, fake = 0.
Each loss is minimised by its own player. In :data:`minimax` both pull on the same
number; :data:`non_saturating` gives the generator another one to descend. For
:data:`wasserstein` and :data:`hinge` the "logits" are scores that stand for no
probability. A penalty is added, with a weight, to the discriminator's loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid, relu

from jensengap import inputs


class Game(NamedTuple):
    """The two losses of a GAN; each player minimises its own.

    Attributes:
        discriminator_loss: ``(real_logits, fake_logits)`` to a scalar.
        generator_loss: ``(fake_logits)`` to a scalar.
    """

    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]


@inputs.checked
def value(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    r"""Compute $V(D,G)=\mathbb E_p[\log D(x)]+\mathbb E_q[\log(1-D(x))]$, in nats.

    Args:
        real_logits: logits of real examples.
        fake_logits: logits of generated ones.

    Returns:
        A scalar, never positive; $-2\log 2$ when the discriminator only guesses.

    Source: Goodfellow et al. (2014), eq. 1; theorem 1 for the value at the end.
    """
    # log(1 - sigmoid(l)) = logsigmoid(-l): finite for every logit
    return _mean(logsigmoid(real_logits)) + _mean(logsigmoid(-fake_logits))


@inputs.checked
def classification_loss(
    real_logits: Float[Tensor, "*n"], fake_logits: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    r"""Compute $-V(D,G)$: the discriminator ascends ``V``, so it minimises this.

    Args:
        real_logits: logits of real examples.
        fake_logits: logits of generated ones.

    Returns:
        A scalar in nats, never negative.

    Source: Goodfellow et al. (2014), eq. 1, negated; algorithm 1.
    """
    return -value(real_logits, fake_logits)


@inputs.checked
def saturating_loss(fake_logits: Float[Tensor, "*m"]) -> Float[Tensor, ""]:
    r"""Compute $\mathbb E_q[\log(1-D(x))]$: the generator descends ``V``.

    Its gradient with respect to each of $m$ logits is $-D(x)/m$: it dies where the
    discriminator is sure that a sample is fake.

    Args:
        fake_logits: logits of generated examples.

    Returns:
        A scalar in nats, never positive.

    Source: Goodfellow et al. (2014), eq. 1; algorithm 1.
    """
    return _mean(logsigmoid(-fake_logits))


@inputs.checked
def non_saturating_loss(fake_logits: Float[Tensor, "*m"]) -> Float[Tensor, ""]:
    r"""Compute $-\mathbb E_q[\log D(x)]$: another objective, the same fixed point.

    Its gradient with respect to each of $m$ logits is $-(1-D(x))/m$: strong where
    the discriminator is sure that a sample is fake.

    Args:
        fake_logits: logits of generated examples.

    Returns:
        A scalar in nats, never negative.

    Source: Goodfellow et al. (2014), section 3.
    """
    return -_mean(logsigmoid(fake_logits))


@inputs.checked
def critic_loss(
    real_scores: Float[Tensor, "*n"], fake_scores: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    r"""Compute $\mathbb E_q[f(x)]-\mathbb E_p[f(x)]$, the Wasserstein critic's loss.

    Among all $f$ of slope at most one the least value is minus the Wasserstein-1
    distance; without a limit on the slope there is none, unless both are alike.

    Args:
        real_scores: $f$ of real examples.
        fake_scores: $f$ of generated ones.

    Returns:
        A scalar in the unit of ``f``.

    Source: Arjovsky, Chintala and Bottou (2017), eq. 2, negated; Gulrajani et al.
    (2017), algorithm 1.
    """
    return _mean(fake_scores) - _mean(real_scores)


@inputs.checked
def hinge_loss(
    real_scores: Float[Tensor, "*n"], fake_scores: Float[Tensor, "*m"]
) -> Float[Tensor, ""]:
    r"""Compute $\mathbb E_p[\max(0,1-f(x))]+\mathbb E_q[\max(0,1+f(x))]$.

    What scores beyond the margin, real above 1 or fake below -1, pulls no more.

    Args:
        real_scores: $f$ of real examples.
        fake_scores: $f$ of generated ones.

    Returns:
        A scalar, never negative; 2 for a discriminator that is zero.

    Source: Lim and Ye (2017); Miyato et al. (2018), eq. 16, negated.
    """
    return _mean(relu(1 - real_scores)) + _mean(relu(1 + fake_scores))


@inputs.checked
def score_loss(fake_scores: Float[Tensor, "*m"]) -> Float[Tensor, ""]:
    r"""Compute $-\mathbb E_q[f(x)]$: the generator raises the score of its samples.

    Args:
        fake_scores: $f$ of generated examples.

    Returns:
        A scalar in the unit of ``f``.

    Source: Miyato et al. (2018), eq. 17; Gulrajani et al. (2017), algorithm 1.
    """
    return -_mean(fake_scores)


@inputs.checked
def r1_penalty(
    discriminator: Callable[[Tensor], Tensor], real: Float[Tensor, "n *d"]
) -> Float[Tensor, ""]:
    r"""Compute the R1 penalty, $\mathbb E_p\|\nabla_xf(x)\|^2$, at the data.

    The discriminator minimises its loss plus $\frac\gamma2$ times this.

    Args:
        discriminator: $f$, from examples to one logit each.
        real: real examples.

    Returns:
        A scalar, never negative, differentiable in the discriminator's parameters.

    Raises:
        ValueError: a discriminator that returns several numbers for an example, or
            none that has a gradient.

    Source: Mescheder, Geiger and Nowozin (2018), section 4.1, eq. 9 without
    $\frac\gamma2$.
    """
    return _slopes(discriminator, real).square().sum(1).mean()


@inputs.checked
def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor],
    real: Float[Tensor, "n *d"],
    fake: Float[Tensor, "m *d"],
) -> Float[Tensor, ""]:
    r"""Compute $\mathbb E\,(\|\nabla_xf(x)\|-1)^2$ between real and fake (WGAN-GP).

    Each $x$ is drawn uniformly from the segment between a real example and a fake one.

    Args:
        discriminator: $f$, from examples to one score each.
        real: real examples.
        fake: as many generated ones.

    Returns:
        A scalar, never negative, differentiable in the discriminator's parameters.

    Raises:
        ValueError: real and fake differ in shape, and what :func:`r1_penalty` says.

    Source: Gulrajani et al. (2017), eq. 3, second summand without $\lambda$.
    """
    if real.shape != fake.shape:
        raise ValueError(
            "real and fake must have the same shape, one segment for each pair, got "
            f"{tuple(real.shape)} and {tuple(fake.shape)}"
        )
    # one number for each pair, the same for all its coordinates
    share = torch.rand(len(real), *[1] * (real.ndim - 1)).to(real)
    between = real + share * (fake - real)
    return (_slopes(discriminator, between).norm(dim=1) - 1).square().mean()


def _slopes(discriminator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Return the gradient at each example, flat, as a function of the parameters."""
    # a penalty is wanted under no_grad too, to be read
    with inputs.differentiable():
        # a leaf of its own: a penalty on fakes must not reach the generator
        x = x.detach().clone().requires_grad_()
        scores = discriminator(x)
        if not isinstance(scores, Tensor) or scores.numel() != len(x):
            came = getattr(scores, "shape", type(scores).__name__)
            raise ValueError(
                "discriminator must return one number for each example, "
                f"{len(x)} in all, got {came}"
            )
        if not scores.requires_grad:
            raise ValueError(
                "discriminator must be differentiable, got scores without a gradient; "
                "compute them with torch and without .detach()"
            )
        # the examples do not mix, so the sum's gradient holds each one's own
        # create_graph: the discriminator's step differentiates the slope again
        (slopes,) = torch.autograd.grad(
            scores.sum(), x, create_graph=True, allow_unused=True
        )
    # what does not depend on x is flat
    slopes = torch.zeros_like(x) if slopes is None else slopes
    return slopes.reshape(len(x), -1)


def _mean(values: Tensor) -> Tensor:
    """Average, and refuse to average nothing."""
    if not values.numel():
        raise ValueError(
            f"a loss needs at least one example, got shape {tuple(values.shape)}"
        )
    return values.mean()


minimax = Game(classification_loss, saturating_loss)
non_saturating = Game(classification_loss, non_saturating_loss)
wasserstein = Game(critic_loss, score_loss)
hinge = Game(hinge_loss, score_loss)
