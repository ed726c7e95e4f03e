"""Numbers of any library are read, and what is none is named in the refusal."""

import math
import operator
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
import torch

from jensengap import numeric

HALF = [
    Fraction(1, 2), Decimal("0.5"), sympy.Rational(1, 2), mpmath.mpf("0.5"), 0.5,
    np.longdouble(0.5), np.float16(0.5), np.array(0.5, ">f8"), torch.tensor(0.5),
    torch.tensor(0.5, requires_grad=True), torch.tensor(0.5, dtype=torch.bfloat16),
]  # fmt: skip


@pytest.mark.parametrize("value", HALF, ids=lambda v: type(v).__name__)
def test_float64_reads_numbers_of_any_library(value):
    for given in (value, [value, value], (value,)):
        found = numeric.float64(given)
        assert found.dtype == torch.float64
        assert not found.requires_grad
        assert (found == 0.5).all()


def test_float64_keeps_values_and_shape():
    table = np.arange(6.0).reshape(2, 3)
    for array in (table[::-1], table.T, table.astype(">f4"), table.astype(">i2")):
        np.testing.assert_array_equal(numeric.float64(array).numpy(), array)
    assert float(numeric.float64(sympy.log(2))) == np.log(2)
    assert numeric.float64([[1, Fraction(3, 2)]]).tolist() == [[1, 1.5]]
    assert numeric.float64([]).shape == (0,)
    assert numeric.float64(torch.eye(2).to_sparse()).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    "value",
    [
        "0.5", b"1", None, ["1"], [1, None], 1j, torch.zeros(2) * 1j, [[1], [2, 3]],
        object, sympy.Symbol("x"), {"a": 1}, Fraction(10**400), np.array(["1"]),
        np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.masked, [1.0, np.ma.masked],
    ],
    ids=str,
)  # fmt: skip
def test_float64_refuses_what_is_no_real_number(value):
    with pytest.raises(ValueError, match=r"^(numbers must|lists of numbers)"):
        numeric.float64(value)


class Broken:
    def __repr__(self):
        raise RuntimeError("no words")


WHOLE = [3, np.int64(3), np.uint8(3), torch.tensor(3), np.array(3), sympy.Integer(3)]
REAL = [Fraction(1, 2), Decimal("0.5"), sympy.Rational(1, 2), mpmath.mpf("0.5"), 0.5,
        np.longdouble(0.5), np.float16(0.5), np.array(0.5, ">f8"), torch.tensor(0.5),
        torch.tensor([0.5])]  # fmt: skip


@pytest.mark.parametrize("value", WHOLE, ids=lambda v: type(v).__name__)
def test_whole_numbers_of_any_library_are_pythons_own(value):
    found = numeric.whole("k", value)
    assert found == operator.index(value) == 3
    assert type(found) is int


@pytest.mark.parametrize(
    "value",
    [2.5, 3.0, True, np.True_, torch.tensor(True), "3", None, [3], torch.tensor([3, 4]),
     np.float64(3), Fraction(3), Decimal(3), torch.tensor(3.0), math.nan],
    ids=repr,
)  # fmt: skip
def test_what_is_no_whole_number_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"^k must be a whole number, got .*; int\(\)"):
        numeric.whole("k", value)


@pytest.mark.parametrize("value", REAL, ids=lambda v: type(v).__name__)
def test_numbers_of_any_library_are_pythons_own(value):
    found = numeric.real("alpha", value)
    assert found == 0.5
    assert type(found) is float


def test_infinity_is_a_number_and_what_is_large_is_not_cut():
    assert numeric.real("x", -math.inf) == -math.inf
    assert numeric.real("x", 10**300) == 1e300


@pytest.mark.parametrize(
    "value",
    ["0.5", b"1", True, np.False_, None, [0.5], np.array([0.5]), torch.zeros(2), 1j,
     sympy.Symbol("x"), 10**400, torch.zeros(0)],
    ids=lambda v: type(v).__name__,
)  # fmt: skip
def test_what_is_no_number_is_refused_by_name(value):
    with pytest.raises(ValueError, match=r"^x must be one number, got .*; float\(\)"):
        numeric.real("x", value)


def test_of_a_tensor_with_a_history_only_the_number_is_read():
    assert numeric.real("alpha", torch.tensor(0.5, requires_grad=True)) == 0.5


def test_a_long_double_beyond_float64_is_infinite():
    assert numeric.float64(np.array(["1e4000"]).astype(np.longdouble)).isinf().all()


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16])
def test_the_edge_of_a_tolerance_belongs_to_it_in_every_precision(dtype):
    left = torch.tensor([0.4, 0.7, 1.1, 2.3], dtype=dtype)
    for off in (0.3, 0.1, 1.0):
        error = (left - (left.double() - off).to(dtype)).abs()
        if dtype == torch.float64:
            assert numeric.within(error, off).all()
        assert not numeric.within(error, off * 0.97).any()
    edge = torch.tensor([0.1, 0.2, 0.3], dtype=dtype).sum()
    assert numeric.within(edge, 0.6)
    assert numeric.within(0.1 + 0.2, 0.3)
    assert not numeric.within(0.3 + 1e-8, 0.3)
    assert not numeric.within(1e-300, 0.0)


@pytest.mark.parametrize("value", [math.nan, np.float32("nan"), torch.tensor(math.nan)])
def test_no_number_is_refused_as_that(value):
    with pytest.raises(ValueError, match=r"^x must be a number, got NaN"):
        numeric.real("x", value)


def test_a_value_is_named_in_few_characters_whatever_it_is():
    assert numeric.named("a\nb") == "'a\\nb' (str)"
    assert numeric.named(torch.zeros(2, 2)) == "tensor([[0., 0.], [0., 0.]]) (Tensor)"
    long = numeric.named("x" * 100)
    assert long == f"'{'x' * 38}… (str)"
    assert "Broken object at 0x" in numeric.named(Broken())
