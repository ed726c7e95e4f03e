"""The VAE of Pyro's tutorial: model and guide, ``SVI`` with ``Trace_ELBO``.

Source: pyro.ai/examples/vae.html; ReLU for its softplus, as everywhere here.
"""

from pathlib import Path

import pyro
import pyro.distributions as dist
import torch
from pyro.infer import SVI, Trace_ELBO
from pyro.optim import Adam
from torch import nn

from benchmarks import elbo
from benchmarks.vision import datasets, transforms

DISTRIBUTIONS = ("pyro-ppl", "torch", "torchvision")


class Decoder(nn.Module):
    """From z to intensities."""

    def __init__(self, z_dim, hidden_dim):
        super().__init__()
        self.fc1 = nn.Linear(z_dim, hidden_dim)
        self.fc21 = nn.Linear(hidden_dim, 784)
        self.relu = nn.ReLU()
        self.sigmoid = nn.Sigmoid()

    def forward(self, z):
        """The means of the pixels."""
        return self.sigmoid(self.fc21(self.relu(self.fc1(z))))


class Encoder(nn.Module):
    """From x to the means and scales of q(z|x)."""

    def __init__(self, z_dim, hidden_dim):
        super().__init__()
        self.fc1 = nn.Linear(784, hidden_dim)
        self.fc21 = nn.Linear(hidden_dim, z_dim)
        self.fc22 = nn.Linear(hidden_dim, z_dim)
        self.relu = nn.ReLU()

    def forward(self, x):
        """Means and scales."""
        hidden = self.relu(self.fc1(x.reshape(-1, 784)))
        return self.fc21(hidden), torch.exp(self.fc22(hidden))


class VAE(nn.Module):
    """As in the tutorial."""

    def __init__(self, z_dim=20, hidden_dim=400):
        super().__init__()
        self.encoder = Encoder(z_dim, hidden_dim)
        self.decoder = Decoder(z_dim, hidden_dim)
        self.z_dim = z_dim

    def model(self, x):
        """p(z) p(x|z)."""
        pyro.module("decoder", self.decoder)
        with pyro.plate("data", x.shape[0]):
            z_loc = x.new_zeros(torch.Size((x.shape[0], self.z_dim)))
            z_scale = x.new_ones(torch.Size((x.shape[0], self.z_dim)))
            z = pyro.sample("latent", dist.Normal(z_loc, z_scale).to_event(1))
            loc_img = self.decoder(z)
            pyro.sample(
                "obs",
                dist.Bernoulli(loc_img, validate_args=False).to_event(1),
                obs=x.reshape(-1, 784),
            )

    def guide(self, x):
        """q(z|x)."""
        pyro.module("encoder", self.encoder)
        with pyro.plate("data", x.shape[0]):
            z_loc, z_scale = self.encoder(x)
            pyro.sample("latent", dist.Normal(z_loc, z_scale).to_event(1))


class Training:
    """The tutorial's ``train``, an epoch at a time."""

    def __init__(self, folder: Path, seed: int) -> None:
        pyro.set_rng_seed(seed)
        pyro.clear_param_store()
        digits = datasets.MNIST(
            str(folder), train=True, download=False, transform=transforms.ToTensor()
        )
        self.loader = torch.utils.data.DataLoader(digits, batch_size=128, shuffle=True)
        self.vae = VAE()
        self.svi = SVI(
            self.vae.model, self.vae.guide, Adam({"lr": 1e-3}), loss=Trace_ELBO()
        )

    def epoch(self) -> int:
        """Train for an epoch."""
        epoch_loss = 0.0
        for x, _ in self.loader:
            epoch_loss += self.svi.step(x)
        return len(self.loader.dataset)

    def weights(self) -> elbo.Weights:
        """Hand the network over."""
        e, d = self.vae.encoder, self.vae.decoder
        layers = elbo.of_linear(e.fc1, e.fc21, e.fc22, d.fc1, d.fc21)
        return elbo.Weights(*layers, "log_scale")
