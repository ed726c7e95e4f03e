"""The same GAN by this package: images in memory, ``gan``'s game, ``train.fit``.

What the tutorials' loop computes twice or for nothing is computed once: one fake batch
for both players, no gradient of the discriminator's weights when the generator moves.
"""

from pathlib import Path

import torch

from benchmarks import digits, players
from jensengap import data, gan, train

DISTRIBUTIONS = ("torch",)


class Training:
    """``train.fit`` with two players, an epoch at a time."""

    def __init__(self, folder: Path, seed: int) -> None:
        torch.set_flush_denormal(True)
        torch.manual_seed(seed)
        pixels = torch.from_numpy(digits.images(folder, "train"))
        self.images = pixels.float().div_(127.5).sub_(1)
        self.generator, self.discriminator = (
            players.generator(),
            players.discriminator(),
        )
        self.players = [
            self._player("discriminator", self.inspect, self.discriminator),
            self._player("generator", self.forge, self.generator),
        ]

    def _player(self, name, step, net) -> train.Player:
        adam = torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999), fused=True)
        return train.Player(name, step, adam)

    def inspect(self, rows: torch.Tensor) -> tuple[torch.Tensor, train.Terms]:
        """Half the classification loss, as the tutorials take the mean of its parts."""
        self.discriminator.requires_grad_(True)
        real = self.images.index_select(0, rows)
        self.made = self.generator(torch.randn(len(rows), players.LATENT_DIM))
        both = torch.cat([real, self.made.detach()])
        real, fake = self.discriminator(both)[:, 0].chunk(2)
        return gan.non_saturating.discriminator_loss(real, fake) / 2, {}

    def forge(self, rows: torch.Tensor) -> tuple[torch.Tensor, train.Terms]:
        """The non-saturating loss of the batch that was just inspected."""
        self.discriminator.requires_grad_(False)
        logits = self.discriminator(self.made)[:, 0]
        return gan.non_saturating.generator_loss(logits), {}

    def epoch(self) -> int:
        """Train for an epoch."""
        n = len(self.images)
        history = train.fit(lambda: data.batches(n, players.BATCH), self.players, 1)
        self.losses = [history["generator"][-1], history["discriminator"][-1]]
        return n

    def weights(self) -> None:
        """No evaluator waits for them."""
