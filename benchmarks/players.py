"""The generator and the discriminator that both GANs are made of."""

from torch import nn

LATENT_DIM, BATCH = 100, 128


def generator() -> nn.Sequential:
    """From z to pixels between -1 and 1."""
    return nn.Sequential(
        nn.Linear(LATENT_DIM, 256), nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(256, 512), nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(512, 784), nn.Tanh(),
    )  # fmt: skip


def discriminator() -> nn.Sequential:
    """From pixels to a logit."""
    return nn.Sequential(
        nn.Linear(784, 512), nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(512, 256), nn.LeakyReLU(0.2, inplace=True),
        nn.Linear(256, 1),
    )  # fmt: skip
