"""Images as tensors: scaling to [0, 1], binarisation, and random batches.

Images stay uint8 in memory; :func:`unit_pixels` turns them into numbers in [0, 1] and
:func:`binarize` draws black-and-white images from those. The digits that come with the
book are in :mod:`jensengap.data.embedded`, toy sets in :mod:`jensengap.data.toy`, the
full MNIST and Fashion-MNIST in :mod:`jensengap.data.full`.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor


class Images(NamedTuple):
    """Grey images and their class labels."""

    pixels: UInt8[Tensor, "n h w"]
    labels: Int[Tensor, "n"]


def unit_pixels(
    pixels: UInt8[Tensor, "n h w"], *, white: int = 255
) -> Float[Tensor, "n h*w"]:
    """Scale grey levels to float32 in [0, 1], one flat row per image.

    The level is divided by white: ``pixels / white``.

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
    """Binarise dynamically: draw x ~ Bernoulli(p) afresh for every pixel.

    Args:
        probs: the chance p of a 1 for each pixel, such as ``unit_pixels`` gives.
        generator: the source of chance; torch's global one if ``None``.

    Returns:
        Zeros and ones, in the shape and dtype of ``probs``.

    Raises:
        ValueError: no value, a non-finite value, or one outside [0, 1].

    Source: Burda, Grosse and Salakhutdinov (2016), section 5.1, after Salakhutdinov and
    Murray (2008).
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
        # the farthest from the middle of [0, 1]
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
    """Return one pass over n examples in random order, as index tensors.

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
    # drawn at the call, not at the first batch: a seed before the call decides
    order = torch.randperm(n, generator=generator)
    return iter(order[: n - n % batch_size if drop_last else n].split(batch_size))
