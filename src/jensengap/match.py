r"""A GAN's match on a ring of Gaussians, step by step: what the page plays, in torch.

The discriminator moves first, then the generator, once each a step, on fresh draws.
``scripts/game.js`` holds the same algorithm; the tests compare the two.
"""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jensengap import coverage, gan, train


class Rules(NamedTuple):
    r"""What both players are given; lengths are in the data's unit.

    Attributes:
        modes: $m$, Gaussians on the ring.
        radius: of the ring.
        scale: $s$, the standard deviation of each Gaussian.
        batch: real points, and generated ones, a step.
        rate: the generator's learning rate, for Adam.
        betas: Adam's, both players'.
        points: generated points that are followed, and counted.
        reach: how close to its mode a point must be to count.
        enough: points that cover a mode.
        seed: of all chance.
    """

    modes: int = 8
    radius: float = 2.0
    scale: float = 0.1
    batch: int = 64
    rate: float = 2e-3
    betas: tuple[float, float] = (0.5, 0.9)
    points: int = 320
    reach: float = 0.3
    enough: int = 4
    seed: int = 0


RULES = Rules()


class Match:
    """Two players and the chance between them; the networks given are left alone.

    Args:
        discriminator: from points ``(n, 2)`` to logits ``(n, 1)``.
        generator: from noise ``(n, z)`` to points ``(n, 2)``.
        rules: see :class:`Rules`.

    Raises:
        ValueError: a rule that is not positive, or a seed outside of 32 bits.
    """

    def __init__(
        self, discriminator: nn.Sequential, generator: nn.Sequential, rules: Rules
    ) -> None:
        named = rules._asdict().items()
        bad = [n for n, v in named if n not in ("betas", "seed") and not v > 0]
        if bad or not 0 <= rules.seed < 2**32:
            raise ValueError(
                "wanted positive rules and a seed of 32 bits, got "
                f"{rules}; change {', '.join(bad) or 'seed'}"
            )
        self.rules = rules
        self.discriminator = copy.deepcopy(discriminator)
        self.generator = copy.deepcopy(generator)
        self.chance = torch.Generator().manual_seed(rules.seed)
        self.noise_dim = generator[0].in_features
        self.inspect = self._adam(self.discriminator)
        self.forge = self._adam(self.generator)
        self.num_steps = 0
        self.z = self.noise(rules.points)
        self.real = self.sample(rules.points)

    def _adam(self, net: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(net.parameters(), self.rules.rate, self.rules.betas)

    def centers(self) -> Float[Tensor, "m 2"]:
        """Return the modes' centres."""
        angle = torch.arange(self.rules.modes) * (2 * math.pi / self.rules.modes)
        return self.rules.radius * torch.stack([angle.cos(), angle.sin()], 1)

    def sample(self, num: int) -> Float[Tensor, "n 2"]:
        """Draw real points."""
        which = torch.randint(self.rules.modes, (num,), generator=self.chance)
        noise = torch.randn(num, 2, generator=self.chance)
        return self.centers()[which] + self.rules.scale * noise

    def noise(self, num: int) -> Float[Tensor, "n z"]:
        """Draw what the generator starts from."""
        return torch.randn(num, self.noise_dim, generator=self.chance)

    def play(self, num_steps: int, ratio: float = 1.0) -> None:
        """Let both players move.

        Args:
            num_steps: moves of each, at least 1.
            ratio: the discriminator's learning rate over the generator's.

        Raises:
            ValueError: ``num_steps`` below 1.
            train.NonFiniteLoss: the game has left all bounds.
        """
        if num_steps < 1:
            raise ValueError(f"play needs num_steps of at least 1, got {num_steps}")
        for group in self.inspect.param_groups:
            group["lr"] = ratio * self.rules.rate
        train.fit(lambda: range(num_steps), self.players(), 1, progress=False)
        self.num_steps += num_steps

    def players(self) -> list[train.Player]:
        """Return the two players, the discriminator first."""
        game, size = gan.non_saturating, self.rules.batch

        def judge(points: Tensor) -> Tensor:
            return self.discriminator(points)[:, 0]

        def inspect(_: int) -> tuple[Tensor, train.Terms]:
            real, fake = self.sample(size), self.generator(self.noise(size)).detach()
            return game.discriminator_loss(judge(real), judge(fake)), {}

        def forge(_: int) -> tuple[Tensor, train.Terms]:
            return game.generator_loss(judge(self.generator(self.noise(size)))), {}

        return [
            train.Player("discriminator", inspect, self.inspect),
            train.Player("generator", forge, self.forge),
        ]

    @torch.no_grad()
    def made(self) -> Float[Tensor, "n 2"]:
        """Return the generated points that are followed, where they are now."""
        return self.generator(self.z)

    def num_covered(self) -> int:
        """Count the modes that enough of those points lie close to."""
        rules = self.rules
        found = coverage.modes_covered(
            self.made(), self.centers(), rules.reach, rules.enough
        )
        return int(found.sum())

    @torch.no_grad()
    def belief(self, extent: float, cells: int) -> Float[Tensor, "c c"]:
        """Return D on a grid over a square, its first row at the top.

        Args:
            extent: half the side of the square.
            cells: of the grid, in each direction.
        """
        at = ((torch.arange(cells) + 0.5) / cells * 2 - 1) * extent
        down, across = torch.meshgrid(-at, at, indexing="ij")
        grid = torch.stack([across, down], -1).reshape(-1, 2)
        return self.discriminator(grid).sigmoid().reshape(cells, cells)
