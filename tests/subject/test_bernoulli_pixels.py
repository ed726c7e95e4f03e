"""A Bernoulli's log-probability: exact where it is certain, none where it is grey."""

import itertools
import math
import subprocess
import sys

import mpmath
import pytest
import torch

from jensengap import bernoulli_pixels, exact, nets
from jensengap.fast import bernoulli_vae

F64 = {"dtype": torch.float64}
CERTAIN = torch.tensor([math.inf, -math.inf, 0.0], **F64)


def by_mpmath(logits, x):
    """Sum log-probabilities with fifty digits; 0 times a logarithm of 0 is 0."""
    with mpmath.workdps(50):
        total = mpmath.mpf(0)
        for logit, pixel in zip(logits.tolist(), x.tolist(), strict=True):
            on = mpmath.mpf(logit)
            total -= mpmath.log1p(mpmath.exp(-on)) * pixel
            total -= mpmath.log1p(mpmath.exp(on)) * (1 - pixel)
        return float(total)


@pytest.mark.parametrize("size", [1e-30, 1.0, 30.0, 90.0, 800.0, 1e6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_log_probabilities_are_those_of_fifty_place_arithmetic(size, dtype):
    torch.manual_seed(0)
    logits = (size * torch.randn(3, 8, **F64)).to(dtype)
    x = torch.rand(4, 8, **F64).round().to(dtype)
    wanted = [[by_mpmath(row, image) for image in x] for row in logits]
    wanted = torch.tensor(wanted, **F64)
    one_by_one = nets.bernoulli(logits[:, None]).log_prob(x)
    together = nets.bernoulli_log_probs(logits, x)
    close = {"rtol": 20 * torch.finfo(dtype).eps, "atol": 0, "check_dtype": False}
    assert together.dtype == one_by_one.dtype == dtype
    torch.testing.assert_close(one_by_one, wanted, **close)
    torch.testing.assert_close(together, wanted, **close)


def test_a_certain_pixel_that_is_as_it_must_be_counts_nothing():
    x = torch.tensor([[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]], **F64)
    for found in (
        nets.bernoulli(CERTAIN).log_prob(x),
        nets.bernoulli_log_probs(CERTAIN[None], x)[0],
    ):
        torch.testing.assert_close(found, torch.full((2,), -math.log(2), **F64))


def test_a_certain_pixel_that_is_not_makes_the_image_impossible():
    x = torch.tensor([[0.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]], **F64)
    assert nets.bernoulli(CERTAIN).log_prob(x).tolist() == [-math.inf] * 3
    assert nets.bernoulli_log_probs(CERTAIN[None], x).tolist() == [[-math.inf] * 3]


def test_grey_targets_of_a_certain_pixel_are_impossible_both_ways():
    x = torch.tensor([[0.5, 0.0, 1.0]], **F64)
    assert nets.bernoulli_log_probs(CERTAIN[None], x).tolist() == [[-math.inf]]


def test_probabilities_of_all_images_sum_to_one_with_certain_pixels_too():
    x = torch.tensor(list(itertools.product([0.0, 1.0], repeat=3)), **F64)
    total = nets.bernoulli_log_probs(CERTAIN[None], x).exp().sum()
    assert abs(total - 1) < 1e-15


def test_the_slope_is_the_pixel_less_its_probability():
    logits = torch.tensor([[-1e3, -2.0, 0.0, 3.0, 1e3]], **F64, requires_grad=True)
    x = torch.tensor([[0.0, 1.0, 1.0, 0.0, 1.0]], **F64)
    wanted = x - logits.detach().sigmoid()
    for value in (
        nets.bernoulli(logits).log_prob(x).sum(),
        nets.bernoulli_log_probs(logits, x).sum(),
    ):
        (slope,) = torch.autograd.grad(value, logits)
        torch.testing.assert_close(slope, wanted, rtol=0, atol=1e-15)


def test_the_cross_entropy_of_grey_targets_is_torchs():
    torch.manual_seed(0)
    logits, x = torch.randn(3, 7, **F64), torch.rand(4, 7, **F64)
    wanted = -torch.nn.functional.binary_cross_entropy_with_logits(
        logits[:, None].expand(3, 4, 7), x.expand(3, 4, 7), reduction="none"
    ).sum(-1)
    torch.testing.assert_close(nets.bernoulli_log_probs(logits, x), wanted)


@pytest.mark.parametrize("bad", [0.5, -1.0, 2.0, math.nan, math.inf])
def test_what_is_neither_zero_nor_one_is_shown_and_counted(bad):
    x = torch.tensor([0.0, bad, 1.0, bad])
    with pytest.raises(
        ValueError, match=rf"^x must be 0 or 1, got {bad:g} .* 2 .* of 4"
    ):
        bernoulli_pixels.binary("x", x)
    bernoulli_pixels.binary("x", torch.tensor([0.0, 1.0]))


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan])
def test_targets_outside_of_the_unit_interval_are_refused(bad):
    with pytest.raises(ValueError, match=r"x must be in \[0, 1\]"):
        nets.bernoulli_log_probs(torch.zeros(1, 2), torch.tensor([[0.5, bad]]))


def test_log_odds_that_are_no_numbers_are_refused():
    for logits in (torch.tensor([math.nan, 0.0]), torch.full((2,), math.nan)):
        with pytest.raises(ValueError, match=r"logits must not be NaN, got \d such"):
            nets.bernoulli(logits)
        with pytest.raises(ValueError, match=r"logits must not be NaN, got \d such"):
            nets.bernoulli_log_probs(logits[None], torch.zeros(1, 2))


def test_two_dtypes_are_refused_before_torch_multiplies_them():
    with pytest.raises(ValueError, match=r"^x must be torch\.float32 on cpu"):
        nets.bernoulli_log_probs(torch.zeros(1, 2), torch.zeros(1, 2, **F64))


def test_no_switch_makes_grey_pixels_probable():
    code = (
        "import torch; from torch.distributions import Distribution\n"
        "Distribution.set_default_validate_args(False)\n"
        "from jensengap import nets\n"
        "try: nets.bernoulli(torch.zeros(2)).log_prob(torch.tensor([0.5, 1.]))\n"
        "except ValueError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-O", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("value must be 0 or 1, got 0.5")


def test_a_pixel_that_is_certainly_off_costs_nothing_where_it_is_off():
    # of small log-odds and of none at all the quick formula would make no number
    logits = torch.tensor([[-math.inf, 0.3], [-math.inf, 300.0]])
    x = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    alone = nets.bernoulli(logits[:, None]).log_prob(x)
    torch.testing.assert_close(nets.bernoulli_log_probs(logits, x), alone)
    rows = logits[:, None].expand(2, 3, 2).clone()
    torch.testing.assert_close(bernoulli_vae.log_likelihood(rows, x), alone)
    probs = torch.tensor([[0.0, 0.5], [0.2, 0.3]])
    mixture = exact.BernoulliMixture(torch.tensor([0.5, 0.5]), probs)
    wanted = torch.tensor([(0.5 + 0.8 * 0.3) / 2, 0.2 * 0.3 / 2, (0.5 + 0.8 * 0.7) / 2])
    torch.testing.assert_close(mixture.log_evidence(x), wanted.log())
