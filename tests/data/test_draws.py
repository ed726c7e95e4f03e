"""Batches and toy sets follow the distributions that their docstrings state."""

import numpy as np
import pytest
import torch

from jensengap import data


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(("n", "batch_size"), [(10, 4), (12, 4), (3, 8), (1, 1)])
def test_batches_hold_every_index_once(generator, n, batch_size):
    parts = list(data.batches(n, batch_size, generator))
    assert sorted(torch.cat(parts).tolist()) == list(range(n))
    assert all(len(part) == batch_size for part in parts[:-1])
    assert parts[0].dtype == torch.int64


def test_batches_are_a_fresh_permutation_per_call_and_follow_the_generator(generator):
    first, second = (torch.cat(list(data.batches(100, 7, generator))) for _ in "ab")
    assert not torch.equal(first, second)
    replay = torch.Generator().manual_seed(0)
    assert torch.equal(first, torch.cat(list(data.batches(100, 7, replay))))


def test_drop_last_leaves_equal_batches(generator):
    sizes = [len(part) for part in data.batches(10, 4, generator, drop_last=True)]
    assert sizes == [4, 4]
    sizes = [len(part) for part in data.batches(8, 4, generator, drop_last=True)]
    assert sizes == [4, 4]


@pytest.mark.parametrize(
    ("n", "batch_size", "drop_last", "message"),
    [
        (0, 4, False, "n must be at least 1, got 0"),
        (-1, 4, False, "n must be at least 1, got -1"),
        (4, 0, False, "batch_size must be at least 1, got 0"),
        (4.0, 8, False, "n must be a whole number, got 4.0"),
        (4, True, False, "batch_size must be a whole number, got True"),
        (4, 8, True, "drop_last needs batch_size <= n=4, got 8"),
    ],
)
def test_batches_refuse_at_the_call(generator, n, batch_size, drop_last, message):
    with pytest.raises(ValueError, match=message):
        data.batches(n, batch_size, generator, drop_last=drop_last)


def test_without_a_generator_the_global_seed_decides():
    def draw():
        torch.manual_seed(4)
        rows = torch.cat(list(data.batches(50, 8)))
        return rows, data.binarize(torch.full((50,), 0.5))

    for first, second in zip(draw(), draw(), strict=True):
        assert torch.equal(first, second)


def test_sizes_may_be_numbers_of_numpy(generator):
    found = [
        part.tolist() for part in data.batches(np.int64(10), np.int32(3), generator)
    ]
    replay = torch.Generator().manual_seed(0)
    assert found == [part.tolist() for part in data.batches(10, 3, replay)]
    assert [len(part) for part in found] == [3, 3, 3, 1]
