r"""One evaluator for all peers: they hand over numbers, and the ELBO is computed here.

$$\mathrm{ELBO}(x)=\sum_j\bigl[x_j\ell_j-\log(1+e^{\ell_j})\bigr]
-\mathrm{KL}\bigl(\mathcal N(\mu,\sigma^2)\,\|\,\mathcal N(0,I)\bigr)$$

with one sample $z=\mu+\sigma\varepsilon$ an image, the KL in closed form, and the same
$\varepsilon$ for every peer. The grey intensities themselves are the targets $x$.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

Layer = tuple[np.ndarray, np.ndarray]

# What a peer's encoder says of the scale of q(z|x), by the name it gives that number.
SCALES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "log_variance": lambda raw: np.exp(0.5 * raw),
    "log_scale": np.exp,
    "softplus": lambda raw: np.logaddexp(0.0, raw) + 1e-4,
}


class Weights(NamedTuple):
    """A trained VAE with one hidden layer of ReLU on either side.

    Attributes:
        hidden: of the encoder: a matrix of (inputs, outputs), and the biases.
        loc: the means of q(z|x).
        spread: the raw scales of q(z|x).
        back: the hidden layer of the decoder.
        logits: the log-odds of each pixel.
        scale: a name in ``SCALES``: what the raw scales are.
    """

    hidden: Layer
    loc: Layer
    spread: Layer
    back: Layer
    logits: Layer
    scale: str


def of_linear(*modules) -> list[Layer]:
    """Read the numbers of torch's linear layers, which store (outputs, inputs)."""
    return [
        (each.weight.detach().numpy().T.copy(), each.bias.detach().numpy().copy())
        for each in modules
    ]


def of_networks(encoder, decoder) -> Weights:
    """Read this package's networks; the encoder's last layer has means, then scales.

    Args:
        encoder: linear, activation, linear.
        decoder: the same.
    """
    hidden, (matrix, bias) = of_linear(encoder[0], encoder[2])
    num = len(bias) // 2
    loc, spread = (matrix[:, :num], bias[:num]), (matrix[:, num:], bias[num:])
    return Weights(hidden, loc, spread, *of_linear(decoder[0], decoder[2]), "softplus")


def into_linear(layers: Sequence[Layer], modules) -> None:
    """Write numbers into torch's linear layers: the way back of `of_linear`."""
    import torch

    for (matrix, bias), module in zip(layers, modules, strict=True):
        with torch.no_grad():
            module.weight.copy_(torch.from_numpy(matrix.T.copy()))
            module.bias.copy_(torch.from_numpy(bias))


def into_networks(given: Weights, encoder, decoder) -> None:
    """Write numbers into this package's networks: the way back of `of_networks`.

    Raises:
        ValueError: the scales are not those of softplus.
    """
    if given.scale != "softplus":
        raise ValueError(f"the scales must be softplus, got {given.scale}")
    last = [
        np.concatenate(pair, -1) for pair in zip(given.loc, given.spread, strict=True)
    ]
    layers = (given.hidden, tuple(last), given.back, given.logits)
    into_linear(layers, (encoder[0], encoder[2], decoder[0], decoder[2]))


def save(path: Path, weights: Weights) -> None:
    """Write weights in numpy's own format."""
    parts = {"scale": np.array(weights.scale)}
    for name, (matrix, bias) in zip(Weights._fields, weights[:-1], strict=False):
        parts |= {f"{name}.matrix": matrix, f"{name}.bias": bias}
    with path.open("wb") as file:
        np.savez(file, **parts)


def load(path: Path) -> Weights:
    """Read what `save` wrote.

    Raises:
        ValueError: the scale has an unknown name.
    """
    with np.load(path, allow_pickle=False) as parts:
        scale = str(parts["scale"])
        if scale not in SCALES:
            raise ValueError(f"scale must be one of {', '.join(SCALES)}, got {scale!r}")
        layers = [
            (parts[f"{name}.matrix"], parts[f"{name}.bias"])
            for name in Weights._fields[:-1]
        ]
    return Weights(*layers, scale)


def elbo(weights: Weights, images: np.ndarray, seed: int = 0) -> np.ndarray:
    """Estimates the ELBO of each image, in nats.

    Args:
        weights: the network.
        images: bytes from 0 to 255, (n, d).
        seed: of the noise, one draw an image.

    Returns:
        (n,), float64.

    Raises:
        ValueError: the network reads images of another size.
    """
    if images.shape[1:] != weights.hidden[0].shape[:1]:
        raise ValueError(
            f"the network reads {weights.hidden[0].shape[0]} pixels, got images of "
            f"shape {images.shape}; hand over matrices as (inputs, outputs)"
        )
    noise = np.random.default_rng(seed)
    # in pieces: 10,000 images of float64 are 63 MB for every intermediate
    pieces = [
        _elbo(weights, part.astype(np.float64) / 255, noise)
        for part in np.array_split(images, -(-len(images) // 1000))
    ]
    return np.concatenate(pieces)


def _elbo(w: Weights, x: np.ndarray, noise: np.random.Generator) -> np.ndarray:
    hidden = np.maximum(_linear(x, w.hidden), 0)
    loc, scale = _linear(hidden, w.loc), SCALES[w.scale](_linear(hidden, w.spread))
    z = loc + scale * noise.standard_normal(loc.shape)
    logits = _linear(np.maximum(_linear(z, w.back), 0), w.logits)
    reconstruction = (x * logits - np.logaddexp(0.0, logits)).sum(1)
    kl = 0.5 * (loc**2 + scale**2 - 1 - 2 * np.log(scale)).sum(1)
    return reconstruction - kl


def _linear(x: np.ndarray, layer: Layer) -> np.ndarray:
    matrix, bias = (part.astype(np.float64) for part in layer)
    return x @ matrix + bias
