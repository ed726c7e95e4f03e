r"""A convolutional GAN of digits, a VAE of the same networks, and GAN inversion.

Taught in the chapter ``meaning``. Generator and decoder are the same function of
:math:`z`; what differs is how they are trained, and that the GAN has no encoder.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from jensengap import data, gan, inputs, nets, train, vae

Step = Callable[[Tensor], tuple[Tensor, train.Terms]]


class Discriminator(nets.OnRows):
    r"""Convolutional discriminator with spectrally normalised weights.

    Each weight, a kernel too, is taken as a matrix and divided by its largest singular
    value, so that the network cannot be arbitrarily steep (Miyato et al., 2018): where
    it is too sure, the generator is left with little to follow.

    Args:
        width: see :mod:`jensengap.nets`.
    """

    @inputs.checked
    def __init__(self, width: int = 16) -> None:
        super().__init__(*nets.from_image(1, width))
        self.width = width
        for layer in self._weighted():
            spectral_norm(layer)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        if not all(map(parametrize.is_parametrized, self._weighted())):
            return super().__reduce_ex__(protocol)
        # torch gives a normalised layer a class of its own, which no other process
        # knows: what travels is the tensors, and the layers are made anew
        tensors = dict(self.named_parameters()) | dict(self.named_buffers())
        training = {name: each.training for name, each in self.named_modules()}
        return _restored, (type(self), self.width, tensors, training)

    def _weighted(self) -> list[nn.Module]:
        return [each for each in self if isinstance(each, nn.Conv2d | nn.Linear)]


def _restored(
    kind: type[Discriminator],
    width: int,
    tensors: dict[str, Tensor],
    training: dict[str, bool],
) -> Discriminator:
    """Make a discriminator of tensors that came from elsewhere."""
    # meta: no numbers are made, and none are drawn from torch's generator
    with torch.device("meta"):
        made = kind(width)
    # the tensors themselves: an optimiser that came along still moves them
    for name, tensor in tensors.items():
        owner, _, attribute = name.rpartition(".")
        setattr(made.get_submodule(owner), attribute, tensor)
    for name, is_training in training.items():
        made.get_submodule(name).training = is_training
    return made


class DigitGan(nn.Module):
    r"""Convolutional GAN with a spectrally normalised discriminator.

    Args:
        latent_dim: dimensions of ``z``.
        width: see :mod:`jensengap.nets`.

    Source: Miyato et al. (2018), eq. 8, and section 4 for kernels as matrices.
    """

    @inputs.checked
    def __init__(self, latent_dim: int, width: int = 16) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        self.net = nets.to_image(latent_dim, width)
        self.discriminator = Discriminator(width)

    @inputs.checked
    def generate(self, z: Float[Tensor, "*b z"]) -> Float[Tensor, "*b d"]:
        """Return the image of each ``z``, intensities between 0 and 1."""
        if z.shape[-1] != self.latent_dim:
            raise ValueError(
                f"z must have latent_dim = {self.latent_dim} columns, got shape "
                f"{tuple(z.shape)}"
            )
        return torch.sigmoid(self.net(z))

    @inputs.checked
    def noise(self, num_samples: int) -> Float[Tensor, "n z"]:
        """Draw ``z`` from the prior, on the generator's device and in its dtype."""
        like = next(self.net.parameters())
        return torch.randn(
            num_samples, self.latent_dim, device=like.device, dtype=like.dtype
        )

    @inputs.checked
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
        return self.generate(self.noise(num_samples))


@inputs.checked
def fit_gan(
    model: DigitGan,
    images: Float[Tensor, "n 784"],
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
        model: changed in place, on its device.
        images: intensities in [0, 1], 784 pixels each; each batch goes to the model's
            device and dtype.
        num_epochs: passes over the images.
        rate: the learning rate of both.
        batch_size: real images a step, and as many generated ones.

    Returns:
        Epoch means of the two losses, ``discriminator`` and ``generator``, in nats.

    Raises:
        ValueError: no epoch, fewer images than a batch, intensities outside [0, 1], or
            a rate that is not positive and finite.
        train.NonFiniteLoss: training diverged.

    Source: Goodfellow et al. (2014), algorithm 1, with the loss of their section 3;
    Gulrajani et al. (2017), algorithm 1, for Adam's betas.
    """
    data.verify_probs(images, "images")
    enough = num_epochs >= 1 and 1 <= batch_size <= len(images)
    if not enough or not 0 < rate < math.inf:
        raise ValueError(
            "fit_gan needs an epoch, a batch of images and a positive, finite rate, "
            f"got {num_epochs}, {len(images)} images in batches of {batch_size} and "
            f"{rate}"
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
        made = model.sample(len(rows))
        both = torch.cat([images[rows].to(made), made])
        real, fake = model.discriminator(both)[:, 0].chunk(2)
        return gan.non_saturating.discriminator_loss(real, fake), {}

    def forge(rows: Tensor) -> tuple[Tensor, train.Terms]:
        # through the discriminator, which does not move: train clears its gradient
        fake = model.generate(model.noise(len(rows)))
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


@inputs.checked
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


@inputs.checked
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
        net: from ``z`` to log-odds; it is not changed. All is computed on its device
            and in its dtype.
        images: intensities in [0, 1], as many pixels as the network gives.
        latent_dim: dimensions of ``z``.
        num_starts: descents for each image.
        num_steps: of each descent.
        num_candidates: draws from the prior to choose the starts from.
        rate: Adam's learning rate, which falls linearly to zero.

    Returns:
        :class:`Inversion`, no gradients.

    Raises:
        ValueError: no image, no step, no start, fewer candidates than starts, a rate
            that is not positive and finite, intensities outside [0, 1], or a network
            that takes other codes or gives other images.

    Source: Creswell and Bharath (2019); the candidates and restarts are this package's.
    """
    data.verify_probs(images, "images")
    enough = min(num_steps, latent_dim) >= 1 and 1 <= num_starts <= num_candidates
    if not enough or not 0 < rate < math.inf:
        raise ValueError(
            "invert needs an image, a step, a latent dimension, from 1 to "
            "num_candidates starts and a positive, finite rate, got "
            f"{len(images)}, {num_steps}, {latent_dim}, {num_starts} of "
            f"{num_candidates} and {rate}"
        )
    like = next(net.parameters(), images)
    images = images.to(like)
    with torch.no_grad():
        where = {"device": like.device, "dtype": like.dtype}
        candidates = torch.randn(num_candidates, latent_dim, **where)
        generated = _generated(net, candidates, images)
        # a cheap search chooses the starts; a descent finds the nearest minimum
        near = torch.cdist(images, generated).topk(num_starts, largest=False).indices
    with inputs.differentiable():
        # clone: what was made under inference_mode cannot be learned
        z = candidates[near].clone().requires_grad_()  # (n, s, z)
        _descend(net, z, images[:, None].clone(), num_steps, rate)
    with torch.no_grad():
        squares = (torch.sigmoid(net(z)) - images[:, None]).square().mean(2)
        least = squares.min(1)
        # of each image's starts the one with the least error
        codes = z[torch.arange(len(z), device=z.device), least.indices]
    return Inversion(codes.detach(), least.values.sqrt())


def _generated(net: nn.Module, candidates: Tensor, images: Tensor) -> Tensor:
    """Return the candidates' images; refuse a network of other sizes."""
    try:
        generated = torch.sigmoid(net(candidates))
    except RuntimeError as error:
        raise ValueError(
            f"net took no codes of shape {tuple(candidates.shape)}: {error}; give its "
            "own latent_dim"
        ) from error
    if generated.shape != (len(candidates), images.shape[1]):
        raise ValueError(
            f"images must be of the pixels that net makes, got {images.shape[1]} and "
            f"{tuple(generated.shape)} for {len(candidates)} codes"
        )
    return generated


def _descend(
    net: nn.Module, z: Tensor, images: Tensor, num_steps: int, rate: float
) -> None:
    """Move codes downhill by Adam, each as if it were alone."""
    adam = torch.optim.Adam([z], rate, fused=True)
    for step in range(num_steps):
        adam.param_groups[0]["lr"] = rate * (1 - step / num_steps)
        # a sum, so that each code descends as if it were alone
        loss = 0.5 * (torch.sigmoid(net(z)) - images).square().sum()
        # for z only: backward() would fill the network's gradients as well
        (z.grad,) = torch.autograd.grad(loss, [z])
        adam.step()
