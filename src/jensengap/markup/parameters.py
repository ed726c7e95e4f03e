"""Serialise a network for a page: parameters in base64, layers by name.

A page cannot load a file from a disk, so a live figure carries its network in the page.
``scripts/numbers.js`` reads what :func:`pack` wrote, ``scripts/network.js`` what
:func:`layers` named.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

TYPES = {
    "float16": torch.float16,
    "float32": torch.float32,
    "float64": torch.float64,
}
ACTIVATIONS = {
    nn.Tanh: "tanh",
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky_relu",
    nn.Sigmoid: "sigmoid",
    nn.Identity: "identity",
}


def pack(tensors: Sequence[Tensor], kind: str = "float32") -> dict[str, Any]:
    """Encode tensors as one base64 text, little-endian, with a checksum.

    Args:
        tensors: what to write.
        kind: ``"float16"``, ``"float32"`` or ``"float64"``; what it cannot hold
            exactly is rounded.

    Returns:
        ``type``, ``shapes``, ``crc`` (CRC-32 of the bytes) and ``base64``.

    Raises:
        ValueError: nothing to write, an unknown kind, or a number that is not finite,
            or is not in that kind.
    """
    if kind not in TYPES or not tensors:
        raise ValueError(
            f"pack needs a tensor, and one of {', '.join(TYPES)}, got {len(tensors)} "
            f"tensors and {kind!r}"
        )
    # through float64: tensors of any dtype in one, rounded only once
    flat = torch.cat([tensor.detach().cpu().flatten().double() for tensor in tensors])
    rounded = flat.to(TYPES[kind])
    if not bool(rounded.isfinite().all()):
        worst = flat[~rounded.isfinite()][0].item()
        raise ValueError(
            f"numbers must be finite in {kind}, got {worst:g}; train less hard, or "
            "take a wider kind"
        )
    numbers = rounded.numpy()
    # little-endian on every machine, as JavaScript's DataView is told
    data = numbers.astype(numbers.dtype.newbyteorder("<")).tobytes()
    return {
        "type": kind,
        "shapes": [list(tensor.shape) for tensor in tensors],
        "crc": zlib.crc32(data),
        "base64": base64.b64encode(data).decode(),
    }


def unpack(packed: dict[str, Any]) -> list[Tensor]:
    """Decode what :func:`pack` wrote, as the page does.

    Args:
        packed: the result of :func:`pack`.

    Returns:
        The tensors as they were rounded, in the kind that was written.

    Raises:
        ValueError: the bytes are damaged, or fewer or more than the shapes want.
    """
    data = base64.b64decode(packed["base64"])
    kind = TYPES[packed["type"]]
    counts = [math.prod(shape) for shape in packed["shapes"]]
    wanted = sum(counts) * kind.itemsize
    if len(data) != wanted or zlib.crc32(data) != packed["crc"]:
        raise ValueError(
            f"wanted {wanted} bytes with checksum {packed['crc']}, got {len(data)} "
            f"with {zlib.crc32(data)}; pack the tensors again"
        )
    # bytearray: torch wants memory that may be written to
    parts = torch.frombuffer(bytearray(data), dtype=kind).split(counts)
    return [
        part.reshape(shape) for part, shape in zip(parts, packed["shapes"], strict=True)
    ]


def layers(net: nn.Sequential, last: str = "identity") -> list[dict[str, Any]]:
    """List the layers of a perceptron: sizes, and the activation behind each.

    Args:
        net: linear maps with a bias, each followed by an activation or by none.
        last: what is applied to the output, if the network does not do it itself.

    Returns:
        For each linear map ``inputs``, ``outputs``, ``activation`` and ``slope``.

    Raises:
        ValueError: a module that is neither, an activation without a linear map
            before it, or a linear map without a bias.
    """
    found: list[dict[str, Any]] = []
    for module in net:
        if isinstance(module, nn.Linear) and module.bias is not None:
            found.append(
                {
                    "inputs": module.in_features,
                    "outputs": module.out_features,
                    "activation": "identity",
                    "slope": 0.0,
                }
            )
        elif type(module) in ACTIVATIONS and found:
            if found[-1]["activation"] != "identity":
                raise ValueError(f"two activations in a row, the second is {module}")
            found[-1]["activation"] = ACTIVATIONS[type(module)]
            found[-1]["slope"] = getattr(module, "negative_slope", 0.0)
        else:
            raise ValueError(
                "a page can run linear maps with a bias, and behind them "
                f"{', '.join(ACTIVATIONS.values())}; got {module}"
            )
    if not found:
        raise ValueError("a network needs a linear map, got none")
    if found[-1]["activation"] == "identity":
        found[-1]["activation"] = last
    return found


def network(
    net: nn.Sequential, kind: str = "float32", last: str = "identity"
) -> dict[str, Any]:
    """Serialise a perceptron for the page's scripts.

    Args:
        net: see :func:`layers`.
        kind: of number, see :func:`pack`.
        last: what is applied to the output.

    Returns:
        ``layers`` and ``weights``.

    Raises:
        ValueError: what :func:`layers` and :func:`pack` say.
    """
    named = layers(net, last)
    return {"layers": named, "weights": pack(list(net.parameters()), kind)}
