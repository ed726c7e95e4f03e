r"""A convolutional GAN of digits, a VAE of the same networks, and GAN inversion.

Taught in the chapter ``meaning``. Generator and decoder are the same function of
:math:`z`; what differs is how they are trained, and that the GAN has no encoder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from jensengap import data, gan, nets, train, vae

Step = Callable[[Tensor], tuple[Tensor, train.Terms]]


class DigitGan(nn.Module):
    r"""Convolutional GAN with a spectrally normalised discriminator.

    Each weight of the discriminator, a kernel too, is taken as a matrix and divided by
    its largest singular value, so that the network cannot be arbitrarily steep (Miyato
    et al., 2018): where it is too sure, the generator is left with little to follow.

    Args:
        latent_dim: dimensions of ``z``.
        width: see :mod:`jensengap.nets`.

    Source: Miyato et al. (2018), eq. 8, and section 4 for kernels as matrices.
    """

    def __init__(self, latent_dim: int, width: int = 16) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.net = nets.to_image(latent_dim, width)
        self.discriminator = nets.from_image(1, width)
        for layer in self.discriminator:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                spectral_norm(layer)

    def generate(self, z: Float[Tensor, "*b z"]) -> Float[Tensor, "*b d"]:
        """Return the image of each ``z``, intensities between 0 and 1."""
        return torch.sigmoid(self.net(z))

    @torch.no_grad()
    def sample(self, num_samples: int) -> Float[Tensor, "n d"]:
        """Draw ``z`` from the prior and return the images.

        Args:
            num_samples: how many, at least 1.

        Raises:
            ValueError: ``num_samples`` below 1.
        """
        if num_samples < 1:
            raise ValueError(f"num_samples must be at least 1, got {num_samples}")
        return self.generate(torch.randn(num_samples, self.latent_dim))


def fit_gan(
    model: DigitGan,
    images: Float[Tensor, "n d"],
    *,
    num_epochs: int,
    rate: float = 4e-3,
    batch_size: int = 32,
) -> train.History:
    r"""Train the GAN with the non-saturating losses on grey images, in place.

    On each batch the discriminator moves, then the generator, each with Adam without
    momentum, at equal rates that fall linearly to zero in the second half. All chance
    comes from torch's global generator.

    Args:
        model: changed in place.
        images: intensities in [0, 1].
        num_epochs: passes over the images.
        rate: the learning rate of both.
        batch_size: real images a step, and as many generated ones.

    Returns:
        Epoch means of the two losses, ``discriminator`` and ``generator``, in nats.

    Raises:
        ValueError: no epoch, fewer images than a batch, or a rate that is not positive.
        train.NonFiniteLoss: training diverged.

    Source: Goodfellow et al. (2014), algorithm 1, with the loss of their section 3;
    Gulrajani et al. (2017), algorithm 1, for Adam's betas.
    """
    if num_epochs < 1 or not 1 <= batch_size <= len(images) or not rate > 0:
        raise ValueError(
            "fit_gan needs an epoch, a batch of images and a positive rate, got "
            f"{num_epochs}, {len(images)} images in batches of {batch_size} and {rate}"
        )
    # rounded down: a smaller last batch is dropped, see drop_last below
    num_steps = num_epochs * (len(images) // batch_size)

    def player(name: str, step: Step, net: nn.Module) -> train.Player:
        # no momentum: old gradients were of another opponent
        adam = torch.optim.Adam(net.parameters(), rate, (0.0, 0.9), fused=True)
        fall = torch.optim.lr_scheduler.LambdaLR(
            # constant in the first half, linearly to 0 in the second
            adam,
            lambda t: min(1.0, 2 - 2 * t / num_steps),
        )
        return train.Player(name, step, adam, fall)

    def inspect(rows: Tensor) -> tuple[Tensor, train.Terms]:
        # one pass for both; without batch normalisation they do not mix
        both = torch.cat([images[rows], model.sample(len(rows))])
        real, fake = model.discriminator(both)[:, 0].chunk(2)
        return gan.non_saturating.discriminator_loss(real, fake), {}

    def forge(rows: Tensor) -> tuple[Tensor, train.Terms]:
        # through the discriminator, which does not move: train clears its gradient
        fake = model.generate(torch.randn(len(rows), model.latent_dim))
        logits = model.discriminator(fake)[:, 0]
        return gan.non_saturating.generator_loss(logits), {}

    return train.fit(
        lambda: data.batches(len(images), batch_size, drop_last=True),
        [
            player("discriminator", inspect, model.discriminator),
            player("generator", forge, model.net),
        ],
        num_epochs,
    )


def twin_vae(latent_dim: int, width: int = 16) -> vae.VAE:
    """Build the Bernoulli VAE whose decoder is the generator's network.

    Args:
        latent_dim: dimensions of ``z``.
        width: see :mod:`jensengap.nets`.

    Returns:
        The model, freshly drawn; train it by ``recipes.fit_vae``.
    """
    return vae.VAE(
        nets.Conditional(nets.from_image(2 * latent_dim, width), nets.gaussian_head),
        nets.Conditional(nets.to_image(latent_dim, width), nets.bernoulli),
        nets.StandardNormal(latent_dim),
    )


class Inversion(NamedTuple):
    """Result of an inversion: the best code of each image, and its error.

    Attributes:
        codes: one ``z`` for each image.
        error: root of the mean squared error over pixels, one for each image.
    """

    codes: Float[Tensor, "n z"]
    error: Float[Tensor, "n"]


def invert(
    net: nn.Module,
    images: Float[Tensor, "n d"],
    *,
    latent_dim: int,
    num_starts: int = 3,
    num_steps: int = 50,
    num_candidates: int = 2000,
    rate: float = 0.1,
) -> Inversion:
    r"""Invert a generator: minimise $\|\sigma(\ell(z))-x\|^2$ over $z$ for each image.

    Candidates are drawn from the prior; from those whose images are closest each image
    starts ``num_starts`` descents by Adam, and keeps the best end. Nothing but the
    generator is used, so it can be done to a VAE's decoder as well.

    Args:
        net: from ``z`` to log-odds; it is not changed.
        images: intensities in [0, 1].
        latent_dim: dimensions of ``z``.
        num_starts: descents for each image.
        num_steps: of each descent.
        num_candidates: draws from the prior to choose the starts from.
        rate: Adam's learning rate, which falls linearly to zero.

    Returns:
        :class:`Inversion`, no gradients.

    Raises:
        ValueError: no image, no step, no start, or fewer candidates than starts.

    Source: Creswell and Bharath (2019); the candidates and restarts are this package's.
    """
    if min(len(images), num_steps) < 1 or not 1 <= num_starts <= num_candidates:
        raise ValueError(
            "invert needs an image, a step and from 1 to num_candidates starts, got "
            f"{len(images)}, {num_steps} and {num_starts} of {num_candidates}"
        )
    with torch.no_grad():
        candidates = torch.randn(num_candidates, latent_dim)
        generated = torch.sigmoid(net(candidates))
        # a cheap search chooses the starts; a descent finds the nearest minimum
        near = torch.cdist(images, generated).topk(num_starts, largest=False).indices
    z = candidates[near].requires_grad_()  # (n, s, z)
    adam = torch.optim.Adam([z], rate, fused=True)
    for step in range(num_steps):
        adam.param_groups[0]["lr"] = rate * (1 - step / num_steps)
        # a sum, so that each code descends as if it were alone
        loss = 0.5 * (torch.sigmoid(net(z)) - images[:, None]).square().sum()
        # for z only: backward() would fill the network's gradients as well
        (z.grad,) = torch.autograd.grad(loss, [z])
        adam.step()
    with torch.no_grad():
        squares = (torch.sigmoid(net(z)) - images[:, None]).square().mean(2)
        least = squares.min(1)
        # of each image's starts the one with the least error
        codes = z[torch.arange(len(z)), least.indices]
    return Inversion(codes.detach(), least.values.sqrt())
