"""The history holds means over examples, whatever the batches are made of."""

import math

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from jensengap import train

TEN = torch.arange(10.0)


def still(step):
    """Make a player that stays where it is, so that its terms are known."""
    weight = torch.nn.Parameter(torch.zeros(()))

    def moved(batch):
        value, terms = step(batch)
        return 0 * weight + value, terms

    return train.Player("loss", moved, torch.optim.SGD([weight], lr=0.1))


@pytest.mark.parametrize("size", [1, 3, 8, 10, 64])
def test_a_smaller_last_batch_counts_by_its_examples(size):
    loader = DataLoader(TEN, batch_size=size)
    history = train.fit(loader, still(lambda batch: (batch.mean(), {})), 2)
    # float32 holds the means of the batches
    assert history["loss"] == pytest.approx([4.5, 4.5], rel=1e-6)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda rows: (rows, rows.sum()),
        lambda rows: [torch.tensor(3.0), rows],
        lambda rows: {"name": "a", "x": rows},
        lambda rows: ({"x": [rows]}, "b"),
        lambda rows: rows.numpy(),
        lambda rows: (np.float64(1), rows.numpy()),
        lambda rows: rows[:, None, None].expand(-1, 2, 3),
    ],
)
def test_the_examples_are_counted_in_the_first_tensor_with_an_axis(wrap):
    batches = [wrap(TEN[:8]), wrap(TEN[8:])]
    values = iter([3.5, 8.5])
    history = train.fit(batches, still(lambda _: (next(values), {})), 1)
    assert history == {"loss": [4.5]}


def test_batches_without_a_tensor_count_as_one_each():
    history = train.fit(lambda: range(4), still(lambda i: (float(i), {})), 1)
    assert history == {"loss": [1.5]}
    history = train.fit(["a", ("b", 2.0), {}], still(lambda _: (1.0, {})), 1)
    assert history == {"loss": [1.0]}


def test_a_loader_of_pairs_and_a_list_are_read_again_in_each_epoch():
    pairs = DataLoader(TensorDataset(TEN, -TEN), batch_size=4)
    history = train.fit(pairs, still(lambda b: (b[0].mean(), {"y": b[1].mean()})), 3)
    assert history == {"loss": [4.5] * 3, "y": [-4.5] * 3}
    history = train.fit([TEN], still(lambda b: (b.mean(), {})), np.int64(2))
    assert history == {"loss": [4.5] * 2}


def test_a_term_of_some_batches_is_averaged_over_those():
    def step(batch):
        return batch.mean(), {"full": batch.mean()} if len(batch) == 4 else {}

    history = train.fit(DataLoader(TEN, batch_size=4), still(step), 1)
    assert history == {"loss": [4.5], "full": [3.5]}


def test_a_term_has_an_entry_for_each_epoch_and_is_nan_where_it_did_not_occur():
    epochs = iter(range(4))

    def step(epoch):
        return 1.0, {"late": float(epoch)} if epoch in (1, 3) else {}

    late = train.fit(lambda: [next(epochs)], still(step), 4)["late"]
    assert (late[1], late[3]) == (1.0, 3.0)
    assert math.isnan(late[0])
    assert math.isnan(late[2])


@pytest.mark.parametrize(
    "term",
    [
        0.5, np.float32(0.5), np.array([[0.5]]), torch.tensor(0.5), torch.tensor([0.5]),
        torch.tensor([[0.5]], dtype=torch.float64), torch.tensor(0.5).bfloat16(),
    ],
)  # fmt: skip
def test_a_term_is_a_number_of_any_library(term):
    history = train.fit([1], still(lambda _: (2.0, {"term": term})), 1)
    assert history == {"loss": [2.0], "term": [0.5]}


@pytest.mark.parametrize("term", [3, np.int64(3), torch.tensor(3), torch.tensor([3])])
def test_a_term_may_be_whole(term):
    assert train.fit([1], still(lambda _: (2.0, {"term": term})), 1)["term"] == [3.0]


def test_a_step_may_return_its_loss_alone():
    weight = torch.nn.Parameter(torch.tensor([2.0]))
    player = train.Player("loss", lambda b: weight * b, torch.optim.SGD([weight], 0.1))
    assert train.fit([1.0], player, 1) == {"loss": [2.0]}
    assert weight.item() == pytest.approx(1.9)


def test_many_batches_lose_nothing_to_rounding():
    history = train.fit(lambda: range(1000), still(lambda _: (1.0, {"a": 0.1})), 1)
    assert history["a"] == [0.1]
