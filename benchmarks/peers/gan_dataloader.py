"""A GAN of perceptrons as tutorials train it: torchvision, a DataLoader, BCELoss.

The steps are those of the well-known collections of PyTorch GANs: the generator moves,
then the discriminator, each with Adam. Prints and pictures are left out.
"""

from pathlib import Path

import torch
from torch import nn

from benchmarks.players import BATCH, LATENT_DIM, discriminator, generator
from benchmarks.vision import datasets, transforms

DISTRIBUTIONS = ("torch", "torchvision")


class Training:
    """The tutorials' loop, an epoch at a time."""

    def __init__(self, folder: Path, seed: int) -> None:
        torch.manual_seed(seed)
        scaled = [transforms.ToTensor(), transforms.Normalize([0.5], [0.5])]
        digits = datasets.MNIST(
            str(folder), train=True, download=False,
            transform=transforms.Compose(scaled),
        )  # fmt: skip
        self.loader = torch.utils.data.DataLoader(
            digits, batch_size=BATCH, shuffle=True
        )
        self.generator = generator()
        self.discriminator = nn.Sequential(*discriminator(), nn.Sigmoid())
        rates = {"lr": 2e-4, "betas": (0.5, 0.999)}
        self.to_g = torch.optim.Adam(self.generator.parameters(), **rates)
        self.to_d = torch.optim.Adam(self.discriminator.parameters(), **rates)

    def epoch(self) -> int:
        """Train for an epoch."""
        loss, losses = nn.BCELoss(), [0.0, 0.0]
        for images, _ in self.loader:
            real = images.view(len(images), -1)
            valid, fake = torch.ones(len(real), 1), torch.zeros(len(real), 1)

            self.to_g.zero_grad()
            made = self.generator(torch.randn(len(real), LATENT_DIM))
            g_loss = loss(self.discriminator(made), valid)
            g_loss.backward()
            self.to_g.step()

            self.to_d.zero_grad()
            real_loss = loss(self.discriminator(real), valid)
            fake_loss = loss(self.discriminator(made.detach()), fake)
            d_loss = (real_loss + fake_loss) / 2
            d_loss.backward()
            self.to_d.step()
            # of examples, as train.fit has them: the last batch is smaller
            found = g_loss.item(), d_loss.item()
            losses = [
                total + len(real) * each
                for total, each in zip(losses, found, strict=True)
            ]
        self.losses = [each / len(self.loader.dataset) for each in losses]
        return len(self.loader.dataset)

    def weights(self) -> None:
        """No evaluator waits for them."""
