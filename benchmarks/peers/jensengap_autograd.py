"""This package without its fast path: any network, its loop, one fused Adam.

Images are bytes in memory, and autograd finds the gradient. Grey intensities are no
outcomes of its Bernoulli, so the cross-entropy is spelled out.
"""

from pathlib import Path

import torch
from torch.distributions import kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks import elbo
from jensengap import data, nets, train
from jensengap.data import full

DISTRIBUTIONS = ("torch",)


class Training:
    """``train.fit``, an epoch at a time.

    Args:
        folder: of the digits.
        seed: of torch's global generator.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        torch.manual_seed(seed)
        self.pixels = full.full_mnist(folder, "train", download=False).pixels
        self.pixels = self.pixels.flatten(1)
        relu = {"activation": torch.nn.ReLU}
        self.encoder = nets.Conditional(
            nets.mlp(784, 400, 40, **relu), nets.gaussian_head
        )
        self.decoder = nets.mlp(20, 400, 784, **relu)
        self.prior = nets.StandardNormal(20)
        nets.start_at_mean(self.decoder, self.pixels.float().mean(0) / 255)
        both = [*self.encoder.parameters(), *self.decoder.parameters()]
        adam = torch.optim.Adam(both, lr=1e-3, fused=True)
        self.player = train.Player("loss", self.step, adam)

    def step(self, rows: torch.Tensor) -> tuple[torch.Tensor, train.Terms]:
        """The negative ELBO of a batch."""
        x = self.pixels.index_select(0, rows).float().div_(255)
        q = self.encoder(x)
        logits = self.decoder(q.rsample())
        cross_entropy = binary_cross_entropy_with_logits(logits, x, reduction="sum")
        return cross_entropy / len(x) + kl_divergence(q, self.prior()).mean(), {}

    def epoch(self) -> int:
        """Train for an epoch."""
        n = len(self.pixels)
        train.fit(lambda: data.batches(n, 128), self.player, 1)
        return n

    def weights(self) -> elbo.Weights:
        """Hand the network over."""
        return elbo.of_networks(self.encoder.net, self.decoder)
