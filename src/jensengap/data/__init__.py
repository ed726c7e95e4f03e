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

from jensengap import inputs


class Images(NamedTuple):
    """Grey images and their class labels."""

    pixels: UInt8[Tensor, "n h w"]
    labels: Int[Tensor, "n"]


@inputs.checked
def unit_pixels(
    pixels: UInt8[Tensor, "n *axes"], *, white: int = 255
) -> Float[Tensor, "n d"]:
    """Scale grey levels to float32 in [0, 1], one flat row per image.

    The level is divided by white: ``pixels / white``.

    Args:
        pixels: levels from 0 to ``white``, ``(n, h, w)``; or ``(n, c, h, w)`` with one
            channel, or with three, which follow each other in the row.
        white: the level that becomes 1: 255, or 16 for ``digits_8x8``.

    Raises:
        ValueError: not uint8, no image, other axes than these, a level above
            ``white``, or ``white`` outside of 1 to 255.
    """
    if pixels.dtype != torch.uint8 or not _are_images(pixels):
        raise ValueError(
            "pixels must be uint8 of shape (n, height, width) or (n, channels, height, "
            f"width) with n >= 1, got {pixels.dtype} of shape {tuple(pixels.shape)}"
            f"{_axes_cure(pixels)}"
        )
    if not 1 <= white <= 255:
        raise ValueError(
            f"white must be from 1 to 255, got {white}; it is the level that becomes 1"
        )
    if not inputs.every(pixels <= white):
        raise ValueError(
            f"pixels must be at most white={white}, got {int(pixels.max())}; "
            "use white=255 for 8-bit images, white=16 for digits_8x8"
        )
    return pixels.flatten(1).float() / white


def _are_images(pixels: Tensor) -> bool:
    """Test for axes n, h, w or n, c, h, w; channels that come last are noticed."""
    shape = tuple(pixels.shape)
    if pixels.ndim not in (3, 4) or pixels.numel() == 0:
        return False
    # no picture is as narrow as that and higher: these are its channels
    channels_last = shape[-1] in (1, 3, 4) and shape[-2] > shape[-1]
    return not channels_last and (pixels.ndim == 3 or shape[1] in (1, 3))


def _axes_cure(pixels: Tensor) -> str:
    """Say what helps where the axes of pictures are others."""
    shape = tuple(pixels.shape)
    if pixels.ndim == 2:
        return "; one image is pixels[None], rows are pixels.reshape(n, height, width)"
    if pixels.ndim == 3 and shape[-1] in (1, 3, 4):
        return "; channels come first: pixels[None].permute(0, 3, 1, 2) for one image"
    if pixels.ndim == 4 and shape[-1] in (1, 3, 4):
        return "; channels come first: pixels.permute(0, 3, 1, 2)"
    if pixels.ndim == 4 and shape[1] in (2, 4):
        return "; leave out the transparency: pixels[:, :-1]"
    return ""


@inputs.checked
def verify_probs(probs: Float[Tensor, "*shape"], name: str = "probs") -> None:
    """Refuse numbers that are no probabilities, before anything is done with them.

    Args:
        probs: intensities, or chances of a 1, such as :func:`unit_pixels` gives.
        name: what the message calls them.

    Raises:
        ValueError: no value, a non-finite value, or one outside [0, 1].
    """
    if (total := probs.numel()) == 0:
        raise ValueError(f"{name} must not be empty, got shape {tuple(probs.shape)}")
    low, high = probs.detach().aminmax()  # in one pass; both are nan where one is
    if inputs.every((low >= 0) & (high <= 1)):
        return
    bad = probs[~((probs >= 0) & (probs <= 1))]
    rogue = bad[~bad.isfinite()]
    if len(rogue):
        raise ValueError(
            f"{name} must be finite, got {rogue[0].item()}: {len(rogue)} of {total} "
            "values are not, and [0, 1] is wanted; look for the step that made them"
        )
    # the farthest from the middle of [0, 1]
    worst = bad[(bad - 0.5).abs().argmax()].item()
    raise ValueError(
        f"{name} must lie in [0, 1], got {worst:g} at worst, {len(bad)} of {total} "
        "values outside; for grey levels call unit_pixels first"
    )


@inputs.checked
def binarize(
    probs: Float[Tensor, "*shape"], generator: torch.Generator | None = None
) -> Float[Tensor, "*shape"]:
    """Binarise dynamically: draw x ~ Bernoulli(p) afresh for every pixel.

    Args:
        probs: the chance p of a 1 for each pixel, such as ``unit_pixels`` gives.
        generator: the source of chance; torch's global one if ``None``.

    Returns:
        Zeros and ones, in the shape and dtype and on the device of ``probs``.

    Raises:
        ValueError: no value, a non-finite value, or one outside [0, 1].

    Source: Burda, Grosse and Salakhutdinov (2016), section 5.1, after Salakhutdinov and
    Murray (2008).
    """
    verify_probs(probs)
    if generator is None or generator.device == probs.device:
        return torch.bernoulli(probs, generator=generator)
    # a generator draws on its own device only
    drawn = torch.bernoulli(probs.to(generator.device), generator=generator)
    return drawn.to(probs.device)


@inputs.checked
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

    Returns:
        The batches; indices are on the CPU, wherever the generator draws.

    Raises:
        ValueError: no example, a batch size below 1, or no full batch to keep.
    """
    for name, value in {"n": n, "batch_size": batch_size}.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if drop_last and batch_size > n:
        raise ValueError(f"drop_last needs batch_size <= n={n}, got {batch_size}")
    # drawn at the call, not at the first batch: a seed before the call decides
    where = "cpu" if generator is None else generator.device
    order = torch.randperm(n, generator=generator, device=where).cpu()
    return iter(order[: n - n % batch_size if drop_last else n].split(batch_size))
