r"""A GAN on a ring of eight Gaussians: its training, and how many modes it covers.

Eight Gaussians on a circle are too easy to be a test of generators. They are a test of
the *game*: small networks can cover all eight, and whether play ends there depends on
how the players move. The discriminator moves first, then the generator, once each a
step, on fresh draws. Taught in the chapter ``dynamics``; the page plays the same game
(``markup/scripts/game.js``), and the tests compare the two.
"""

from __future__ import annotations

import copy
import math
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from jensengap import gan, inputs, metrics, nets, train
from jensengap.data import toy


class Rules(NamedTuple):
    r"""Settings of a game on the ring; lengths are in the data's unit.

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
        seed: of all chance after the networks' first weights.

    Source: Metz et al. (2017), section 3.1, for the ring; Srivastava et al. (2017),
    section 5.1, for the count of modes.
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


# For both: within three standard deviations, and a tenth of the fair share.
RULES = Rules()  # of the game in the page
LONG = Rules(batch=256, betas=(0.5, 0.999), points=2000, enough=25)


def centers(rules: Rules = LONG) -> Float[Tensor, "m 2"]:
    """Return the centres of the modes.

    Args:
        rules: of the game.

    Returns:
        One centre a row.
    """
    return toy.ring_centers(rules.modes, rules.radius)


class Match:
    r"""A GAN in training: copies of two networks, their optimisers, their chance.

    Both play the non-saturating game, each with its own Adam. R1 with weight
    $\gamma/2$ may be added to the discriminator's loss. All chance is drawn on the CPU
    and goes to the networks' device and dtype.

    Args:
        discriminator: from points ``(n, 2)`` to logits ``(n, 1)``.
        generator: from noise ``(n, z)`` to points ``(n, 2)``, a linear layer first.
        rules: see :class:`Rules`.
        gamma: $\gamma$, 0 for no penalty.

    Raises:
        ValueError: a rule that is not positive, a seed outside of 32 bits, a negative
            ``gamma``, or networks of other sizes.

    Source: Goodfellow et al. (2014), algorithm 1; Mescheder, Geiger and Nowozin (2018),
    eq. 9, for R1.
    """

    @inputs.checked
    def __init__(
        self,
        discriminator: nn.Sequential,
        generator: nn.Sequential,
        rules: Rules,
        gamma: float = 0.0,
    ) -> None:
        if not 0 <= gamma < math.inf:
            raise ValueError(f"gamma must be 0 or more and finite, got {gamma}")
        if not isinstance(generator[0], nn.Linear):
            raise ValueError(
                f"the generator must begin with nn.Linear, got {generator[0]}; its "
                "inputs say how much noise is drawn"
            )
        rules = _verified(rules)
        self.rules, self.gamma = rules, gamma
        # copies: the same weights may start another game
        self.discriminator = copy.deepcopy(discriminator)
        self.generator = copy.deepcopy(generator)
        # its own generator: torch's global one stays where it is
        self.chance = torch.Generator().manual_seed(rules.seed)
        self.noise_dim = generator[0].in_features
        self.inspect = self._adam(self.discriminator)
        self.forge = self._adam(self.generator)
        self.num_steps = 0
        # fixed noise, so that the same points are followed through the game
        self.z = self.noise(rules.points)
        self.real = self.sample(rules.points)
        self._verify_networks()

    def __getstate__(self) -> dict[str, Any]:
        # older versions of torch cannot pickle a generator, only what it is at
        return {**self.__dict__, "chance": self.chance.get_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.chance = torch.Generator()
        self.chance.set_state(state["chance"])

    @torch.no_grad()
    def _verify_networks(self) -> None:
        """Refuse networks that do not go together, before they play."""
        try:
            made, logits = self.generator(self.z), self.discriminator(self.real)
        except RuntimeError as error:
            raise ValueError(
                "wanted a discriminator from (n, 2) to (n, 1) and a generator from "
                f"(n, z) to (n, 2), got: {error}; is their order right?"
            ) from error
        if (made.shape[1:], logits.shape[1:]) != ((2,), (1,)):
            raise ValueError(
                "wanted a discriminator from (n, 2) to (n, 1) and a generator from "
                f"(n, z) to (n, 2), got {tuple(logits.shape)} and {tuple(made.shape)}"
            )

    def _adam(self, net: nn.Module) -> torch.optim.Adam:
        rules = self.rules
        return torch.optim.Adam(net.parameters(), rules.rate, rules.betas, fused=True)

    @inputs.checked
    def sample(self, num: int) -> Float[Tensor, "n 2"]:
        """Draw real points from the ring."""
        rules = self.rules
        return toy.ring_of_gaussians(
            num,
            modes=rules.modes,
            radius=rules.radius,
            scale=rules.scale,
            seed=self.chance,
        ).to(self._like)

    @inputs.checked
    def noise(self, num: int) -> Float[Tensor, "n z"]:
        """Draw the generator's noise."""
        return torch.randn(num, self.noise_dim, generator=self.chance).to(self._like)

    @property
    def _like(self) -> Tensor:
        """A tensor of the networks' device and dtype."""
        return next(self.generator.parameters())

    @inputs.checked
    def play(self, num_steps: int, ratio: float = 1.0) -> None:
        """Train both players in turns, the discriminator first.

        Args:
            num_steps: moves of each, at least 1.
            ratio: the discriminator's learning rate over the generator's, at least 0.

        Raises:
            ValueError: ``num_steps`` below 1, or a ratio that is negative or infinite.
            train.NonFiniteLoss: the game has left all bounds.
        """
        if num_steps < 1:
            raise ValueError(f"play needs num_steps of at least 1, got {num_steps}")
        if not 0 <= ratio < math.inf:
            raise ValueError(f"ratio must be 0 or more and finite, got {ratio}")
        # the ratio may change between two calls; Adam's moments stay
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
            # detached: the discriminator's loss must not move the generator
            real, fake = self.sample(size), self.generator(self.noise(size)).detach()
            loss = game.discriminator_loss(judge(real), judge(fake))
            if self.gamma:
                loss = loss + self.gamma / 2 * gan.r1_penalty(judge, real)
            return loss, {}

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
        """Count the modes that enough of the followed points lie close to."""
        return num_covered(self.made(), self.rules)

    @inputs.checked
    @torch.no_grad()
    def belief(self, extent: float, cells: int) -> Float[Tensor, "c c"]:
        """Evaluate D on a grid over a square, its first row at the top.

        Args:
            extent: half the side of the square.
            cells: of the grid, in each direction.
        """
        # centres of the cells
        at = ((torch.arange(cells) + 0.5) / cells * 2 - 1) * extent
        # rows run downwards, as in a picture
        down, across = torch.meshgrid(-at, at, indexing="ij")
        grid = torch.stack([across, down], -1).reshape(-1, 2).to(self._like)
        return self.discriminator(grid).sigmoid().reshape(cells, cells)


def _verified(rules: Rules) -> Rules:
    """Return the rules in Python's own numbers; refuse those that nobody can play."""
    rules = _read(**rules._asdict())
    named = rules._asdict().items()
    bad = [n for n, v in named if n not in ("betas", "seed") and not v > 0]
    if bad or not 0 <= rules.seed < 2**32:
        raise ValueError(
            "wanted positive rules and a seed of 32 bits, got "
            f"{rules}; change {', '.join(bad) or 'seed'}"
        )
    return rules


@inputs.checked
def _read(
    *,
    modes: int,
    radius: float,
    scale: float,
    batch: int,
    rate: float,
    betas: tuple[float, float],
    points: int,
    reach: float,
    enough: int,
    seed: int,
) -> Rules:
    """Make rules of numbers of any library."""
    return Rules(modes, radius, scale, batch, rate, betas, points, reach, enough, seed)


@inputs.checked
def num_covered(points: Float[Tensor, "n 2"], rules: Rules = LONG) -> int:
    """Count the modes that enough points lie close to.

    Args:
        points: a cloud, at least ``rules.enough`` of them.
        rules: say how close, and how many are enough.

    Returns:
        From 0 to the number of modes.

    Raises:
        ValueError: fewer points than are enough for one mode.
    """
    places = centers(rules).to(points)
    found = metrics.modes_covered(points, places, rules.reach, rules.enough)
    return int(found.sum())


@inputs.checked
def play(
    *,
    generator_rate: float,
    discriminator_rate: float,
    gamma: float,
    seed: int,
    num_rounds: int = 15,
    num_steps: int = 100,
) -> Float[Tensor, "t 2000 2"]:
    r"""Train a GAN on the ring, two hidden layers of 64, and sample it as it learns.

    Args:
        generator_rate: Adam's step size for the generator.
        discriminator_rate: that of the discriminator.
        gamma: $\gamma$, the weight of R1 is half of it; 0 for no penalty.
        seed: of initial weights, data and noise.
        num_rounds: how often a cloud is taken.
        num_steps: of each player between two clouds.

    Returns:
        The generator's samples after each round, from the same noise in all of them.

    Raises:
        ValueError: no round, and what :class:`Match` refuses.
    """
    if num_rounds < 1:
        raise ValueError(f"play needs num_rounds of at least 1, got {num_rounds}")
    # for the first weights; all later chance is the match's own
    torch.manual_seed(seed)
    match = Match(
        nets.mlp(2, 64, 64, 1, activation=nn.ReLU),
        nets.mlp(2, 64, 64, 2, activation=nn.ReLU),
        LONG._replace(rate=generator_rate, seed=seed),
        gamma,
    )
    clouds = []
    for _ in range(num_rounds):
        match.play(num_steps, discriminator_rate / generator_rate)
        clouds.append(match.made())
    return torch.stack(clouds)


@inputs.checked
def judge(clouds: Float[Tensor, "t n 2"]) -> dict[str, list]:
    """Count the modes that each cloud covers, and its share of points near a mode.

    Args:
        clouds: samples at several times.

    Returns:
        ``modes``, how many of the eight are covered; ``near``, the share of points
        that are close to any mode. One number for each time.
    """
    places = centers().to(clouds)
    near = [metrics.mode_counts(each, places, LONG.reach).sum() for each in clouds]
    return {
        "modes": [num_covered(each) for each in clouds],
        "near": [round(int(count) / clouds.shape[1], 3) for count in near],
    }


@inputs.checked
def run(
    *, generator_rate: float, discriminator_rate: float, gamma: float, seed: int
) -> dict[str, list]:
    """Train a GAN on the ring, and return what is recorded of the run.

    Args:
        generator_rate: as in :func:`play`.
        discriminator_rate: as in :func:`play`.
        gamma: as in :func:`play`.
        seed: as in :func:`play`.

    Returns:
        What :func:`judge` says of fifteen clouds, a hundred steps apart.
    """
    return judge(
        play(
            generator_rate=generator_rate,
            discriminator_rate=discriminator_rate,
            gamma=gamma,
            seed=seed,
        )
    )
