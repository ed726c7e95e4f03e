"""The closing cell tells every value that a chapter leaves, to the last bit."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal

from tools.book.execute import CLOSING_CELL


@pytest.fixture
def left(capsys):
    """Run the closing cell after a chapter that leaves these names."""

    def run(**names):
        exec(CLOSING_CELL, names)
        lines = capsys.readouterr().out.splitlines()
        told = dict(line.split("  ", 1) for line in lines)
        return {name: told[name] for name in told if name in names}

    return run


def linear(weight):
    layer = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(layer.weight, weight)
    torch.nn.init.zeros_(layer.bias)
    return layer


def adam(step):
    optimizer = torch.optim.Adam(linear(0.0).parameters(), lr=step)
    return optimizer


@pytest.mark.parametrize(
    "make",
    [
        float,
        torch.tensor,
        lambda x: torch.tensor([1.0, x], dtype=torch.float64).numpy(),
        lambda x: torch.tensor([[1.0, x]], requires_grad=True).mT,
        lambda x: torch.tensor(x).expand(5),
        linear,
        adam,
        lambda x: Normal(0.0, x),
        lambda x: Independent(Normal(torch.zeros(2), torch.full((2,), x)), 1),
        lambda x: {"loss": [3.0, x]},
        lambda x: (1, [str, x]),
    ],
)
def test_a_change_in_the_last_bit_changes_the_line(left, make):
    value, other = torch.tensor(0.1), torch.tensor(0.1).nextafter(torch.tensor(1.0))
    once, twice, changed = (left(x=make(float(v))) for v in (value, value, other))
    assert once == twice
    assert once["x"] != changed["x"]


def test_what_looks_alike_is_told_apart(left):
    flat = torch.zeros(6)
    alike = [flat, flat.reshape(2, 3), flat.double()[:3], flat.int(), -flat]
    assert len({left(x=value)["x"] for value in alike}) == len(alike)
    nested = [[1, 11], [11, 1], [[1], 11, None], ["1", 11]]
    assert len({left(x=value)["x"] for value in nested}) == len(nested)
    assert left(x=math.nan) == left(x=math.nan)


def test_names_stand_in_order_and_those_without_data_are_left_out(left):
    told = left(b=1, a=2.0, f=lambda: 0, m=math, s=[len], _=3, In=["b = 1"], Out={})
    assert list(told) == ["b", "a"]
    assert told["a"].startswith("float  ")
