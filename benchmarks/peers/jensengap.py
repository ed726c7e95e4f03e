"""This package's fast path: the gradient written out, data in memory.

Denormal numbers are flushed to zero: Adam's moments of weights that get no gradient
fade through them, and a processor is slow there. It has to be asked before torch starts
its threads, which inherit it.
"""

from pathlib import Path

import torch

from benchmarks import elbo
from jensengap import nets, train, vae
from jensengap.data import full
from jensengap.fast import bernoulli_vae

DISTRIBUTIONS = ("torch",)
LATENT_DIM, BATCH = 20, 128


def network() -> vae.VAE:
    """Make 784-400-20 with ReLU, freshly drawn."""
    relu = {"activation": torch.nn.ReLU}
    encoder = nets.mlp(784, 400, 2 * LATENT_DIM, **relu)
    return vae.VAE(
        nets.Conditional(encoder, nets.gaussian_head),
        nets.Conditional(nets.mlp(LATENT_DIM, 400, 784, **relu), nets.bernoulli),
        nets.StandardNormal(LATENT_DIM),
    )


class Training:
    """``train.fit``, an epoch at a time.

    Args:
        folder: of the digits.
        seed: of torch's global generator.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        torch.set_flush_denormal(True)
        torch.manual_seed(seed)
        pixels = full.full_mnist(folder, "train", download=False).pixels
        self.images = pixels.flatten(1)  # bytes: a quarter of the memory of floats
        self.model = network()
        # in pieces: the sum of bytes is taken of eight times as many
        totals = sum(piece.sum(0) for piece in self.images.split(1000))
        mean = totals / (255 * len(self.images))
        nets.start_at_mean(self.model.decoder.net, mean)
        self.fused = bernoulli_vae.FusedVAE(self.model)
        self.player = self.make_player()

    def make_player(self) -> train.Player:
        """Choose how the parameters are moved."""
        adam = torch.optim.Adam(self.model.parameters(), lr=1e-3, fused=True)
        return train.Player("loss", self.step, adam)

    def step(
        self, batch: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, train.Terms]:
        """The negative ELBO of a batch."""
        rows, noise = batch
        x = self.images.index_select(0, rows).float().div_(255)
        return self.fused(x, noise[None], closed_kl=True, grey_targets=True).loss, {}

    def epoch(self) -> int:
        """Train for an epoch."""
        n = len(self.images)
        rows, noise = torch.randperm(n), torch.randn(n, LATENT_DIM)
        pairs = zip(rows.split(BATCH), noise.split(BATCH), strict=True)
        train.fit(lambda: pairs, self.player, 1)
        return n

    def weights(self) -> elbo.Weights:
        """Hand the network over."""
        return elbo.of_networks(self.model.encoder.net, self.model.decoder.net)
