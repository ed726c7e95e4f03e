"""Masses of bins and their slopes keep their digits, in tails and in narrow bins."""

import functools
import io
import itertools
import math
import pickle

import mpmath
import numpy as np
import pytest
import torch

from jensengap.discretized_normal import DiscretizedNormal, discretized_gaussian

F64 = {"dtype": torch.float64}
# narrow bins, wide ones, and tails on either side
SCALES = [1e-3, 1e-2, 0.3, 10.0, 1e3, 388.0, 395.0, 1e5, 1e7]
LOCS = [-1e4, -30.0, -0.2, 0.0, 0.5, 1.0, 3.0, 200.0]
LEVELS = [0, 1, 100, 254, 255]
CASES = [*itertools.product(LOCS, SCALES, LEVELS)]  # 360


def log_mass(loc, scale, level, top=255):
    """Integrate the Gaussian over a bin, with enough digits for any difference."""
    with mpmath.workdps(60):
        mu, sigma, k = mpmath.mpf(loc), mpmath.mpf(scale), mpmath.mpf(level)
        low = (k / top - mpmath.mpf(1) / (2 * top) - mu) / sigma
        high = (k / top + mpmath.mpf(1) / (2 * top) - mu) / sigma
        if low > 0:  # mirrored: erfc of what is negative would cancel
            low, high, level = -high, -low, top - level
        root = mpmath.sqrt(2)
        below = 0 if level == 0 else mpmath.erfc(-low / root) / 2
        above = 1 if level == top else mpmath.erfc(-high / root) / 2
        return mpmath.log(above - below)


@functools.cache
def reference():
    return [float(log_mass(*case)) for case in CASES]


def test_log_masses_are_those_of_sixty_digits():
    loc, scale, level = torch.tensor(CASES, **F64).T
    found = DiscretizedNormal(loc, scale).log_prob(level / 255)
    wanted = torch.tensor(reference(), **F64)
    assert wanted.isfinite().all()
    torch.testing.assert_close(found, wanted, rtol=2e-9, atol=1e-11)


def test_float32_differs_by_its_own_rounding_alone():
    loc, scale, level = torch.tensor(CASES, **F64).T
    single = DiscretizedNormal(loc.float(), scale.float())
    found = single.log_prob((level / 255).float())
    # of the numbers as float32 has them
    wanted = DiscretizedNormal(loc.float().double(), scale.float().double())
    torch.testing.assert_close(
        found, wanted.log_prob(level / 255).float(), rtol=1e-6, atol=1e-37
    )


def slope_of(case, at):
    """Differentiate by differences of sixty digits."""
    with mpmath.workdps(60):
        size = mpmath.mpf(max(abs(case[at]), case[1] if at == 0 else 0)) or 1
        step = size * mpmath.mpf("1e-20")
        ends = [list(map(mpmath.mpf, case[:2])) for _ in range(2)]
        ends[0][at] -= step
        ends[1][at] += step
        low, high = (log_mass(*end, case[2]) for end in ends)
        return float((high - low) / (2 * step))


def test_slopes_in_mean_and_scale_are_finite_and_those_of_differences():
    loc, scale, level = torch.tensor(CASES, **F64).T
    loc, scale = loc.clone().requires_grad_(), scale.clone().requires_grad_()
    value = DiscretizedNormal(loc, scale).log_prob(level / 255).sum()
    for at, found in enumerate(torch.autograd.grad(value, (loc, scale))):
        assert found.isfinite().all()
        wanted = torch.tensor([slope_of(case, at) for case in CASES], **F64)
        # of a bin much narrower than its scale the slope is small beside its parts
        off = 1e-10 / scale.detach()
        assert ((found - wanted).abs() <= 1e-8 * wanted.abs() + off).all()


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e5, 1e7])
def test_masses_sum_to_one_at_any_scale(scale):
    x = torch.arange(256, **F64)[:, None] / 255
    loc = torch.tensor([-1.0, 0.3, 1.0], **F64)
    total = DiscretizedNormal(loc, scale).log_prob(x).logsumexp(0)
    torch.testing.assert_close(total, torch.zeros(3, **F64), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (0.5, "one of the levels k/255"),
        (-1 / 255, "one of the levels"),
        (256 / 255, "one of the levels"),
        (math.nan, "one of the levels"),
        (math.inf, "one of the levels"),
    ],
)
def test_what_is_no_level_is_refused(bad, said):
    q = DiscretizedNormal(torch.zeros(2), 1.0)
    with pytest.raises(ValueError, match=said):
        q.log_prob(torch.tensor([0.0, bad]))


@pytest.mark.parametrize("scale", [0.0, -1.0, math.inf, torch.tensor([1.0, math.nan])])
def test_what_is_no_scale_is_refused(scale):
    with pytest.raises(ValueError, match="a positive, finite scale"):
        DiscretizedNormal(torch.zeros(2), scale)


@pytest.mark.parametrize("num_levels", [1, 0, -5, 2.5, True, "3"])
def test_what_is_no_number_of_levels_is_refused_at_once(num_levels):
    with pytest.raises(ValueError, match="num_levels"):
        discretized_gaussian(0.5, num_levels)


@pytest.mark.parametrize("loc", [math.nan, math.inf])
def test_a_mean_that_is_nowhere_is_refused(loc):
    with pytest.raises(ValueError, match=f"^loc must be finite, got {loc}"):
        DiscretizedNormal(torch.tensor([0.0, loc]), 1.0)


def by_file(head):
    file = io.BytesIO()
    torch.save(head, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@pytest.mark.parametrize("copied", [lambda h: pickle.loads(pickle.dumps(h)), by_file])
def test_a_head_travels(copied):
    head = discretized_gaussian(np.float32(0.5), np.int64(16))
    loc, x = torch.zeros(3, 4), torch.full((3, 4), 1 / 15)
    assert torch.equal(copied(head)(loc).log_prob(x), head(loc).log_prob(x))
