r"""Backpropagation through a multilayer perceptron, written out.

With $a_0$ the input, $u_i=W_ia_{i-1}+b_i$ and $a_i=\phi(u_i)$ for all but the last
layer, the gradient $g_i$ of a loss with respect to $u_i$ gives

$$\nabla_{W_i}=g_i^\top a_{i-1},\qquad\nabla_{b_i}=\sum g_i,\qquad
g_{i-1}=(g_iW_i)\odot\phi'(u_{i-1}).$$

No graph is kept and no temporary made twice: that is what
:mod:`jensengap.fast.bernoulli_vae` is fast by.

Source: Rumelhart, Hinton and Williams (1986).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


def _relu_backward(slope: Tensor, activated: Tensor) -> Tensor:
    return torch.ops.aten.threshold_backward(slope, activated, 0.0)


# φ in place, and φ′ from φ itself
_ACTIVATIONS = {
    nn.Tanh: (torch.tanh_, torch.ops.aten.tanh_backward),
    nn.ReLU: (torch.relu_, _relu_backward),
}


class MLP:
    """Forward and backward pass of a perceptron, on the network's own parameters.

    Args:
        net: linear layers with tanh or ReLU between them, as ``nets.mlp`` makes them.
            Their numbers are shared, so a step that moves them is seen here.

    Attributes:
        weights: of each layer, ``(outputs, inputs)``.
        biases: of each layer.

    Raises:
        ValueError: another kind of layer, or another order.

    Source: Rumelhart, Hinton and Williams (1986).
    """

    def __init__(self, net: nn.Sequential) -> None:
        linears = list(net[::2])
        between = {type(each) for each in net[1::2]}
        if (
            len(net) % 2 == 0
            or not all(type(each) is nn.Linear for each in linears)
            or any(each.bias is None for each in linears)
            or len(between) > 1
            or not between <= _ACTIVATIONS.keys()
        ):
            raise ValueError(
                "wanted linear layers with one kind of activation between them, tanh "
                f"or ReLU, got {[type(each).__name__ for each in net]}; nets.mlp makes "
                "such networks, and autograd differentiates all others"
            )
        self._act, self._slope = _ACTIVATIONS[next(iter(between), nn.Tanh)]
        # the same memory without a graph: a step of an optimiser is seen here
        self.weights = [each.weight.detach() for each in linears]
        self.biases = [each.bias.detach() for each in linears]
        # views: no weight is copied
        self._transposed = [each.T for each in self.weights]
        self._last = len(linears) - 1

    def is_stale(self, net: nn.Sequential) -> bool:
        """Test whether the network's numbers lie elsewhere now, as after ``.to(…)``.

        Args:
            net: the network that this was made from.

        Returns:
            Whether another one must be made.
        """
        now = [each.weight.data_ptr() for each in net[::2]]
        return now != [each.data_ptr() for each in self.weights]

    def forward(self, x: Float[Tensor, "b i"]) -> list[Tensor]:
        """Run the network; return the input of every layer, and the output behind them.

        Args:
            x: a row an example.
        """
        passed = [x]
        for number, weight in enumerate(self._transposed):
            u = torch.addmm(self.biases[number], passed[-1], weight)
            # in place: backward needs phi(u) alone, phi' is computed from it
            passed.append(u if number == self._last else self._act(u))
        return passed

    def backward(
        self,
        passed: Sequence[Tensor],
        slope: Float[Tensor, "b o"],
        into: Sequence[Tensor],
        *,
        to_input: bool,
    ) -> Float[Tensor, "b i"] | None:
        """Write the gradients of all weights and biases.

        Args:
            passed: what :meth:`forward` returned.
            slope: gradient of the loss with respect to the output.
            into: a tensor for weight and bias of each layer in turn, overwritten.
            to_input: whether the gradient with respect to the input is wanted.

        Returns:
            That gradient, or nothing.
        """
        for number in range(self._last, -1, -1):
            # into memory that is there already: nothing is allocated in a step
            torch.mm(slope.T, passed[number], out=into[2 * number])
            torch.sum(slope, 0, out=into[2 * number + 1])
            # below the first layer only a decoder, which has z there, wants it
            if number or to_input:
                slope = torch.mm(slope, self.weights[number])
            if number:
                slope = self._slope(slope, passed[number])
        return slope if to_input else None


def together(like: Sequence[Tensor]) -> list[Tensor]:
    """Allocate a gradient for each parameter, all in one piece of memory.

    Args:
        like: tensors of these shapes, of one type and on one device.

    Returns:
        Tensors of the same shapes, not filled: views of one vector.
    """
    # allocated once a step, not once a parameter
    flat = like[0].new_empty(sum(each.numel() for each in like))
    cut = flat.split([each.numel() for each in like])
    return [part.view(each.shape) for part, each in zip(cut, like, strict=True)]
