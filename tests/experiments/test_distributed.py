"""Each process takes its slice of a batch, and what cannot be shared is refused."""

import pytest
import torch

from jensengap.experiments import distributed

CPU = torch.device("cpu")


def group(rank, size):
    return distributed.Group(rank, size, rank, CPU)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_slices_of_all_processes_are_the_batch(size):
    rows = list(range(10))
    slices = [group(rank, size).part(10) for rank in range(size)]
    assert [row for each in slices for row in rows[each]] == rows


@pytest.mark.parametrize(
    ("size", "batch", "message"),
    [
        (3, 100, "got 3 processes for 100 images; start 2, or take a batch of 99"),
        (8, 4, "got 8 processes for 4 images; start 4, or take a batch of 8"),
        (2, 1, "got 2 processes for 1 images; start 1, or take a batch of 2"),
    ],
)
def test_a_number_that_does_not_divide_the_batch_is_refused(size, batch, message):
    with pytest.raises(ValueError, match=message):
        group(0, size).part(batch)


def test_a_program_started_plainly_is_a_group_of_one(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    numbers, module = torch.arange(3.0), torch.nn.Linear(1, 1)
    with distributed.join("cpu") as alone:
        assert alone == group(0, 1)
        assert alone.wrap(module) is module
        assert torch.equal(alone.mean(numbers), numbers)
        assert torch.equal(alone.gather(numbers)[0], numbers)
        assert alone.tell("this") == "this"
        alone.wait()


def test_without_a_gpu_auto_is_the_cpu_and_cuda_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with distributed.join("auto") as alone:
        assert alone.device == CPU
    with pytest.raises(ValueError, match=r"wants a GPU of its own, got 0; .*cpu"):
        distributed.join("cuda").__enter__()


def test_more_processes_than_gpus_are_refused_one_by_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ValueError, match=r"process 2 of this machine .* got 2;"):
        distributed.join("auto").__enter__()


def test_an_unknown_device_is_named():
    with pytest.raises(ValueError, match="one of auto, cpu, cuda, got 'gpu'"):
        distributed.join("gpu").__enter__()
