"""The ceiling in float32: the matrix products of an epoch and nothing else.

Forward, the gradients of the weights, and those of the inputs but for the first
layer's, which nobody needs: 3.28 MFLOP an image.
"""

from pathlib import Path

import torch

DISTRIBUTIONS = ("torch",)
LAYERS = ((784, 400), (400, 40), (20, 400), (400, 784))
IMAGES, BATCH = 60_000, 128
# multiply and add: 2; the two gradients cost as much as the way forward, each
FLOP = 2 * sum(i * o * (2 if n == 0 else 3) for n, (i, o) in enumerate(LAYERS))


def relative_error(dtype: torch.dtype) -> float:
    """Measure how far a product is from the same in float64."""
    generator = torch.Generator().manual_seed(0)
    a = torch.randn(BATCH, 784, generator=generator)
    b = torch.randn(784, 400, generator=generator)
    exact = a.double() @ b.double()
    product = (a.to(dtype) @ b.to(dtype)).double()
    return float((product - exact).norm() / exact.norm())


class Training:
    """The products of one epoch at a time.

    Args:
        folder: not read.
        seed: not used.
        dtype: of all numbers.
    """

    def __init__(
        self, folder: Path, seed: int, dtype: torch.dtype = torch.float32
    ) -> None:
        error = relative_error(dtype)
        self.notes = {"FLOP an image": FLOP, "relative error of a product": error}
        generator = torch.Generator().manual_seed(0)

        def numbers(*shape: int) -> torch.Tensor:
            return torch.randn(shape, generator=generator).to(dtype)

        self.inputs = [numbers(BATCH, i) for i, _ in LAYERS]
        self.weights_ = [numbers(o, i) for i, o in LAYERS]
        self.outputs = [numbers(BATCH, o) for _, o in LAYERS]

    def epoch(self) -> int:
        """Multiplies for an epoch."""
        for start in range(0, IMAGES, BATCH):
            size = min(BATCH, IMAGES - start)
            for number, weight in enumerate(self.weights_):
                x, g = self.inputs[number][:size], self.outputs[number][:size]
                torch.mm(x, weight.T)
                torch.mm(g.T, x)
                if number:
                    torch.mm(g, weight)
        return IMAGES

    def weights(self) -> None:
        """It has learned nothing."""
