"""Distances keep their digits: far from the origin, and at the ends of the floats."""

import math

import mpmath
import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from jensengap import distances

F64 = {"dtype": torch.float64}


def test_distances_are_those_of_another_library():
    torch.manual_seed(0)
    x, y = torch.randn(40, 5, **F64), torch.randn(70, 5, **F64)
    wanted = cdist(x.numpy(), y.numpy())
    np.testing.assert_allclose(distances.between(x, y), wanted, rtol=1e-14)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("far", [1.0, 1e3, 1e6])
def test_two_close_points_far_from_the_origin_keep_their_distance(dtype, far):
    # more rows than torch's own limit for the product, which loses this
    x = (far + torch.arange(60)).to(dtype)[:, None].repeat(1, 3)
    found = distances.between(x, x)
    exact = x.double()[:, 0]
    wanted = (exact[:, None] - exact).abs() * math.sqrt(3)
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=0)
    assert (found.diagonal() == 0).all()


@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e307])
def test_no_square_overflows_or_vanishes(size):
    x = size * torch.tensor([[0.0, 0.0], [3.0, 4.0]], **F64)
    found = distances.between(x, x)
    assert found.diagonal().tolist() == [0, 0]
    assert found[0, 1].item() == pytest.approx(5 * size, rel=1e-14)
    assert found[1, 0] == found[0, 1]


@pytest.mark.parametrize("size", [1e-44, 1e-30, 1e30, 6e37])
def test_nor_in_float32(size):
    x = size * torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    wanted = x[1].double().norm() if size > 1e-40 else math.hypot(*x[1].tolist())
    assert distances.between(x, x)[0, 1].item() == pytest.approx(float(wanted))


def test_zero_points_are_at_no_distance():
    assert distances.between(torch.zeros(2, 3), torch.zeros(1, 3)).tolist() == [
        [0],
        [0],
    ]


def test_digits_are_those_of_fifty_place_arithmetic():
    x = torch.tensor([[1e8 + 1, -1e8]], **F64)
    y = torch.tensor([[1e8, -1e8 + 0.125]], **F64)
    with mpmath.workdps(50):
        wanted = float(mpmath.sqrt(1 + mpmath.mpf(1) / 64))
    assert distances.between(x, y).item() == pytest.approx(wanted, rel=1e-15)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_point_that_is_nowhere_has_no_distance(bad):
    good, wrong = torch.zeros(3, 2), torch.tensor([[0.0, bad], [1.0, 1.0]])
    with pytest.raises(ValueError, match=f"^x must be finite, got {bad}: 1 of 4"):
        distances.between(wrong, good)
    with pytest.raises(ValueError, match=f"^y must be finite, got {bad}: 1 of 4"):
        distances.between(good, wrong)


def test_points_of_other_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"^y must have .* with d = 2.* got \(3, 4\)"):
        distances.between(torch.zeros(3, 2), torch.zeros(3, 4))
    with pytest.raises(ValueError, match="x must hold floating-point numbers"):
        distances.between(torch.zeros(3, 2).long(), torch.zeros(3, 2))


def test_points_of_two_precisions_meet_and_no_graph_is_kept():
    x = torch.zeros(1, 2, requires_grad=True)
    found = distances.between(x, torch.tensor([[3.0, 4.0]], **F64))
    assert found.item() == 5
    assert not found.requires_grad


def test_points_one_unit_in_the_last_place_apart_are_told_apart():
    x = torch.tensor([[1.1e8]], **F64)
    step = np.spacing(1.1e8)
    y = x + step * torch.tensor([[0.0], [1.0], [2.0], [5.0]], **F64)
    assert distances.between(x, y).tolist() == [[0, step, 2 * step, 5 * step]]
