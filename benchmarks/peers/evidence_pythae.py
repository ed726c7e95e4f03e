"""log p(x) of test images by pythae: its ``get_nll``.

``batch_size`` is how many draws it decodes at a time; the default is 100.
The network is the one that this package evaluates: the encoder, which is one's own in
pythae too, turns softplus scales into the log-variances that pythae wants.
"""

from pathlib import Path

import torch
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from torch.nn.functional import softplus

from benchmarks import elbo
from benchmarks.peers import evidence_jensengap as ours
from benchmarks.peers import pythae

DISTRIBUTIONS = pythae.DISTRIBUTIONS
BATCH = 100


class Encoder(pythae.Encoder):
    """Its raw scales are those of softplus."""

    def forward(self, x):
        """Means and log-variances of q(z|x)."""
        found = super().forward(x)
        scale = softplus(found.log_covariance) + 1e-4
        log_var = 2 * scale.log()
        return ModelOutput(embedding=found.embedding, log_covariance=log_var)


class Training:
    """A turn for an epoch: the same images again, with other draws.

    Args:
        folder: of the digits and of the trained network.
        seed: of the draws.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        torch.manual_seed(seed)
        self.images = ours.images(folder).reshape(-1, 1, 28, 28)
        config = VAEConfig((1, 28, 28), latent_dim=20, reconstruction_loss="bce")
        self.model = VAE(config, encoder=Encoder(), decoder=pythae.Decoder()).eval()
        given = elbo.load(folder / ours.NETWORK)
        elbo.into_linear(given[:-1], pythae.layers(self.model))
        self.notes = {"samples": ours.SAMPLES, "batch_size": BATCH}

    @torch.no_grad()
    def epoch(self) -> int:
        """Evaluate the images."""
        self.score = float(self.model.get_nll(self.images, ours.SAMPLES, BATCH))
        return len(self.images)

    def weights(self) -> None:
        """It has learned nothing."""
