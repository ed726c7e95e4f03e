"""log p(x) of test images by this package: ``evidence.log_evidence`` in float32."""

from pathlib import Path

import torch

from benchmarks import digits, elbo
from benchmarks.peers import jensengap
from jensengap import data
from jensengap.fast import evidence

DISTRIBUTIONS = ("torch",)
NETWORK = "network.npz"  # beside the digits: what both evaluate
IMAGES, SAMPLES = 128, 5000  # of the first test images


def images(folder: Path) -> torch.Tensor:
    """Draw binary test images, (n, 784), the same ones for every peer."""
    pixels = digits.images(folder, "test")[:IMAGES]
    # grey pixels have no probability under a Bernoulli
    probs = torch.from_numpy(pixels).float().div_(255)
    return data.binarize(probs, torch.Generator().manual_seed(0))


class Training:
    """A turn for an epoch: the same images again, with other draws.

    Args:
        folder: of the digits and of the trained network.
        seed: of the draws.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        torch.set_flush_denormal(True)
        torch.manual_seed(seed)
        self.images = images(folder)
        self.model = jensengap.network()
        given = elbo.load(folder / NETWORK)
        both = self.model.encoder.net, self.model.decoder.net
        elbo.into_networks(given, *both)
        self.notes = {"samples": SAMPLES}

    def epoch(self) -> int:
        """Evaluate the images."""
        found = evidence.log_evidence(self.model, self.images, SAMPLES)
        self.score = float(found.log_p.double().mean())
        return len(self.images)

    def weights(self) -> None:
        """It has learned nothing."""
