"""Train the models that chapters share: a Bernoulli VAE of digits, and a classifier."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from jensengap import data, inputs, nets, train, vae


@inputs.checked
def one_cycle(
    optimizer: Optimizer, num_steps: int, *, warm_up: float = 0.1
) -> OneCycleLR:
    r"""Make a one-cycle schedule: the rate rises to its peak, then falls by a cosine.

    The peak is the rate that the optimiser has now. A large rate goes far, but only
    from a start that gives it good gradients, and only a small one settles.

    Args:
        optimizer: its first momentum, if it has one, is lowered while the rate is high.
        num_steps: of the whole training.
        warm_up: the share of them in which the rate rises.

    Returns:
        The schedule, to be stepped after each batch.

    Raises:
        ValueError: ten steps or fewer, too few to rise and fall, a share outside of
            (0, 1), or something that is no optimiser.

    Source: Smith and Topin (2019); with two phases and a cosine, as torch has it.
    """
    if num_steps <= 10:
        raise ValueError(
            f"a one-cycle schedule needs more than 10 steps, got {num_steps}; raise "
            "num_epochs, or lower batch_size"
        )
    if not isinstance(optimizer, Optimizer) or not 0 < warm_up < 1:
        raise ValueError(
            "wanted an optimizer and a warm_up between 0 and 1, got "
            f"{type(optimizer).__name__} and {warm_up}"
        )
    rates = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(
        optimizer,
        rates,
        total_steps=num_steps,
        pct_start=warm_up,
        cycle_momentum=not optimizer.defaults.keys().isdisjoint({"momentum", "betas"}),
    )


@inputs.checked
def digit_vae(latent_dim: int, hidden_dim: int, num_pixels: int = 784) -> vae.VAE:
    """Build a Bernoulli VAE: one hidden layer of tanh on either side.

    Args:
        latent_dim: dimensions of ``z``.
        hidden_dim: width of the two hidden layers.
        num_pixels: dimensions of ``x``.

    Returns:
        The model, freshly drawn from torch's global generator.

    Raises:
        ValueError: a size below 1.

    Source: Kingma and Welling (2014), appendix C.
    """
    return vae.VAE(
        nets.Conditional(
            nets.mlp(num_pixels, hidden_dim, 2 * latent_dim), nets.gaussian_head
        ),
        nets.Conditional(nets.mlp(latent_dim, hidden_dim, num_pixels), nets.bernoulli),
        nets.StandardNormal(latent_dim),
    )


@inputs.checked
def fit_vae(
    model: vae.VAE,
    probs: Float[Tensor, "n d"],
    *,
    num_epochs: int,
    max_rate: float,
    batch_size: int = 100,
) -> train.History:
    r"""Train a VAE: maximise the ELBO of dynamically binarised images, in place.

    Each step draws a batch, draws $x\sim\mathrm{Bernoulli}(\text{probs})$ afresh, one
    $z$ for each image, and follows the gradient of $-\frac1b\sum\mathrm{ELBO}$ with
    Adam under a one-cycle schedule. All chance comes from torch's global generator:
    call ``torch.manual_seed`` first.

    Args:
        model: a VAE with a Bernoulli decoder; changed in place, on its device.
        probs: intensities in [0, 1], read as probabilities of ink; each batch goes to
            the model's device and dtype.
        num_epochs: passes over the images.
        max_rate: the learning rate at the schedule's peak.
        batch_size: images a step.

    Returns:
        Epoch means of ``loss``, ``reconstruction`` and ``kl_prior``, in nats.

    Raises:
        ValueError: no image, no epoch, a batch size below 1, intensities outside
            [0, 1], images of another size than the decoder's, a rate that is not
            positive and finite, or ten steps or fewer, too few for the schedule.
        train.NonFiniteLoss: training diverged.

    Source: Kingma and Welling (2014), algorithm 1; Burda, Grosse and Salakhutdinov
    (2016), section 5.1, for the binarisation; Smith and Topin (2019) for the schedule.
    """
    data.verify_probs(probs)
    _verify_settings("fit_vae", len(probs), num_epochs, batch_size, max_rate)
    # rounded up: the last, smaller batch is a step as well
    num_steps = num_epochs * -(-len(probs) // batch_size)
    # beta_2 = 0.99: the usual 0.999 remembers longer than some trainings last
    adam = Adam(model.parameters(), max_rate, betas=(0.9, 0.99), fused=True)
    schedule = one_cycle(adam, num_steps)
    nets.start_at_mean(model.decoder.net, probs.mean(0))
    like = next(model.parameters())

    def step(i: Tensor) -> tuple[Tensor, train.Terms]:
        # afresh at each visit: less to memorise than with fixed binary images
        x = data.binarize(probs[i].to(like))
        terms = model.terms(x)
        named = {name: term.mean() for name, term in terms._asdict().items()}
        return -terms.elbo.mean(), named

    return train.fit(
        lambda: data.batches(len(probs), batch_size),
        train.Player("loss", step, adam, schedule),
        num_epochs,
    )


class Classifier(nn.Module):
    """Convolutional classifier: two convolutions, a layer of features, a linear map.

    Args:
        num_features: size of the last hidden layer.
        num_classes: how many classes there are.
    """

    def __init__(self, num_features: int = 64, num_classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(nets.from_image(num_features), nn.ReLU())
        self.head = nn.Linear(num_features, num_classes)

    @inputs.checked
    def forward(self, x: Float[Tensor, "n 784"]) -> Float[Tensor, "n c"]:
        """Return the classes' log-odds."""
        return self.head(self.features(x))

    @inputs.checked
    @torch.no_grad()
    def predict(self, x: Float[Tensor, "n 784"]) -> Int[Tensor, "n"]:
        """Return the most probable class of each image."""
        return self(x).argmax(1)


@inputs.checked
def fit_classifier(
    model: Classifier,
    images: Float[Tensor, "n 784"],
    labels: Int[Tensor, "n"],
    *,
    num_epochs: int,
    max_rate: float = 4e-3,
    batch_size: int = 50,
) -> train.History:
    """Train a classifier by cross-entropy on images shifted by up to two pixels.

    Args:
        model: changed in place, on its device.
        images: intensities in [0, 1], 784 pixels each.
        labels: the class of each, counted from 0.
        num_epochs: passes over the images.
        max_rate: the learning rate at the schedule's peak.
        batch_size: images a step; a whole batch is shifted alike.

    Returns:
        Epoch means of ``loss``, nats an image.

    Raises:
        ValueError: no image, no epoch, a batch size below 1, intensities outside
            [0, 1], a label that the model has no class for, a rate that is not
            positive and finite, or ten steps or fewer, too few for the schedule.
    """
    data.verify_probs(images, "images")
    _verify_labels(labels, model.head.out_features)
    _verify_settings("fit_classifier", len(images), num_epochs, batch_size, max_rate)
    num_steps = num_epochs * -(-len(images) // batch_size)
    adam = Adam(model.parameters(), max_rate, fused=True)
    schedule = one_cycle(adam, num_steps, warm_up=0.2)
    like, side = model.head.weight, nets.SIDE

    def step(rows: Tensor) -> tuple[Tensor, train.Terms]:
        # the digits' margin is four pixels wide: what is rolled round is empty
        shift = torch.randint(-2, 3, (2,)).tolist()
        x = images[rows].to(like).reshape(-1, side, side)
        moved = x.roll(shift, (1, 2)).flatten(1)
        return cross_entropy(model(moved), labels[rows].to(like.device).long()), {}

    return train.fit(
        lambda: data.batches(len(images), batch_size),
        train.Player("loss", step, adam, schedule),
        num_epochs,
    )


def _verify_settings(
    name: str, num_images: int, num_epochs: int, batch_size: int, max_rate: float
) -> None:
    if min(num_images, num_epochs, batch_size) < 1 or not 0 < max_rate < math.inf:
        raise ValueError(
            f"{name} needs an image, num_epochs and batch_size of at least 1 and a "
            f"positive, finite max_rate, got {num_images}, {num_epochs}, {batch_size} "
            f"and {max_rate}"
        )


def _verify_labels(labels: Tensor, num_classes: int) -> None:
    if not inputs.every((labels >= 0) & (labels < num_classes)):
        raise ValueError(
            f"labels must be from 0 to {num_classes - 1}, one class each, got "
            f"{int(labels.min())} to {int(labels.max())}; make a Classifier with as "
            "many num_classes, or count from 0"
        )
