"""Data-parallel training under ``torchrun``: ranks, shares of a batch, all-reduce.

``torchrun`` starts the processes and tells each its rank; a program that was started
plainly is a group of one. What is computed does not depend on their number: chance is
drawn for the whole batch by every process alike, and each takes its slice.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, distributed, nn

DEVICES = "auto", "cpu", "cuda"


class Group(NamedTuple):
    """A process group: this process's rank, the group's size, the device.

    Attributes:
        rank: its number, from 0 to ``size - 1``; 0 writes the files.
        size: how many there are, on all machines together.
        local_rank: its number on this machine.
        device: where it computes.
    """

    rank: int
    size: int
    local_rank: int
    device: torch.device

    def part(self, batch_size: int) -> slice:
        """Return this process's slice of a global batch.

        Args:
            batch_size: images in the global batch.

        Returns:
            As many images as every other process takes.

        Raises:
            ValueError: the number of processes does not divide the batch.
        """
        share = divide(batch_size, self.size)
        return slice(self.rank * share, (self.rank + 1) * share)

    def wrap(self, module: nn.Module) -> nn.Module:
        """Average the gradients of a module over the group, in its backward pass.

        Args:
            module: its parameters are the same in all processes.

        Returns:
            The module itself where this process is alone.
        """
        if self.size == 1:
            return module
        ids = [self.device.index] if self.device.type == "cuda" else None
        # the one buffer, the prior's mean, is constant: nothing to broadcast
        return nn.parallel.DistributedDataParallel(
            module, device_ids=ids, broadcast_buffers=False
        )

    def mean(self, numbers: Tensor) -> Tensor:
        """Average a tensor over the group (all-reduce); every process gets the same.

        Args:
            numbers: of one shape everywhere.
        """
        if self.size == 1:
            return numbers
        total = numbers.clone()  # all_reduce writes where it reads
        distributed.all_reduce(total)
        return total / self.size

    def gather(self, numbers: Tensor) -> list[Tensor]:
        """Collect the tensors of all processes, in the order of their ranks.

        Args:
            numbers: of one shape everywhere.
        """
        if self.size == 1:
            return [numbers]
        parts = [torch.empty_like(numbers) for _ in range(self.size)]
        distributed.all_gather(parts, numbers)
        return parts

    def tell(self, what: Any) -> Any:
        """Broadcast a value from the first process to all.

        Args:
            what: numbers, strings and tensors; only those of rank 0 count.
        """
        if self.size == 1:
            return what
        objects = [what]  # the list is filled in place
        distributed.broadcast_object_list(objects)
        return objects[0]

    def wait(self) -> None:
        """Wait until every process has come here (a barrier)."""
        if self.size > 1:
            distributed.barrier()


def divide(batch_size: int, size: int | None = None) -> int:
    """Divide a batch: return how many images each process takes.

    Args:
        batch_size: images in the global batch.
        size: how many processes; what ``torchrun`` said if ``None``. So a number that
            does not fit is refused before any process waits for another.

    Raises:
        ValueError: the batch is empty, or the number does not divide it.
    """
    size = _world_size() if size is None else size
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    share, rest = divmod(batch_size, size)
    if rest:
        # 1 always divides, so there is one
        fits = max(n for n in range(1, size) if batch_size % n == 0)
        raise ValueError(
            f"the number of processes must divide the batch, got {size} processes "
            f"for {batch_size} images; start {fits}, or take a batch of "
            f"{max(share, 1) * size}"
        )
    return share


@contextmanager
def join(device: str = "auto") -> Iterator[Group]:
    """Choose the device and, under ``torchrun``, join the process group.

    Args:
        device: ``"cpu"``, ``"cuda"``, or ``"auto"`` for a GPU where there is one.
            Between processes gloo carries the numbers on CPUs and nccl on GPUs.

    Yields:
        The :class:`Group`; it is left at the end.

    Raises:
        ValueError: a GPU is asked for where there is none, or fewer than processes.
    """
    size = _world_size()
    rank = int(os.environ.get("RANK", "0"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    where = _device(device, local_rank)
    if size == 1:
        yield Group(0, 1, 0, where)
        return
    if where.type == "cuda":
        # before the group is made: nccl takes the current device
        torch.cuda.set_device(where)
    distributed.init_process_group("nccl" if where.type == "cuda" else "gloo")
    try:
        yield Group(rank, size, local_rank, where)
    finally:
        distributed.destroy_process_group()


def _device(name: str, local_rank: int) -> torch.device:
    """Choose the device of this process, or refuse the one that is asked for."""
    if name not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}, got {name!r}")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and not count):
        return torch.device("cpu")
    if local_rank >= count:
        raise ValueError(
            f"process {local_rank} of this machine wants a GPU of its own, got "
            f"{count}; start at most that many processes on it, or give --device cpu"
        )
    return torch.device("cuda", local_rank)


def _world_size() -> int:
    """Read the number of processes that ``torchrun`` started."""
    return int(os.environ.get("WORLD_SIZE", "1"))
