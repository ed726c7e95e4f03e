r"""SOAP optimiser: Adam along the eigenvectors of Shampoo's preconditioner.

For a weight with gradient $G$, running means $L$ of $GG^\top$ and $R$ of $G^\top G$
have eigenvectors $Q_L$ and $Q_R$, and Adam runs on $Q_L^\top GQ_R$ in place of $G$:

$$W\leftarrow W-\eta\,Q_L\,
\frac{Q_L^\top\hat M Q_R}{\sqrt{\hat V}+\epsilon}\,Q_R^\top.$$

A step costs more than Adam's and goes further; with large batches it costs little of
the whole.

Source: Vyas et al. (2025), algorithms 3 and 4, without weight decay; Gupta, Koren and
Singer (2018) for Shampoo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from jensengap import inputs

_KEPT = 0.95  # of L and R, whenever they are measured
_MEASURE = 10  # steps between two measurements; the first ten are all measured
_TURN = 50  # steps between two corrections of the bases; every tenth at the start


class Soap(torch.optim.Optimizer):
    r"""SOAP: Adam in the eigenbasis of each matrix's gradients.

    The first step moves nothing: its gradient finds the bases, and enters neither
    moment. From the second step on, parameters that are no matrices (biases, kernels)
    move as Adam moves them that begins there.

    Args:
        params: parameters, as for any optimiser of torch; real ones.
        lr: the learning rate $\eta$; a schedule may change it.
        betas: how much of both moments a step keeps.
        eps: $\epsilon$.
        max_size: a dimension longer than that keeps the axes it has; with 0 all do,
            and matrices move as Adam moves them that begins at the second step.

    Raises:
        ValueError: a rate, a beta or an epsilon out of range, a negative size, or
            complex parameters.

    Source: Vyas et al. (2025), algorithms 3 and 4, without weight decay.
    """

    @inputs.checked
    def __init__(
        self,
        params: Iterable[nn.Parameter],
        lr: float,
        *,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-8,
        max_size: int = 200,
    ) -> None:
        if lr < 0 or eps < 0 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(
                "wanted a learning rate and eps of at least 0 and betas in [0, 1), got "
                f"{lr}, {eps} and {betas}"
            )
        if max_size < 0:
            raise ValueError(f"max_size must be at least 0, got {max_size}")
        defaults = {"lr": lr, "betas": betas, "eps": eps, "max_size": max_size}
        super().__init__(params, defaults)
        if any(p.is_complex() for group in self.param_groups for p in group["params"]):
            raise ValueError(
                "wanted real parameters, got complex ones; take torch.optim.Adam"
            )

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; a parameter without a gradient stays where it is.

        Args:
            closure: computes the gradients anew, if one is given.

        Returns:
            What ``closure`` returned.

        Raises:
            ValueError: a sparse gradient; raised before anything moves.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        moving = [
            (weight, group)
            for group in self.param_groups
            for weight in group["params"]
            if weight.grad is not None
        ]
        if any(weight.grad.layout != torch.strided for weight, _ in moving):
            raise ValueError(
                "wanted dense gradients, got a sparse one; take torch.optim.SparseAdam "
                "for it, or nn.Embedding(sparse=False)"
            )
        for weight, group in moving:
            self._move(weight, group)
        return loss

    def _move(self, weight: nn.Parameter, group: dict[str, Any]) -> None:
        """Update one parameter."""
        gradient, state = weight.grad, self.state[weight]
        if not state:
            state |= _start(weight, group["max_size"])
        state["step"] += 1
        number = int(state["step"])
        # factors change slowly, and measuring them costs two products
        if number <= _MEASURE or number % _MEASURE == 0:
            for side, factor in state["factors"].items():
                g = gradient.T if side else gradient
                factor.mul_(_KEPT).addmm_(g, g.T, alpha=1 - _KEPT)
        if number == 1:
            for side, factor in state["factors"].items():
                # eigh sorts upwards
                vectors = torch.linalg.eigh(inputs.single(factor))[1].flip(1)
                state["bases"][side].copy_(vectors)
            return
        if number % (_MEASURE if number < 2 * _TURN else _TURN) == 0:
            _turn(state)
        first, second = group["betas"]
        # in the weight's own axes, so that it need not turn with the bases
        state["exp_avg"].lerp_(gradient, 1 - first)
        # the second moment is taken along the eigenvectors: that is the method
        along = _rotated(gradient, state["bases"], back=False)
        state["exp_avg_sq"].mul_(second).addcmul_(along, along, value=1 - second)
        # the first step has counted nothing yet
        size = state["exp_avg_sq"] / (1 - second ** (number - 1))
        move = _rotated(state["exp_avg"], state["bases"], back=False)
        move = move / size.sqrt_().add_(group["eps"])
        move = _rotated(move, state["bases"], back=True)
        weight.add_(move, alpha=-group["lr"] / (1 - first ** (number - 1)))


def _start(weight: Tensor, max_size: int) -> dict[str, Any]:
    """Make a parameter's state before the first step; factors and bases by side."""
    # a side that is too long keeps its axes: eigh costs its cube
    sides = [s for s in range(2) if weight.ndim == 2 and weight.shape[s] <= max_size]
    return {
        "step": torch.zeros((), dtype=torch.int64),
        "exp_avg": torch.zeros_like(weight),
        "exp_avg_sq": torch.zeros_like(weight),
        "factors": {
            s: weight.new_zeros(weight.shape[s], weight.shape[s]) for s in sides
        },
        "bases": {s: weight.new_zeros(weight.shape[s], weight.shape[s]) for s in sides},
    }


def _turn(state: dict[str, Any]) -> None:
    """Update the eigenbases by a step of orthogonal iteration, largest axis first."""
    for side, basis in state["bases"].items():
        # a product and a QR: far cheaper than eigh, and near enough
        ahead = state["factors"][side] @ basis
        # by Rayleigh quotients, which estimate the eigenvalues
        order = (basis * ahead).sum(0).argsort(descending=True)
        basis.copy_(torch.linalg.qr(inputs.single(ahead[:, order]))[0])
        moment = state["exp_avg_sq"]  # goes with its axis
        moment.copy_(moment.index_select(side, order))


def _rotated(matrix: Tensor, bases: dict[int, Tensor], *, back: bool) -> Tensor:
    """Rotate a matrix into the eigenbases, or from there back."""
    for side, basis in bases.items():
        turn = basis.T if back else basis
        matrix = matrix @ turn if side else turn.T @ matrix
    return matrix
