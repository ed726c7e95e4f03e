"""Move every seed by a constant: what holds must hold for other draws as well.

After ``seeds.move(N)`` a seed ``s`` counts as ``s + N`` wherever it is set from then
on: ``torch.manual_seed``, ``torch.Generator().manual_seed``, ``default_rng``,
``RandomState`` and ``seed`` of ``numpy.random``, ``random.seed``, ``random.Random``,
and in all that ends in one of them, such as a function with ``seed=``. Nothing else
changes: ``seeds.move(0)`` gives the old draws again. Tests take ``--move-seeds N`` (see
``tests/conftest.py``), ``tools/seeds/chapters.py`` runs chapters, and both take the
environment variable ``JENSENGAP_MOVE_SEEDS``.

A name that was imported from its module before the first move, as by ``from torch
import manual_seed``, escapes; so this comes first.
"""

import functools
import numbers
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

VARIABLE = "JENSENGAP_MOVE_SEEDS"
_LEGACY = 2**32  # numpy's older generators take no seed from here on
_by = 0
_installed = False


def move(by: int) -> None:
    """Move all seeds that are set from now on; not by more than before, but by this.

    Args:
        by: what is added to each; 0 leaves them as they are written.
    """
    global _by
    if by and not _installed:
        _install()
    _by = by


def asked() -> int:
    """Return by how much the environment variable asks to move the seeds.

    Raises:
        ValueError: it is set to something else than a whole number.
    """
    text = os.environ.get(VARIABLE, "").strip() or "0"
    try:
        return int(text)
    except ValueError:
        raise ValueError(
            f"{VARIABLE} must be a whole number, got {text!r}; "
            "give what to add to each seed, or leave it out"
        ) from None


@contextmanager
def exact() -> Iterator[None]:
    """Leave the seeds of a block as they are written."""
    before = _by
    move(0)
    try:
        yield
    finally:
        move(before)


def _moved(seed: object, below: int | None = None) -> object:
    """Move a seed, or the first of several; what is no number stays as it is."""
    if isinstance(seed, list | tuple) and seed:
        return type(seed)([_moved(seed[0], below), *seed[1:]])
    if not _by or not isinstance(seed, numbers.Integral):
        return seed  # None asks for chance itself; a generator was moved before
    return (int(seed) + _by) % below if below else int(seed) + _by


def _moving(function: Callable, below: int | None = None) -> Callable:
    """Wrap a function whose first argument is a seed."""

    @functools.wraps(function)
    def with_moved_seed(seed: object = None, *rest: object, **words: object) -> object:
        return function(_moved(seed, below), *rest, **words)

    return with_moved_seed


def _install() -> None:
    global _installed
    # torch.random has the same function under its own name
    torch.manual_seed = torch.random.manual_seed = _moving(torch.manual_seed)
    torch.Generator = _torch_generator(torch.Generator)
    np.random.default_rng = _moving(np.random.default_rng)
    np.random.seed = _moving(np.random.seed, _LEGACY)
    np.random.RandomState = _random_state(np.random.RandomState)
    set_seed = random.Random.seed

    @functools.wraps(set_seed)
    def seed(self: random.Random, a: object = None, version: int = 2) -> None:
        set_seed(self, _moved(a), version)

    # the class for generators to come, the function for the one that all share
    random.Random.seed = seed
    random.seed = random._inst.seed
    _installed = True


def _also(original: type) -> type:
    """Return a type of types that takes what the original made for its own."""

    class Also(type(original)):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, original)

    return Also


def _torch_generator(original: type) -> type:
    # torch's own type takes no new methods, so a child of it takes its place
    class Generator(original, metaclass=_also(original)):
        def manual_seed(self, seed: int) -> torch.Generator:
            return super().manual_seed(_moved(seed))

    return Generator


def _random_state(original: type) -> type:
    class RandomState(original, metaclass=_also(original)):
        def __init__(self, seed: object = None) -> None:
            super().__init__(_moved(seed, _LEGACY))

        def seed(self, seed: object = None) -> None:
            super().seed(_moved(seed, _LEGACY))

    return RandomState
