"""This package with a schedule: the rate rises to a peak and falls to nothing.

Only the race to a given ELBO has it; there a schedule is what makes the difference.
Source: Smith and Topin (2019); ``recipes.one_cycle``.
"""

from pathlib import Path

import torch

from benchmarks.peers import jensengap
from jensengap import recipes, train

DISTRIBUTIONS = jensengap.DISTRIBUTIONS
MAX_RATE = 6e-3  # at the peak
EPOCHS = 6  # of the whole cycle


class Training(jensengap.Training):
    """The fast path under one cycle; after its end nothing moves any more."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        self.notes = {"max_rate": MAX_RATE, "epochs": EPOCHS}

    def make_player(self) -> train.Player:
        """Choose Adam under one cycle."""
        steps = EPOCHS * -(-len(self.images) // jensengap.BATCH)
        kind = {"betas": (0.9, 0.99), "fused": True}
        adam = torch.optim.Adam(self.model.parameters(), MAX_RATE, **kind)
        self.left = EPOCHS
        return train.Player("loss", self.step, adam, recipes.one_cycle(adam, steps + 1))

    def epoch(self) -> int:
        """Train for an epoch.

        Raises:
            ValueError: the cycle is over.
        """
        if not self.left:
            raise ValueError(f"the cycle of {EPOCHS} epochs is over")
        self.left -= 1
        return super().epoch()
