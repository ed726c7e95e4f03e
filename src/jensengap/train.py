"""Training loop without a model: players (one for a VAE, two for a GAN) take turns.

A VAE has one player, a GAN has two. A player is a function from a batch to the loss
that it minimises (and to any other terms worth recording) with the optimiser that
moves its parameters. Taught in the chapters ``training`` and ``minimax``.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from tqdm import tqdm

from jensengap.terminal import say

History = dict[str, list[float]]
Terms = dict[str, Tensor]


class Player(NamedTuple):
    """A loss and the optimiser that minimises it: the discriminator, for example.

    Attributes:
        name: what the minimised loss is called in the history.
        step: from a batch to the scalar loss, and a dict of further scalars that are
            recorded but not minimised.
        optimizer: moves this player's parameters and nobody else's.
        scheduler: stepped after every batch, if there is one.
    """

    name: str
    step: Callable[[Any], tuple[Tensor, Terms]]
    optimizer: Optimizer
    scheduler: LRScheduler | None = None


class NonFiniteLoss(FloatingPointError):
    """Raised for a loss or gradient that is not finite; has the ``history`` so far."""

    def __init__(self, name: str, value: float, step: int, history: History) -> None:
        super().__init__(
            f"{name} became {value} at step {step}; training stopped before it could "
            "move a parameter. Lower the learning rate, or look for a log of zero or "
            "an overflowing exponential in that term"
        )
        self.name = name
        self.step = step
        self.history = history


def fit(
    batches: Callable[[], Iterable[Any]],
    players: Player | Iterable[Player],
    num_epochs: int,
    *,
    progress: bool | None = None,
) -> History:
    """Train the players, one after another, on every batch of every epoch.

    Args:
        batches: called once an epoch; returns that epoch's batches.
        players: one :class:`Player`, or several that move one after another on each
            batch. A gradient that one player's loss sends into another's parameters
            is cleared before that other one moves.
        num_epochs: passes over ``batches()``, at least 1.
        progress: show a bar on standard error. ``None`` shows it unless the
            environment variable ``JENSENGAP_QUIET`` is set, as it is where the book
            is built.

    Returns:
        The mean of every named term over each epoch. An interrupt (Ctrl-C, or a
        notebook's stop button) ends training and returns what was learned so far,
        the unfinished epoch included.

    Raises:
        NonFiniteLoss: a term or a gradient is NaN or infinite; raised before the
            update, with the step, the term's name and the history.
        ValueError: no epochs, no players, two terms of one name, a term that is not
            one number, or no batches.
    """
    players = (players,) if isinstance(players, Player) else tuple(players)
    if num_epochs < 1 or not players:
        raise ValueError(
            f"fit needs num_epochs >= 1 and a player, got {num_epochs} epochs and "
            f"{len(players)} players"
        )
    history: History = {}
    bar = tqdm(range(num_epochs), disable=_quiet(progress), leave=False, unit="epoch")
    num_steps = 0
    for _ in bar:
        sums: dict[str, float] = {}
        num_batches = 0
        try:
            for batch in batches():
                # a whole batch counts or none of it: terms join the sums at its end
                terms = turns(players, batch, num_steps, history)
                sums = {name: sums.get(name, 0.0) + terms[name] for name in terms}
                num_batches += 1
                num_steps += 1
        except KeyboardInterrupt:
            _record(history, sums, num_batches)
            say(f"interrupted after {num_steps} steps", file=sys.stderr)
            break
        except NonFiniteLoss:
            _record(history, sums, num_batches)
            raise
        if num_batches == 0:
            raise ValueError("batches() gave no batch; is the data set empty?")
        _record(history, sums, num_batches)
        bar.set_postfix({name: f"{values[-1]:.3f}" for name, values in history.items()})
    return history


def turns(
    players: tuple[Player, ...], batch: Any, step: int, history: History
) -> dict[str, float]:
    """Take one optimiser step of every player on one batch.

    Args:
        players: who moves, in this order.
        batch: what each player's step is called with.
        step: its number, for the message of an error.
        history: what came before, for the error to hold.

    Returns:
        The values of all named terms, before the move.

    Raises:
        NonFiniteLoss: a term or a gradient is NaN or infinite.
        ValueError: two terms of one name, or a term that is not one number.
    """
    values: dict[str, float] = {}
    for player in players:
        # before the loss: its memory is the next gradient's, warm
        for parameter in _parameters(player.optimizer):
            parameter.grad = None
        loss, terms = player.step(batch)
        for name, term in {player.name: loss, **terms}.items():
            if name in values or (name == player.name and name in terms):
                raise ValueError(f"two terms are called {name!r}; give each a name")
            if term.numel() != 1:
                raise ValueError(
                    f"{name} must be one number, got shape {tuple(term.shape)}; "
                    "average it over the batch"
                )
            values[name] = float(term.detach())
        # the terms before their sum: the one to blame is named
        for name in (*terms, player.name):
            if not math.isfinite(values[name]):
                raise NonFiniteLoss(name, values[name], step, history)
        loss.backward()
        # a finite loss may have an infinite slope, sqrt at 0 for one
        largest = _largest_gradient(player.optimizer)
        if not math.isfinite(largest):
            name = f"the gradient of {player.name}"
            raise NonFiniteLoss(name, largest, step, history)
        player.optimizer.step()
        # after the optimiser, as torch wants it
        if player.scheduler is not None:
            player.scheduler.step()
    return values


def _parameters(optimizer: Optimizer) -> Iterator[Tensor]:
    """List the parameters that an optimiser moves."""
    return (p for group in optimizer.param_groups for p in group["params"])


def _largest_gradient(optimizer: Optimizer) -> float:
    """Return the largest absolute gradient, or 0 where a cheap test finds it finite."""
    gradients = [
        p.grad for p in _parameters(optimizer) if p.grad is not None and p.grad.numel()
    ]
    if not gradients:
        return 0.0
    # a finite sum of squares has finite parts, and a dot product is quickly made
    flat = (g.flatten() for g in gradients)
    if math.isfinite(torch.stack([torch.dot(g, g) for g in flat]).sum()):
        return 0.0
    return float(torch.stack([g.abs().max() for g in gradients]).max())


def _record(history: History, sums: dict[str, float], num_batches: int) -> None:
    """Append the epoch's means, if there was a batch."""
    if num_batches:
        for name, total in sums.items():
            history.setdefault(name, []).append(total / num_batches)


def _quiet(progress: bool | None) -> bool:
    """Decide whether to hide the progress bar."""
    if progress is None:
        return bool(os.environ.get("JENSENGAP_QUIET"))
    return not progress
