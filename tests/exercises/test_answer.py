"""What somebody hands in becomes plain numbers that a file can keep."""

import json

import pytest
import torch
from questions import AREA, SIDE

from jensengap.exercises import answer


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (6, 6.0),
        (torch.tensor([6.0]), 6.0),
        (lambda a, b: a * b, [6.0, -3.5]),
        (lambda a, b: torch.tensor(a * b, dtype=torch.float64), [6.0, -3.5]),
    ],
)
def test_an_answer_is_kept_as_numbers(given, kept):
    assert answer.read(AREA, given) == kept
    assert json.loads(json.dumps(answer.read(AREA, given))) == kept


def test_a_statement_is_kept_in_full():
    assert answer.read(SIDE, "b") == "below"
