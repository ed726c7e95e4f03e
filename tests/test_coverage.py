"""A mode is covered by many samples of its own, not by a stray one."""

import math

import pytest
import torch

from jensengap import coverage

CENTERS = torch.tensor([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])


def test_a_sample_counts_for_its_nearest_mode_and_for_no_other():
    samples = torch.tensor([[0.1, 0.0], [1.9, 0.0], [2.1, 0.0], [0.0, 3.9]])
    # a radius so wide that every sample is within it of several centres
    assert coverage.mode_counts(samples, CENTERS, 3.0).tolist() == [2, 1, 1]


def test_a_sample_far_from_every_mode_counts_for_none():
    samples = torch.tensor([[0.5, 0.0], [0.6, 0.0], [9.0, 9.0]])
    assert coverage.mode_counts(samples, CENTERS, 0.5).tolist() == [1, 0, 0]


def test_a_stray_sample_covers_no_mode():
    near = CENTERS.repeat_interleave(torch.tensor([90, 9, 1]), 0)
    assert coverage.modes_covered(near, CENTERS, 0.1, 1).tolist() == [True] * 3
    assert coverage.modes_covered(near, CENTERS, 0.1, 9).tolist() == [True, True, False]
    covered = coverage.modes_covered(near, CENTERS, 0.1, 10)
    assert covered.tolist() == [True, False, False]


def test_draws_from_the_modes_cover_them_in_proportion():
    torch.manual_seed(0)
    num = 9000
    samples = CENTERS[torch.randint(3, (num,))] + 0.1 * torch.randn(num, 2)
    counts = coverage.mode_counts(samples, CENTERS, 0.2)
    # within two standard deviations of the centre lie 1 - exp(-2) in the plane
    p = (1 - math.exp(-2)) / 3
    stderr = math.sqrt(num * p * (1 - p))
    assert ((counts - num * p).abs() < 4 * stderr).all()


def test_the_dimension_is_free():
    centers = torch.eye(5, dtype=torch.float64)
    samples = centers[:3].repeat(2, 1) + 0.01
    covered = coverage.modes_covered(samples, centers, 0.1, 2)
    assert covered.tolist() == [True, True, True, False, False]


@pytest.mark.parametrize("radius", [0.0, -1.0, math.inf, math.nan])
def test_a_radius_is_positive_and_finite(radius):
    with pytest.raises(ValueError, match=f"got 3, 3 and {radius}"):
        coverage.mode_counts(CENTERS, CENTERS, radius)


def test_nothing_is_not_counted():
    with pytest.raises(ValueError, match="got 0, 3 and 1"):
        coverage.mode_counts(torch.zeros(0, 2), CENTERS, 1.0)
    with pytest.raises(ValueError, match="got 3, 0 and 1"):
        coverage.mode_counts(CENTERS, torch.zeros(0, 2), 1.0)


@pytest.mark.parametrize("min_count", [0, -1, 4])
def test_a_count_that_nothing_or_everything_reaches_is_refused(min_count):
    with pytest.raises(ValueError, match=f"samples, 3, got {min_count};"):
        coverage.modes_covered(CENTERS, CENTERS, 1.0, min_count)
