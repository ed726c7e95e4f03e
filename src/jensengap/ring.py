r"""The ring of eight: a small GAN, played from one seed, and the modes that it covers.

Eight Gaussians on a circle are too easy to be a test of generators. They are a test of
the *game*: these networks can cover all eight, and whether play ends there depends on
how the players move. Taught in the chapter ``dynamics``.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Adam

from jensengap import coverage, data_toy, gan, nets, train

NUM_MODES, RING_RADIUS, SCALE = 8, 2.0, 0.1
LATENT_DIM, HIDDEN_DIM, BATCH = 2, 64, 256
NUM_SAMPLES = 2000  # in each cloud that is judged
COVER_RADIUS = 3 * SCALE


def centers() -> Float[Tensor, "8 2"]:
    r"""The eight means, $2\,(\cos 2\pi k/8,\ \sin 2\pi k/8)$.

    Returns:
        One centre a row.
    """
    angle = torch.arange(NUM_MODES) * (2 * math.pi / NUM_MODES)
    return RING_RADIUS * torch.stack([angle.cos(), angle.sin()], 1)


def play(
    *,
    generator_rate: float,
    discriminator_rate: float,
    gamma: float,
    seed: int,
    num_rounds: int = 15,
    num_steps: int = 100,
) -> Float[Tensor, "t 2000 2"]:
    r"""Play the non-saturating game, R1 with weight $\gamma/2$, in alternating steps.

    Args:
        generator_rate: Adam's step size for the generator.
        discriminator_rate: that of the discriminator.
        gamma: $\gamma$, 0 for no penalty.
        seed: of initial weights, data and noise.
        num_rounds: how often a cloud is taken.
        num_steps: of each player between two clouds.

    Returns:
        The generator's samples after each round, from the same noise in all of them.
    """
    torch.manual_seed(seed)
    generator = nets.mlp(LATENT_DIM, HIDDEN_DIM, HIDDEN_DIM, 2, activation=nn.ReLU)
    network = nets.mlp(2, HIDDEN_DIM, HIDDEN_DIM, 1, activation=nn.ReLU)
    points = data_toy.ring_of_gaussians(
        50_000, modes=NUM_MODES, radius=RING_RADIUS, scale=SCALE, seed=seed
    )

    def discriminator(x: Tensor) -> Tensor:
        return network(x)[:, 0]

    def inspect(real: Tensor) -> tuple[Tensor, train.Terms]:
        fake = generator(torch.randn(BATCH, LATENT_DIM)).detach()
        loss = gan.non_saturating.discriminator_loss(
            discriminator(real), discriminator(fake)
        )
        if gamma:
            loss = loss + gamma / 2 * gan.r1_penalty(discriminator, real)
        return loss, {}

    def forge(_: Tensor) -> tuple[Tensor, train.Terms]:
        fake = generator(torch.randn(BATCH, LATENT_DIM))
        return gan.non_saturating.generator_loss(discriminator(fake)), {}

    def adam(module: nn.Module, rate: float) -> Adam:
        # less than the usual momentum, which points at where the other player was
        return Adam(module.parameters(), lr=rate, betas=(0.5, 0.999), fused=True)

    players = (
        train.Player("inspector", inspect, adam(network, discriminator_rate)),
        train.Player("forger", forge, adam(generator, generator_rate)),
    )
    noise, clouds = torch.randn(NUM_SAMPLES, LATENT_DIM), []
    for _ in range(num_rounds):
        chosen = torch.randint(len(points), (num_steps, BATCH))
        train.fit(lambda chosen=chosen: map(points.__getitem__, chosen), players, 1)
        with torch.no_grad():
            clouds.append(generator(noise))
    return torch.stack(clouds)


def judge(clouds: Float[Tensor, "t n 2"]) -> dict[str, list]:
    """Count the modes that each cloud covers, and the points that it wastes.

    Args:
        clouds: samples at several times.

    Returns:
        ``modes``, how many of the eight have at least a tenth of their fair share
        within three standard deviations; ``near``, the share of points that are so
        close to any mode. One number for each time.
    """
    num = clouds.shape[1]
    min_count = math.ceil(num / NUM_MODES / 10)
    modes, near = [], []
    for cloud in clouds:
        where = (cloud, centers(), COVER_RADIUS)
        modes.append(int(coverage.modes_covered(*where, min_count).sum()))
        near.append(round(int(coverage.mode_counts(*where).sum()) / num, 3))
    return {"modes": modes, "near": near}


def run(
    *, generator_rate: float, discriminator_rate: float, gamma: float, seed: int
) -> dict[str, list]:
    """Play and judge: what is recorded of one run.

    Args:
        generator_rate: as in ``play``.
        discriminator_rate: as in ``play``.
        gamma: as in ``play``.
        seed: as in ``play``.

    Returns:
        What ``judge`` says of fifteen clouds, a hundred steps apart.
    """
    return judge(
        play(
            generator_rate=generator_rate,
            discriminator_rate=discriminator_rate,
            gamma=gamma,
            seed=seed,
        )
    )
