"""What the training loop asks of torch's optimisers and schedules, of any kind.

Sparse and complex gradients, several dtypes and devices in one optimiser, optimisers
that evaluate the loss themselves (LBFGS), schedules of batches and of epochs: the loop
sees one kind.
"""

from __future__ import annotations

import copy
import functools
import inspect
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, ReduceLROnPlateau


def verify(name: str, optimizer: Any, scheduler: Any) -> None:
    """Refuse what is no optimiser or no scheduler, and what could move nothing.

    Args:
        name: of the player, for the message.
        optimizer: what should move its parameters.
        scheduler: what should change its rate, or None.

    Raises:
        ValueError: one of them is something else.
    """
    if not isinstance(optimizer, Optimizer):
        raise ValueError(
            f"the optimizer of {name!r} must be one of torch.optim, got "
            f"{type(optimizer).__name__}; make one of the parameters: "
            "torch.optim.Adam(model.parameters(), 1e-3)"
        )
    if any(p.is_inference() for p in parameters(optimizer)):
        raise ValueError(
            f"the parameters of {name!r} were made under torch.inference_mode and can "
            "have no gradient; make the model outside of it"
        )
    if scheduler is None:
        return
    if not isinstance(scheduler, LRScheduler):
        raise ValueError(
            f"the scheduler of {name!r} must be one of torch.optim.lr_scheduler, got "
            f"{type(scheduler).__name__}; make one of the optimizer, or leave it out"
        )
    # not the optimiser itself: one may be wrapped in another
    changed = {id(p) for p in parameters(scheduler.optimizer)}
    if changed.isdisjoint(map(id, parameters(optimizer))):
        raise ValueError(
            f"the scheduler of {name!r} changes the rate of another optimizer; make it "
            "of the player's own"
        )


def verify_reach(name: str, optimizer: Optimizer) -> None:
    """Refuse a loss after whose backward pass no parameter has a gradient.

    Args:
        name: of the player, for the message.
        optimizer: of the parameters that the loss should have reached.

    Raises:
        ValueError: it has reached none, so that nothing would ever move.
    """
    if all(p.grad is None for p in parameters(optimizer)):
        raise ValueError(
            f"the loss of {name!r} reaches no parameter of its optimizer, so nothing "
            "would ever move; make the optimizer of the parameters that the step "
            "computes with, and leave their requires_grad on"
        )


def parameters(optimizer: Optimizer) -> Iterator[Tensor]:
    """List the parameters that an optimiser moves.

    Args:
        optimizer: with any number of groups.
    """
    return (p for group in optimizer.param_groups for p in group["params"])


def largest_gradient(optimizer: Optimizer) -> float:
    """Return the largest absolute gradient, or 0 where a cheap test finds it finite.

    Args:
        optimizer: of the parameters whose gradients are looked at.

    Returns:
        NaN or infinity exactly where a gradient is not finite.
    """
    found = (_numbers(p.grad) for p in parameters(optimizer) if p.grad is not None)
    gradients = [each for each in found if each.numel()]
    if not gradients:
        return 0.0
    # a finite sum of squares has finite parts, and a dot product is quickly made
    squares = [torch.dot(g, g) for g in gradients]
    # of one dtype and on one device: what overflows there is looked at below
    if math.isfinite(torch.stack([s.to(squares[0]) for s in squares]).sum()):
        return 0.0
    largest = [float(g.abs().max()) for g in gradients]
    # max() would lose a NaN that does not come first
    return next((each for each in largest if math.isnan(each)), max(largest))


def _numbers(gradient: Tensor) -> Tensor:
    """List a gradient's numbers as one axis of real ones."""
    if gradient.layout == torch.sparse_coo:
        gradient = gradient.coalesce()
    if gradient.layout != torch.strided:
        gradient = gradient.values()
    if gradient.is_complex():
        gradient = torch.view_as_real(gradient.resolve_conj())
    return gradient.flatten()


def snapshot(
    optimizer: Optimizer, scheduler: LRScheduler | None = None
) -> Callable[[], None]:
    """Keep what a step changes: the parameters, and what was remembered of others.

    Args:
        optimizer: its parameters and its state are copied.
        scheduler: its state is copied, too.

    Returns:
        A function that puts all of it back.
    """
    places = [(p, p.detach().clone()) for p in parameters(optimizer)]
    state = copy.deepcopy(optimizer.state_dict())
    schedule = copy.deepcopy(scheduler.state_dict()) if scheduler else {}

    def restore() -> None:
        with torch.no_grad():
            for parameter, place in places:
                parameter.copy_(place)
        optimizer.load_state_dict(state)
        if scheduler:
            scheduler.load_state_dict(schedule)

    return restore


def step(optimizer: Optimizer, evaluate: Callable[[], Tensor]) -> None:
    """Move the parameters once, whether the optimiser wants a closure or not.

    Args:
        optimizer: any; one that evaluates the loss itself, LBFGS for example, may do
            so several times. Its parameters are put back if that fails.
        evaluate: clears the gradients, computes them anew and returns the loss.
    """
    if not _needs_closure(type(optimizer)):
        evaluate()
        try:
            optimizer.step()
            return
        except Exception as error:
            # some can do without by their signature, and say only here that they
            # cannot: those that look for a flat minimum, SAM for one
            if "closure" not in str(error):
                raise
    restore = snapshot(optimizer)
    try:
        optimizer.step(torch.enable_grad()(evaluate))
    except BaseException:  # an interrupt as well: no parameter stays half-way
        restore()
        raise


@functools.cache
def _needs_closure(kind: type[Optimizer]) -> bool:
    """Test whether an optimiser's step has an argument that must be given."""
    (_, *others) = inspect.signature(kind.step).parameters.values()
    named = [p for p in others if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    return any(p.default is p.empty for p in named)


def after_batch(name: str, scheduler: LRScheduler | None) -> None:
    """Step a schedule of batches; that of epochs waits for their end.

    Args:
        name: of the player, for the message.
        scheduler: any, or None.

    Raises:
        ValueError: the schedule is at its end.
    """
    if scheduler is None or isinstance(scheduler, ReduceLROnPlateau):
        return
    try:
        scheduler.step()
    except ValueError as error:
        raise ValueError(
            f"the scheduler of {name!r} could not be stepped: {error}; it is stepped "
            "after every batch of every epoch, make it for that many steps"
        ) from error


def after_epoch(scheduler: LRScheduler | None, loss: float) -> None:
    """Step a schedule of epochs, which looks at what the loss has become.

    Args:
        scheduler: any, or None.
        loss: the epoch's mean.
    """
    if isinstance(scheduler, ReduceLROnPlateau):
        scheduler.step(loss)
