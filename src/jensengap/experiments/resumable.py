"""Train a network so that a kill at any step changes nothing in the result.

All that a step changes is in :meth:`Training.state`: parameters, what the optimiser
keeps, the schedule, both generators, and the sums from which the history is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from jensengap import data, recipes, train, vae
from jensengap.experiments import iwae_table
from jensengap.experiments.distributed import Group, divide
from jensengap.fast import soap

OPTIMIZERS = {"adam": "Adam", "soap": "SOAP"}
GRADIENTS = "plain", "doubly"


class Settings(NamedTuple):
    """Settings of a run; the same settings give the same result.

    Attributes:
        objective: ``"vae"`` or ``"iwae"``.
        num_samples: $k$, draws of ``z`` for each image in a step.
        seed: of all chance in the training.
        num_epochs: passes over the training images.
        batch_size: images in a step, of all processes together.
        max_rate: the learning rate at the schedule's peak.
        warm_samples: $k$ of the first passes, whose steps cost less; the same bound
            with fewer samples.
        warm_epochs: how many passes have it.
        eval_samples: importance samples for each test image.
        digits: ``"full"`` or ``"embedded"``.
        matmul: precision of float32 products while training, as torch names it.
        optimizer: ``"adam"`` or ``"soap"``.
        gradient: ``"plain"``, or ``"doubly"`` reparameterised for the IWAE's encoder.
    """

    objective: str
    num_samples: int
    seed: int
    num_epochs: int
    batch_size: int
    max_rate: float
    warm_samples: int
    warm_epochs: int
    eval_samples: int
    digits: str
    matmul: str
    optimizer: str = "adam"
    gradient: str = "plain"


def verify(settings: Settings, num_images: int) -> None:
    """Refuse settings with which nothing could be trained.

    Args:
        settings: what is asked for.
        num_images: how many training images there are.

    Raises:
        ValueError: an unknown objective, optimiser or gradient, a number that is too
            small, a batch larger than the data, or too few steps for the schedule.
    """
    if settings.objective not in iwae_table.PAPER:
        raise ValueError(
            f"objective must be {' or '.join(iwae_table.PAPER)}, "
            f"got {settings.objective!r}"
        )
    if settings.optimizer not in OPTIMIZERS:
        raise ValueError(
            f"optimizer must be {' or '.join(OPTIMIZERS)}, got {settings.optimizer!r}"
        )
    allowed = GRADIENTS if settings.objective == "iwae" else GRADIENTS[:1]
    if settings.gradient not in allowed:
        raise ValueError(
            f"the gradient of the {settings.objective} must be {' or '.join(allowed)}, "
            f"got {settings.gradient!r}"
        )
    divide(settings.batch_size, 1)
    for name in ("num_samples", "num_epochs", "warm_samples", "eval_samples"):
        if getattr(settings, name) < 1:
            value = getattr(settings, name)
            raise ValueError(f"{name} must be at least 1, got {value}")
    if not 0 < settings.max_rate < float("inf") or settings.seed < 0:
        raise ValueError(
            "max_rate must be positive and finite and seed not negative, got "
            f"{settings.max_rate} and {settings.seed}"
        )
    if not 0 <= settings.warm_epochs < settings.num_epochs:
        raise ValueError(
            "warm_epochs must leave an epoch for k samples, got "
            f"{settings.warm_epochs} of {settings.num_epochs}"
        )
    num_steps = num_images // settings.batch_size * settings.num_epochs
    if num_steps <= 10:  # before the network is made; recipes.one_cycle wants as many
        raise ValueError(
            "the schedule warms up over a tenth of the steps and needs more than 10, "
            f"got {num_steps} ({settings.num_epochs} epochs, batches of "
            f"{settings.batch_size} out of {num_images} images); raise the number of "
            "epochs or lower the batch size"
        )


class Training:
    r"""A training that can be stopped and resumed: one-cycle schedule, step by step.

    Args:
        settings: what to train.
        probs: grey training images in [0, 1].
        group: the processes that share each batch.

    Raises:
        ValueError: see :func:`verify` and :meth:`Group.part`.
    """

    def __init__(
        self, settings: Settings, probs: Float[Tensor, "n d"], group: Group
    ) -> None:
        verify(settings, len(probs))
        self.settings, self.group = settings, group
        self.part = group.part(settings.batch_size)
        self.probs = probs.to(group.device)
        # three seeds, so that order, noise and network do not share their chance
        seeds = [3 * settings.seed + i for i in range(3)]
        # the caller's own chance stays as it was
        with torch.random.fork_rng([]):
            torch.manual_seed(seeds[0])
            self.model: vae.VAE = iwae_table.network(probs.mean(0)).to(group.device)
        self.order = torch.Generator().manual_seed(seeds[1])
        self.noise = torch.Generator(group.device).manual_seed(seeds[2])
        self.objective = iwae_table.Objective(
            self.model, settings.objective, doubly=settings.gradient == "doubly"
        )
        self.loss = group.wrap(self.objective)
        self.player = self._player()
        self.history: train.History = {"elbo": [], "iwae": []}
        self._sums = {"elbo": 0.0, "iwae": 0.0}
        self._position = 0  # batches done in this epoch
        # before this epoch's permutation is drawn: what a checkpoint keeps
        self._epoch_began = self.order.get_state()

    def __getstate__(self) -> dict[str, Any]:
        # older versions of torch cannot pickle a generator, only what it is at
        chance = {name: getattr(self, name).get_state() for name in ("order", "noise")}
        return {**self.__dict__, **chance}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        devices = {"order": "cpu", "noise": self.group.device}
        for name, device in devices.items():
            setattr(self, name, torch.Generator(device))
            getattr(self, name).set_state(state[name])

    @property
    def steps_an_epoch(self) -> int:
        """Return the number of full batches; a rest waits for another order."""
        return len(self.probs) // self.settings.batch_size

    @property
    def num_steps(self) -> int:
        """Return the number of steps done."""
        return len(self.history["elbo"]) * self.steps_an_epoch + self._position

    @property
    def num_samples(self) -> int:
        """Return how many draws of ``z`` an image has in this epoch."""
        warm = len(self.history["elbo"]) < self.settings.warm_epochs
        return self.settings.warm_samples if warm else self.settings.num_samples

    def _player(self) -> train.Player:
        options: dict[str, Any] = {"lr": self.settings.max_rate, "betas": (0.9, 0.99)}
        optimizer: torch.optim.Optimizer
        if self.settings.optimizer == "adam":
            optimizer = torch.optim.Adam(self.model.parameters(), fused=True, **options)
        else:
            optimizer = soap.Soap(self.model.parameters(), **options)
        num_steps = self.settings.num_epochs * self.steps_an_epoch
        schedule = recipes.one_cycle(optimizer, num_steps)
        return train.Player("loss", self._step, optimizer, schedule)

    def _step(self, rows: Tensor) -> tuple[Tensor, train.Terms]:
        # for the whole batch, then this process's part: their number changes nothing
        noise = iwae_table.draw(
            len(rows), self.probs.shape[1], self.num_samples, self.noise
        ).part(self.part)
        probs = self.probs.index_select(0, rows[self.part].to(self.probs.device))
        loss, both = self.loss(probs, noise)
        elbo, iwae = self.group.mean(both)
        return loss, {"elbo": elbo, "iwae": iwae}

    def _rest_of_epoch(self) -> Iterator[Tensor]:
        """Draw the epoch's order, and skip what was done before a kill."""
        self._epoch_began = self.order.get_state()
        num_images, size = len(self.probs), self.settings.batch_size
        order = data.batches(num_images, size, self.order, drop_last=True)
        # drawn as a whole and skipped: the order is that of a run without a kill
        for number, rows in enumerate(order):
            if number >= self._position:
                yield rows

    def run(self, after_step: Callable[[], None]) -> None:
        """Take all the steps that are left.

        Args:
            after_step: called after each; :meth:`state` may be kept there.

        Raises:
            NonFiniteLoss: training diverged.
        """
        while len(self.history["elbo"]) < self.settings.num_epochs:
            for rows in self._rest_of_epoch():
                terms = train.turns((self.player,), rows, self.num_steps, self.history)
                for name in self._sums:
                    self._sums[name] += terms[name]
                self._position += 1
                after_step()
            for name, total in self._sums.items():
                self.history[name].append(total / self.steps_an_epoch)
            self._sums = dict.fromkeys(self._sums, 0.0)
            self._position = 0
            self._epoch_began = self.order.get_state()

    def state(self) -> dict[str, Any]:
        """Return everything that a step changes."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self.player.optimizer.state_dict(),
            "scheduler": self.player.scheduler.state_dict(),
            "order": self._epoch_began,
            "noise": self.noise.get_state(),
            "history": self.history,
            "sums": self._sums,
            "position": self._position,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Resume from where :meth:`state` was taken, as if nothing had happened.

        Args:
            state: of a training with the same settings on the same kind of device.
        """
        self.model.load_state_dict(state["model"])
        self.player.optimizer.load_state_dict(state["optimizer"])
        self.player.scheduler.load_state_dict(state["scheduler"])
        # to the epoch's beginning: the permutation is drawn again
        self.order.set_state(state["order"])
        self._epoch_began = self.order.get_state()
        self.noise.set_state(state["noise"])
        self.history = {name: [*each] for name, each in state["history"].items()}
        self._sums, self._position = dict(state["sums"]), state["position"]
