"""What somebody hands in becomes plain numbers that a file can keep."""

import json

import pytest
import torch
from questions import AREA, SIDE

from jensengap import given


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (6, 6.0),
        (torch.tensor([6.0]), 6.0),
        (lambda a, b: a * b, [6.0, -3.5]),
        (lambda a, b: torch.tensor(a * b, dtype=torch.float64), [6.0, -3.5]),
    ],
)
def test_an_answer_is_kept_as_numbers(answer, kept):
    assert given.read(AREA, answer) == kept
    assert json.loads(json.dumps(given.read(AREA, answer))) == kept


def test_a_statement_is_kept_in_full():
    assert given.read(SIDE, "b") == "below"
