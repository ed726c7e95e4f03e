r"""Training loop without a model: players (one for a VAE, two for a GAN) take turns.

A VAE has one player, a GAN has two. A player is a function from a batch to the loss
that it minimises (and to any other terms worth recording) with the optimiser that
moves its parameters. Taught in the chapters ``training`` and ``minimax``.
"""

from __future__ import annotations

import contextlib
import functools
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from tqdm import tqdm

from jensengap import inputs, optimizers
from jensengap.terminal import say

History = dict[str, list[float]]
Terms = Mapping[str, Tensor | float]


class Player(NamedTuple):
    """A loss and the optimiser that minimises it: the discriminator, for example.

    Attributes:
        name: what the minimised loss is called in the history.
        step: from a batch to the scalar loss; or to the loss and a dict of further
            scalars, tensors or not, that are recorded but not minimised.
        optimizer: moves this player's parameters and nobody else's. One that wants a
            closure (``LBFGS``) calls ``step`` as often as it likes; recorded is the
            first call.
        scheduler: stepped after every batch, if there is one; a ``ReduceLROnPlateau``
            after every epoch, with the mean of this player's loss.
    """

    name: str
    step: Callable[[Any], Tensor | tuple[Tensor, Terms]]
    optimizer: Optimizer
    scheduler: LRScheduler | None = None


class NonFiniteLoss(FloatingPointError):
    """Raised for a loss or gradient that is not finite.

    Attributes:
        name: of the term.
        value: of the term.
        step: its number.
        history: the means so far.
        moved: the players that had moved in this step already.
    """

    def __init__(
        self,
        name: str,
        value: float,
        step: int,
        history: History,
        moved: tuple[str, ...] = (),
    ) -> None:
        before = f"; {' and '.join(moved)} had moved in this step already"
        super().__init__(
            f"{name} became {value} at step {step}; training stopped before it could "
            f"move a parameter{before if moved else ''}. Lower the learning rate, or "
            "look for a log of zero or an overflowing exponential in that term"
        )
        self.name = name
        self.value = value
        self.step = step
        self.history = history
        self.moved = moved

    def __reduce__(self) -> tuple[Any, ...]:
        # an exception would be made again of its message alone
        made_of = (self.name, self.value, self.step, self.history, self.moved)
        return type(self), made_of, self.__dict__


@inputs.checked
def fit(
    batches: Callable[[], Iterable[Any]] | Iterable[Any],
    players: Player | Iterable[Player],
    num_epochs: int,
    *,
    progress: bool | None = None,
) -> History:
    r"""Train the players, one after another, on every batch of every epoch.

    What a term is in the history of an epoch is its mean over the examples,
    $$\bar t=\sum_i n_i t_i\Big/\sum_i n_i,$$
    over the batches $i$ in which it occurs; NaN if it does in none. The size $n_i$ is
    the length of the first tensor or array with an axis that is found in the batch, be
    it in a tuple, a list or a dict, and 1 if there is none.

    Whatever is raised on the way has the history so far as its attribute ``history``,
    and a note of the step and the player.

    Args:
        batches: called once an epoch; returns that epoch's batches. Or what can be
            iterated again in each epoch, such as a ``DataLoader`` or a list.
        players: one :class:`Player`, or several that move one after another on each
            batch. A gradient that one player's loss sends into another's parameters
            is cleared before that other one moves.
        num_epochs: passes over the batches, at least 1.
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
        ValueError: no epochs, no players, something that is no optimiser or no
            scheduler, batches that can be read only once, a step that returns no
            loss with a gradient or no dict of numbers, two terms of one name, a loss
            that reaches no parameter of its optimiser, no batches, or a batch
            without an example. What the first batch shows is refused before anything
            moves.
    """
    players = _verified(players)
    if num_epochs < 1 or not players:
        raise ValueError(
            f"fit needs num_epochs >= 1 and a player, got {num_epochs} epochs and "
            f"{len(players)} players"
        )
    if isinstance(batches, Iterator) and not callable(batches):
        raise ValueError(
            "batches are wanted anew in every epoch, got an object of type "
            f"{type(batches).__name__}, which can be read only once; give a list, a "
            "DataLoader, or a function that returns the batches of one epoch"
        )
    bar = tqdm(range(num_epochs), disable=_quiet(progress), leave=False, unit="epoch")
    with inputs.differentiable():
        return _fit(batches, players, bar)


def _fit(batches: Any, players: tuple[Player, ...], bar: tqdm) -> History:
    """Train for the epochs of the bar; keep the history whatever happens."""
    history: History = {}
    done: list[tuple[int, dict[str, float]]] = []  # in this epoch: sizes and terms
    num_steps = 0
    try:
        for _ in bar:
            for batch in _opened(batches):
                size = _num_examples(batch)
                # a whole batch counts or none of it
                done.append((size, turns(players, batch, num_steps, history)))
                num_steps += 1
            _end_epoch(players, history, done)
            bar.set_postfix({name: f"{v[-1]:.3f}" for name, v in history.items()})
    except KeyboardInterrupt:
        _record(history, done)
        say(f"interrupted after {num_steps} steps", file=sys.stderr)
    except Exception as error:
        _record(history, done)
        with contextlib.suppress(Exception):  # an error may refuse new attributes
            error.history = history  # type: ignore[attr-defined]
        error.add_note(
            f"whole steps before it: {num_steps}; the means so far are in this error's "
            "attribute history"
        )
        raise
    return history


def turns(
    players: tuple[Player, ...], batch: Any, step: int, history: History
) -> dict[str, float]:
    """Take one optimiser step of every player on one batch.

    Args:
        players: who moves, in this order.
        batch: what each player's step is called with.
        step: its number, for the message of an error; 0 is the first of the training.
        history: what came before, for the error to hold.

    Returns:
        The values of all named terms, before the move.

    Raises:
        NonFiniteLoss: a term or a gradient is NaN or infinite.
        ValueError: a step that returns no loss with a gradient or no dict of numbers,
            two terms of one name, a scheduler that is at its end, or, in step 0, a
            loss that reaches no parameter of its optimiser. In step 0 all players are
            then put back where they were.
    """
    values: dict[str, float] = {}
    undo: list[Callable[[], None]] = []
    for player in players:
        # what the others' steps lack shows after this one has moved; the last player
        # has nobody behind it, and a VAE's is never copied
        if step == 0 and player is not players[-1]:
            undo.append(optimizers.snapshot(player.optimizer, player.scheduler))
        moved = tuple(each.name for each in players if each.name in values)
        blame = functools.partial(
            NonFiniteLoss, step=step, history=history, moved=moved
        )
        try:
            values |= _turn(player, batch, values, blame, is_first=step == 0)
        except NonFiniteLoss:
            raise
        except Exception as error:
            error.add_note(f"raised in the turn of player {player.name!r}, step {step}")
            for restore in undo:
                restore()
            raise
    return values


def _turn(
    player: Player,
    batch: Any,
    taken: dict[str, float],
    blame: Callable[[str, float], NonFiniteLoss],
    *,
    is_first: bool,
) -> dict[str, float]:
    """Move one player; return its terms, unless one has a name that is taken."""
    values: dict[str, float] = {}

    def evaluate() -> Tensor:
        loss, found = _with_gradients(player, batch, taken, blame)
        # an optimiser may ask again elsewhere; recorded are the values before the move
        if not values:
            values.update(found)
        if is_first:
            optimizers.verify_reach(player.name, player.optimizer)
        return loss

    # here as well: a generator that makes the batches may leave gradients switched off
    with inputs.differentiable():
        optimizers.step(player.optimizer, evaluate)
    optimizers.after_batch(player.name, player.scheduler)
    return values


def _with_gradients(
    player: Player,
    batch: Any,
    taken: dict[str, float],
    blame: Callable[[str, float], NonFiniteLoss],
) -> tuple[Tensor, dict[str, float]]:
    """Compute a player's loss, its gradients, which are finite, and all its terms."""
    # before the loss: its memory is the next gradient's, warm
    for parameter in optimizers.parameters(player.optimizer):
        parameter.grad = None
    loss, values = _evaluated(player, batch)
    if twice := values.keys() & taken.keys():
        raise ValueError(f"two terms are called {twice.pop()!r}; give each a name")
    # the terms before their sum: the one to blame is named
    for name in (*list(values)[1:], player.name):
        if not math.isfinite(values[name]):
            raise blame(name, values[name])
    loss.backward()
    # a finite loss may have an infinite slope, sqrt at 0 for one
    largest = optimizers.largest_gradient(player.optimizer)
    if not math.isfinite(largest):
        raise blame(f"the gradient of {player.name}", largest)
    return loss, values


def _evaluated(player: Player, batch: Any) -> tuple[Tensor, dict[str, float]]:
    """Call a player's step; return its loss, and all terms by name, the loss first."""
    returned = player.step(batch)
    has_terms = isinstance(returned, tuple | list) and len(returned) == 2
    loss, terms = returned if has_terms else (returned, {})
    if not isinstance(loss, Tensor):
        raise ValueError(
            f"the step of {player.name!r} must return a loss that is a tensor, or the "
            f"loss and a dict of terms, got {type(loss).__name__}; end it with "
            "`return loss` or `return loss, {'name': term}`, without .item() or float()"
        )
    if not isinstance(terms, Mapping) or not all(isinstance(n, str) for n in terms):
        raise ValueError(
            f"the terms of {player.name!r} must be a dict of numbers by name, got "
            f"{type(terms).__name__} {terms!r:.40}; return loss, {{'name': term}}"
        )
    if player.name in terms:
        raise ValueError(f"two terms are called {player.name!r}; give each a name")
    values = {name: _number(name, each) for name, each in terms.items()}
    values = {player.name: _number(player.name, loss), **values}
    if not loss.requires_grad:
        raise ValueError(
            f"{player.name} has no gradient, got a loss of {loss.dtype} that depends "
            "on no parameter; it may be whole numbers, detached, or made under no_grad"
        )
    return loss, values


def _number(name: str, term: Any) -> float:
    """Read a term: a number of any library, or a tensor that holds one."""
    if isinstance(term, Tensor | np.ndarray):
        if math.prod(term.shape) != 1:
            raise ValueError(
                f"{name} must be one number, got shape {tuple(term.shape)}; average it "
                "over the batch"
            )
        term = term.item()
    try:
        if isinstance(term, str | bytes):
            raise TypeError
        return float(term)
    except (TypeError, ValueError):
        raise ValueError(
            f"{name} must be one number, got {term!r:.40} ({type(term).__name__})"
        ) from None


def _verified(players: Any) -> tuple[Player, ...]:
    """List the players; refuse what cannot play before anything moves."""
    one = isinstance(players, Player) or not isinstance(players, Iterable)
    players = (players,) if one else tuple(players)
    for player in players:
        if (
            not isinstance(player, Player)
            or not isinstance(player.name, str)
            or not callable(player.step)
        ):
            raise ValueError(
                "players must be train.Player(name, step, optimizer) with a text and a "
                f"function, got {type(player).__name__} {player!r:.60}"
            )
        optimizers.verify(player.name, player.optimizer, player.scheduler)
    return players


def _opened(batches: Any) -> Iterator[Any]:
    """Begin an epoch: call for its batches, or iterate over them again."""
    given = batches() if callable(batches) else batches
    try:
        return iter(given)
    except TypeError as error:
        raise ValueError(
            "batches must be iterable, or a function that returns what is, got "
            f"{type(given).__name__}; a function ends with `return`"
        ) from error


def _num_examples(batch: Any) -> int:
    """Count the examples: the length of the first tensor that has an axis, or 1."""
    lengths = [len(each) for each in _arrays(batch)]
    if lengths and not any(lengths):
        raise ValueError(
            "a batch must hold an example, got one of length 0; leave it out"
        )
    return next((length for length in lengths if length), 1)


def _arrays(batch: Any) -> Iterator[Any]:
    """List the tensors and arrays with an axis, whatever holds them."""
    if isinstance(batch, Mapping):
        batch = list(batch.values())
    if isinstance(batch, tuple | list):
        for each in batch:
            yield from _arrays(each)
    elif getattr(batch, "shape", ()):
        yield batch


def _end_epoch(
    players: tuple[Player, ...],
    history: History,
    done: list[tuple[int, dict[str, float]]],
) -> None:
    """Record the epoch's means, and tell them to the schedules that wait for them."""
    if not done:
        raise ValueError(
            "batches gave no batch; is the data set empty, or does the function return "
            "an iterator that is used up?"
        )
    _record(history, done)
    for player in players:
        optimizers.after_epoch(player.scheduler, history[player.name][-1])


def _record(history: History, done: list[tuple[int, dict[str, float]]]) -> None:
    """Move the batches that are done into the history, as a line of means."""
    if not done:
        return
    num_epochs = max(map(len, history.values()), default=0)
    names = dict.fromkeys([*history, *(name for _, terms in done for name in terms)])
    for name in names:
        found = [(size, terms[name]) for size, terms in done if name in terms]
        total = math.fsum(size * term for size, term in found)
        mean = total / sum(size for size, _ in found) if found else math.nan
        # a term that comes late has no mean before: its list stays one an epoch
        history.setdefault(name, [math.nan] * num_epochs).append(mean)
    done.clear()


def _quiet(progress: bool | None) -> bool:
    """Decide whether to hide the progress bar."""
    if progress is None:
        return bool(os.environ.get("JENSENGAP_QUIET"))
    return not progress
