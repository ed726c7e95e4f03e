"""Masses of grey levels: they sum to one, and fine bins hold the density."""

import pytest
import torch
from scipy.special import log_ndtr
from torch.distributions import Normal

from jensengap.discretized_normal import DiscretizedNormal, discretized_gaussian

F64 = {"dtype": torch.float64}


def levels(num, dtype=torch.float64):
    return torch.arange(num, dtype=dtype)[:, None] / (num - 1)


@pytest.mark.parametrize("num", [2, 16, 256])
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 0.1, 1.0, 1e3])
def test_the_masses_of_all_levels_sum_to_one(num, scale):
    loc = torch.tensor([-3.0, 0.0, 0.3, 0.999, 1.0, 5.0], **F64)
    log_mass = DiscretizedNormal(loc, scale, num).log_prob(levels(num))
    assert (log_mass <= 0).all()
    torch.testing.assert_close(log_mass.logsumexp(0), torch.zeros(6, **F64))


def test_a_mass_is_the_difference_of_two_probabilities():
    x = levels(16)
    normal = Normal(torch.tensor([0.4], **F64), torch.tensor([0.2], **F64))
    high, low = normal.cdf(x + 1 / 30), normal.cdf(x - 1 / 30)
    high[-1], low[0] = 1.0, 0.0  # the outer bins reach to infinity
    mass = DiscretizedNormal(normal.loc, 0.2, 16).log_prob(x).exp()
    torch.testing.assert_close(mass, high - low)


def test_a_mirrored_pixel_has_the_mirrored_mass_to_the_last_bit():
    # quarters and eighths: all but the masses themselves is free of rounding
    x, loc = levels(5), torch.tensor([0.25, 0.3125, 0.5, 0.75], **F64)
    there = DiscretizedNormal(loc, 1.0, 5).log_prob(x)
    back = DiscretizedNormal(1 - loc, 1.0, 5).log_prob(1 - x)
    one_sided = (x - loc).abs() > 0.125  # the one with the mean in it has two tails
    assert torch.equal(there[one_sided], back[one_sided])


def test_a_fine_bin_holds_the_density_times_its_width():
    x = torch.tensor([100.0, 128.0, 200.0], **F64) / 255
    loc = torch.full((3,), 0.5, **F64)
    mass = DiscretizedNormal(loc, 0.3).log_prob(x)
    density = Normal(loc, 0.3 * torch.ones_like(loc)).log_prob(x)
    torch.testing.assert_close(
        mass, density - torch.tensor(255.0, **F64).log(), atol=1e-5, rtol=0
    )


def test_the_scale_takes_dtype_and_device_of_the_means(default_double):
    loc = torch.zeros(3, dtype=torch.float32, device="cpu")
    with torch.device("meta"):  # a default that nothing can be computed on
        plain = DiscretizedNormal(loc, 0.7)
    for q in (plain, DiscretizedNormal(loc, torch.full((3,), 0.7, **F64))):
        assert q.scale.dtype == torch.float32
        assert q.scale.device == loc.device


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [1e-6, 1e-3, 0.1, 20.0])
def test_value_and_gradient_are_finite_however_narrow_the_noise(dtype, scale):
    loc = torch.tensor([-0.5, 0.3, 1.0, 2.0], dtype=dtype, requires_grad=True)
    width = torch.tensor(scale, dtype=dtype, requires_grad=True)
    log_mass = DiscretizedNormal(loc, width).log_prob(levels(256, dtype))
    log_mass.sum().backward()
    assert log_mass.dtype == dtype
    for value in (log_mass, loc.grad, width.grad):
        assert value.isfinite().all()


def test_far_out_the_gradient_is_that_of_the_nearest_edge():
    x = torch.zeros(1, **F64)
    for distance in (10.0, 1e3):  # in scales; on both sides of where the series begins
        loc = torch.tensor([1e-3 * distance], **F64, requires_grad=True)
        log_mass = DiscretizedNormal(loc, 1e-3).log_prob(x)
        (slope,) = torch.autograd.grad(log_mass, loc)
        edge = (0.5 / 255 - loc.item()) / 1e-3
        assert slope.item() == pytest.approx(edge / 1e-3, rel=0.03)
        step = 1e-6
        other = DiscretizedNormal(loc.detach() + step, 1e-3).log_prob(x)
        assert ((other - log_mass) / step).item() == pytest.approx(
            slope.item(), rel=1e-3
        )


def test_the_series_of_the_tail_joins_the_function():
    x = torch.zeros(1, **F64)
    # of two levels the lower one's bin ends at 1/2: 50 scales below the mean
    inside, outside = (
        DiscretizedNormal(torch.tensor([loc], **F64), 1.0, 2).log_prob(x).item()
        for loc in (50.5 - 1e-9, 50.5 + 1e-9)
    )
    assert inside == pytest.approx(outside, abs=1e-6)
    # the upper level's bin begins there, and is measured from the other tail
    for distance in (50.0 + 1e-9, 50.7, 80.0, 1e3, 1e6):
        wanted = pytest.approx(log_ndtr(-distance), rel=1e-15, abs=1e-11)
        for loc, level in ((0.5 + distance, 0.0), (0.5 - distance, 1.0)):
            q = DiscretizedNormal(torch.tensor([loc], **F64), 1.0, 2)
            assert q.log_prob(torch.tensor([level], **F64)).item() == wanted


def test_samples_are_levels_and_their_mean_is_the_mean():
    torch.manual_seed(0)
    for loc in (0.02, 0.5, 0.97):
        q = DiscretizedNormal(torch.tensor([loc], **F64), 0.1, 16)
        x = q.sample((20_000,))
        assert q.log_prob(x).isfinite().all()  # raises where one is no level
        stderr = x.std() / len(x) ** 0.5
        assert (x.mean() - q.mean).abs() < 4 * stderr
        masses = q.log_prob(levels(16)).exp()
        torch.testing.assert_close((masses * levels(16)).sum(0), q.mean)


def test_a_thousandth_of_a_step_is_too_far_from_a_level():
    q = DiscretizedNormal(torch.zeros(1, **F64), 0.1, 2)
    assert q.log_prob(torch.tensor([0.9e-3], **F64)).isfinite()
    with pytest.raises(ValueError, match=r"data\.unit_pixels gives such levels$"):
        q.log_prob(torch.tensor([1e-3], **F64))


@pytest.mark.parametrize("value", [0.5, -1 / 15, 16 / 15, float("nan")])
def test_a_value_that_is_no_level_is_refused(value):
    q = DiscretizedNormal(torch.zeros(1, **F64), 0.1, 16)
    with pytest.raises(ValueError, match="one of the levels k/15"):
        q.log_prob(torch.tensor([value], **F64))


@pytest.mark.parametrize(
    ("scale", "num"), [(0.0, 16), (-0.1, 16), (float("inf"), 16), (0.1, 1)]
)
def test_a_noise_without_width_or_levels_is_refused(scale, num):
    with pytest.raises(
        ValueError,
        match=f"^DiscretizedNormal needs num_levels >= 2 and "
        f"a positive, finite scale, got {num} and scales from {scale:g}",
    ):
        DiscretizedNormal(torch.zeros(1), scale, num)


def test_the_head_sums_over_pixels():
    torch.manual_seed(0)
    loc, x = torch.rand(3, 5, **F64), levels(256)[[0, 40, 90, 200, 255], 0]
    image = discretized_gaussian(0.2)(loc)
    assert image.batch_shape == (3,)
    assert image.event_shape == (5,)
    by_pixel = DiscretizedNormal(loc, 0.2).log_prob(x.expand(3, 5))
    torch.testing.assert_close(image.log_prob(x), by_pixel.sum(1))
    coarse = discretized_gaussian(0.2, 16)(loc)
    assert coarse.log_prob(coarse.sample()).isfinite().all()
    assert (coarse.sample() * 15).frac().abs().max() < 1e-9
