r"""The adversarial game as two losses on the discriminator's logits.

``D(x) = sigmoid(logits)`` is the probability that ``x`` is real: real = 1, fake = 0.
Each loss is minimised by its own player. In :data:`minimax` both pull on the same
number; :data:`non_saturating` gives the generator another one to descend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid


class Game(NamedTuple):
    """What each player minimises.

    Attributes:
        discriminator_loss: ``(real_logits, fake_logits)`` to a scalar.
        generator_loss: ``(fake_logits)`` to a scalar.
    """

    discriminator_loss: Callable[[Tensor, Tensor], Tensor]
    generator_loss: Callable[[Tensor], Tensor]


def value(
    real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]
) -> Float[Tensor, ""]:
    r"""$V(D,G)=\mathbb E_p[\log D(x)]+\mathbb E_q[\log(1-D(x))]$, in nats.

    Args:
        real_logits: logits of real examples.
        fake_logits: logits of generated ones.

    Returns:
        A scalar, never positive; $-2\log 2$ when the discriminator only guesses.

    Source: Goodfellow et al. (2014), eq. 1.
    """
    return logsigmoid(real_logits).mean() + logsigmoid(-fake_logits).mean()


def classification_loss(
    real_logits: Float[Tensor, "n"], fake_logits: Float[Tensor, "m"]
) -> Float[Tensor, ""]:
    r"""$-V(D,G)$: the discriminator ascends ``V``, so it minimises this.

    Args:
        real_logits: logits of real examples.
        fake_logits: logits of generated ones.

    Returns:
        A scalar in nats, never negative.
    """
    return -value(real_logits, fake_logits)


def saturating_loss(fake_logits: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    r"""$\mathbb E_q[\log(1-D(x))]$: the generator descends ``V``.

    Its gradient with respect to the logits is $-D(x)$: it dies where the
    discriminator is sure that a sample is fake.

    Args:
        fake_logits: logits of generated examples.

    Returns:
        A scalar in nats, never positive.
    """
    return logsigmoid(-fake_logits).mean()


def non_saturating_loss(fake_logits: Float[Tensor, "m"]) -> Float[Tensor, ""]:
    r"""$-\mathbb E_q[\log D(x)]$: another objective with the same fixed point.

    Its gradient with respect to the logits is $-(1-D(x))$: strong where the
    discriminator is sure that a sample is fake.

    Args:
        fake_logits: logits of generated examples.

    Returns:
        A scalar in nats, never negative.

    Source: Goodfellow et al. (2014), section 3.
    """
    return -logsigmoid(fake_logits).mean()


minimax = Game(classification_loss, saturating_loss)
non_saturating = Game(classification_loss, non_saturating_loss)
