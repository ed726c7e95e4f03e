r"""Adam for one vector of parameters, as :func:`jensengap.fast.perceptron.flatten` makes it.

The numbers of ``torch.optim.Adam(..., fused=True)``, bit by bit, by the same compiled
function. What is left out is the sorting of parameters into groups, devices and types:
a tenth of a millisecond a step, where a step of a small network takes three.

Source: Kingma and Ba (2015), algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn


class Adam(torch.optim.Adam):
    r"""Moves a vector by $-\eta\,\hat m/(\sqrt{\hat v}+\epsilon)$.

    Args:
        vector: all parameters, on the device where they stay.
        lr: the learning rate $\eta$; a schedule may change it.
        betas: how much of both moments a step keeps.
        eps: $\epsilon$.

    Raises:
        ValueError: a rate, a beta or an epsilon that torch refuses.
    """

    def __init__(
        self,
        vector: nn.Parameter,
        lr: float,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__([vector], lr, betas, eps, fused=True)
        self.state[vector] = {
            "step": torch.zeros((), device=vector.device),
            "exp_avg": torch.zeros_like(vector),
            "exp_avg_sq": torch.zeros_like(vector),
        }

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step along the gradient, or none where there is no gradient.

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
        torch._fused_adam_(
            [vector],
            [vector.grad],
            [state["exp_avg"]],
            [state["exp_avg_sq"]],
            [],  # the largest second moments, which AMSGrad would keep
            [state["step"]],
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            eps=group["eps"],
            weight_decay=0.0,
            amsgrad=False,
            maximize=False,
        )
        return loss
