r"""SOAP: Adam along the eigenvectors of Shampoo's preconditioner, for one vector.

For a weight with gradient $G$, running means $L$ of $GG^\top$ and $R$ of $G^\top G$
have eigenvectors $Q_L$ and $Q_R$, and Adam runs on $Q_L^\top GQ_R$ in place of $G$:

$$W\leftarrow W-\eta\,Q_L\,
\frac{Q_L^\top\hat M Q_R}{\sqrt{\hat V}+\epsilon}\,Q_R^\top.$$

A step costs more than Adam's and goes further; with large batches it costs little of
the whole. Sources: Vyas et al. (2025), algorithm 3, https://arxiv.org/abs/2409.11321;
Gupta, Koren and Singer (2018).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from jensengap.fast import perceptron

_KEPT = 0.95  # of L and R, whenever they are measured
_MEASURE = 10  # steps between two measurements; the first ten are all measured
_TURN = 50  # steps between two corrections of the bases; every tenth at the start


class Soap(torch.optim.Optimizer):
    r"""Moves a vector of weights and biases; biases have Adam's own step.

    The first step moves nothing: it finds the bases.

    Args:
        vector: all parameters, as :func:`jensengap.fast.perceptron.flatten` makes it.
        like: tensors of the parameters' shapes, in their order.
        lr: the learning rate $\eta$; a schedule may change it.
        betas: how much of both moments a step keeps.
        eps: $\epsilon$.
        max_size: a dimension longer than that keeps the axes it has; with 0 this is
            Adam.

    Raises:
        ValueError: a rate, a beta or an epsilon out of range, or shapes that do not
            fill the vector.
    """

    def __init__(
        self,
        vector: nn.Parameter,
        like: Sequence[Tensor],
        lr: float,
        *,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-8,
        max_size: int = 200,
    ) -> None:
        total = sum(each.numel() for each in like)
        if lr < 0 or eps < 0 or not all(0 <= beta < 1 for beta in betas):
            raise ValueError(
                "wanted a learning rate and eps of at least 0 and betas in [0, 1), got "
                f"{lr}, {eps} and {betas}"
            )
        if total != vector.numel():
            raise ValueError(
                f"the shapes hold {total} numbers and the vector {vector.numel()}; "
                "give the parameters that were flattened into it"
            )
        super().__init__([vector], {"lr": lr, "betas": betas, "eps": eps})
        # shapes alone: the tensors would be pickled with the optimiser
        self._like = [torch.empty(each.shape, device="meta") for each in like]
        self._sides = [
            (number, side)
            for number, each in enumerate(self._like)
            for side in range(2)
            if each.ndim == 2 and each.shape[side] <= max_size
        ]
        sizes = [self._like[number].shape[side] for number, side in self._sides]
        kind = {"dtype": vector.dtype, "device": vector.device}
        self.state[vector] = {
            "step": torch.zeros((), dtype=torch.int64),
            "exp_avg": torch.zeros_like(vector),
            "exp_avg_sq": torch.zeros_like(vector),
            "factors": [torch.zeros(n, n, **kind) for n in sizes],
            "bases": [torch.eye(n, **kind) for n in sizes],
        }

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step, or none where there is no gradient.

        Args:
            closure: computes the gradient anew, if one is given.

        Returns:
            What ``closure`` returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        (group,) = self.param_groups
        (vector,) = group["params"]
        if vector.grad is None:
            return loss
        state = self.state[vector]
        state["step"] += 1
        number = int(state["step"])
        if number <= _MEASURE or number % _MEASURE == 0:
            self._measure(vector.grad, state)
        if number == 1:
            for factor, basis in zip(state["factors"], state["bases"], strict=True):
                basis.copy_(torch.linalg.eigh(factor)[1].flip(1))
            return loss
        if number % (_MEASURE if number < 2 * _TURN else _TURN) == 0:
            self._turn(state)
        first, second = group["betas"]
        state["exp_avg"].lerp_(vector.grad, 1 - first)
        along = self._rotated(vector.grad, state, back=False)
        state["exp_avg_sq"].mul_(second).addcmul_(along, along, value=1 - second)
        size = state["exp_avg_sq"] / (1 - second ** (number - 1))
        move = self._rotated(state["exp_avg"], state, back=False)
        move /= size.sqrt_().add_(group["eps"])
        move = self._rotated(move, state, back=True)
        vector.add_(move, alpha=-group["lr"] / (1 - first ** (number - 1)))
        return loss

    def _measure(self, gradient: Tensor, state: dict[str, Any]) -> None:
        """Bring L and R up to date."""
        parts = perceptron.parts(gradient, self._like)
        for (number, side), factor in zip(self._sides, state["factors"], strict=True):
            g = parts[number].T if side else parts[number]
            factor.mul_(_KEPT).addmm_(g, g.T, alpha=1 - _KEPT)

    def _turn(self, state: dict[str, Any]) -> None:
        """Correct the bases by a step of orthogonal iteration, largest axis first."""
        moments = perceptron.parts(state["exp_avg_sq"], self._like)
        both = zip(state["factors"], state["bases"], strict=True)
        for (number, side), (factor, basis) in zip(self._sides, both, strict=True):
            ahead = factor @ basis
            order = (basis * ahead).sum(0).argsort(descending=True)
            basis.copy_(torch.linalg.qr(ahead[:, order])[0])
            moment = moments[number]  # goes with its axis
            moment.copy_(moment.index_select(side, order))

    def _rotated(self, vector: Tensor, state: dict[str, Any], *, back: bool) -> Tensor:
        """Write a vector in the bases, or one that is so written in the old axes."""
        out = vector.clone()
        parts = perceptron.parts(out, self._like)
        for (number, side), basis in zip(self._sides, state["bases"], strict=True):
            turn = basis.T if back else basis
            part = parts[number]
            part.copy_(part @ turn if side else turn.T @ part)
        return out
