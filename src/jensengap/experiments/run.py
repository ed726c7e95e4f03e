"""One run of table 1 on the disk: a checkpoint on the way, network and record after.

The record is a recording of one run: settings, seconds, both bounds in each epoch, and
the negative log-likelihood of the test images with its standard error.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from jensengap import files
from jensengap.divergences import Estimate
from jensengap.experiments import checkpoint, iwae_table, recordings
from jensengap.experiments.distributed import Group
from jensengap.experiments.resumable import OPTIMIZERS, Settings, Training

_QUESTION = "What is the negative log-likelihood of the test images, in nats an image?"
_BLOCK = 100  # test images that are evaluated with one seed
_NETWORK = "784-200-200-50 tanh, Bernoulli"
_SCHEDULE = (
    "one-cycle: a tenth of the steps up to max_rate, then down by a cosine; "
    "{}, second moment 0.99"
)


class Run:
    """One run and its three files: checkpoint, network and record.

    Args:
        settings: what to reproduce.
        group: the processes that do it.
        out: the folder of the files; made where it is missing.
        minutes: between two checkpoints.
    """

    def __init__(
        self, settings: Settings, group: Group, out: Path, minutes: float
    ) -> None:
        self.settings, self.group, self.minutes = settings, group, minutes
        name = f"{settings.objective}-k{settings.num_samples}-seed{settings.seed}"
        self.checkpoint = out / f"{name}.checkpoint"
        self.network, self.record = out / f"{name}.safetensors", out / f"{name}.json"
        # generators of another kind of device would draw other numbers
        kind = {"network": _NETWORK, "device": group.device.type}
        self.of = {**settings._asdict(), **kind}
        self.seconds = {"training": 0.0, "evaluation": 0.0}
        self.num_resumed = 0
        self.blocks: list[Tensor] = []
        self._kept = self._ticked = time.monotonic()

    def finished(self) -> dict[str, Any] | None:
        """Return what was recorded, if this run is over; refuse that of another one.

        Raises:
            CheckpointError: the record in the folder is of other settings.
            ValueError: it is no recording.
        """
        run = None
        if self.group.rank == 0 and self.record.exists():
            run = recordings.read(self.record).runs[0]
            settings = {name: run.get(name) for name in Settings._fields}
            checkpoint.same(self.record, self.settings._asdict(), settings)
        return self.group.tell(run)

    def go(self, train: Tensor, test: Tensor) -> dict[str, Any]:
        """Train and evaluate, from the checkpoint if there is one.

        Args:
            train: grey images.
            test: black-and-white ones.

        Returns:
            What was recorded: the settings, and what came of them.

        Raises:
            ValueError: settings that cannot be trained with.
            CheckpointError: the checkpoint is torn, or of another run.
            NonFiniteLoss: training diverged.
        """
        self.record.parent.mkdir(parents=True, exist_ok=True)
        training = Training(self.settings, train, self.group)
        self._restore(training)
        self._train(training)
        self._evaluate(training, test)
        return self._conclude(training, len(train), len(test))

    def _restore(self, training: Training) -> None:
        """Go on from the checkpoint, if there is one; only the first process reads."""
        kept = None
        if self.group.rank == 0 and self.checkpoint.exists():
            kept = checkpoint.load(self.checkpoint, self.of)
        kept = self.group.tell(kept)
        if kept is None:
            return
        training.restore(kept["training"])
        self.seconds, self.blocks = kept["seconds"], kept["blocks"]
        self.num_resumed = kept["num_resumed"] + 1

    def _tick(self, phase: str, training: Training) -> None:
        """Count the time, and write a checkpoint when one is due."""
        now = time.monotonic()
        self.seconds[phase] += now - self._ticked
        self._ticked = now
        if self.group.rank == 0 and now - self._kept >= 60 * self.minutes:
            state = {
                "training": training.state(), "seconds": self.seconds,
                "num_resumed": self.num_resumed, "blocks": self.blocks,
            }  # fmt: skip
            checkpoint.save(self.checkpoint, self.of, state)
            self._kept = time.monotonic()

    def _bar(self, what: str, total: int, done: int) -> tqdm:
        hidden = self.group.rank > 0 or bool(os.environ.get("JENSENGAP_QUIET"))
        return tqdm(total=total, initial=done, desc=what, disable=hidden)

    def _train(self, training: Training) -> None:
        total = training.steps_an_epoch * self.settings.num_epochs
        self._ticked = time.monotonic()
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(self.settings.matmul)
        try:
            with self._bar("training", total, training.num_steps) as bar:

                def after_step() -> None:
                    bar.update()
                    self._tick("training", training)

                training.run(after_step)
        finally:
            torch.set_float32_matmul_precision(before)

    def _evaluate(self, training: Training, test: Tensor) -> None:
        """Score the test images in blocks, one for each process at a time."""
        blocks = test.split(_BLOCK)
        group, wanted = self.group, self.settings.eval_samples
        self._ticked = time.monotonic()
        with self._bar("evaluation", len(blocks), len(self.blocks)) as bar:
            while len(self.blocks) < len(blocks):
                first = len(self.blocks)
                # the last round may have fewer blocks than processes
                number = min(first + group.rank, len(blocks) - 1)
                x = blocks[number].to(group.device)
                scores = torch.stack(
                    iwae_table.score(training.model, x, wanted, number)
                )
                every = group.gather(scores.to(group.device))
                self.blocks += [each.cpu() for each in every[: len(blocks) - first]]
                bar.update(len(self.blocks) - first)
                self._tick("evaluation", training)

    def _conclude(
        self, training: Training, num_train: int, num_test: int
    ) -> dict[str, Any]:
        """Write network and record; then the checkpoint is not needed any more."""
        scores = iwae_table.Scores(*torch.cat(self.blocks, 1).double())
        packed = _packed(training.model.state_dict(), self.settings)
        paper = iwae_table.PAPER[self.settings.objective]
        run = {
            **self.settings._asdict(),
            "network": _NETWORK,
            "schedule": _SCHEDULE.format(OPTIMIZERS[self.settings.optimizer]),
            "num_train": num_train,
            "num_test": num_test,
            "paper_nll": paper.get(self.settings.num_samples),
            **_mean_and_stderr("nll", -scores.log_p),
            **_mean_and_stderr("test_elbo", scores.elbo),
            "median_effective_sample_size": float(scores[2].median()),
            "check": iwae_table.check(training.model),
            "train": training.history,
            "seconds": self.seconds,
            "num_resumed": self.num_resumed,
            "sha256": hashlib.sha256(packed).hexdigest(),
        }
        if self.group.rank == 0:
            files.write_whole(self.network, packed)
            recording = recordings.Recording(
                _QUESTION,
                _machine(self.group),
                recordings.versions("torch", "safetensors", "numpy"),
                [run],
            )
            recordings.write(self.record, recording)
            self.checkpoint.unlink(missing_ok=True)
        return run


def _packed(state: dict[str, Tensor], settings: Settings) -> bytes:
    from safetensors.torch import save

    tensors = {name: each.cpu().clone() for name, each in state.items()}
    return save(tensors, {"settings": json.dumps(settings._asdict())})


def _mean_and_stderr(name: str, each: Float[Tensor, "n"]) -> dict[str, float]:
    mean, stderr = Estimate.of(each)
    return {name: float(mean), f"{name}_stderr": float(stderr)}


def _machine(group: Group) -> dict[str, str | int]:
    gpu = group.device.type == "cuda"
    return recordings.machine(
        device=torch.cuda.get_device_name(group.device) if gpu else "cpu",
        num_processes=group.size,
        threads_a_process=torch.get_num_threads(),
    )
