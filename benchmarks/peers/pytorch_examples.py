"""The VAE of the PyTorch examples: torchvision's MNIST, ``ToTensor``, a DataLoader.

Source: github.com/pytorch/examples, ``vae/main.py``, with its prints left out.
"""

from pathlib import Path

import torch
from torch import nn, optim
from torch.nn import functional as F

from benchmarks import elbo
from benchmarks.vision import datasets, transforms

DISTRIBUTIONS = ("torch", "torchvision")


class VAE(nn.Module):
    """As in the example."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 400)
        self.fc21 = nn.Linear(400, 20)
        self.fc22 = nn.Linear(400, 20)
        self.fc3 = nn.Linear(20, 400)
        self.fc4 = nn.Linear(400, 784)

    def encode(self, x):
        """Means and log-variances of q(z|x)."""
        h1 = F.relu(self.fc1(x))
        return self.fc21(h1), self.fc22(h1)

    def reparameterize(self, mu, logvar):
        """One draw of z."""
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        """Intensities between 0 and 1."""
        h3 = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h3))

    def forward(self, x):
        """All of it."""
        mu, logvar = self.encode(x.view(-1, 784))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    """The negative ELBO, summed over the batch."""
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 784), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return BCE + KLD


class Training:
    """The example's ``train``, an epoch at a time."""

    def __init__(self, folder: Path, seed: int) -> None:
        torch.manual_seed(seed)
        digits = datasets.MNIST(
            str(folder), train=True, download=False, transform=transforms.ToTensor()
        )
        self.loader = torch.utils.data.DataLoader(digits, batch_size=128, shuffle=True)
        self.model = VAE()
        self.optimizer = optim.Adam(self.model.parameters(), lr=1e-3)

    def epoch(self) -> int:
        """Train for an epoch."""
        self.model.train()
        train_loss = 0
        for data, _ in self.loader:
            self.optimizer.zero_grad()
            recon_batch, mu, logvar = self.model(data)
            loss = loss_function(recon_batch, data, mu, logvar)
            loss.backward()
            train_loss += loss.item()
            self.optimizer.step()
        return len(self.loader.dataset)

    def weights(self) -> elbo.Weights:
        """Hand the network over."""
        m = self.model
        layers = elbo.of_linear(m.fc1, m.fc21, m.fc22, m.fc3, m.fc4)
        return elbo.Weights(*layers, "log_variance")
