r"""Table 1 of the IWAE paper: its network, its two objectives, and its evaluation.

One stochastic layer of 50, two deterministic layers of 200 tanh on either side, images
binarised afresh each time. The two objectives average the same $k$ log-weights, the
VAE's outside the logarithm and the IWAE's inside; with $k=1$ they are one.

Source: Burda, Grosse and Salakhutdinov (2016), section 5 and table 1.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jensengap import data, nets, vae
from jensengap.data import embedded
from jensengap.experiments import recordings
from jensengap.fast import bernoulli_vae, evidence

LATENT_DIM = 50
HIDDEN_DIM = 200
# negative log-likelihood in nats, by objective and k
PAPER = {
    "vae": {1: 86.76, 5: 86.47, 50: 86.35},
    "iwae": {1: 86.76, 5: 85.54, 50: 84.78},
}
# of the book's own digits, with which anyone can compare a network
_NUM_CHECKED, _CHECK_SAMPLES = 200, 500
# of some of the runs in the recording "iwae-table"
NETWORKS = recordings.FOLDER / "iwae-table"


class Noise(NamedTuple):
    """All chance in one step.

    Attributes:
        uniform: makes black-and-white images out of grey ones.
        normal: makes the ``k`` samples of ``z`` for each image.
    """

    uniform: Float[Tensor, "b d"]
    normal: Float[Tensor, "k b z"]

    def part(self, rows: slice) -> Noise:
        """Take what belongs to some of the images."""
        return Noise(self.uniform[rows], self.normal[:, rows])


def draw(
    batch_size: int, num_pixels: int, num_samples: int, generator: torch.Generator
) -> Noise:
    """Draw the noise of one step, on the generator's device.

    Args:
        batch_size: images in the *global* batch, so that the same numbers come
            however many processes share it.
        num_pixels: pixels in an image.
        num_samples: draws of ``z`` for each image.
        generator: the source of chance.
    """
    kind = {"generator": generator, "device": generator.device}
    return Noise(
        torch.rand(batch_size, num_pixels, **kind),
        torch.randn(num_samples, batch_size, LATENT_DIM, **kind),
    )


def network(probs: Float[Tensor, "d"]) -> vae.VAE:
    """Build the network of the paper's table, freshly drawn from the global generator.

    Weights as in the paper (Glorot and Bengio 2010), biases zero; the decoder starts
    at the mean image.

    Args:
        probs: how often each pixel is on.
    """
    dims = HIDDEN_DIM, HIDDEN_DIM
    model = vae.VAE(
        nets.Conditional(
            nets.mlp(len(probs), *dims, 2 * LATENT_DIM), nets.gaussian_head
        ),
        nets.Conditional(nets.mlp(LATENT_DIM, *dims, len(probs)), nets.bernoulli),
        nets.StandardNormal(LATENT_DIM),
    )
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
    nets.start_at_mean(model.decoder.net, probs)
    return model


class Objective(nn.Module):
    r"""The loss of a batch as a module, so that its gradients can be averaged.

    Args:
        model: the VAE.
        objective: ``"vae"`` or ``"iwae"``.
        doubly: see :meth:`jensengap.fast.bernoulli_vae.FusedVAE.forward`.
    """

    def __init__(self, model: vae.VAE, objective: str, *, doubly: bool = False) -> None:
        super().__init__()
        self.fused = bernoulli_vae.FusedVAE(model)
        self.kind = {"objective": objective, "doubly": doubly}

    def forward(
        self, probs: Float[Tensor, "b d"], noise: Noise
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "2"]]:
        """Return the loss, and the batch means of both bounds, elbo before iwae."""
        x = (noise.uniform < probs).to(probs.dtype)
        value = self.fused(x, noise.normal, **self.kind)
        return value.loss, torch.stack([value.elbo, value.iwae])


class Scores(NamedTuple):
    """What is known of each test image; all ``(b,)``, nats but for the last.

    Attributes:
        log_p: the importance-sampled log-likelihood.
        elbo: the evidence lower bound, from 20 draws.
        effective_sample_size: how many equal weights those of ``log_p`` are worth.
    """

    log_p: Float[Tensor, "b"]
    elbo: Float[Tensor, "b"]
    effective_sample_size: Float[Tensor, "b"]


@torch.no_grad()
def score(
    model: vae.VAE, x: Float[Tensor, "b d"], num_samples: int, seed: int
) -> Scores:
    """Evaluate some test images; nothing outside this function's chance changes it.

    Args:
        model: a trained VAE.
        x: black-and-white images.
        num_samples: importance samples for each; 5,000 in the paper.
        seed: for the draws; the global generators are left as they were.

    Returns:
        :class:`Scores`, on the CPU. Memory does not grow with ``num_samples``.
    """
    gpus = [x.device] if x.is_cuda else []
    # a GPU wants larger pieces than a processor's cache
    chunk = 65_536 if x.is_cuda else 1024
    with torch.random.fork_rng(gpus):
        torch.manual_seed(seed)
        estimate = evidence.log_evidence(model, x, num_samples, chunk=chunk)
        elbo = model.terms(x, 20).elbo
    return Scores(*(t.cpu() for t in (estimate[0], elbo, estimate[1])))


def check(model: vae.VAE) -> dict[str, Any]:
    """Score a few of the book's own digits, so that anyone can compare a network.

    Args:
        model: a trained network; moved to the CPU.

    Returns:
        The negative log-likelihood (nats an image), and of what it is.
    """
    pixels = embedded.mnist_5k("test").pixels[:_NUM_CHECKED]
    x = data.binarize(data.unit_pixels(pixels), torch.Generator().manual_seed(0))
    scores = score(model.cpu(), x, _CHECK_SAMPLES, 0)
    return {
        "num_images": _NUM_CHECKED,
        "num_samples": _CHECK_SAMPLES,
        "nll": -float(scores.log_p.double().mean()),
    }


def load(path: Path) -> tuple[vae.VAE, dict[str, Any]]:
    """Read a network that ``python -m jensengap.experiments.reproduce`` has trained.

    Args:
        path: a ``.safetensors`` file of its.

    Returns:
        The network, and the settings that it was trained with.

    Raises:
        ValueError: the file is torn, or holds another network.
        FileNotFoundError: there is no such file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            settings = json.loads((file.metadata() or {}).get("settings", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError) as error:
        raise ValueError(
            f"{path} is torn, or no safetensors file: {error}; copy it again"
        ) from error
    bias = tensors.get("decoder.net.4.bias", torch.zeros(1))
    model = network(torch.full_like(bias, 0.5))
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ValueError(
            f"{path} holds another network: wanted the one of table 1, got {error}; "
            "name a file that jensengap.experiments.reproduce has written"
        ) from error
    return model, settings
