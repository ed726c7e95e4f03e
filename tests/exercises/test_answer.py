"""What somebody hands in becomes plain numbers that a file can keep."""

import json
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
import torch
from questions import AREA, SIDE

from jensengap.exercises import answer, marking, sheet
from jensengap.exercises.trial import Refused


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


SIX = [
    Fraction(6), Decimal("6.0"), sympy.Integer(6), sympy.Rational(12, 2), mpmath.mpf(6),
    sympy.log(64) / sympy.log(2), np.longdouble(6), np.float16(6), np.array(6, ">f8"),
    np.array([6], ">i4"), np.array([1.0, 6.0])[::-1][:1], np.array(Fraction(6)), [6],
    torch.tensor(6, dtype=torch.bfloat16), torch.tensor([6.0]).to_sparse(), "12/2",
]  # fmt: skip


@pytest.mark.parametrize(
    "six", SIX, ids=lambda six: f"{type(six).__name__} {six!r}"[:30]
)
def test_a_number_of_any_library_is_an_answer_and_is_kept(six, tmp_path, monkeypatch):
    monkeypatch.setattr(sheet, "_answers", {})
    monkeypatch.setattr("jensengap.exercises.chapters.find", lambda name: AREA)
    found = marking.mark(AREA, six)
    assert found.state == marking.RIGHT
    assert found.given == 6.0
    sheet.note(found)
    assert sheet.save(tmp_path / "a.json").right == (AREA.label,)
    assert sheet.verify(tmp_path / "a.json").right == (AREA.label,)


@pytest.mark.parametrize(
    "convert",
    [
        Fraction, Decimal, sympy.Float, mpmath.mpf, np.longdouble, np.float64,
        lambda area: np.array([area], ">f8"), lambda area: [Fraction(area)],
        lambda area: torch.tensor(area, requires_grad=True),
    ],
)  # fmt: skip
def test_a_function_may_return_numbers_of_any_library(convert):
    found = marking.mark(AREA, lambda a, b: convert(a * b))
    assert found.state == marking.RIGHT
    assert found.given == [6.0, -3.5]


def test_a_function_may_return_lists_and_reversed_arrays_of_numbers():
    log_w = torch.arange(6.0).reshape(3, 2)
    question = AREA._replace(answer=lambda w: w.mean(0), cases=({"w": log_w},))
    for answers in (
        lambda w: [Fraction(2), Decimal(3)],
        lambda w: np.array([3.0, 2.0])[::-1],
        lambda w: np.array([2, 3], ">i8"),
        lambda w: [w[:, 0].mean(), np.longdouble(3)],
    ):
        assert marking.mark(question, answers).state == marking.RIGHT


def test_a_number_that_can_be_called_is_a_number_and_a_formula_a_function():
    pi = AREA._replace(answer=lambda a, b: torch.pi, mistakes=())
    assert marking.mark(pi, mpmath.pi).state == marking.RIGHT
    a, b = sympy.symbols("a b")
    assert marking.mark(AREA, sympy.Lambda((a, b), a * b)).state == marking.RIGHT


@pytest.mark.parametrize(
    "value",
    [
        True, np.True_, torch.tensor(True), [True], np.array([6, True], dtype=object),
        6j, np.complex64(6), sympy.I, mpmath.mpc(6), torch.tensor(6 + 0j), ["6"], b"6",
        [None], np.array("6"), sympy.Symbol("x"), np.datetime64("2020-01-01"), {6},
        {6: 6},
    ],
    ids=lambda value: f"{type(value).__name__} {value!r}"[:30],
)  # fmt: skip
def test_what_is_no_real_number_is_refused_in_a_sentence(value):
    for given in (value, lambda a, b: value):
        with pytest.raises(Refused, match=r"^Wanted is one number, and the .*\.$"):
            answer.read(AREA, given)


@pytest.mark.parametrize("value", [np.ma.masked, np.ma.array([6.0], mask=[True])])
def test_a_masked_number_is_missing(value):
    with pytest.raises(Refused, match="masked values are missing ones"):
        answer.read(AREA, value)


@pytest.mark.parametrize("value", [np.longdouble("1e4000"), Decimal("NaN"), "1e999"])
def test_what_float64_cannot_hold_is_not_finite(value):
    assert marking.mark(AREA, value).said == marking.SAID["not finite"]
