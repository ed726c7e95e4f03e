"""Print a hash of every value that a chapter leaves: its closing cell.

The build runs this file's text in the chapter's kernel after the last cell and keeps
what it prints, the tests run it again and compare. So trained weights, histories and
samples that no output shows are held to the last bit as well, each by its name.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import torch

_PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic)


def _bytes(value: object) -> Iterator[bytes]:
    """Split a value into bytes; what holds no data, such as a function, has none."""
    if isinstance(value, torch.nn.Module | torch.optim.Optimizer):
        value = value.state_dict()
    elif isinstance(value, torch.distributions.Distribution):
        value = vars(value)
    elif isinstance(value, torch.Tensor):
        value = value.detach().numpy()
    if isinstance(value, dict):
        value = [part for pair in value.items() for part in pair]
    if isinstance(value, list | tuple):
        for part in value:
            yield from _bytes(part)
    elif isinstance(value, np.ndarray) and value.dtype != object:
        yield f"{value.dtype}{value.shape}".encode()
        yield value.tobytes()
    elif isinstance(value, _PLAIN):
        yield repr(value).encode()  # of a float: enough digits to tell its last bit


def _lines(namespace: dict) -> Iterator[str]:
    """Hash what each name stands for, in the order in which the names came."""
    for name, value in namespace.items():
        if name.startswith("_") or name in {"In", "Out"}:
            continue  # IPython's own, which repeat the rest
        total = hashlib.blake2b(digest_size=8)
        nothing = total.digest()
        for part in _bytes(value):
            total.update(f"{len(part)} ".encode())
            total.update(part)
        if total.digest() != nothing:
            yield f"{name}  {type(value).__name__}  {total.hexdigest()}"


print("\n".join(_lines(dict(globals()))))
