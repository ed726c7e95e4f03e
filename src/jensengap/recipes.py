"""Train the models that chapters share: a Bernoulli VAE of digits, and a classifier."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import OneCycleLR

from jensengap import data, nets, train, vae


def one_cycle(
    optimizer: Optimizer, num_steps: int, *, warm_up: float = 0.1
) -> OneCycleLR:
    r"""Make a one-cycle schedule: the rate rises to its peak, then falls by a cosine.

    The peak is the rate that the optimiser has now. A large rate goes far, but only
    from a start that gives it good gradients, and only a small one settles.

    Args:
        optimizer: its first momentum is lowered while the rate is high.
        num_steps: of the whole training.
        warm_up: the share of them in which the rate rises.

    Returns:
        The schedule, to be stepped after each batch.

    Raises:
        ValueError: ten steps or fewer, too few to rise and fall.

    Source: Smith and Topin (2019); with two phases and a cosine, as torch has it.
    """
    if num_steps <= 10:
        raise ValueError(
            f"a one-cycle schedule needs more than 10 steps, got {num_steps}; raise "
            "num_epochs, or lower batch_size"
        )
    rates = [group["lr"] for group in optimizer.param_groups]
    return OneCycleLR(optimizer, rates, total_steps=num_steps, pct_start=warm_up)


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
        model: a VAE with a Bernoulli decoder; changed in place.
        probs: intensities in [0, 1], read as probabilities of ink.
        num_epochs: passes over the images.
        max_rate: the learning rate at the schedule's peak.
        batch_size: images a step.

    Returns:
        Epoch means of ``loss``, ``reconstruction`` and ``kl_prior``, in nats.

    Raises:
        ValueError: no image, no epoch, a batch size below 1, intensities outside
            [0, 1], a rate that is not positive, or ten steps or fewer, too few for
            the schedule.
        train.NonFiniteLoss: training diverged.

    Source: Kingma and Welling (2014), algorithm 1; Burda, Grosse and Salakhutdinov
    (2016), section 5.1, for the binarisation; Smith and Topin (2019) for the schedule.
    """
    if min(num_epochs, batch_size, len(probs)) < 1 or not max_rate > 0:
        raise ValueError(
            "fit_vae needs an image, num_epochs and batch_size of at least 1 and a "
            f"positive max_rate, got {len(probs)}, {num_epochs}, {batch_size} and "
            f"{max_rate}"
        )
    # rounded up: the last, smaller batch is a step as well
    num_steps = num_epochs * -(-len(probs) // batch_size)
    # beta_2 = 0.99: the usual 0.999 remembers longer than some trainings last
    adam = Adam(model.parameters(), max_rate, betas=(0.9, 0.99), fused=True)
    schedule = one_cycle(adam, num_steps)
    nets.start_at_mean(model.decoder.net, probs.mean(0))

    def step(i: Tensor) -> tuple[Tensor, train.Terms]:
        # afresh at each visit: less to memorise than with fixed binary images
        x = data.binarize(probs[i])
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

    def forward(self, x: Float[Tensor, "n d"]) -> Float[Tensor, "n c"]:
        """Return the classes' log-odds."""
        return self.head(self.features(x))

    @torch.no_grad()
    def predict(self, x: Float[Tensor, "n d"]) -> Int[Tensor, "n"]:
        """Return the most probable class of each image."""
        return self(x).argmax(1)


def fit_classifier(
    model: Classifier,
    images: Float[Tensor, "n d"],
    labels: Int[Tensor, "n"],
    *,
    num_epochs: int,
    max_rate: float = 4e-3,
    batch_size: int = 50,
) -> train.History:
    """Train a classifier by cross-entropy on images shifted by up to two pixels.

    Args:
        model: changed in place.
        images: intensities in [0, 1], 784 pixels each.
        labels: the class of each.
        num_epochs: passes over the images.
        max_rate: the learning rate at the schedule's peak.
        batch_size: images a step; a whole batch is shifted alike.

    Returns:
        Epoch means of ``loss``, nats an image.

    Raises:
        ValueError: ten steps or fewer, too few for the schedule.
    """
    num_steps = num_epochs * -(-len(images) // max(batch_size, 1))
    adam = Adam(model.parameters(), max_rate, fused=True)
    schedule = one_cycle(adam, num_steps, warm_up=0.2)
    side = nets.SIDE

    def step(rows: Tensor) -> tuple[Tensor, train.Terms]:
        # the digits' margin is four pixels wide: what is rolled round is empty
        shift = torch.randint(-2, 3, (2,)).tolist()
        moved = images[rows].reshape(-1, side, side).roll(shift, (1, 2)).flatten(1)
        return cross_entropy(model(moved), labels[rows]), {}

    return train.fit(
        lambda: data.batches(len(images), batch_size),
        train.Player("loss", step, adam, schedule),
        num_epochs,
    )
